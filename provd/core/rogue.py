"""Other DHCP servers: how they are asked, what their answers say, and which of them are a surprise.

The question is a DISCOVER of our own (RFC 2131 section 4.4.1) that nobody follows up: no REQUEST is ever sent. Whoever
answers keeps the offered address back for a while, as for any client that changed its mind. One question is a plain
client's, the other a PXE client's, because a proxy answers only those. Both come from one hardware address, so that a
server keeps back one address at most.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from ipaddress import IPv4Address, IPv4Network
from typing import Final

from provd.model.client import WATCH_CLASS
from provd.wire import codes
from provd.wire.codes import MessageType
from provd.wire.dhcp import decode, encode
from provd.wire.errors import WireError
from provd.wire.packet import DhcpPacket

ADDRESSES: Final = "addresses"
BOOT: Final = "boot"
HEARD: Final = "heard"
"""What a server was seen to do: it offers addresses, it offers boot files only (a proxy), a client named it."""

ALLOWED: Final = "allowed"
EXPECTED: Final = "expected"
ROGUE: Final = "rogue"

MOST: Final = 256
"""Servers that are remembered: clients could make up any number."""

_ASKED: Final = bytes((codes.SUBNET_MASK, codes.ROUTER, codes.DNS_SERVERS, codes.BOOT_FILE))
_BROADCAST_FLAG: Final = 0x8000
_PXE: Final = b"PXEClient:Arch:00000:UNDI:002001"


@dataclass(frozen=True, slots=True)
class Sighting:
    """One server, seen once.

    Attributes:
        interface: on whose link.
        server: its identifier, option 54, as an int.
        mac: of the frame its answer came in, empty where only a client named it.
        offers: address it offered, as an int, else 0.
        how: ``addresses``, ``boot`` or ``heard``.
        relay: giaddr where the client that named it is behind a relay, else 0.
    """

    interface: str
    server: int
    mac: bytes = b""
    offers: int = 0
    how: str = ADDRESSES
    relay: int = 0


@dataclass(slots=True)
class Seen:
    """A server that is remembered.

    Attributes:
        sighting: the last one with a hardware address, else the last one.
        first_at: seconds.
        last_at: seconds.
        verdict: ``rogue``, ``expected`` or ``allowed``.
    """

    sighting: Sighting
    first_at: float
    last_at: float
    verdict: str

    def judge(self, peers: Peers) -> bool:
        """Judge it again; True where it becomes a surprise."""
        before, self.verdict = self.verdict, peers.verdict(self.sighting)
        return self.verdict == ROGUE != before


@dataclass(frozen=True, slots=True)
class Peers:
    """Who is no surprise.

    Attributes:
        own: addresses of this server.
        allowed: server addresses that the site names.
        allowed_macs: hardware addresses that the site names.
        proxied: networks whose addresses another server gives by design; one server in them is expected.
    """

    own: Collection[int] = ()
    allowed: Collection[int] = ()
    allowed_macs: Collection[bytes] = ()
    proxied: Collection[IPv4Network] = ()

    def verdict(self, sighting: Sighting) -> str:
        """What a sighting is; in a proxied network the site may name the right server, then no other is expected."""
        if sighting.server in self.allowed or sighting.mac in self.allowed_macs:
            return ALLOWED
        place = IPv4Address(sighting.server)
        for network in self.proxied:
            named = any(IPv4Address(address) in network for address in self.allowed)
            if place in network and sighting.how != BOOT and not named:
                return EXPECTED
        return ROGUE


@dataclass(slots=True)
class KnownServers:
    """The servers that were seen lately, by interface and identifier.

    Attributes:
        peers: who is no surprise.
        keep_s: seconds without a sighting after which a server counts as gone.
    """

    peers: Peers = field(default_factory=Peers)
    keep_s: float = 3600.0
    _seen: dict[tuple[str, int], Seen] = field(default_factory=dict)

    def saw(self, sighting: Sighting, now: float) -> Seen | None:
        """Remember; returns the server where it is news: new, or a surprise from now on. Ours are none."""
        self.forget(now)
        if sighting.server in self.peers.own or not sighting.server:
            return None
        key = (sighting.interface, sighting.server)
        known = self._seen.get(key)
        if known is not None:
            known.last_at = now
            if sighting.mac:
                known.sighting = sighting
                return known if known.judge(self.peers) else None
            return None
        if len(self._seen) >= MOST:
            return None
        new = self._seen[key] = Seen(sighting, now, now, self.peers.verdict(sighting))
        return new

    def is_open(self, sighting: Sighting) -> bool:
        """A server that nobody saw yet, and whose hardware address could be one that the site names."""
        new = (sighting.interface, sighting.server) not in self._seen and sighting.server not in self.peers.own
        return new and not sighting.mac and bool(self.peers.allowed_macs) and self.peers.verdict(sighting) == ROGUE

    def judge(self, peers: Peers) -> list[Seen]:
        """Take other peers, after a reload or a change of addresses; returns who is a surprise from now on."""
        self.peers = peers
        self._seen = {key: seen for key, seen in self._seen.items() if seen.sighting.server not in peers.own}
        return [seen for seen in self._seen.values() if seen.judge(peers)]

    def forget(self, now: float) -> None:
        """Drop those that were not seen for long."""
        for key in [key for key, seen in self._seen.items() if now - seen.last_at > self.keep_s]:
            del self._seen[key]

    def rows(self, interfaces: Iterable[str] = ()) -> list[Seen]:
        """Every server, surprises first; only those of ``interfaces`` where some are named."""
        wanted = frozenset(interfaces)
        found = [seen for seen in self._seen.values() if not wanted or seen.sighting.interface in wanted]
        return sorted(found, key=lambda seen: (seen.verdict != ROGUE, seen.sighting.interface, seen.sighting.server))

    @property
    def rogues(self) -> int:
        """How many are a surprise."""
        return sum(seen.verdict == ROGUE for seen in self._seen.values())


def questions(mac: bytes, xid: int) -> tuple[bytes, bytes]:
    """The DISCOVER of a plain client and that of a PXE client.

    Args:
        mac: of the interface that asks, 6 octets.
        xid: transaction number; both have the same.
    """
    plain = {codes.MESSAGE_TYPE: bytes((MessageType.DISCOVER,)), codes.PARAMETER_REQUEST_LIST: _ASKED}
    boots = {
        **plain,
        codes.VENDOR_CLASS: _PXE,
        codes.CLIENT_ARCHITECTURE: b"\0\0",
        # Other servers of this kind know the question by it and begin no boot.
        codes.USER_CLASS: WATCH_CLASS.encode(),
    }
    first, second = (
        encode(
            DhcpPacket(1, 1, 6, 0, xid, 0, _BROADCAST_FLAG, 0, 0, 0, 0, mac.ljust(16, b"\0"), b"", b"", options)
        ).data
        for options in (plain, boots)
    )
    return first, second


def read_answer(data: bytes, xid: int, mac: bytes, interface: str, sender: bytes) -> Sighting | None:
    """The server that answered, None for anything that is no answer to us.

    Args:
        data: UDP payload.
        xid: of the questions.
        mac: of the interface that asked.
        interface: its name.
        sender: hardware address of the frame.
    """
    try:
        packet = decode(data)
    except WireError:
        return None
    if packet.op != codes.BOOTREPLY or packet.xid != xid or packet.mac != mac:
        return None
    if packet.message_type not in {MessageType.OFFER, MessageType.ACK} or not packet.server_id:
        return None
    how = ADDRESSES if packet.yiaddr else BOOT
    return Sighting(interface, packet.server_id, sender, packet.yiaddr, how)
