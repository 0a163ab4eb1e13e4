"""What an FTP client sees: the trees of install sources, decided as every other protocol's files are."""

# ruff: noqa: N802 - the names are Twisted's
# mypy: disable-error-code="no-untyped-call"

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Sequence
from typing import Any, Final

from twisted.internet.defer import Deferred, fail
from twisted.internet.interfaces import IConsumer, IPushProducer
from twisted.protocols import ftp
from twisted.python.filepath import Permissions
from zope.interface import implementer

from provd.plugin.api import Content, FileBody, FileRequest, NotFound, Runtime, StreamBody, open_body

from .trees import TREES

_PIECE: Final = 256 * 1024

Facts = list[object]
"""Values of the keys that were asked for."""
Listing = list[tuple[str, Facts]]
_FILE_MODE: Final = 0o100444


@implementer(ftp.IFTPShell)
class TreeShell:
    """Read only.

    Args:
        runtime: decides whose file it is.
    """

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime

    def access(self, path: Sequence[str]) -> Deferred[None]:
        """Any directory may be entered: what is in it shows when a file is asked for."""
        if path and path[0] not in TREES:
            return fail(ftp.FileNotFoundError(path))
        return Deferred.fromCoroutine(_nothing())

    def stat(self, path: Sequence[str], keys: Sequence[str] = ()) -> Deferred[Facts]:
        """Facts of a file."""
        return Deferred.fromCoroutine(self._stat(path, keys))

    def list(self, path: Sequence[str], keys: Sequence[str] = ()) -> Deferred[Listing]:
        """A file lists itself; directories have no list, because a mirror does not know what it could fetch."""
        return Deferred.fromCoroutine(self._list(path, keys))

    def openForReading(self, path: Sequence[str]) -> Deferred[Any]:
        """The octets of a file."""
        return Deferred.fromCoroutine(self._open(path))

    def openForWriting(self, path: Sequence[str]) -> Deferred[Any]:
        """Refused."""
        return fail(ftp.PermissionDeniedError(path))

    def makeDirectory(self, path: Sequence[str]) -> Deferred[Any]:
        """Refused."""
        return fail(ftp.PermissionDeniedError(path))

    def removeDirectory(self, path: Sequence[str]) -> Deferred[Any]:
        """Refused."""
        return fail(ftp.PermissionDeniedError(path))

    def removeFile(self, path: Sequence[str]) -> Deferred[Any]:
        """Refused."""
        return fail(ftp.PermissionDeniedError(path))

    def rename(self, old: Sequence[str], new: Sequence[str]) -> Deferred[Any]:
        """Refused."""
        return fail(ftp.PermissionDeniedError(old))

    async def _content(self, path: Sequence[str]) -> Content:
        parts = list(path)
        if len(parts) < 2 or parts[0] not in TREES or any(part in {"", ".", ".."} or "\0" in part for part in parts):
            raise ftp.FileNotFoundError(path)
        answer = await self._runtime.open_file(FileRequest("ftp", "/".join(parts), "", "", local_port=21))
        if isinstance(answer, NotFound) or answer.status >= 400:
            raise ftp.FileNotFoundError(path)
        return answer

    async def _stat(self, path: Sequence[str], keys: Sequence[str]) -> Facts:
        content = await self._content(path)
        facts: dict[str, object] = {
            "size": max(content.length, 0),
            "permissions": Permissions(_FILE_MODE),
            "hardlinks": 1,
            "modified": content.mtime or 0,
            "owner": "provd",
            "group": "provd",
            "directory": False,
        }
        return [facts[key] for key in keys]

    async def _list(self, path: Sequence[str], keys: Sequence[str]) -> Listing:
        if len(path) < 2:
            return []
        return [(path[-1], await self._stat(path, keys))]

    async def _open(self, path: Sequence[str]) -> Reader:
        content = await self._content(path)
        return Reader(self._runtime, content)


async def _nothing() -> None:
    return None


@implementer(ftp.IReadFile)
class Reader:
    """One file on its way.

    Args:
        runtime: reads disks beside the reactor.
        content: of the file.
    """

    def __init__(self, runtime: Runtime, content: Content) -> None:
        self._runtime, self._content = runtime, content

    def send(self, consumer: Any) -> Deferred[None]:
        """Give everything to the data connection."""
        return Deferred.fromCoroutine(self._send(consumer))

    async def _send(self, consumer: Any) -> None:
        valve = _Valve()
        IConsumer(consumer).registerProducer(valve, streaming=True)
        try:
            async for piece in self._pieces():
                consumer.write(piece)
                await valve.open()
        finally:
            consumer.unregisterProducer()

    async def _pieces(self) -> AsyncIterator[bytes]:
        body, length = self._content.body, self._content.length
        if isinstance(body, bytes):
            yield body
        elif isinstance(body, StreamBody):
            async for piece in body.open(0, length):
                yield piece
        elif isinstance(body, FileBody):
            opened = open_body(body)
            try:
                at, stop = body.offset, body.offset + (length if length >= 0 else opened.status.st_size)
                while at < stop:
                    low, count = at, min(_PIECE, stop - at)
                    piece = await self._runtime.in_thread(
                        lambda low=low, count=count: os.pread(opened.descriptor, count, low)  # type: ignore[misc]
                    )
                    if not piece:
                        return
                    at += len(piece)
                    yield piece
            finally:
                os.close(opened.descriptor)


@implementer(IPushProducer)
class _Valve:
    """Waits while the connection has more than it can take."""

    def __init__(self) -> None:
        self._paused, self._gone = False, False
        self._waiting: Deferred[None] | None = None

    def pauseProducing(self) -> None:
        self._paused = True

    def resumeProducing(self) -> None:
        self._paused = False
        self._wake()

    def stopProducing(self) -> None:
        self._paused, self._gone = False, True
        self._wake()

    async def open(self) -> None:
        if self._paused:
            self._waiting = Deferred()
            await self._waiting
        if self._gone:
            raise ConnectionError("the data connection is gone")

    def _wake(self) -> None:
        waiting, self._waiting = self._waiting, None
        if waiting is not None:
            waiting.callback(None)
