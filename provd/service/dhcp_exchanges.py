"""What is known of whoever sent a DHCP message: subnet, identity, system, and this server as it is seen from there."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

import msgspec

from provd.core.client_facts import relay_info
from provd.core.dhcp_address import is_broadcast
from provd.core.dhcp_binding import Who
from provd.core.dhcp_leases import AddressTable
from provd.core.dhcp_network import subnet_of_network
from provd.model.dhcp import DhcpRequest
from provd.service.dhcp_clocks import Clocks
from provd.service.dhcp_memory import ClientMemory, Known
from provd.service.dhcp_ports import Arrival
from provd.service.dhcp_reply import Exchange
from provd.service.dhcp_subnets import SubnetTables, reserved_addresses
from provd.wire.codes import MessageType
from provd.wire.packet import DhcpPacket

_REQUEST: Final = int(MessageType.REQUEST)


class Exchanges:
    """Puts together what an answer is made from.

    Args:
        memory: what is remembered of clients.
        tables: subnets and their addresses.
        clocks: monotonic time, by which bindings end.
    """

    def __init__(self, memory: ClientMemory, tables: SubnetTables, clocks: Clocks) -> None:
        self._memory, self._tables, self._clocks = memory, tables, clocks

    def with_remembered_relay(self, packet: DhcpPacket, known: Known) -> Known:
        """A unicast renewal carries no option 82; the lease remembers it (rule L10)."""
        table = self._tables.of_address(packet.ciaddr)
        binding = table.at(packet.ciaddr) if table is not None else None
        if binding is None or binding.lease is None or not binding.lease.relay or binding.lease.mac != packet.mac:
            return known
        giaddr, _, raw = binding.lease.relay.partition(":")
        return Known(known.about, replace(known.facts, relay=relay_info(int(giaddr, 16), bytes.fromhex(raw))))

    def of(self, request: DhcpRequest, arrival: Arrival, known: Known) -> Exchange | str:
        """Everything known about the client, or why it gets no answer."""
        packet, system = request.packet, known.system
        reserved = () if system is None else reserved_addresses(system, packet.mac)
        chosen = self._memory.subnet(known, request, self._tables.subnets)
        if chosen is not None:
            table = self._tables.named(chosen)
        elif packet.giaddr:
            return "unknown relay"
        else:
            table = self._tables.on_link(packet, arrival, reserved)
        if table is None:
            return "no subnet"
        if packet.giaddr and is_broadcast(table.subnet.network, packet.giaddr):
            return "giaddr is no relay's"
        if table.subnet.shared_network:
            table = self._of_network(table, request, known, reserved)
        if system is None and table.subnet.unknown == "ignore":
            return "unknown machine"
        server = _server_address(table, packet, arrival)
        if not server:
            return "interface without an address"
        now = self._clocks.monotonic()
        if table.next_expiry <= now:
            table.expire(now)
        return Exchange(
            request=request,
            arrival=arrival,
            table=table,
            who=self._who(table, request, known, reserved),
            system=system,
            profile=known.profile,
            server=server,
            now=now,
            known=known,
        )

    def _of_network(
        self, table: AddressTable, request: DhcpRequest, known: Known, reserved: tuple[int, ...]
    ) -> AddressTable:
        """The subnet of a shared network that the message is about."""
        packet, now = request.packet, self._clocks.monotonic()
        tables = self._tables.network_of(table)
        for one in tables:
            if one.next_expiry <= now:
                one.expire(now)

        def who_of(one: AddressTable) -> Who:
            mine = next((address for address in reserved if address in one), 0)
            registered = known.system is not None
            return one.who(packet.htype, packet.mac, request.client.client_id, known=registered, reserved=mine)

        return subnet_of_network(tables, packet, reserved, who_of)

    def _who(self, table: AddressTable, request: DhcpRequest, known: Known, reserved: tuple[int, ...]) -> Who:
        packet, client_id = request.packet, request.client.client_id
        registered = known.system is not None
        if known.who is not None and known.table is table:
            who = known.who
        else:
            mine = next((address for address in reserved if address in table), 0)
            who = table.who(packet.htype, packet.mac, client_id, known=registered, reserved=mine)
            # A client-id that says more than the hardware address is weighed against the other clients of the table.
            known.table, known.who = (table, None if who.client_id else who)
        request_kind = packet.message_type == _REQUEST
        if request_kind and not registered and not packet.server_id and not table.held(who):
            elsewhere = self._tables.elsewhere(table, packet.htype, packet.mac, client_id, known=registered)
            return msgspec.structs.replace(who, elsewhere=elsewhere) if elsewhere else who
        return who


def _server_address(table: AddressTable, packet: DhcpPacket, arrival: Arrival) -> int:
    """This server's address as the client reaches it: option 54, siaddr and URLs (RFC 2131 section 4.1)."""
    near = next((address for address in arrival.addresses if address in table), 0)
    if table.subnet.server_address is not None and (packet.giaddr or not near):
        return int(table.subnet.server_address)
    if packet.giaddr or (arrival.unicast and arrival.local):
        return arrival.local
    return near or arrival.local
