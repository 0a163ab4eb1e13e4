"""One interface's DHCP socket: datagrams with the address they were sent to, answers from a chosen address."""

from __future__ import annotations

import socket
import struct
from collections.abc import Callable
from typing import Any, Final

from twisted.python.failure import Failure

from provd.net.datagram_batch import DatagramBatch, from_interface, read_peer, to_address
from provd.net.dhcp_kernel import Link
from provd.service.dhcp_ports import Arrival, Turn

_PKTINFO: Final = struct.Struct("=i4s4s")
_IP_PKTINFO: Final = 8
_SPACE: Final = socket.CMSG_SPACE(_PKTINFO.size)
_MAX_DATAGRAM: Final = 4096
_PER_WAKE: Final = 256
_ARRIVALS: Final = 1024

Ancillary = tuple[tuple[int, int, bytes]]


class DhcpSocket:
    """A reader of one interface: what Twisted asks of an ``IReadDescriptor``.

    Args:
        reactor: watches the socket (``IReactorFDSet``; the compiler does not know what zope's interfaces say).
        sock: bound to the interface.
        link: the interface.
        received: gets each datagram; must not raise.
        batch: receives and sends many datagrams at once, None where the system cannot.
        soon: calls a function on the next turn of the reactor.
        failed: told how many datagrams could not leave and the newest error number.
        turn: told before and after datagrams that were read together.
    """

    def __init__(
        self,
        reactor: Any,
        sock: socket.socket,
        link: Link,
        received: Callable[[bytes, Arrival], None],
        batch: DatagramBatch | None = None,
        soon: Callable[[Callable[[], None]], object] = lambda function: function(),
        failed: Callable[[int, int], None] = lambda _count, _fault: None,
        turn: Turn | None = None,
    ) -> None:
        self._turn = turn
        self._batch, self._soon, self._failed = batch, soon, failed
        self._reading = False
        self._reactor = reactor
        self._socket = sock
        self._descriptor = sock.fileno()
        self._received = received
        self._open = True
        self._arrivals: dict[object, Arrival] = {}
        self._targets: dict[tuple[int, int, int], tuple[Ancillary, tuple[str, int]]] = {}
        self._ways: dict[tuple[int, int, int], tuple[bytes, bytes]] = {}
        self._link = link
        self._reactor.addReader(self)

    @property
    def link(self) -> Link:
        """The interface as it was seen last."""
        return self._link

    @link.setter
    def link(self, link: Link) -> None:
        if link == self._link:
            # What is remembered of arrivals is remembered by identity further up.
            return
        self._link = link
        self._arrivals.clear()
        self._targets.clear()
        self._ways.clear()

    def doRead(self) -> None:  # noqa: N802
        """Take every datagram that waits, up to a bound that keeps the other listeners alive."""
        if self._batch is not None:
            self._read_batch(self._batch)
            return
        for _ in range(_PER_WAKE):
            try:
                data, ancillary, _, peer = self._socket.recvmsg(_MAX_DATAGRAM, _SPACE)
            except OSError:
                # Nothing waits, or the link went down: the listener looks after links by timer.
                return
            key = (*ancillary, peer)
            arrival = self._arrivals.get(key)
            if arrival is None:
                # Clients without an address and relays send from few addresses; a flood from many makes no difference.
                if len(self._arrivals) >= _ARRIVALS:
                    self._arrivals.clear()
                arrival = self._arrivals[key] = self._arrival(ancillary, peer)
            self._received(data, arrival)
            if not self._open:
                return

    def _read_batch(self, batch: DatagramBatch) -> None:
        """As :meth:`doRead`; what is answered at once leaves with one call."""
        arrivals, received = self._arrivals, self._received
        self._reading = True
        if self._turn is not None:
            self._turn.begin_turn()
        try:
            for data, peer in batch.receive():
                arrival = arrivals.get(peer)
                if arrival is None:
                    if len(arrivals) >= _ARRIVALS:
                        arrivals.clear()
                    arrival = arrivals[peer] = self._arrived(*read_peer(peer))
                received(data, arrival)
                if not self._open:
                    return
        finally:
            self._end_reading()

    def _end_reading(self) -> None:
        try:
            if self._turn is not None:
                self._turn.end_turn()
        finally:
            self._reading = False
            self._flush()

    def _flush(self) -> None:
        batch = self._batch
        if batch is None or not self._open or not batch.waiting:
            return
        batch.flush()
        if batch.failed:
            failed, batch.failed = batch.failed, []
            self._failed(len(failed), failed[-1][1])

    def _arrival(self, ancillary: list[tuple[int, int, bytes]], peer: tuple[str, int]) -> Arrival:
        local, destination = 0, 0
        for level, kind, octets in ancillary:
            if level == socket.IPPROTO_IP and kind == _IP_PKTINFO:
                _, spec, asked = _PKTINFO.unpack_from(octets)
                local, destination = int.from_bytes(spec), int.from_bytes(asked)
        return self._arrived(local, destination, int.from_bytes(socket.inet_aton(peer[0])), peer[1])

    def _arrived(self, local: int, destination: int, source: int, source_port: int) -> Arrival:
        link = self.link
        # ip(7): the two are equal exactly where the datagram was sent to an address of this host.
        unicast = destination != 0 and local == destination
        return Arrival(
            interface=link.name,
            local=local or (link.addresses[0] if link.addresses else 0),
            source=source,
            source_port=source_port,
            unicast=unicast,
            addresses=link.addresses,
            mtu=link.mtu,
        )

    def send(self, data: bytes, to: int, port: int, local: int) -> None:
        """Send by this interface from ``local``.

        Raises:
            OSError: it cannot leave.
        """
        if self._batch is not None:
            self._queue(self._batch, data, to, port, local)
            return
        target = self._targets.get((to, port, local))
        if target is None:
            if len(self._targets) >= _ARRIVALS:
                self._targets.clear()
            info = _PKTINFO.pack(self.link.index, local.to_bytes(4), bytes(4))
            target = ((socket.IPPROTO_IP, _IP_PKTINFO, info),), (socket.inet_ntoa(to.to_bytes(4)), port)
            self._targets[to, port, local] = target
        self._socket.sendmsg((data,), target[0], 0, target[1])

    def _queue(self, batch: DatagramBatch, data: bytes, to: int, port: int, local: int) -> None:
        way = self._ways.get((to, port, local))
        if way is None:
            if len(self._ways) >= _ARRIVALS:
                self._ways.clear()
            way = self._ways[to, port, local] = to_address(to, port), from_interface(self.link.index, local)
        if not self._reading and not batch.waiting:
            self._soon(self._flush)
        if batch.full:
            self._flush()
        batch.send(data, way[0], way[1])

    def close(self) -> None:
        """Stop reading and free the port; what was queued leaves before."""
        if self._open:
            self._flush()
            self._open = False
            self._reactor.removeReader(self)
            self._socket.close()

    @property
    def open(self) -> bool:
        """Whether it is read; the reactor gives up on a reader that raised."""
        return self._open

    @property
    def port(self) -> int:
        """The port it is bound to."""
        return int(self._socket.getsockname()[1])

    def fileno(self) -> int:
        """Descriptor for the reactor; -1 once closed."""
        return self._descriptor if self._open else -1

    def connectionLost(self, reason: Failure) -> None:  # noqa: ARG002, N802
        """The reactor gives up on the descriptor."""
        self.close()

    def logPrefix(self) -> str:  # noqa: N802
        """Name in the reactor's own log lines."""
        return "dhcp"
