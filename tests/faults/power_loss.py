"""What a disk may hold when the power goes: replays the calls of a process, and gives the folder as it may be found.

The model is that of POSIX and no kinder: what was written since a file's last fsync is there, or not, or in part, and in
any order; a name that was made, changed or removed since its folder's last fsync is there as before or as after.
"""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from tests.faults.write_trace import Call

#: Of the calls that change files, those that the replay does not know: a store that uses them needs more here.
_FOREIGN = frozenset({"writev", "pwritev", "copy_file_range", "sendfile", "fallocate", "truncate", "link",
                      "linkat", "dup", "dup2", "dup3", "creat", "open"})  # fmt: skip


@dataclass(eq=False)
class File:
    """One file: what is surely on the disk, and the writes since; a write without octets cuts the file off there."""

    durable: bytes = b""
    pending: list[tuple[int, bytes | None]] = field(default_factory=list)
    live: bytearray = field(default_factory=bytearray)

    def write(self, at: int, octets: bytes | None) -> None:
        """Write, or cut off."""
        _apply(self.live, at, octets)
        self.pending.append((at, octets))

    def write_through(self, at: int, octets: bytes) -> None:
        """Write so that these octets, and no others, are on the disk (RWF_DSYNC)."""
        _apply(self.live, at, octets)
        durable = bytearray(self.durable)
        _apply(durable, at, octets)
        self.durable = bytes(durable)
        # A page that was written before and reaches the disk later brings what is in it then.
        self.pending = [
            (begin, earlier if earlier is None else _over(begin, earlier, at, octets))
            for begin, earlier in self.pending
        ]

    def sync(self) -> None:
        """The fsync of this file came back."""
        self.durable = bytes(self.live)
        self.pending.clear()


def _apply(content: bytearray, at: int, octets: bytes | None) -> None:
    if len(content) < at:
        content.extend(bytes(at - len(content)))
    if octets is None:
        del content[at:]
    else:
        content[at : at + len(octets)] = octets


def _over(begin: int, earlier: bytes, at: int, octets: bytes) -> bytes:
    """An earlier write with the later one's octets where both wrote."""
    first, last = max(begin, at), min(begin + len(earlier), at + len(octets))
    if first >= last:
        return earlier
    return earlier[: first - begin] + octets[first - at : last - at] + earlier[last - begin :]


@dataclass
class Handle:
    """An open file."""

    file: File | None
    append: bool
    position: int = 0


