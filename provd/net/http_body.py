"""Bodies on their way out: one chunk in memory, however large the file and slow the client (rule H12)."""

# ruff: noqa: N802 - the method names are Twisted's
# mypy: disable-error-code="no-untyped-call"

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any, Final, TypeVar

from twisted.internet.defer import Deferred
from twisted.internet.error import ConnectionAborted
from twisted.internet.interfaces import IDelayedCall, IPushProducer, IReactorTime
from twisted.web.http import Request
from zope.interface import implementer

from provd.model.content import StreamBody

CHUNK: Final = 256 * 1024
"""Octets of one read of a file."""

T = TypeVar("T")
InThread = Callable[[Callable[[], T]], Awaitable[T]]


class ShortBodyError(Exception):
    """The body ended before its announced length."""


async def file_chunks(in_thread: InThread[bytes], descriptor: int, start: int, stop: int) -> AsyncIterator[bytes]:
    """Octets ``start`` to ``stop`` of an open file, read outside of the reactor's thread.

    Raises:
        ShortBodyError: the file was cut while it was read.
    """
    while start < stop:
        at, size = start, min(CHUNK, stop - start)
        chunk = await in_thread(lambda at=at, size=size: os.pread(descriptor, size, at))  # type: ignore[misc]
        if not chunk:
            raise ShortBodyError(f"the file ends at octet {start}, {stop} were announced")
        start += len(chunk)
        yield chunk


async def memory_chunks(data: bytes) -> AsyncIterator[bytes]:
    """A body that is in memory already."""
    if data:
        yield data


def stream_chunks(body: StreamBody, start: int, stop: int) -> AsyncIterator[bytes]:
    """A stream's half-open range; ``stop`` -1 for an unknown end."""
    return body.open(start, stop)


@implementer(IPushProducer)
class Flow:
    """Back-pressure of one response: ``drained`` waits until the kernel has every octet written so far.

    A client that takes nothing for ``stall_s`` seconds loses its connection.
    """

    def __init__(self, request: Request, clock: IReactorTime, stall_s: float) -> None:
        self._request = request
        self._clock = clock
        self._stall_s = stall_s
        self._paused = False
        self._waiting: Deferred[None] | None = None
        self._timer: IDelayedCall | None = None

    def pauseProducing(self) -> None:
        """The transport holds octets that the kernel did not take yet."""
        self._paused = True

    def resumeProducing(self) -> None:
        """The kernel has everything."""
        self._paused = False
        self._stop_timer()
        waiting, self._waiting = self._waiting, None
        if waiting is not None:
            waiting.callback(None)

    def stopProducing(self) -> None:
        """The connection is gone."""
        self._stop_timer()
        waiting, self._waiting = self._waiting, None
        if waiting is not None:
            waiting.errback(ConnectionAborted())

    async def drained(self) -> None:
        """Wait until everything written has been given to the kernel.

        Raises:
            ConnectionAborted: the connection was lost first.
        """
        if not self._paused:
            return
        self._waiting = Deferred(lambda _waiting: self._forget())
        self._timer = self._clock.callLater(self._stall_s, self._abort)
        await self._waiting

    def _abort(self) -> None:
        transport: Any = self._request.transport
        transport.abortConnection()

    def _forget(self) -> None:
        self._stop_timer()
        self._waiting = None

    def _stop_timer(self) -> None:
        timer, self._timer = self._timer, None
        if timer is not None and timer.active():
            timer.cancel()


async def pump(request: Request, flow: Flow, chunks: AsyncIterator[bytes], length: int) -> int:
    """Write every chunk, each after the one before has left; return the octets written.

    Raises:
        ShortBodyError: ``length`` is not -1 and more or fewer octets came.
        ConnectionAborted: the client went away.
    """
    try:
        return await _pump(request, flow, chunks, length)
    finally:
        # A generator frees what it holds now, not when it is collected.
        close = getattr(chunks, "aclose", None)
        if close is not None:
            await close()


async def _pump(request: Request, flow: Flow, chunks: AsyncIterator[bytes], length: int) -> int:
    sent = 0
    async for chunk in chunks:
        if 0 <= length < sent + len(chunk):
            raise ShortBodyError(f"the body is longer than the announced {length} octets")
        request.write(chunk)
        sent += len(chunk)
        await flow.drained()
    if length >= 0 and sent != length:
        raise ShortBodyError(f"the body ended after {sent} of {length} octets")
    return sent
