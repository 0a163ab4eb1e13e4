"""Subnets and their pools."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from ipaddress import IPv4Address, IPv4Network
from typing import Final

DYNAMIC: Final = "dynamic"
AUTOMATIC: Final = "automatic"
MANUAL: Final = "manual"
"""Kinds of allocation (RFC 2131 section 1)."""

DHCP: Final = "dhcp"
PROXY: Final = "proxy"
COMBINED: Final = "combined"
"""What provd is for a subnet (PXE 2.1 section 2.2)."""


def edges(network: IPv4Network) -> tuple[IPv4Address, ...]:
    """Network and broadcast address, which no host has; a /31 and a /32 have none (RFC 3021 section 2.1)."""
    return (network.network_address, network.broadcast_address) if network.prefixlen < 31 else ()


@dataclass(frozen=True, slots=True)
class Pool:
    """A range of addresses, both ends included."""

    first: IPv4Address
    last: IPv4Address

    def __contains__(self, address: object) -> bool:
        return isinstance(address, IPv4Address) and self.first <= address <= self.last


@dataclass(frozen=True, slots=True)
class Subnet:
    """One IPv4 subnet provd answers for.

    Attributes:
        name: unique name.
        network: the subnet.
        pool: dynamic addresses, or None for reservations only.
        interface: interface on whose link it is; empty for a subnet behind a relay or found by the interface's address.
        relays: relay addresses (giaddr) that mean this subnet though they lie outside it.
        routers: option 3.
        dns: option 6; empty means the server's own address, because installers stop and ask without one.
        domain: option 15.
        ntp: option 42.
        lease_s: option 51 by default.
        min_lease_s: shortest time a client may ask for (RFC 2131 section 3.3).
        max_lease_s: longest time a client may ask for.
        offer_s: seconds an unconfirmed offer stays reserved.
        decline_s: seconds a declined address stays in quarantine.
        server_address: provd's address for relayed clients (siaddr and URLs), None for the address of the route.
        authoritative: NAK a wrong INIT-REBOOT of an unknown client (RFC 2131 section 4.3.2 asks for silence).
        unknown: policy for machines nobody assigned: ``lease`` (an address, no boot file) or ``ignore``.
        options: further DHCP options by name or number.
        probe: how an address is asked for before its first offer: ``off``, ``icmp``, ``arp`` or ``both``.
        probe_ms: milliseconds to wait for an answer.
        shared_network: subnets with the same name here are on one link (RFC 7969); empty for a link of its own.
        new_per_port: clients that are new in a minute at one port of a relay, 0 for any number.
        new_per_subnet: likewise in the whole subnet.
        min_secs: a DISCOVER is answered from this value of ``secs`` on: for a server that stands by.
        reply_delay_ms: milliseconds that an offer waits, so that another server's comes first.
        rapid_commit: a DISCOVER with option 80 is acknowledged at once (RFC 4039).
        allocation: ``dynamic`` (ended leases are given to others, the longest ended first), ``automatic`` (a client's
            first address stays its own) or ``manual`` (reservations only).
        mode: ``dhcp`` (addresses and boot files), ``proxy`` (boot files beside another DHCP server, no addresses) or
            ``combined`` (as ``dhcp``, and option 60 promises PXE clients that port 4011 is answered).
        max_installs: installations at a time, 0 for what ``[queue]`` says.
    """

    name: str
    network: IPv4Network
    pool: Pool | None = None
    interface: str = ""
    relays: tuple[IPv4Address, ...] = ()
    routers: tuple[IPv4Address, ...] = ()
    dns: tuple[IPv4Address, ...] = ()
    domain: str = ""
    ntp: tuple[IPv4Address, ...] = ()
    lease_s: int = 3600
    min_lease_s: int = 60
    max_lease_s: int = 86400
    offer_s: int = 60
    decline_s: int = 600
    server_address: IPv4Address | None = None
    authoritative: bool = False
    unknown: str = "lease"
    options: Mapping[str, object] = field(default_factory=dict)
    probe: str = "off"
    probe_ms: int = 500
    rapid_commit: bool = False
    shared_network: str = ""
    new_per_port: int = 0
    new_per_subnet: int = 0
    min_secs: int = 0
    reply_delay_ms: int = 0
    allocation: str = DYNAMIC
    mode: str = DHCP
    max_installs: int = 0
