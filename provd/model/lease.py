"""Leases: who has which address until when."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec


class Lease(msgspec.Struct, frozen=True, gc=False):
    """One binding (RFC 2131 section 1.4); ``expires_at`` is wall time because it must survive a restart.

    Attributes:
        address: IPv4 address as an int.
        subnet: name of the subnet.
        mac: hardware address (chaddr[:hlen]).
        client_id: option 61 of the binding, empty where the identity is the hardware address.
        state: ``bound``, ``released``, ``expired`` or ``declined``; offers live in memory only.
        starts_at: seconds since the epoch.
        expires_at: seconds since the epoch; infinity for an infinite lease (RFC 2131 section 3.3).
        hostname: sanitised option 12.
        system: name of the known system, or empty.
        relay: option 82 and giaddr as hex text for display and for unicast renewals, empty on a local link.
        context: what plugins keep with a lease, by plugin name.
        interface: name of the interface that the last REQUEST came in on, empty where nobody knows.
        boot: which run of the machine granted it, empty where nobody knows.
        boot_s: monotonic seconds of that run at ``starts_at``, so that no jump of the wall clock shortens the lease.
    """

    address: int
    subnet: str
    mac: bytes
    client_id: bytes = b""
    state: str = "bound"
    starts_at: float = 0.0
    expires_at: float = 0.0
    hostname: str = ""
    system: str = ""
    relay: str = ""
    context: Mapping[str, str] = msgspec.field(default_factory=dict)
    interface: str = ""
    boot: str = ""
    boot_s: float = 0.0
