"""One file on its way from upstream to disk, and to everybody who waits for it."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Awaitable, Callable
from hashlib import sha256
from pathlib import Path

from provd.plugin.api import HttpStream, Runtime, Task

_CHUNK = 256 * 1024


class Download:
    """Fetches at upstream's speed; each reader reads from disk at its own.

    Attributes:
        size: octets that came.

    Args:
        runtime: runs it, whether or not anybody reads.
        stream: upstream's answer, its body not yet read.
        incoming: an empty file.
        check: called with a whole body and its SHA-256 in hexadecimal; raises OSError where it must not be kept.
        keep: called after it, likewise; returns where the file lies then.
        ended: called once at the end with what went wrong, or empty.
        hold: give nobody the last octet before ``keep`` agreed, so that nobody has a whole body that was refused.
    """

    def __init__(
        self,
        runtime: Runtime,
        stream: HttpStream,
        incoming: Path,
        *,
        check: Callable[[Path, str], Awaitable[None]],
        keep: Callable[[Path, str], Path],
        ended: Callable[[str], None],
        hold: bool = False,
    ) -> None:
        self._runtime = runtime
        self._stream = stream
        self._path = incoming
        self._check, self._keep = check, keep
        self._ended = ended
        self._hold = hold
        self.size = 0
        self._digest = sha256()
        self._done = False
        self._error = ""
        self._step: Task[bool] | None = None

    async def run(self) -> str:
        """Fetch to the end; what went wrong, or empty."""
        self._error = "the transfer was stopped"
        try:
            with self._path.open("wb", buffering=0) as file:
                more = True
                while more:
                    self._step = self._runtime.background(self._pull(file.fileno()))
                    more = await self._step
            if self._stream.length not in {-1, self.size}:
                raise ConnectionError(f"{self.size} of {self._stream.length} octets came")
            # a step too, so that readers of the last octet wait for it
            self._step = self._runtime.background(self._agree())
            await self._step
            self._error = ""
        except OSError as error:
            self._error = str(error) or type(error).__name__
        finally:
            self._stream.close()
            self._done = True
            if self._step is not None:
                self._step.cancel()
            if self._error:
                self._path.unlink(missing_ok=True)
            self._ended(self._error)
        return self._error

    async def octets(self, start: int, stop: int) -> AsyncIterator[bytes]:
        """The half-open range as it arrives; ``stop`` -1 for the end.

        Raises:
            ConnectionError: the transfer broke.
        """
        self._refuse_broken()
        descriptor = os.open(self._path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
        try:
            while stop < 0 or start < stop:
                limit = self._readable if stop < 0 else min(self._readable, stop)
                if start < limit:
                    chunk = os.pread(descriptor, min(limit - start, _CHUNK), start)
                    start += len(chunk)
                    yield chunk
                elif self._done:
                    self._refuse_broken()
                    return
                elif self._step is not None:
                    await self._next(self._step)
        finally:
            os.close(descriptor)

    async def _agree(self) -> bool:
        sha256 = self._digest.hexdigest()
        await self._check(self._path, sha256)
        self._path = self._keep(self._path, sha256)
        return False

    @property
    def _readable(self) -> int:
        return self.size - 1 if self._hold and self.size and not self._done else self.size

    async def _pull(self, descriptor: int) -> bool:
        """Write the next piece; False at the end."""
        data = await self._stream.read()
        left = memoryview(data)
        while left:
            left = left[os.write(descriptor, left) :]
        self._digest.update(data)
        self.size += len(data)
        return bool(data)

    async def _next(self, step: Task[bool]) -> None:
        """Wait for the next piece; what breaks it is told in one form."""
        try:
            await step
        except Exception:
            self._refuse_broken()
            raise

    def _refuse_broken(self) -> None:
        if self._done and self._error:
            raise ConnectionError(f"upstream: {self._error}")
