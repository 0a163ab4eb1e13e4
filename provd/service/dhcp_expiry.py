"""Leases that ended by their time: an event for each."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from ipaddress import IPv4Address

from provd.core.dhcp_leases import AddressTable
from provd.model.event import Event
from provd.model.lease import Lease


def ended(tables: Iterable[AddressTable], wall: float) -> Iterator[Event]:
    """``dhcp.expired`` for every lease that ended since the last call, a thousand of each subnet at most.

    Args:
        tables: of the subnets.
        wall: seconds since the epoch.
    """
    for table in tables:
        while table.ended:
            yield _event(table.ended.popleft(), wall)


def _event(lease: Lease, wall: float) -> Event:
    fields = {"address": str(IPv4Address(lease.address)), "subnet": lease.subnet}
    return Event("dhcp.expired", wall, system=lease.system, mac=lease.mac.hex(":"), fields=fields)
