"""Asks the network whether addresses are in use. Sockets are open only while something is asked."""

from __future__ import annotations

import socket
import struct
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Protocol, cast

from twisted.internet.interfaces import IDelayedCall, IReactorFDSet, IReactorTime, IReadDescriptor
from twisted.logger import Logger
from twisted.python.failure import Failure
from zope.interface import implementer

from provd.net.probe_packets import arp_probe, arp_sender, echo_request, echo_sender
from provd.service.dhcp_probe import ARP, ICMP, Question

_ETH_P_ARP: Final = 0x0806
_BROADCAST: Final = b"\xff" * 6
_SOL_RAW: Final = 255
_ICMP_FILTER: Final = 1
_ALL_BUT_ECHO_REPLY: Final = 0xFFFFFFFE
_IP_PKTINFO: Final = 8
_PER_WAKE: Final = 256


class ProbeSockets(Protocol):
    """The kernel, or a fake one."""

    def icmp(self) -> socket.socket:
        """A socket for ICMP echo.

        Raises:
            OSError: not allowed.
        """

    def arp(self, interface: str) -> socket.socket:
        """A socket for ARP on one interface.

        Raises:
            OSError: not allowed, or there is no such interface.
        """


class LinuxProbeSockets:
    """The real one; needs CAP_NET_RAW."""

    def icmp(self) -> socket.socket:
        """See ``ProbeSockets.icmp``."""
        kind = socket.SOCK_RAW | socket.SOCK_NONBLOCK | socket.SOCK_CLOEXEC
        made = socket.socket(socket.AF_INET, kind, socket.IPPROTO_ICMP)
        made.setsockopt(_SOL_RAW, _ICMP_FILTER, struct.pack("=I", _ALL_BUT_ECHO_REPLY))
        return made

    def arp(self, interface: str) -> socket.socket:
        """See ``ProbeSockets.arp``."""
        kind = socket.SOCK_DGRAM | socket.SOCK_NONBLOCK | socket.SOCK_CLOEXEC
        made = socket.socket(socket.AF_PACKET, kind, 0)
        try:
            made.bind((interface, _ETH_P_ARP))
        except OSError:
            made.close()
            raise
        return made


@implementer(IReadDescriptor)
class _Reader:
    """Hands the packets of one socket on."""

    def __init__(self, reactor: IReactorFDSet, sock: socket.socket, received: Callable[[bytes], None]) -> None:
        self._reactor, self._received = reactor, received
        self.socket = sock
        self.users = 0
        reactor.addReader(cast("IReadDescriptor", self))

    def doRead(self) -> None:  # noqa: N802
        for _ in range(_PER_WAKE):
            if self.socket.fileno() < 0:
                return
            try:
                packet = self.socket.recv(2048)
            except OSError:
                return
            self._received(packet)

    def close(self) -> None:
        if self.socket.fileno() >= 0:
            self._reactor.removeReader(cast("IReadDescriptor", self))
            self.socket.close()

    def fileno(self) -> int:
        return self.socket.fileno()

    def connectionLost(self, reason: Failure) -> None:  # noqa: ARG002, N802
        self.close()

    def logPrefix(self) -> str:  # noqa: N802
        return "probe"


@dataclass(slots=True)
class _Asked:
    done: Callable[[str], None]
    timer: IDelayedCall
    readers: tuple[str, ...]


class AddressProber:
    """Sends ICMP echo and ARP probes; one question per address at a time.

    Args:
        reactor: watches sockets.
        clock: timeouts.
        sockets: the kernel, a fake one in tests.
        identifier: of our echo requests, 16 bits.
    """

    def __init__(
        self,
        reactor: IReactorFDSet,
        clock: IReactorTime,
        sockets: ProbeSockets | None = None,
        identifier: int = 0x7064,
    ) -> None:
        self._reactor, self._clock = reactor, clock
        self._sockets: ProbeSockets = sockets or LinuxProbeSockets()
        self._identifier = identifier
        self._sequence = 0
        self._asked: dict[int, _Asked] = {}
        self._readers: dict[str, _Reader] = {}
        self._refused: set[str] = set()
        self._log = Logger(namespace="provd.dhcp")

    def ask(self, question: Question, done: Callable[[str], None]) -> None:
        """Call ``done`` later, with who answered in words, or with an empty text after the timeout."""
        used = []
        if ICMP in question.ways and self._try("", self._echo, question):
            used.append("")
        if ARP in question.ways and question.interface and self._try(question.interface, self._arp, question):
            used.append(question.interface)
        timer = self._clock.callLater(question.timeout_s, self._end, question.address, "")
        self._asked[question.address] = _Asked(done, timer, tuple(used))

    def stop(self) -> None:
        """Ask no more; nobody is called."""
        for asked in self._asked.values():
            asked.timer.cancel()
        self._asked.clear()
        for reader in self._readers.values():
            reader.close()
        self._readers.clear()

    def _try(self, name: str, send: Callable[[_Reader, Question], None], question: Question) -> bool:
        """Send one probe; whether its socket is in use now. An address that cannot be asked for counts as free."""
        reader = self._readers.get(name)
        try:
            if reader is None:
                made = self._sockets.arp(name) if name else self._sockets.icmp()
                received = self._arp_received if name else self._echo_received
                reader = self._readers[name] = _Reader(self._reactor, made, received)
        except OSError as error:
            if name not in self._refused:
                self._refused.add(name)
                what = f"ARP on {name}" if name else "ICMP"
                self._log.warn("{what}: addresses cannot be probed ({error})", what=what, error=error.strerror)
            return False
        reader.users += 1
        try:
            send(reader, question)
        except OSError as error:
            self._log.debug("a probe was not sent: {error}", error=error)
        return True

    def _echo(self, reader: _Reader, question: Question) -> None:
        self._sequence = (self._sequence + 1) & 0xFFFF
        index = socket.if_nametoindex(question.interface) if question.interface else 0
        info = struct.pack("=i4s4s", index, question.local.to_bytes(4) if index else bytes(4), bytes(4))
        to = (socket.inet_ntoa(question.address.to_bytes(4)), 0)
        packet = echo_request(self._identifier, self._sequence)
        reader.socket.sendmsg([packet], [(socket.IPPROTO_IP, _IP_PKTINFO, info)], 0, to)

    def _arp(self, reader: _Reader, question: Question) -> None:
        mac = reader.socket.getsockname()[4]
        packet = arp_probe(mac, question.address)
        reader.socket.sendto(packet, (question.interface, _ETH_P_ARP, 0, 0, _BROADCAST))

    def _echo_received(self, packet: bytes) -> None:
        address = echo_sender(packet, self._identifier)
        if address in self._asked:
            self._end(address, f"{_dotted(address)} answered ICMP echo")

    def _arp_received(self, packet: bytes) -> None:
        sender = arp_sender(packet)
        if sender is not None and sender[0] in self._asked:
            self._end(sender[0], f"{_dotted(sender[0])} answered ARP from {sender[1].hex(':')}")

    def _end(self, address: int, answer: str) -> None:
        asked = self._asked.pop(address)
        if asked.timer.active():
            asked.timer.cancel()
        for name in asked.readers:
            reader = self._readers[name]
            reader.users -= 1
            if not reader.users:
                reader.close()
                del self._readers[name]
        asked.done(answer)


def _dotted(address: int) -> str:
    return socket.inet_ntoa(address.to_bytes(4))
