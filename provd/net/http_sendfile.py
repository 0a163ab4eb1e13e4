"""A file's octets from the page cache into a connection, without passing through the program (sendfile(2), rule H12).

The reactor must never wait for a disk: a piece that is not in memory is read by a thread first.
"""

# mypy: disable-error-code="no-untyped-call"

from __future__ import annotations

import os
from collections.abc import Awaitable, Callable
from typing import Any, Final

from twisted.internet.defer import CancelledError
from twisted.internet.interfaces import IReactorFDSet, ITCPTransport

from provd.net.http_body import ShortBodyError
from provd.net.http_senders import Senders
from provd.net.http_transfer import PIECE, Transfer, in_memory

_FIRST: Final = 1024
LEAST: Final = 64 * 1024
"""Below, copying costs less than the calls."""


def socket_of(reactor: object, transport: object) -> int:
    """Descriptor of a plain TCP connection whose reactor watches descriptors; -1 where there is none (TLS, tests)."""
    if not IReactorFDSet.providedBy(reactor) or not ITCPTransport.providedBy(transport):
        return -1
    if getattr(transport, "TLS", False):
        return -1
    handle: Any = transport.getHandle()  # type: ignore[attr-defined]
    return int(handle.fileno()) if hasattr(handle, "fileno") else -1


class SendFile:
    """One file's range on its way into one connection, which nobody else writes to meanwhile.

    Args:
        senders: send what the connection does not take at once.
        connection: descriptor of the socket.
        file: open descriptor.
        start: first octet.
        stop: first octet that is not sent.
        in_thread: runs a blocking read.
        stall_s: seconds in which the client has to take something.
    """

    def __init__(
        self,
        senders: Senders,
        connection: int,
        file: int,
        start: int,
        stop: int,
        *,
        in_thread: Callable[[Callable[[], Any]], Awaitable[Any]],
        stall_s: float,
    ) -> None:
        self._senders, self._connection = senders, connection
        self._file, self._at, self._stop = file, start, stop
        self._in_thread, self._stall_s = in_thread, stall_s
        self._warm = start

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
        began = self._at
        while self._at < self._stop:
            if self._at >= self._warm:
                await self._warm_up()
            await self._send()
        return self._at - began

    async def _warm_up(self) -> None:
        """The next piece is in memory afterwards."""
        low, high = self._at, min(self._at + PIECE, self._stop)
        if not in_memory(self._file, high - 1):
            os.posix_fadvise(self._file, high, 2 * PIECE, os.POSIX_FADV_WILLNEED)
            await self._in_thread(lambda: os.pread(self._file, high - low, low))
        self._warm = high

    async def _send(self) -> None:
        """Until everything that is in memory has left. What the connection takes at once needs no other thread."""
        transfer = Transfer(self._connection, self._file, self._at, self._warm, self._stop, self._stall_s)
        transfer.write()
        if transfer.extend():
            try:
                await self._senders.send(transfer)
            except CancelledError:
                # A client that took the last octet may hang up before this thread hears that it left.
                if transfer.at < self._stop:
                    raise
        self._at = self._warm = transfer.at
