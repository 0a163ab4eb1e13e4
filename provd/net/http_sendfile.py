"""A file's octets from the page cache into a connection, without passing through the program (sendfile(2), rule H12).

The reactor must never wait for a disk: a piece that is not in memory is read by a thread first.
"""

# ruff: noqa: N802 - the method names are Twisted's
# mypy: disable-error-code="no-untyped-call"

from __future__ import annotations

import errno
import os
from collections.abc import Awaitable, Callable
from typing import Any, Final, cast

from twisted.internet.defer import Deferred
from twisted.internet.error import ConnectionAborted
from twisted.internet.interfaces import IDelayedCall, IReactorFDSet, IReactorTime, ITCPTransport, IWriteDescriptor
from twisted.python.failure import Failure
from zope.interface import implementer

from provd.net.http_body import ShortBodyError

PIECE: Final = 1024 * 1024
"""Octets that are looked for in memory, and given to the kernel, in one turn of the reactor.

A connection that may fill its whole buffer in one turn leaves the kernel megabytes to send after it; those leave on the
client's acknowledgements and the processor of the server stands still meanwhile.
"""
_FIRST: Final = 1024
LEAST: Final = 64 * 1024
"""Below, copying costs less than the calls."""

_UNKNOWN: Final = frozenset({errno.EOPNOTSUPP, errno.EINVAL, errno.ENOSYS})


def socket_of(reactor: object, transport: object) -> int:
    """Descriptor of a plain TCP connection whose reactor watches descriptors; -1 where there is none (TLS, tests)."""
    if not IReactorFDSet.providedBy(reactor) or not ITCPTransport.providedBy(transport):
        return -1
    if getattr(transport, "TLS", False):
        return -1
    handle: Any = transport.getHandle()  # type: ignore[attr-defined]
    return int(handle.fileno()) if hasattr(handle, "fileno") else -1


@implementer(IWriteDescriptor)
class SendFile:
    """One file's range on its way into one connection, which nobody else writes to meanwhile.

    Args:
        reactor: tells when the connection takes more.
        connection: descriptor of the socket.
        file: open descriptor.
        start: first octet.
        stop: first octet that is not sent.
        in_thread: runs a blocking read.
        stall_s: seconds in which the client has to take something.
    """

    def __init__(
        self,
        reactor: object,
        connection: int,
        file: int,
        start: int,
        stop: int,
        *,
        in_thread: Callable[[Callable[[], Any]], Awaitable[Any]],
        stall_s: float,
    ) -> None:
        self._watch = cast("IReactorFDSet", reactor)
        self._clock = cast("IReactorTime", reactor)
        self._given, self._connection = connection, -1
        self._file, self._at, self._stop = file, start, stop
        self._in_thread, self._stall_s = in_thread, stall_s
        self._warm = start
        self._timer: IDelayedCall | None = None
        self._moved_at = 0.0
        self._step: Deferred[None] | None = None

    async def first(self) -> bytes:
        """The beginning, for whoever writes the headers: it leaves with them and has left before :meth:`run` begins.

        Raises:
            ShortBodyError: the file became shorter.
        """
        await self._warm_up()
        octets = os.pread(self._file, min(_FIRST, self._stop - self._at), self._at)
        if not octets:
            raise ShortBodyError(f"the file ends at octet {self._at}, {self._stop} were announced")
        self._at += len(octets)
        return octets

    async def run(self) -> int:
        """Send the rest; gives its octets.

        Raises:
            ShortBodyError: the file became shorter.
            ConnectionAborted: the client went away, or takes nothing any more.
        """
        began, self._moved_at = self._at, self._clock.seconds()
        # A descriptor of its own: the connection's is watched for reading all the while.
        self._connection = os.dup(self._given)
        try:
            while self._at < self._stop:
                if self._at >= self._warm:
                    await self._warm_up()
                await self._piece()
        finally:
            self._end()
        return self._at - began

    async def _warm_up(self) -> None:
        """The next piece is in memory afterwards."""
        low, high = self._at, min(self._at + PIECE, self._stop)
        if not self._in_memory(high - 1):
            os.posix_fadvise(self._file, high, 4 * PIECE, os.POSIX_FADV_WILLNEED)
            await self._in_thread(lambda: os.pread(self._file, high - low, low))
        self._warm = high

    def _in_memory(self, octet: int) -> bool:
        try:
            os.preadv(self._file, (bytearray(1),), octet, os.RWF_NOWAIT)
        except BlockingIOError:
            return False
        except OSError as error:
            if error.errno in _UNKNOWN:
                return True
            raise
        return True

    async def _piece(self) -> None:
        """Until everything that is in memory has left."""
        self._write()
        if self._at >= self._warm and not self._extend():
            return
        self._step = Deferred(lambda _: self._pause())
        self._watch.addWriter(cast("IWriteDescriptor", self))
        if self._timer is None:
            self._timer = self._clock.callLater(self._stall_s, self._look)
        await self._step

    def doWrite(self) -> None:
        """The connection takes more."""
        try:
            self._write()
            done = self._at >= self._warm and not self._extend()
        except Exception:  # noqa: BLE001  whoever waits is told
            self._finish(Failure())
            return
        if done:
            self._finish(None)

    def _extend(self) -> bool:
        """Whether a next piece is there, and in memory: it goes with the next turn, after the other connections."""
        high = min(self._at + PIECE, self._stop)
        if self._at >= self._stop or not self._in_memory(high - 1):
            return False
        self._warm = high
        return True

    def _write(self) -> None:
        """Give the kernel what it takes of the piece."""
        try:
            sent = os.sendfile(self._connection, self._file, self._at, self._warm - self._at)
        except (BlockingIOError, InterruptedError):
            return
        except OSError as error:
            raise ConnectionAborted(error.strerror) from error
        if not sent:
            raise ShortBodyError(f"the file ends at octet {self._at}, {self._stop} were announced")
        self._at += sent
        self._moved_at = self._clock.seconds()

    def _look(self) -> None:
        """Has anything moved lately?"""
        self._timer = None
        left = self._moved_at + self._stall_s - self._clock.seconds()
        if left > 0:
            self._timer = self._clock.callLater(left, self._look)
        else:
            self._finish(Failure(ConnectionAborted("the client takes nothing")))

    def _finish(self, fault: Failure | None) -> None:
        self._pause()
        step, self._step = self._step, None
        if step is None:
            return
        if fault is None:
            step.callback(None)
        else:
            step.errback(fault)

    def _pause(self) -> None:
        self._watch.removeWriter(cast("IWriteDescriptor", self))

    def _end(self) -> None:
        self._pause()
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        os.close(self._connection)
        self._connection = -1

    def fileno(self) -> int:
        """Descriptor for the reactor."""
        return self._connection

    def connectionLost(self, reason: Failure) -> None:
        """The connection broke."""
        self._finish(Failure(ConnectionAborted(reason.getErrorMessage())))

    def logPrefix(self) -> str:
        """For the log."""
        return "http"
