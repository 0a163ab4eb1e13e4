"""The address tables of all subnets, which one a packet belongs to, and reloading them without losing a lease."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import Final

from provd.core.dhcp_binding import Binding
from provd.core.dhcp_identity import AUTO
from provd.core.dhcp_leases import AddressTable
from provd.core.dhcp_restore import adopt, restore
from provd.core.dhcp_states import State
from provd.model.lease import Lease
from provd.model.subnet import Subnet, edges
from provd.model.system import System
from provd.service.dhcp_ports import Arrival
from provd.wire.codes import MessageType
from provd.wire.packet import DhcpPacket

_DECLINE: Final = int(MessageType.DECLINE)


class SubnetTables:
    """One address table per subnet; this process is the owner of each.

    Args:
        identity: ``auto`` or ``client-id``.
        boot: which run of the machine this is.
    """

    def __init__(self, identity: str = AUTO, boot: str = "") -> None:
        self._identity, self._boot = identity, boot
        self._tables: dict[str, AddressTable] = {}
        self._retired: list[AddressTable] = []
        self._local: dict[tuple[str, tuple[int, ...]], list[AddressTable]] = {}
        self._networks: dict[str, list[AddressTable]] = {}
        self._reservations: dict[int, bytes] = {}
        self._unplaced: list[Lease] = []
        self.subnets: tuple[Subnet, ...] = ()
        self.host: frozenset[int] = frozenset()

    def __iter__(self) -> Iterator[AddressTable]:
        return iter(self._tables.values())

    def reconfigure(self, subnets: Sequence[Subnet], own: Collection[int], now: float, wall: float) -> None:
        """Take new subnets; leases of a subnet that is gone are kept for its return, under whatever name.

        Args:
            subnets: all subnets.
            own: addresses of this server.
            now: monotonic seconds.
            wall: seconds since the epoch.
        """
        # A name may stand for another network now: what it stood for before is found by both.
        before = {(table.subnet.name, table.subnet.network): table for table in (*self._retired, *self)}
        self._tables, self._retired, self._local = {}, [], {}
        self.subnets = tuple(subnets)
        self.host = frozenset(own) | {int(subnet.server_address) for subnet in subnets if subnet.server_address}
        for subnet in subnets:
            excluded = self._excluded(subnet)
            table = before.pop((subnet.name, subnet.network), None)
            if table is not None:
                table.reconfigure(subnet, excluded)
            else:
                table = AddressTable(subnet, self._identity, excluded)
            self._tables[subnet.name] = table
        self._networks = {}
        for table in self:
            if table.subnet.shared_network:
                self._networks.setdefault(table.subnet.shared_network, []).append(table)
        for table in before.values():
            self._move(table)
        unplaced, self._unplaced = self._unplaced, []
        self.load(unplaced, now, wall)
        self.reserve(self._reservations)

    def _excluded(self, subnet: Subnet) -> frozenset[int]:
        return self.host | {int(address) for address in (*subnet.routers, *edges(subnet.network))}

    def _move(self, table: AddressTable) -> None:
        """Bindings follow their address into the subnet that has it now; what has no place waits."""
        for other in self._tables.values():
            if other.subnet.network.overlaps(table.subnet.network):
                adopt(other, table)
        if len(table):
            self._retired.append(table)

    def reserve(self, reservations: dict[int, bytes]) -> None:
        """All reserved addresses and the hardware addresses they belong to."""
        self._reservations = reservations
        for table in self._tables.values():
            table.reserve(reservations)

    def change_reservations(self, gone: Mapping[int, bytes], new: Mapping[int, bytes]) -> None:
        """Reserved addresses that are nobody's now, and others with the hardware address they belong to.

        One that is gone here and another machine's already, where both change together, stays the other's.
        """
        free = [address for address, mac in gone.items() if self._reservations.get(address) == mac]
        for address in free:
            del self._reservations[address]
        self._reservations.update(new)
        changes: dict[int, bytes | None] = {**dict.fromkeys(free), **new}
        for address, mac in changes.items():
            table = self.of_address(address)
            if table is not None:
                table.change_reservation(address, mac)

    def load(self, leases: Iterable[Lease], now: float, wall: float) -> int:
        """Take stored leases; returns how many belong to no subnet and wait for one."""
        # Ended leases are given to others in the order in which they ended, over a restart as well.
        for lease in sorted(leases, key=lambda lease: lease.expires_at):
            table = self.of_address(lease.address)
            if table is None:
                self._unplaced.append(lease)
            else:
                restore(table, lease, now, wall, self._boot)
        return len(self._unplaced)

    def of_address(self, address: int) -> AddressTable | None:
        """The table whose subnet has this address."""
        return next((table for table in self._tables.values() if address in table), None)

    def leased_to(self, mac: bytes) -> int:
        """The address that a known system's card has by a running lease, 0 for none."""
        for table in self._tables.values():
            held = table.held(table.who(1, mac, b"", known=True))
            if held is not None and held.state is State.BOUND:
                return held.address
        return 0

    def system_of(self, mac: bytes) -> str:
        """Name of the system that a hardware address was when it was given its lease; empty for none."""
        for table in self._tables.values():
            held = table.held(table.who(1, mac, b"", known=True))
            if held is not None and held.lease is not None and held.lease.system:
                return held.lease.system
        return ""

    def network_of(self, table: AddressTable) -> Sequence[AddressTable]:
        """The tables of the shared network that a table belongs to, in the order of the configuration."""
        return self._networks.get(table.subnet.shared_network, (table,))

    def named(self, subnet: Subnet) -> AddressTable | None:
        """The table of a subnet."""
        return self._tables.get(subnet.name)

    def in_force(self, table: AddressTable) -> bool:
        """Addresses are given from this table: its subnet is configured as it is."""
        return self._tables.get(table.subnet.name) is table

    def on_link(self, packet: DhcpPacket, arrival: Arrival, reserved: Collection[int]) -> AddressTable | None:
        """The table of a client that no relay stands before.

        A unicast client is found by its own address: its renewals may come through a router. Of several subnets on the
        link, the one with the address that it has is meant, then the one with its reservation, then the one with the
        address that it asks for, then the first pool.
        """
        if arrival.unicast and packet.ciaddr:
            table = self.of_address(packet.ciaddr)
            if table is not None:
                return table
        tables = self._on_interface(arrival)
        if len(tables) < 2:
            return tables[0] if tables else None
        has = packet.requested_address if packet.message_type == _DECLINE else packet.ciaddr
        for address in (has, *reserved, packet.requested_address):
            for table in tables:
                if address and address in table:
                    return table
        return next((table for table in tables if table.subnet.pool), tables[0])

    def is_alone(self, arrival: Arrival) -> bool:
        """The link has one subnet, so that it does not depend on the client which one is meant."""
        return len(self._on_interface(arrival)) == 1

    def _on_interface(self, arrival: Arrival) -> list[AddressTable]:
        key = (arrival.interface, arrival.addresses)
        tables = self._local.get(key)
        if tables is None:
            if len(self._local) > 256:
                self._local.clear()
            tables = self._local[key] = [table for table in self._tables.values() if _is_on(table, arrival)]
        return tables

    def elsewhere(self, table: AddressTable, htype: int, mac: bytes, client_id: bytes, *, known: bool) -> bool:
        """The client has a running lease in another subnet; one that has ended says nothing of today."""
        others = (other for other in self._tables.values() if other is not table)
        held = (other.held(other.who(htype, mac, client_id, known=known)) for other in others)
        return any(one is not None and one.state is State.BOUND for one in held)

    def expire(self, now: float) -> list[Binding]:
        """End what is over in every subnet; returns the leases that ended."""
        return [
            binding
            for table in (*self._tables.values(), *self._retired)
            if table.next_expiry <= now
            for binding in table.expire(now)
        ]


def _is_on(table: AddressTable, arrival: Arrival) -> bool:
    if table.subnet.interface:
        return table.subnet.interface == arrival.interface
    return any(address in table for address in (arrival.local, *arrival.addresses))


def reserved_addresses(system: System | None, mac: bytes) -> tuple[int, ...]:
    """Addresses reserved for the interface with this hardware address.

    A system found by its UUID whose only card was exchanged keeps that card's address.
    """
    if system is None:
        return ()
    for card in system.interfaces:
        if card.mac.octets == mac:
            return (int(card.address),) if card.address else ()
    if len(system.interfaces) == 1 and system.interfaces[0].address:
        return (int(system.interfaces[0].address),)
    return ()


def reservations_of(systems: Iterable[System]) -> dict[int, bytes]:
    """Every reserved address and the hardware address it belongs to."""
    return {
        int(card.address): card.mac.octets
        for system in systems
        for card in system.interfaces
        if card.address is not None
    }
