"""Which subnet of a shared network a message is about: several subnets on one link or behind one relay (RFC 7969)."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from typing import Final

from provd.core.dhcp_binding import Who
from provd.core.dhcp_leases import AddressTable
from provd.core.dhcp_states import State
from provd.wire.codes import MessageType
from provd.wire.packet import DhcpPacket

_DISCOVER: Final = int(MessageType.DISCOVER)


def subnet_of_network(
    tables: Sequence[AddressTable],
    packet: DhcpPacket,
    reserved: Collection[int],
    who_of: Callable[[AddressTable], Who],
) -> AddressTable:
    """The subnet whose rules decide.

    A message that names an address is about that address's subnet, so that a NAK says what the whole network says of
    it. A DISCOVER goes where the client has a reservation, a lease or an offer, then where the address is that it
    wishes for, then where it had one, then to the first subnet that has one to give (RFC 2131 section 4.3.1).

    Args:
        tables: subnets of one network in the order of the configuration, at least one.
        packet: the client's message.
        reserved: addresses reserved for this client.
        who_of: the client as a table tells it apart.

    Returns:
        One of ``tables``; the first where none has anything to do with the client.
    """
    named = packet.ciaddr or packet.requested_address
    if packet.message_type != _DISCOVER:
        ways = [_with(tables, (named,)), _with(tables, reserved), _of_client(tables, who_of), tables[0]]
    else:
        ways = [_with(tables, reserved), _of_client(tables, who_of), _giving(tables, packet, who_of), tables[0]]
    # A table without a binding is false, so this is no "or".
    found = [table for table in ways if table is not None]
    if packet.message_type != _DISCOVER:
        return found[0]
    # A client that may not have its own address any more is not bound to that subnet where the pool is exhausted.
    gives = (one for one in found if one.candidate(who_of(one), packet.requested_address) is not None)
    return next(gives, found[0])


def _giving(
    tables: Sequence[AddressTable], packet: DhcpPacket, who_of: Callable[[AddressTable], Who]
) -> AddressTable | None:
    """Where the wished address is, else where the client had one, else the first that has one to give."""
    wished = [table for table in tables if packet.requested_address in table]
    before = [table for table in tables if table.held(who_of(table)) is not None]
    for table in (*wished, *before, *tables):
        if table.candidate(who_of(table), packet.requested_address) is not None:
            return table
    return None


def _with(tables: Sequence[AddressTable], addresses: Collection[int]) -> AddressTable | None:
    return next((table for table in tables for address in addresses if address and address in table), None)


def _of_client(tables: Sequence[AddressTable], who_of: Callable[[AddressTable], Who]) -> AddressTable | None:
    """Where the client has a running lease, else an offer."""
    for table in tables:
        held = table.held(who_of(table))
        if held is not None and held.state is State.BOUND:
            return table
    return next((table for table in tables if table.offered(who_of(table)) is not None), None)
