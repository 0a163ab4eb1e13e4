"""One of the two files of the lease log: blocks are added at its end, read back in order, and forgotten together."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Final

from provd.store.durable_file import stamp, sync, write_private
from provd.store.interface import StoreError
from provd.store.lease_log_format import (
    HEAD,
    START,
    Entry,
    block,
    block_length,
    block_number,
    entries_of,
    file_head,
    is_sound,
    newest_of,
    sequence_of,
    settled_of,
)  # fmt: skip
from provd.store.lease_log_salvage import behind
from provd.store.sqlite_record import MAGIC, RecordError

LOG_ENDS: Final = ("-leases1", "-leases2")
"""Ends of the names of both files, behind the store's."""
ROOM: Final = 1 << 16
"""Octets that a file has from the start: what lies on blocks that are there already is durable sooner.

A block that makes the file longer waits for the inode as well, and with a journal for its commit.
"""
_GROWTH: Final = 1 << 20
"""Octets by which a file is lengthened at once: a client that comes in that moment waits for them."""
KEPT: Final = 1 << 24
"""Octets that a file keeps when it begins anew."""
_PIECE: Final = 1 << 16
_ZEROS: Final = 256
"""Zeros that a record may end with: of numbers and empty texts."""
_DURABLE: Final = getattr(os, "RWF_DSYNC", 0)


