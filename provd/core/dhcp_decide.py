"""What one message means: (packet, address table, client) -> outcome. Nothing is changed here.

The table is as of now: what has ended was taken out by ``AddressTable.expire``.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Final

from provd.core.dhcp_binding import Who
from provd.core.dhcp_leases import AddressTable
from provd.core.dhcp_states import State
from provd.model.subnet import MANUAL
from provd.wire.codes import MessageType
from provd.wire.packet import DhcpPacket

SELECTING: Final = "selecting"
INIT_REBOOT: Final = "init-reboot"
RENEWING: Final = "renewing"
REBINDING: Final = "rebinding"
_DISCOVER: Final = int(MessageType.DISCOVER)
_REQUEST: Final = int(MessageType.REQUEST)


@dataclass(frozen=True, slots=True)
class Offer:
    """OFFER this address (RFC 2131 section 4.3.1); ``rank`` says which preference chose it."""

    address: int
    rank: str


@dataclass(frozen=True, slots=True)
class Ack:
    """Bind the address and send an ACK; ``state`` is the client's (RFC 2131 section 4.3.2)."""

    address: int
    state: str


@dataclass(frozen=True, slots=True)
class Nak:
    """Refuse, with the reason that option 56 carries (RFC 2132 section 9.9)."""

    reason: str


@dataclass(frozen=True, slots=True)
class Silent:
    """Send nothing; ``reason`` is counted. ``withdraw``: our standing offer is freed."""

    reason: str
    withdraw: bool = False


@dataclass(frozen=True, slots=True)
class Inform:
    """ACK with parameters and no lease (RFC 2131 section 4.3.5)."""


@dataclass(frozen=True, slots=True)
class Release:
    """The client gave this address back (RFC 2131 section 4.3.4)."""

    address: int


@dataclass(frozen=True, slots=True)
class Decline:
    """The client found this address in use (RFC 2131 section 4.3.3)."""

    address: int


@dataclass(frozen=True, slots=True)
class Bootp:
    """BOOTREPLY with a reserved address, without lease (RFC 1534 section 2)."""

    address: int


Outcome = Offer | Ack | Nak | Silent | Inform | Release | Decline | Bootp


@dataclass(frozen=True, slots=True)
class Here:
    """Which server and link the packet was received by.

    Attributes:
        ours: addresses of this server on the client's link, one of which option 54 must name.
        host: every address of this server; if option 54 names one not in ``ours``, another interface answers.
        unicast: the packet was sent to one of our addresses.
        client_unicast: the relay says that the client sent unicast (RFC 5010).
    """

    ours: Collection[int]
    host: Collection[int] = ()
    unicast: bool = False
    client_unicast: bool = False


def decide(packet: DhcpPacket, table: AddressTable, who: Who, here: Here) -> Outcome:
    """The outcome of one client message (RFC 2131 section 4.3: what a server does on each of them)."""
    kind = packet.message_type
    if kind == _DISCOVER:
        return decide_discover(packet, table, who)
    if kind == _REQUEST:
        return decide_request(packet, table, who, here)
    if kind == MessageType.RELEASE:
        return decide_release(packet, table, who, here)
    if kind == MessageType.DECLINE:
        return decide_decline(packet, table, who, here)
    if kind == MessageType.INFORM:
        return Inform()
    if kind == MessageType.BOOTP:
        # RFC 1534 section 2: a BOOTP client never gives an address back, so only a reservation is its answer.
        if who.reserved and not table.may_have(who, who.reserved):
            return Silent("bootp: the reserved address is not free")
        return Bootp(who.reserved) if who.reserved else Silent("bootp without reservation")
    return Silent("message type is not a client's")


def decide_discover(packet: DhcpPacket, table: AddressTable, who: Who) -> Outcome:
    """OFFER or silence (RFC 2131 section 4.3.1); flags and secs have no part in it."""
    chosen = table.candidate(who, packet.requested_address)
    if chosen is not None:
        return Offer(*chosen)
    return Silent("no reservation" if table.subnet.allocation == MANUAL else "pool exhausted")


def request_state(packet: DhcpPacket, *, unicast: bool) -> str:
    """State of the client that sent a REQUEST (RFC 2131 section 4.3.2, told apart by options 54, 50 and ciaddr).

    Clients that wrongly keep option 54 or 50 while they renew are taken at their ciaddr.

    Args:
        packet: the REQUEST.
        unicast: the client sent it to one address; what a relay does with it is not meant.
    """
    if packet.ciaddr:
        return RENEWING if unicast else REBINDING
    return SELECTING if packet.server_id else INIT_REBOOT


