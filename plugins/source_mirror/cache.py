"""Complete files of one mirror on disk.

    tree/PATH          the file
    facts/PATH.json    its length and upstream's validators, written after it
    incoming/PID-*     what is being fetched

A file counts only where its facts agree with its length, so that what a power cut leaves behind is fetched again.
"""

from __future__ import annotations

import os
import shutil
import stat
from collections.abc import AsyncIterator, Collection
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from tempfile import mkstemp

import msgspec

from provd.plugin.api import Content, Runtime, file_beneath

FACTS = ".json"
"""Ending of the name of a file's facts."""
_LONGEST_NAME = 255 - len(FACTS)


class Facts(msgspec.Struct, frozen=True):
    """What upstream said about a file.

    Attributes:
        length: octets.
        base: origin that the validators belong to.
        modified: its Last-Modified, or empty.
        etag: its ETag as it was sent, or empty.
        sha256: of the octets, in hexadecimal.
    """

    length: int
    base: str = ""
    modified: str = ""
    etag: str = ""
    sha256: str = ""

    @property
    def validators(self) -> dict[str, dict[str, str]]:
        """Conditional headers by origin (RFC 9110 section 13.1)."""
        headers = {"If-None-Match": self.etag, "If-Modified-Since": self.modified}
        return {self.base: {name: value for name, value in headers.items() if value}}


@dataclass(frozen=True, slots=True)
class Cached:
    """A complete file with its facts."""

    content: Content
    facts: Facts


def is_plain(path: str) -> bool:
    """Whether a path can be a file of the cache: plain components of possible lengths."""
    return all(
        part not in {"", ".", ".."} and part.isprintable() and len(part.encode(errors="replace")) <= _LONGEST_NAME
        for part in path.split("/")
    )


class Cache:
    """Finds and keeps files below ``root``; nothing is followed through symbolic links."""

    def __init__(self, root: Path) -> None:
        self._tree = root / "tree"
        self._facts = root / "facts"
        self._incoming = root / "incoming"
        self.promises = root / "promises"

    def find(self, path: str) -> Cached | None:
        """The complete file ``path``, if it is there."""
        content = file_beneath(self._tree, path)
        if not isinstance(content, Content):
            return None
        described = file_beneath(self._facts, path + FACTS)
        if not isinstance(described, Content):
            return None
        try:
            facts = msgspec.json.decode((self._facts / (path + FACTS)).read_bytes(), type=Facts)
        except (OSError, msgspec.DecodeError):
            return None
        return Cached(content, facts) if facts.length == content.length else None

    def file(self, path: str) -> Path:
        """Where ``path`` lies once it is complete."""
        return self._tree / path

    def incoming(self) -> Path:
        """A new empty file for what is being fetched.

        Raises:
            OSError: it cannot be made.
        """
        self._incoming.mkdir(parents=True, exist_ok=True)
        descriptor, name = mkstemp(prefix=f"{os.getpid()}-", dir=self._incoming)
        os.close(descriptor)
        return Path(name)

    def sweep(self) -> None:
        """Remove what an earlier process left unfinished."""
        with suppress(OSError):
            for path in list(self._incoming.iterdir()):
                if not path.name.startswith(f"{os.getpid()}-"):
                    path.unlink(missing_ok=True)

    def keep(self, incoming: Path, path: str, facts: Facts, mtime: float | None) -> None:
        """Make a fetched file the complete one, in one step.

        Raises:
            OSError: it cannot be put there.
        """
        if mtime is not None:
            os.utime(incoming, (mtime, mtime))
        incoming.chmod(0o644)
        _place(incoming, self._tree, path)
        described = self.incoming()
        described.write_bytes(msgspec.json.encode(facts))
        _place(described, self._facts, path + FACTS)

    def free(self) -> int:
        """Octets that the disk has left.

        Raises:
            OSError: nobody knows.
        """
        self._tree.mkdir(parents=True, exist_ok=True)
        return shutil.disk_usage(self._tree).free

    def used(self, path: str) -> None:
        """Remember that ``path`` was given out now."""
        with suppress(OSError):
            os.utime(self._facts / (path + FACTS), follow_symlinks=False)

    def shrink(self, most: int, spared: Collection[str]) -> tuple[int, int]:
        """See :func:`.shrink.shrink`."""
        from .shrink import shrink

        return shrink(self._tree, self._facts, most, spared)

    def remove(self, path: str, *, dry_run: bool) -> tuple[int, int]:
        """Remove a file, a directory or, for the empty path, everything; how many files and octets it was."""
        from .shrink import remove

        def leaves(one: str) -> bool:
            return not path or one == path or one.startswith(path + "/")

        return remove(self._tree, self._facts, leaves, dry_run=dry_run)

    async def count(self, runtime: Runtime) -> tuple[int, int]:
        """Files and octets on disk; others are served between two directories."""
        files = octets = 0
        async for sizes in _sizes(self._tree, runtime):
            files += len(sizes)
            octets += sum(sizes)
        return files, octets


async def _sizes(root: Path, runtime: Runtime) -> AsyncIterator[list[int]]:
    waiting = [root]
    while waiting:
        sizes: list[int] = []
        try:
            with os.scandir(waiting.pop()) as entries:
                for entry in entries:
                    if entry.is_dir(follow_symlinks=False):
                        waiting.append(Path(entry.path))
                    elif entry.is_file(follow_symlinks=False):
                        sizes.append(entry.stat(follow_symlinks=False).st_size)
        except OSError:  # it was never made, or is removed right now
            continue
        yield sizes
        await runtime.sleep(0)


def _place(source: Path, root: Path, path: str) -> None:
    """Rename ``source`` to ``path`` below ``root``, directory by directory, never through a link."""
    *parents, name = path.split("/")
    root.mkdir(parents=True, exist_ok=True)
    current = os.open(root, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        for part in parents:
            below = _directory(part, current)
            os.close(current)
            current = below
        os.rename(source, name, dst_dir_fd=current)
    finally:
        os.close(current)


def _directory(name: str, parent: int) -> int:
    """The directory ``name``, made where it is missing; a file in its place was a directory's listing and goes."""
    with suppress(FileNotFoundError):
        if stat.S_ISREG(os.stat(name, dir_fd=parent, follow_symlinks=False).st_mode):
            os.unlink(name, dir_fd=parent)
    with suppress(FileExistsError):
        os.mkdir(name, 0o755, dir_fd=parent)
    return os.open(name, os.O_PATH | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=parent)
