"""One file on its way to the data connection."""

# ruff: noqa: N802 - the names are Twisted's
# mypy: disable-error-code="no-untyped-call"

from __future__ import annotations

import os
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from typing import Any, Final

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IPushProducer
from zope.interface import implementer

from provd.plugin.api import Content, FileBody, Runtime, StreamBody, open_body

_PIECE: Final = 256 * 1024


class Reader:
    """Reads a file in pieces, at the pace of the connection.

    Attributes:
        length: octets of the file, -1 where nobody knows.

    Args:
        runtime: reads disks beside the reactor.
        content: of the file.
    """

    def __init__(self, runtime: Runtime, content: Content) -> None:
        self.length = content.length
        self._runtime, self._content = runtime, content

    async def send(self, data: Any, start: int, moved: Callable[[], None]) -> None:
        """Give everything from ``start`` on to a data connection, and close that.

        Args:
            data: the connection, Twisted's ``DTP``.
            start: octets that are left out.
            moved: called after each piece that left.

        Raises:
            OSError: the client is gone, or the file ended too early.
        """
        if not data.isConnected:
            raise ConnectionError("the data connection is gone")
        valve = _Valve()
        data.registerProducer(valve, streaming=True)
        try:
            async with aclosing(self._pieces(start)) as pieces:
                async for piece in pieces:
                    await valve.open()
                    data.write(piece)
                    moved()
            await valve.open()
        finally:
            data.unregisterProducer()

    async def _pieces(self, start: int) -> AsyncGenerator[bytes, None]:
        body, length = self._content.body, self._content.length
        if isinstance(body, bytes):
            yield body[start:]
        elif isinstance(body, StreamBody):
            async for piece in body.open(start, length):
                yield piece
        elif isinstance(body, FileBody):
            opened = open_body(body)
            try:
                stop = body.offset + (length if length >= 0 else opened.status.st_size)
                async for piece in self._read(opened.descriptor, body.offset + start, stop):
                    yield piece
            finally:
                os.close(opened.descriptor)

    async def _read(self, descriptor: int, at: int, stop: int) -> AsyncGenerator[bytes, None]:
        while at < stop:
            low, count = at, min(_PIECE, stop - at)
            piece = await self._runtime.in_thread(
                lambda low=low, count=count: os.pread(descriptor, count, low)  # type: ignore[misc]
            )
            if not piece:
                raise ConnectionError("the file became shorter")
            at += len(piece)
            yield piece


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