def decide_request(packet: DhcpPacket, table: AddressTable, who: Who, here: Here) -> Outcome:
    """ACK, NAK or silence (RFC 2131 section 4.3.2)."""
    server = packet.server_id
    if server and server not in here.ours:
        if server in here.host:
            return Silent("for another interface of this server")
        # RFC 2131 section 3.1 step 4: the other servers take it as a notice that their offer is declined.
        return Silent("another server was chosen", withdraw=True)
    state = request_state(packet, unicast=here.client_unicast or (here.unicast and not packet.giaddr))
    if state == SELECTING:
        return _selecting(packet, table, who)
    if state == INIT_REBOOT:
        return _init_reboot(packet, table, who)
    return _extending(packet, table, who, state)


def _selecting(packet: DhcpPacket, table: AddressTable, who: Who) -> Outcome:
    # RFC 2131 section 4.3.2, "DHCPREQUEST generated during SELECTING state".
    wanted = packet.requested_address
    if not wanted:
        return Nak("the request names no address")
    for binding in (table.offered(who), table.held(who)):
        if binding is None or binding.address != wanted:
            continue
        if table.may_have(who, wanted):
            return Ack(wanted, SELECTING)
    return Nak("the address was not offered")


def _init_reboot(packet: DhcpPacket, table: AddressTable, who: Who) -> Outcome:
    # RFC 2131 section 4.3.2, "DHCPREQUEST generated during INIT-REBOOT state".
    wanted = packet.requested_address
    if not wanted:
        return Nak("the request names no address")
    held = table.held(who) or table.offered(who)
    if held is None and not who.known and not who.elsewhere:
        return _stranger(table, who, wanted, INIT_REBOOT)
    if wanted not in table:
        return Nak("the address is not of this network")
    if who.reserved and wanted != who.reserved and table.may_have(who, who.reserved):
        return Nak("another address is reserved for this client")
    if not table.may_have(who, wanted):
        return Nak("the address is not free")
    if wanted == who.reserved or (held is not None and held.address == wanted):
        return Ack(wanted, INIT_REBOOT)
    if who.known or who.elsewhere or (held is not None and held.state is State.BOUND):
        return Nak("the address is not this client's")
    # What was offered or has ended says nothing of today: a server with other addresses may have given it this one.
    return _stranger(table, who, wanted, INIT_REBOOT)


def _extending(packet: DhcpPacket, table: AddressTable, who: Who, state: str) -> Outcome:
    # RFC 2131 section 4.3.2, "DHCPREQUEST generated during RENEWING state" and "... REBINDING state".
    wanted = packet.ciaddr
    held = table.held(who)
    if held is not None and held.address == wanted:
        if table.may_have(who, wanted):
            return Ack(wanted, state)
        return Nak("the address is reserved for another client")
    if who.reserved == wanted and table.may_have(who, wanted):
        return Ack(wanted, state)
    if held is not None and held.state is State.BOUND:
        return Nak("the address is not this client's")
    if who.elsewhere and wanted not in table:
        # The client is ours and has moved: what it had on the other network is of no use on this one.
        return Nak("the address is not of this network")
    return _stranger(table, who, wanted, state)


def _stranger(table: AddressTable, who: Who, wanted: int, state: str) -> Outcome:
    """A client without a record: silence, other servers may know it (RFC 2131 section 4.3.2)."""
    if not table.subnet.authoritative:
        return Silent("unknown client")
    if wanted not in table:
        return Nak("the address is not of this network")
    if table.may_have(who, wanted) and table.in_pool(wanted):
        return Ack(wanted, state)
    return Nak("the address is not free")


def decide_release(packet: DhcpPacket, table: AddressTable, who: Who, here: Here) -> Outcome:
    """Free the client's own address, nobody else's (RFC 2131 section 4.3.4)."""
    if packet.server_id and packet.server_id not in here.ours and packet.server_id not in here.host:
        return Silent("release for another server")
    held = table.held(who)
    if held is None or held.address != packet.ciaddr or held.state is not State.BOUND:
        return Silent("release of an address that is not this client's")
    return Release(held.address)


def decide_decline(packet: DhcpPacket, table: AddressTable, who: Who, here: Here) -> Outcome:
    """Quarantine an address that this client was given and found in use (RFC 2131 section 4.3.3)."""
    wanted = packet.requested_address
    if not wanted or not packet.server_id:
        # RFC 2131 section 4.4.1, table 5: a DECLINE names the address and the server.
        return Silent("decline without options 50 and 54")
    # RFC 2131 section 4.1: any address of the server identifies it.
    if packet.server_id not in here.ours and packet.server_id not in here.host:
        return Silent("decline for another server")
    for binding in (table.offered(who), table.held(who)):
        if binding is not None and binding.address == wanted and binding.state in {State.BOUND, State.OFFERED}:
            return Decline(wanted)
    return Silent("decline of an address that is not this client's")