class LogFile:
    """A file of blocks. Every method may raise :class:`OSError`; one thread at a time uses it.

    Attributes:
        path: of the file.
        number: of the round that it holds, 0 for none.
        settled: sequence number up to which nothing in it counts.
        newest: highest sequence number that it ever held, as far as it says.
        size: octets in use.
        damage: a sentence where something in it could not be believed.
    """

    def __init__(self, path: Path, ending: str) -> None:
        """Open the file, or make it.

        Args:
            path: of the file.
            ending: end of the name of a copy that is kept of a damaged file.

        Raises:
            StoreError: it cannot be opened or written.
        """
        self.path, self.number, self.settled, self.newest, self.size, self.damage = path, 0, 0, 0, START, ""
        self._most = 0
        try:
            flags = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW
            self._descriptor = os.open(path, flags, 0o600)
            os.fchmod(self._descriptor, 0o600)
            try:
                self._read(ending)
            except BaseException:
                os.close(self._descriptor)
                raise
        except OSError as error:
            raise StoreError(f"the store {path} cannot be used: {error.strerror}") from error

    def begin(self, number: int) -> None:
        """Start a round; nothing is written before its first block."""
        self.number, self.size = number, START

    def add(self, entries: Sequence[bytes]) -> None:
        """Write a block; it is durable when this returns, and else the next one takes its place."""
        octets = block(self.number, entries)
        try:
            self._write(octets, self.size)
        except OSError:
            with suppress(OSError):
                # What was half written would look like damage after a restart.
                os.ftruncate(self._descriptor, self.size)
            raise
        self.size += len(octets)
        self._most = max(self._most, self.size)
        # Records are sealed in the order they come in: the last one has the highest number.
        last = next((number for number in map(sequence_of, reversed(entries)) if number), 0)
        self.newest = max(self.newest, self.number, last)

    def make_room(self) -> None:
        """Where it is quiet, lengthen the file towards twice what it ever held; a full disk keeps it as it is."""
        with suppress(OSError):
            length = os.fstat(self._descriptor).st_size
            end = min(2 * self._most, length + _GROWTH, KEPT)
            if length < end:
                os.pwrite(self._descriptor, bytes(end - length), length)
                os.fdatasync(self._descriptor)

    def blocks(self) -> Iterator[list[Entry]]:
        """Every block of the round, in order; what is added meanwhile may be among them.

        Raises:
            RecordError: the disk gave back something else than was written.
        """
        at, number = START, 0
        while at < self.size:
            head, length, body = self._block(at, number)
            if not is_sound(head, body):
                if at >= self.size:
                    return  # settled meanwhile
                raise RecordError(f"the block at octet {at} of {self.path} is not what was written")
            number = block_number(head)
            yield list(entries_of(body))
            at += HEAD + length

    def settle(self) -> None:
        """Forget the round: it is in the database."""
        settled = max(self.settled, self.number, self.newest)
        self._write(file_head(settled), 0)
        # The size first: who reads meanwhile then knows why there is nothing more.
        self.size = START
        self.number, self.settled = 0, settled
        with suppress(OSError):
            if os.fstat(self._descriptor).st_size > KEPT:
                os.ftruncate(self._descriptor, KEPT)

    @property
    def used(self) -> bool:
        """It holds something that is not settled."""
        return self.size > START

    def close(self) -> None:
        """Free the file."""
        os.close(self._descriptor)

    def _write(self, octets: bytes, at: int) -> None:
        """Write all and wait until it is on the disk."""
        view = memoryview(octets)
        while view:
            written = os.pwritev(self._descriptor, [view], at, _DURABLE)
            if written <= 0:
                raise OSError(errno.EIO, os.strerror(errno.EIO))
            view, at = view[written:], at + written
        if not _DURABLE:
            os.fdatasync(self._descriptor)

    def _read(self, ending: str) -> None:
        length = os.fstat(self._descriptor).st_size
        if length == 0:
            self._make()
            return
        faults = []
        try:
            self.settled = settled_of(os.pread(self._descriptor, START, 0))
        except RecordError as error:
            faults.append(str(error))
        self._find_end(length)
        found = behind(self._rest(), self.number, self.settled)
        self.newest = max(self.newest, self.settled, self.number, found.newest)
        if found.damaged:
            faults.append("its end was interrupted or something before it is damaged")
        if faults:
            self.damage = self._keep_copy(ending, faults, len(found.entries))
            self._write(file_head(self.settled), 0)
        if found.entries:
            self.number = self.number or found.number or self.newest
            self.add(found.entries)
        if faults or found.entries:
            # What is left of the damage would be found at the next start once more.
            os.ftruncate(self._descriptor, self.size)
            os.fsync(self._descriptor)

    def _make(self) -> None:
        with suppress(OSError):
            os.pwrite(self._descriptor, bytes(ROOM), START)
        self._write(file_head(0), 0)
        sync(self.path.parent)

    def _find_end(self, length: int) -> None:
        """The round, and where its last sound block ends."""
        last = b""
        while self.size < length:
            head, octets, body = self._block(self.size, self.number)
            if not is_sound(head, body):
                break
            # Numbers only grow, so those of the last block that holds a record are looked at, and no others.
            last = body if MAGIC in body else last
            self.number = block_number(head)
            self.size += HEAD + octets
        self.newest = max(self.newest, newest_of(last))

    def _block(self, at: int, number: int) -> tuple[bytes, int, bytes]:
        """Head, length and body of what stands there; no sound block where none of this round begins."""
        head = os.pread(self._descriptor, HEAD, at)
        length = block_length(head, number, self.settled)
        return (head, length, os.pread(self._descriptor, length, at + HEAD)) if length >= 0 else (b"", 0, b"")

    def _rest(self) -> bytes:
        """Everything behind the last sound block, without the zeros at its end that belong to no record."""
        pieces, at = [], self.size
        while piece := os.pread(self._descriptor, _PIECE, at):
            pieces.append(piece)
            at += len(piece)
        whole = b"".join(pieces)
        return whole[: len(whole.rstrip(b"\0")) + _ZEROS]

    def _keep_copy(self, ending: str, faults: Sequence[str], found: int) -> str:
        copy = self.path.with_name(f"{self.path.name}.damaged-{ending}")
        write_private(copy, os.pread(self._descriptor, os.fstat(self._descriptor).st_size, 0))
        why = "; ".join(faults)
        return (
            f"the lease log {self.path} was damaged ({why}); a copy is kept as {copy}; behind the damage were {found}"
            " sound records; those on damaged places are lost, and removed leases may be back"
        )


def open_logs(store: Path, wall: Callable[[], float]) -> tuple[LogFile, LogFile]:
    """Both files of a store's lease log, read and where needed repaired.

    Args:
        store: path of the store.
        wall: seconds since the epoch, for the names of copies.

    Raises:
        StoreError: they cannot be opened or written.
    """
    now = stamp(wall())
    first = LogFile(Path(f"{store}{LOG_ENDS[0]}"), now)
    try:
        return first, LogFile(Path(f"{store}{LOG_ENDS[1]}"), now)
    except BaseException:
        first.close()
        raise
