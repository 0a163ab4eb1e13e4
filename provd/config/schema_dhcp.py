"""Tables of ``provd.toml`` on DHCP: interfaces, subnets, client classes, the watch for other servers."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv4Network
from typing import Annotated, Any, Literal

import msgspec

from provd.config.keys import SHORTEST_LEASE_S, Table, key


class InterfaceConfig(Table, frozen=True):
    """``[[interface]]``: a network interface that DHCP is answered on."""

    name: Annotated[str, key("Name of the interface, as in `eth1`.")]
    addresses: Annotated[
        tuple[IPv4Address, ...],
        key("Addresses of the interface that provd uses, in order of preference; empty for every address it has."),
    ] = ()


class PoolTable(Table, frozen=True):
    """``pool = {first = "...", last = "..."}``."""

    first: str
    last: str


class SubnetConfig(Table, frozen=True):
    """``[[subnet]]``: one IPv4 subnet that provd answers for."""

    network: Annotated[IPv4Network, key("The subnet, as in `10.0.0.0/24`.")]
    name: Annotated[str, key("Unique name; empty for the network itself.")] = ""
    pool: Annotated[
        str | PoolTable | None,
        key(
            'Dynamic addresses, both ends included, as `"10.0.0.100-10.0.0.200"` or `{first, last}`; none for no pool.'
        ),
    ] = None
    interface: Annotated[
        str, key("Interface on whose link it is; empty for a subnet behind a relay or found by an interface's address.")
    ] = ""
    relays: Annotated[
        tuple[IPv4Address, ...], key("Relay addresses (giaddr) that mean this subnet though they lie outside it.")
    ] = ()
    routers: Annotated[tuple[IPv4Address, ...], key("Default routers (option 3).")] = ()
    dns: Annotated[
        tuple[IPv4Address, ...],
        key("Name servers (option 6); empty for provd's own address, because installers stop and ask without one."),
    ] = ()
    domain: Annotated[str, key("Domain name (option 15).")] = ""
    ntp: Annotated[tuple[IPv4Address, ...], key("Time servers (option 42).")] = ()
    lease_s: Annotated[
        int, key("Lease time in seconds (option 51) where the client asks for none.", ge=SHORTEST_LEASE_S)
    ] = 3600
    min_lease_s: Annotated[int, key("Shortest lease time in seconds a client may ask for.", ge=SHORTEST_LEASE_S)] = 60
    max_lease_s: Annotated[int, key("Longest lease time in seconds a client may ask for.", le=0xFFFFFFFE)] = 86400
    offer_s: Annotated[int, key("Seconds an unconfirmed offer stays reserved.", ge=1, le=3600)] = 60
    decline_s: Annotated[int, key("Seconds a declined address stays in quarantine.", ge=1)] = 600
    server_address: Annotated[
        IPv4Address | None,
        key("provd's address for relayed clients (next server and URLs); none: the address of the route to the relay."),
    ] = None
    authoritative: Annotated[
        bool,
        key(
            "Answer NAK to an unknown client that asks for a wrong address, as the only server of its network may; "
            "else it gets silence (RFC 2131 section 4.3.2: no record of the client)."
        ),
    ] = False
    unknown: Annotated[
        Literal["lease", "ignore"],
        key("Machines nobody assigned: `lease` gives them an address and no boot file, `ignore` no answer at all."),
    ] = "lease"
    options: Annotated[dict[str, Any], key("Further DHCP options by name or number.")] = msgspec.field(
        default_factory=dict
    )
    probe: Annotated[
        Literal["off", "icmp", "arp", "both"],
        key("Ask whether an address is in use before its first offer; ARP on local links only."),
    ] = "off"
    probe_ms: Annotated[int, key("Milliseconds a probe waits for an answer.", ge=50, le=5000)] = 500
    shared_network: Annotated[
        str,
        key(
            "Subnets with the same name here are on one link or behind one relay: a client gets an address of the "
            "first that has one to give, and a wrong address is judged by all of them (RFC 7969)."
        ),
    ] = ""
    new_per_port: Annotated[
        int, key("Clients without an address that one relay port may bring in a minute; 0 for any number.", ge=0)
    ] = 0
    new_per_subnet: Annotated[
        int, key("Clients without an address that are taken in a minute; 0 for any number. Systems do not count.", ge=0)
    ] = 0
    min_secs: Annotated[
        int,
        key("Answer a DISCOVER only from this value of its `secs` on: for a server that stands by.", ge=0, le=65535),
    ] = 0
    reply_delay_ms: Annotated[
        int, key("Milliseconds that an offer waits, so that another server's comes first.", ge=0, le=10000)
    ] = 0
    rapid_commit: Annotated[
        bool,
        key(
            "Acknowledge a DISCOVER with option 80 at once, without an offer (RFC 4039). Only where no other DHCP "
            "server answers: whoever loses the race keeps an address for nobody."
        ),
    ] = False
    allocation: Annotated[
        Literal["dynamic", "automatic", "manual"],
        key(
            "`dynamic`: addresses of ended leases go to others, the longest ended first; `automatic`: a client keeps "
            "its first address for ever; `manual`: reservations only (RFC 2131 section 1)."
        ),
    ] = "dynamic"
    max_installs: Annotated[
        int, key("Installations at a time; the others wait. 0: as `per_subnet` in `[queue]` says.", ge=0)
    ] = 0
    mode: Annotated[
        Literal["dhcp", "proxy", "combined"],
        key(
            "`dhcp`: provd gives addresses and boot files; `proxy`: another DHCP server gives the addresses, provd "
            "only boot files (proxyDHCP, PXE 2.1 section 2.2); `combined`: as `dhcp`, and PXE clients are told by "
            "option 60 that the PXE port is answered, for firmware that insists on it."
        ),
    ] = "dhcp"


class ClassConfig(Table, frozen=True):
    """``[[class]]``: clients that have something in common. All conditions must be met.

    A class without conditions is for the clients that a plugin gives a label of this name. Options of a class stand
    above those of the subnet and below those of profile and system; of two classes the later one wins.
    """

    name: Annotated[str, key("Unique name; also the label that plugins see.")]
    arch: Annotated[tuple[str, ...], key("Architectures (option 93), as in `x64-uefi`.")] = ()
    vendor_class: Annotated[str, key("Beginning of the vendor class (option 60), as in `PXEClient`.")] = ""
    user_class: Annotated[str, key("User class (option 77).")] = ""
    circuit_id: Annotated[str, key("Relay port (option 82, circuit-id), as text or as `0x` and hex digits.")] = ""
    remote_id: Annotated[str, key("Relay (option 82, remote-id), as text or as `0x` and hex digits.")] = ""
    mac_prefix: Annotated[str, key("First octets of the MAC, as in `52:54:00`.")] = ""
    options: Annotated[dict[str, Any], key("DHCP options by name or number.")] = msgspec.field(default_factory=dict)
    lease_s: Annotated[int, key("Lease time in seconds, 30 at least; 0 for the subnet's.", ge=0, le=0xFFFFFFFE)] = 0


class RogueConfig(Table, frozen=True):
    """``[rogue]``: the watch for other DHCP servers on the interfaces."""

    interval_s: Annotated[
        int,
        key(
            "Seconds between two looks for other servers, the first one at start; 0 for never. A look is a DISCOVER "
            "that is not followed up, so a server that answers keeps one address back for a while.",
            ge=0,
            le=604800,
        ),
    ] = 900
    wait_s: Annotated[int, key("Seconds that answers are waited for.", ge=1, le=30)] = 4
    allow: Annotated[
        tuple[str, ...],
        key("Servers that are no surprise, each by its address (option 54) or by its MAC."),
    ] = ()
