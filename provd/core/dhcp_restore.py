"""Leases that were there before: from the store at start, from another table after a reload. None is lost."""

from __future__ import annotations

from dataclasses import replace

from provd.core.dhcp_binding import State, Who
from provd.core.dhcp_identity import AUTO, SECOND_IDENTITY, second_key
from provd.core.dhcp_leases import AddressTable
from provd.model.lease import Lease


def restore(table: AddressTable, lease: Lease, now: float, wall: float) -> None:
    """Put a stored lease into the table.

    Args:
        table: of the lease's subnet.
        lease: as it was stored.
        now: monotonic seconds.
        wall: seconds since the epoch; if it lies before the lease's start, the clock went back and nothing is cut off.
    """
    remaining = lease.expires_at - max(wall, lease.starts_at)
    if lease.state == State.DECLINED.value:
        if remaining > 0:
            nobody = Who(b"d" + lease.address.to_bytes(4), lease.mac)
            binding = table.bind(nobody, lease.address, lease, now + remaining)
            table.decline(binding, lease, now + remaining)
        return
    who = table.who(1, lease.mac, lease.client_id, known=bool(lease.system))
    if SECOND_IDENTITY in lease.context and table.identity == AUTO:
        who = replace(who, key=second_key(lease.mac, lease.client_id))
    live = lease.state == State.BOUND.value and remaining > 0
    other = table.held(who)
    if other is not None and other.state is State.BOUND:
        if not live:
            return
        # Two live leases of one client, told apart when they were made; neither may be given to somebody else.
        who = replace(who, key=second_key(lease.mac, lease.address.to_bytes(4) + lease.client_id))
    binding = table.bind(who, lease.address, lease, now + remaining)
    if not live:
        table.release(binding, lease)


def adopt(table: AddressTable, other: AddressTable) -> None:
    """Move the leases of ``other`` that lie in ``table``'s subnet: it was renamed, split or joined."""
    for binding in [binding for binding in other if binding.address in table and binding.lease is not None]:
        if table.at(binding.address) is None:
            other.cut(binding)
            table.put(binding)