class Disk:
    """The folder during a replay.

    Args:
        folder: where the process worked.
        before: names and contents of its files as they were, all durable.

    Attributes:
        told: what the process had written to its standard output.
    """

    def __init__(self, folder: Path, before: Mapping[str, bytes]) -> None:
        self._folder = folder
        self._names = {name: File(octets, [], bytearray(octets)) for name, octets in before.items()}
        self._durable = dict(self._names)
        self._changes: list[tuple[str, File | None]] = []
        self._handles: dict[int, Handle] = {}
        self.told = bytearray()

    def replay(self, call: Call) -> bool:
        """Take one call; whether it changed what the disk holds, or may hold."""
        act = getattr(self, f"_{call.name}", None)
        if act is not None:
            return bool(act(call))
        if call.name in _FOREIGN and any(self._inside(text) for text in call.texts):
            raise AssertionError(f"the replay does not know {call.name}")
        return False

    def images(self, pick: random.Random, mixed: int) -> list[tuple[str, dict[str, bytes]]]:
        """Contents of the folder that a power loss may leave now, with a word for each."""
        kept = {name: bytes(file.live) for name, file in self._names.items()}
        dropped = {name: file.durable for name, file in self._durable.items()}
        found = [("everything was written", kept), ("only what was synced", dropped)]
        found += [("some of it was written", self._some(pick)) for _ in range(mixed)]
        return found

    def _some(self, pick: random.Random) -> dict[str, bytes]:
        names = dict(self._durable)
        for name, file in self._changes[: pick.randint(0, len(self._changes))]:
            if file is None:
                names.pop(name, None)
            else:
                names[name] = file
        return {name: _some_of(file, pick) for name, file in names.items()}

    def _inside(self, path: bytes) -> bool:
        return Path(path.decode()).parent == self._folder

    def _openat(self, call: Call) -> bool:
        path = Path(call.texts[0].decode())
        if path == self._folder:
            self._handles[call.result] = Handle(None, append=False)
            return False
        if path.parent != self._folder:
            return False
        flags, changed = call.rest[2], False
        file = self._names.get(path.name)
        if file is None:
            assert "O_CREAT" in flags, f"{path.name} was opened and is not known"
            file = File()
            self._name(path.name, file)
            changed = True
        if "O_TRUNC" in flags and file.live:
            file.write(0, None)
            changed = True
        self._handles[call.result] = Handle(file, append="O_APPEND" in flags)
        return changed

    def _close(self, call: Call) -> bool:
        self._handles.pop(int(call.rest[0]), None)
        return False

    def _write(self, call: Call) -> bool:
        number = int(call.rest[0])
        if number == 1:
            self.told += call.texts[0][: call.result]
            return False
        handle = self._handles.get(number)
        if handle is None or handle.file is None:
            return False
        at = len(handle.file.live) if handle.append else handle.position
        handle.file.write(at, call.texts[0][: call.result])
        handle.position = at + call.result
        return True

    def _pwrite64(self, call: Call) -> bool:
        handle = self._handles.get(int(call.rest[0]))
        if handle is None or handle.file is None:
            return False
        handle.file.write(int(call.rest[-1]), call.texts[0][: call.result])
        return True

    def _pwritev2(self, call: Call) -> bool:
        handle = self._handles.get(int(call.rest[0]))
        if handle is None or handle.file is None:
            return False
        assert len(call.texts) == 1, "the replay knows writes of one piece"
        at, octets = int(call.rest[-2]), call.texts[0][: call.result]
        if call.rest[-1] == "RWF_DSYNC":
            handle.file.write_through(at, octets)
        else:
            handle.file.write(at, octets)
        return True

    def _lseek(self, call: Call) -> bool:
        handle = self._handles.get(int(call.rest[0]))
        if handle is not None:
            handle.position = call.result
        return False

    def _ftruncate(self, call: Call) -> bool:
        handle = self._handles.get(int(call.rest[0]))
        if handle is None or handle.file is None:
            return False
        size = int(call.rest[1])
        handle.file.write(size, None)
        return True

    def _fsync(self, call: Call) -> bool:
        handle = self._handles.get(int(call.rest[0]))
        if handle is None:
            return False
        if handle.file is None:
            self._durable = dict(self._names)
            self._changes.clear()
        else:
            handle.file.sync()
        return True

    _fdatasync = _fsync

    def _rename(self, call: Call) -> bool:
        old, new = (Path(text.decode()) for text in call.texts)
        if old.parent != self._folder:
            return False
        assert new.parent == self._folder
        file = self._names[old.name]
        # rename(2) is one step: there is no moment without the new name.
        self._name(new.name, file)
        self._name(old.name, None)
        return True

    _renameat = _renameat2 = _rename

    def _unlink(self, call: Call) -> bool:
        path = Path(call.texts[0].decode())
        if path.parent != self._folder or path.name not in self._names:
            return False
        self._name(path.name, None)
        return True

    _unlinkat = _unlink

    def _mmap(self, call: Call) -> bool:
        """Only the shared index of the log is mapped, which is made anew after a crash."""
        handle = self._handles.get(int(call.rest[4])) if len(call.rest) > 4 else None
        if handle is not None and "MAP_SHARED" in call.rest[3] and "PROT_WRITE" in call.rest[2]:
            name = next((name for name, file in self._names.items() if file is handle.file), "")
            assert name.endswith("-shm"), f"{name} is written through memory, which no trace shows"
        return False

    def _name(self, name: str, file: File | None) -> None:
        self._changes.append((name, file))
        if file is None:
            self._names.pop(name, None)
        else:
            self._names[name] = file


def _some_of(file: File, pick: random.Random) -> bytes:
    """The file with a part of the writes that were not synced, in any order, and one of them torn."""
    content = bytearray(file.durable)
    chosen = [write for write in file.pending if pick.random() < 0.5]
    pick.shuffle(chosen)
    for number, (at, octets) in enumerate(chosen):
        torn = octets is not None and number == 0 and pick.random() < 0.5
        _apply(content, at, octets[: pick.randrange(len(octets) + 1)] if torn and octets is not None else octets)
    return bytes(content)
