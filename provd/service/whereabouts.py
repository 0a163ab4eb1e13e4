"""Where machines are (subnet, address), and where they reach this server, outside the handling of a DHCP message."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from ipaddress import IPv4Address
from typing import Final

from provd.model.mac import Mac
from provd.model.session import BootSession
from provd.model.subnet import Subnet
from provd.model.system import System
from provd.service.dhcp_subnets import SubnetTables
from provd.service.ports import CardOwners
from provd.service.sessions import Sessions

_NOWHERE: Final = "127.0.0.1"
"""This server's address where no interface has one."""


class Whereabouts:
    """Answers by what is true now: configuration, leases and boots.

    Args:
        subnets: the configured subnets.
        tables: leases and this server's own addresses.
        sessions: running boots.
        systems: the systems service.
        newest: the newest boot of the system with this name.
    """

    def __init__(
        self,
        *,
        subnets: Callable[[], Sequence[Subnet]],
        tables: Callable[[], SubnetTables],
        sessions: Sessions,
        systems: CardOwners,
        newest: Callable[[str], BootSession | None] = lambda _name: None,
    ) -> None:
        self._subnets, self._tables, self._sessions, self._systems = subnets, tables, sessions, systems
        self._newest = newest

    def subnet_of(self, address: str) -> Subnet | None:
        """The subnet that an address (dotted quad) belongs to."""
        place = IPv4Address(address)
        return next((subnet for subnet in self._subnets() if place in subnet.network), None)

    def subnet_name(self, address: str) -> str:
        """Name of the subnet that an address (dotted quad, or empty for none) belongs to; empty for none."""
        return subnet.name if address and (subnet := self.subnet_of(address)) else ""

    def server_of(self, subnet: Subnet | None) -> str:
        """This server's address (dotted quad) for machines of a subnet, where no packet says so."""
        if subnet is not None and subnet.server_address is not None:
            return str(subnet.server_address)
        own = [IPv4Address(one) for one in sorted(self._tables().host)]
        near = [one for one in own if subnet is not None and one in subnet.network]
        return str(next(iter((*near, *own)), _NOWHERE))

    def address_of(self, mac: bytes) -> str:
        """Address that a hardware address has now: its lease's, else its reservation's, else empty."""
        leased = self._tables().leased_to(mac)
        if leased:
            return str(IPv4Address(leased))
        boot = self._sessions.of_mac(mac.hex(":"))
        if boot is not None and boot.session.address and self._sessions.of_address(boot.session.address) is boot:
            return boot.session.address
        system = self._systems.of_mac(mac)
        cards = system.interfaces if system is not None else ()
        return next((str(card.address) for card in cards if card.mac.octets == mac and card.address), "")

    def addresses_of(self, system: System) -> frozenset[str]:
        """The addresses (dotted quads) that a system's cards have now, and that its links have once they are made."""
        links = (str(link.address) for link in system.links if link.address is not None)
        return frozenset((*links, *(address for address in map(self.address_of, self.macs_of(system)) if address)))

    def macs_of(self, system: System) -> Sequence[bytes]:
        """Hardware addresses of a system's cards; of one without any, that of its newest boot."""
        if system.interfaces:
            return [card.mac.octets for card in system.interfaces]
        newest = self._newest(system.name)
        return [Mac.parse(newest.mac).octets] if newest is not None else []
