"""Asks every link for other DHCP servers; sockets are open only while answers are waited for."""

from __future__ import annotations

import secrets
import select
import socket
import struct
from collections.abc import Callable, Sequence
from contextlib import suppress
from ctypes import addressof as address_of
from ctypes import create_string_buffer, sizeof
from time import monotonic
from typing import Final, Protocol, cast

from twisted.internet.interfaces import IReactorFDSet, IReactorTime, IReadDescriptor
from twisted.logger import Logger
from twisted.python.failure import Failure
from zope.interface import implementer

from provd.core.rogue import Sighting, questions, read_answer
from provd.net.rawsocket import udp_payload
from provd.wire.ipv4_udp import ip_udp_packet

_ETH_P_IP: Final = 0x0800
_ETHERNET: Final = 1
_BROADCAST_MAC: Final = b"\xff" * 6
_BROADCAST: Final = 0xFFFFFFFF
_SO_ATTACH_FILTER: Final = 26
_PER_WAKE: Final = 64

#: Classic BPF on a packet that begins with its IP header: UDP, no later fragment, destination port 68.
_FILTER: Final = (
    (0x30, 0, 0, 9),
    (0x15, 0, 6, socket.IPPROTO_UDP),
    (0x28, 0, 0, 6),
    (0x45, 4, 0, 0x1FFF),
    (0xB1, 0, 0, 0),
    (0x48, 0, 0, 2),
    (0x15, 0, 1, 68),
    (0x06, 0, 0, 0xFFFF),
    (0x06, 0, 0, 0),
)


class Link(Protocol):
    """One link, opened for a question."""

    def ask(self) -> None:
        """Send the questions.

        Raises:
            OSError: they cannot leave.
        """

    def answers(self) -> list[Sighting]:
        """What has come in so far."""

    def fileno(self) -> int:
        """Descriptor."""

    def close(self) -> None:
        """Free the socket."""


class PacketLink:
    """A packet socket on one interface; needs CAP_NET_RAW.

    Args:
        interface: its name.

    Raises:
        OSError: not allowed, or no such Ethernet interface.
    """

    def __init__(self, interface: str) -> None:
        self._interface, self._xid = interface, secrets.randbits(32)
        kind = socket.SOCK_DGRAM | socket.SOCK_NONBLOCK | socket.SOCK_CLOEXEC
        self._socket = socket.socket(socket.AF_PACKET, kind, 0)
        try:
            # Before it is bound, so that no other packet ever gets in.
            self._filter()
            self._socket.bind((interface, _ETH_P_IP))
        except OSError:
            self._socket.close()
            raise
        _, _, _, hardware, self._mac = self._socket.getsockname()
        if hardware != _ETHERNET or len(self._mac) != 6:
            self._socket.close()
            raise OSError(f"{interface} is no Ethernet interface")

    def _filter(self) -> None:
        program = create_string_buffer(b"".join(struct.pack("=HBBI", *row) for row in _FILTER))
        head = struct.pack("@HP", len(_FILTER), address_of(program))
        assert sizeof(program) >= len(_FILTER) * 8  # noqa: S101  the kernel copies it while this frame lives
        self._socket.setsockopt(socket.SOL_SOCKET, _SO_ATTACH_FILTER, head)

    def ask(self) -> None:
        """See ``Link.ask``."""
        for data in questions(self._mac, self._xid):
            packet = ip_udp_packet(data, 0, 68, _BROADCAST, 67)
            self._socket.sendto(packet, (self._interface, _ETH_P_IP, 0, 0, _BROADCAST_MAC))

    def answers(self) -> list[Sighting]:
        """See ``Link.answers``."""
        found: list[Sighting] = []
        for _ in range(_PER_WAKE):
            try:
                packet, sender = self._socket.recvfrom(4096)
            except OSError:
                # Nothing waits, or the link went down.
                break
            payload = udp_payload(packet, 68)
            if payload is None or sender[4] == self._mac:
                continue
            sighting = read_answer(payload[1], self._xid, self._mac, self._interface, sender[4])
            if sighting is not None:
                found.append(sighting)
        return found

    def fileno(self) -> int:
        """See ``Link.fileno``."""
        return self._socket.fileno()

    def close(self) -> None:
        """See ``Link.close``."""
        self._socket.close()


@implementer(IReadDescriptor)
class _Reader:
    """Hands the answers of one link on."""

    def __init__(self, reactor: IReactorFDSet, link: Link, answered: Callable[[Sighting], object]) -> None:
        self._reactor, self._link, self._answered = reactor, link, answered
        reactor.addReader(cast("IReadDescriptor", self))

    def doRead(self) -> None:  # noqa: N802
        for sighting in self._link.answers():
            self._answered(sighting)

    def close(self) -> None:
        if self._link.fileno() >= 0:
            self._reactor.removeReader(cast("IReadDescriptor", self))
            self._link.close()

    def fileno(self) -> int:
        return self._link.fileno()

    def connectionLost(self, reason: Failure) -> None:  # noqa: ARG002, N802
        self.close()

    def logPrefix(self) -> str:  # noqa: N802
        return "rogue"


class RogueProber:
    """Asks on the reactor.

    Args:
        reactor: watches sockets.
        clock: the end of a question.
        open_link: opens a link by the name of its interface.
    """

    def __init__(
        self, reactor: IReactorFDSet, clock: IReactorTime, open_link: Callable[[str], Link] = PacketLink
    ) -> None:
        self._reactor, self._clock, self._open_link = reactor, clock, open_link
        self._readers: set[_Reader] = set()
        self._refused: dict[str, str] = {}
        self._log = Logger(namespace="provd.rogue")

    def ask(
        self,
        interfaces: Sequence[str],
        wait_s: float,
        answered: Callable[[Sighting], object],
        done: Callable[[], None] = lambda: None,
    ) -> tuple[str, ...]:
        """Ask on these interfaces; ``answered`` is called for each answer, ``done`` once the time is over.

        Returns:
            The interfaces that could be asked.
        """
        readers: dict[str, _Reader] = {}
        for name in interfaces:
            try:
                link = self._open_link(name)
            except OSError as error:
                self._complain(name, error)
                continue
            readers[name] = _Reader(self._reactor, link, answered)
            with suppress(OSError):
                # A link that is down has no other server either.
                link.ask()
        self._readers |= set(readers.values())

        def end() -> None:
            for reader in readers.values():
                reader.close()
            self._readers -= set(readers.values())
            done()

        self._clock.callLater(wait_s, end)
        return tuple(readers)

    def stop(self) -> None:
        """Close every socket."""
        for reader in self._readers:
            reader.close()
        self._readers.clear()

    def _complain(self, name: str, error: OSError) -> None:
        sentence = f"interface {name} cannot be asked for other DHCP servers: {error.strerror or error}"
        if self._refused.get(name) != sentence:
            self._refused[name] = sentence
            self._log.warn("{sentence}", sentence=sentence)


def ask_once(interfaces: Sequence[str], wait_s: float) -> tuple[list[Sighting], list[str]]:
    """Ask without a reactor, for a command while no service runs.

    Returns:
        What answered, and one sentence for each interface that could not be asked.
    """
    links: list[Link] = []
    faults, found = [], []
    for name in interfaces:
        try:
            link: Link = PacketLink(name)
            links.append(link)
            link.ask()
        except OSError as error:
            faults.append(f"interface {name} cannot be asked: {error.strerror or error}")
    until = monotonic() + wait_s
    while links and (left := until - monotonic()) > 0:
        for link in select.select(links, [], [], left)[0]:
            found += link.answers()
    for link in links:
        link.close()
    return found, faults
