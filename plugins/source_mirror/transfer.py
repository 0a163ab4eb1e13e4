"""One file on its way from upstream: one writer, and any number of readers that follow it."""

from __future__ import annotations

import os
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path

from twisted.internet.defer import Deferred

_CHUNK = 128 * 1024


class BrokenTransferError(Exception):
    """The file did not come whole."""


class Transfer:
    """A file that grows in a folder for unfinished ones, and is renamed when it is whole.

    Args:
        folder: where it grows; on the same file system as ``target``.
        target: where it belongs.
        length: octets it will have, or -1.
    """

    def __init__(self, folder: Path, target: Path, length: int) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        descriptor, name = tempfile.mkstemp(dir=folder)
        self._file = os.fdopen(descriptor, "wb", buffering=0)
        self._path = Path(name)
        self._target = target
        self.length = length
        self.size = 0
        self._whole = False
        self._error: Exception | None = None
        self._waiting: list[Deferred[None]] = []

    def feed(self, data: bytes) -> None:
        """The next octets.

        Raises:
            OSError: the disk does not take them.
        """
        view = memoryview(data)
        while view:
            view = view[self._file.write(view) :]
        self.size += len(data)
        self._wake()

    def finish(self, mtime: float | None) -> None:
        """All octets have come: the file takes its place.

        Raises:
            BrokenTransferError: they are fewer or more than were announced.
            OSError: it cannot be put there.
        """
        self._file.close()
        if self.length not in {-1, self.size}:
            raise BrokenTransferError(f"{self.size} of {self.length} octets came")
        self._target.parent.mkdir(parents=True, exist_ok=True)
        self._path.chmod(0o644)
        if mtime is not None:
            os.utime(self._path, (mtime, mtime))
        self._path.replace(self._target)
        self._path = self._target
        self._whole = True
        self._wake()

    def fail(self, error: Exception) -> None:
        """It will not become whole; readers break off."""
        if self._whole or self._error is not None:
            return
        self._error = error
        self._file.close()
        self._path.unlink(missing_ok=True)
        self._wake()

    async def read(self, start: int, stop: int) -> AsyncIterator[bytes]:
        """Octets ``start`` to ``stop`` (-1: the end) as they come.

        Raises:
            BrokenTransferError: the transfer failed.
        """
        if self._error is not None:
            raise BrokenTransferError(str(self._error))
        with self._path.open("rb") as file:
            while stop < 0 or start < stop:
                here = min(self.size, stop) if stop >= 0 else self.size
                if start < here:
                    data = os.pread(file.fileno(), min(_CHUNK, here - start), start)
                    start += len(data)
                    yield data
                elif self._error is not None:
                    raise BrokenTransferError(str(self._error))
                elif self._whole:
                    return
                else:
                    await self._more()

    async def _more(self) -> None:
        waiting: Deferred[None] = Deferred(self._waiting.remove)
        self._waiting.append(waiting)
        await waiting

    def _wake(self) -> None:
        waiting, self._waiting = self._waiting, []
        for one in waiting:
            one.callback(None)
