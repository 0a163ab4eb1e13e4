"""Watches the ports of requests and of all transfers for the reactor, as one descriptor.

In lock-step a client waits for every block, and a turn of the reactor costs as much as the kernel needs to deliver one.
So a wake goes on as long as clients answer at once: for two milliseconds at most, then everybody else has their turn.
"""

from __future__ import annotations

import select
import time
from collections.abc import Callable
from typing import Final, Protocol, cast

from twisted.internet.interfaces import IReactorFDSet, IReadDescriptor
from twisted.logger import Logger
from twisted.python.failure import Failure
from zope.interface import implementer

from provd.net.turn_timer import TurnTimer

_TURN_S: Final = 0.002
_FEW: Final = 32
"""Transfers up to which the next datagram is waited for; of more, some are ready whenever the reactor comes by."""
_PATIENCE: Final = 32
"""Wakes without a wait after one in vain: a client farther away than a millisecond is not waited for."""


class Port(Protocol):
    """A socket that is watched."""

    def read(self) -> bool:
        """Take what is there; a transfer waits for it, a millisecond at most. False where no more comes at once."""


@implementer(IReadDescriptor)
class TftpPoller:
    """One epoll for the ports of requests and of all transfers.

    Args:
        reactor: watches it.
        monotonic: seconds, for the length of a turn.
    """

    def __init__(self, reactor: IReactorFDSet, monotonic: Callable[[], float] = time.perf_counter) -> None:
        self._reactor = reactor
        self._monotonic = monotonic
        self._epoll: select.epoll | None = None
        self._ports: dict[int, Port] = {}
        self._transfers: dict[int, Port] = {}
        self._lanes: dict[int, int] = {}
        self._hurried = 0
        self._logger = Logger(namespace="provd.tftp")

    def add(self, descriptor: int, port: Port) -> None:
        """Watch a port of requests."""
        if self._epoll is None:
            self._epoll = select.epoll()
            self._timer = TurnTimer(_TURN_S)
            self._epoll.register(self._timer.descriptor, select.EPOLLIN | select.EPOLLET)
            self._reactor.addReader(cast("IReadDescriptor", self))
        self._epoll.register(descriptor, select.EPOLLIN)
        self._ports[descriptor] = port

    def add_transfer(self, descriptor: int, port: Port) -> None:
        """Watch a transfer's port."""
        self.add(descriptor, port)
        self._transfers[descriptor] = port

    def add_lane(self, descriptor: int, second: int, lane: Port) -> None:
        """Watch the second socket of a transfer whose port is watched."""
        self.add(second, lane)
        self._lanes[descriptor] = second
        self._transfers[descriptor] = lane

    @property
    def lanes(self) -> int:
        """Second sockets that are watched."""
        return len(self._lanes)

    def remove(self, descriptor: int) -> None:
        """Watch a port no longer, and its second socket; without a port nothing is held open."""
        self._transfers.pop(descriptor, None)
        for one in (descriptor, self._lanes.pop(descriptor, -1)):
            if self._ports.pop(one, None) is not None and self._epoll is not None:
                self._epoll.unregister(one)
        if not self._ports and self._epoll is not None:
            self._reactor.removeReader(cast("IReadDescriptor", self))
            self._epoll.close()
            self._timer.close()
            self._epoll = None

    def doRead(self) -> None:  # noqa: N802  Twisted's naming
        """One turn."""
        if self._epoll is None:
            return
        end = self._monotonic() + _TURN_S
        events, waited = self._epoll.poll(0), False
        while self._serve(events):
            if self._hurried or len(self._transfers) > _FEW:
                self._hurried = max(self._hurried - 1, 0)
                return
            if len(self._transfers) == 1 and not self._follow(next(iter(self._transfers.values())), end):
                return
            if not self._transfers or self._epoll is None or self._monotonic() >= end:
                return
            if not waited:
                self._timer.start()
                waited = True
            events = self._epoll.poll()
        if waited:  # in vain: nothing but the timer has ended it
            self._hurried = _PATIENCE

    def _serve(self, events: list[tuple[int, int]]) -> bool:
        """Whether a port was among them."""
        find, served = self._ports.get, False
        for descriptor, _ in events:
            port = find(descriptor)
            if port is not None:
                served = True
                try:
                    port.read()
                except Exception:  # noqa: BLE001  the reactor would watch none of the ports any more
                    self._failed()
        return served

    def _follow(self, port: Port, end: float) -> bool:
        """Where there is one client alone, its next word is asked for directly; False at the turn's end."""
        monotonic, read = self._monotonic, port.read
        try:
            while read():
                if monotonic() >= end:
                    return False
        except Exception:  # noqa: BLE001  as above
            self._failed()
        return True

    def _failed(self) -> None:
        self._logger.failure("a datagram could not be dealt with")

    def fileno(self) -> int:
        """Descriptor for the reactor; -1 while nothing is watched."""
        return -1 if self._epoll is None else self._epoll.fileno()

    def connectionLost(self, reason: Failure) -> None:  # noqa: N802
        """The reactor gives up on it; nothing is lost with it."""

    def logPrefix(self) -> str:  # noqa: N802
        """For the log."""
        return "tftp"
