"""DHCP sockets of all configured interfaces: bound when an interface is there, bound again when it comes back."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Sequence
from typing import Any, Final

from twisted.logger import Logger

from provd.model.dhcp import Destination
from provd.net.dhcp_kernel import Kernel, Link, LinuxKernel, RawOutput
from provd.net.dhcp_socket import DhcpSocket
from provd.service.dhcp_ports import Arrival, Turn
from provd.wire.ipv4_udp import ip_udp_packet

_BROADCAST: Final = 0xFFFFFFFF
_LOOPBACK_BROADCAST: Final = 0x7FFFFFFF
_LOOK_S: Final = 1.0


class DhcpListener:
    """Hears DHCP on the configured interfaces and sends answers.

    Interfaces that are missing are bound as soon as they appear: the capability for it outlives the change of user.

    Args:
        reactor: watches sockets (``IReactorFDSet``; the compiler does not know what zope's interfaces say).
        clock: timers (``IReactorTime``).
        interfaces: names.
        received: gets each datagram with its arrival; must not raise.
        changed: called when the addresses of an interface changed; the service then learns :attr:`addresses`.
        server_port: 67, or a high port without root rights.
        kernel: the kernel, a fake one in tests.
        turn: told before and after datagrams that were read together.
    """

    def __init__(
        self,
        reactor: Any,
        clock: Any,
        interfaces: Iterable[str],
        received: Callable[[bytes, Arrival], None],
        *,
        changed: Callable[[], None] = lambda: None,
        server_port: int = 67,
        kernel: Kernel | None = None,
        turn: Turn | None = None,
    ) -> None:
        self._turn = turn
        self._reactor, self._clock = reactor, clock
        self._names = tuple(interfaces)
        self._received, self._changed = received, changed
        self._server_port = server_port
        self._kernel: Kernel = kernel or LinuxKernel()
        self._sockets: dict[str, DhcpSocket] = {}
        self._complained: dict[str, str] = {}
        self._raw: RawOutput | None = None
        self._timer: Any = None
        self._log = Logger(namespace="provd.dhcp")
        self.unsent = 0

    def start(self) -> None:
        """Bind what is there and keep looking for the rest."""
        try:
            self._raw = self._kernel.raw(self._soon)
        except OSError as error:
            self._log.warn("no raw socket ({error}): clients without an address are answered by broadcast", error=error)
        self._look()

    def stop(self) -> None:
        """Close every socket."""
        if self._timer is not None and self._timer.active():
            self._timer.cancel()
        for sock in self._sockets.values():
            sock.close()
        self._sockets.clear()
        if self._raw is not None:
            self._raw.close()
            self._raw = None
        self._kernel.close()

    def use(self, interfaces: Sequence[str]) -> None:
        """Take another list of interfaces, after a reload."""
        self._names = tuple(interfaces)
        self.rebind()

    @property
    def addresses(self) -> frozenset[int]:
        """Every address of the bound interfaces."""
        return frozenset(address for sock in self._sockets.values() for address in sock.link.addresses)

    @property
    def bound(self) -> tuple[str, ...]:
        """Names of the interfaces that are heard now."""
        return tuple(self._sockets)

    def port(self, interface: str) -> int:
        """The UDP port an interface is heard on.

        Raises:
            KeyError: it is not bound.
        """
        return self._sockets[interface].port

    def rebind(self) -> None:
        """Compare the sockets with the interfaces as they are now."""
        before = self.addresses
        for name in [name for name in self._sockets if name not in self._names]:
            self._sockets.pop(name).close()
        for name in self._names:
            self._bind(name)
        if self.addresses != before:
            self._changed()

    def _look(self) -> None:
        try:
            self.rebind()
        finally:
            self._timer = self._clock.callLater(_LOOK_S, self._look)

    def _bind(self, name: str) -> None:
        link, sock = self._kernel.link(name), self._sockets.get(name)
        if sock is not None and sock.open and link is not None and sock.link.index == link.index:
            sock.link = link
            return
        if sock is not None:
            self._sockets.pop(name).close()
        if link is None:
            self._complain(name, f"interface {name} is not there; provd binds it when it appears")
            return
        try:
            bound = self._kernel.udp(link, self._server_port)
        except OSError as error:
            self._complain(name, f"interface {name}: port {self._server_port} cannot be bound ({error.strerror})")
            return
        self._complained.pop(name, None)
        self._sockets[name] = DhcpSocket(
            self._reactor,
            bound,
            link,
            self._received,
            self._kernel.batch(bound),
            self._soon,
            lambda count, fault: self._not_sent(name, count, os.strerror(fault)),
            self,
        )

    def begin_turn(self) -> None:
        """Datagrams that were read together are about to be handled."""
        if self._turn is not None:
            self._turn.begin_turn()
        if self._raw is not None:
            self._raw.hold()

    def end_turn(self) -> None:
        """They were: their answers leave."""
        if self._turn is not None:
            self._turn.end_turn()
        if self._raw is not None:
            self._raw.flush()

    def _complain(self, name: str, sentence: str) -> None:
        if self._complained.get(name) != sentence:
            self._complained[name] = sentence
            self._log.warn("{sentence}", sentence=sentence)

    def send(self, interface: str, data: bytes, destination: Destination, local: int) -> None:
        """Send one reply; one that cannot leave is counted, the client asks again.

        Args:
            interface: the request came in by it.
            data: UDP payload.
            destination: receiver; with a hardware address the client has no address yet.
            local: our address.
        """
        sock = self._sockets.get(interface)
        if sock is None:
            self.unsent += 1
            return
        if destination.mac and self._to_hardware(sock.link, data, destination, local):
            return
        to = _BROADCAST if destination.mac else destination.address
        if to == _BROADCAST and sock.link.loopback:
            to = _LOOPBACK_BROADCAST
        try:
            sock.send(data, to, destination.port, local)
        except OSError as error:
            self._not_sent(interface, 1, error.strerror)

    def _soon(self, function: Callable[[], None]) -> None:
        self._clock.callLater(0, function)

    def _not_sent(self, interface: str, count: int, problem: str | None) -> None:
        self.unsent += count
        self._complain(f"send {interface}", f"interface {interface}: a reply could not be sent ({problem})")

    def _to_hardware(self, link: Link, data: bytes, destination: Destination, local: int) -> bool:
        if self._raw is None or link.loopback:
            return False
        packet = ip_udp_packet(data, local, self._server_port, destination.address, destination.port)

        def instead(_reason: str) -> None:
            # RFC 2131 section 4.1: where unicast is not possible, the server may broadcast.
            sock = self._sockets.get(link.name)
            try:
                if sock is not None:
                    sock.send(data, _BROADCAST, destination.port, local)
            except OSError as error:
                self._not_sent(link.name, 1, error.strerror)

        try:
            self._raw.send(link.name, link.index, packet, destination.mac, instead)
        except OSError:
            return False
        return True
