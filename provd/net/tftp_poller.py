"""Watches the ports of all transfers for the reactor, as one descriptor.

In lock-step a client waits for every block, and a turn of the reactor costs as much as the kernel needs to deliver one.
So a wake goes on as long as clients answer at once: for two milliseconds at most, then everybody else has their turn.
"""

from __future__ import annotations

import select
import time
from collections.abc import Callable
from typing import Final, Protocol, cast

from twisted.internet.interfaces import IReactorFDSet, IReadDescriptor
from twisted.python.failure import Failure
from zope.interface import implementer

_TURN_S: Final = 0.002
_NEXT_S: Final = 0.001
_PATIENCE: Final = 32
"""Wakes without a wait after one in vain: a client farther away than a millisecond is not waited for."""


class Transfer(Protocol):
    """A port that is watched."""

    def read(self) -> None:
        """Take the datagram that is there."""

    def wait(self) -> bool:
        """Wait for the next datagram, a millisecond at most; False where none came or the transfer is over."""


@implementer(IReadDescriptor)
class TransferPoller:
    """One epoll for all transfers.

    Args:
        reactor: watches it.
        monotonic: seconds, for the length of a turn.
    """

    def __init__(self, reactor: IReactorFDSet, monotonic: Callable[[], float] = time.perf_counter) -> None:
        self._reactor = reactor
        self._monotonic = monotonic
        self._epoll: select.epoll | None = None
        self._transfers: dict[int, Transfer] = {}
        self._hurried = 0

    def add(self, descriptor: int, transfer: Transfer) -> None:
        """Watch a port."""
        if self._epoll is None:
            self._epoll = select.epoll()
            self._reactor.addReader(cast("IReadDescriptor", self))
        self._epoll.register(descriptor, select.EPOLLIN)
        self._transfers[descriptor] = transfer

    def remove(self, descriptor: int) -> None:
        """Watch it no longer; without a port nothing is held open."""
        if self._transfers.pop(descriptor, None) is None or self._epoll is None:
            return
        self._epoll.unregister(descriptor)
        if not self._transfers:
            self._reactor.removeReader(cast("IReadDescriptor", self))
            self._epoll.close()
            self._epoll = None

    def doRead(self) -> None:  # noqa: N802  Twisted's naming
        """One turn."""
        end = self._monotonic() + _TURN_S
        ready = self._ready(0)
        while ready:
            for transfer in ready:
                transfer.read()
            if self._hurried:
                self._hurried -= 1
                return
            if len(self._transfers) == 1 and not self._follow(ready[0], end):
                return
            if self._monotonic() >= end:
                return
            ready = self._ready(_NEXT_S)
        if self._transfers:
            self._hurried = _PATIENCE

    def _follow(self, transfer: Transfer, end: float) -> bool:
        """Where there is one client alone, its next word is asked for directly; False at the turn's end."""
        while transfer.wait():
            if self._monotonic() >= end:
                return False
        return True

    def _ready(self, wait_s: float) -> list[Transfer]:
        if self._epoll is None:
            return []
        events = self._epoll.poll(wait_s)
        transfers = self._transfers
        return [transfers[descriptor] for descriptor, _ in events if descriptor in transfers]

    def fileno(self) -> int:
        """Descriptor for the reactor; -1 while nothing is watched."""
        return -1 if self._epoll is None else self._epoll.fileno()

    def connectionLost(self, reason: Failure) -> None:  # noqa: N802
        """The reactor gives up on it; nothing is lost with it."""

    def logPrefix(self) -> str:  # noqa: N802
        """For the log."""
        return "tftp"
