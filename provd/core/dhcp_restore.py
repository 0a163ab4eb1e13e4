"""Leases that were there before: from the store at start, from another table after a reload. None is lost."""

from __future__ import annotations

from typing import Final

from msgspec.structs import replace

from provd.core.dhcp_binding import Who
from provd.core.dhcp_identity import AUTO, SECOND_IDENTITY, second_key
from provd.core.dhcp_leases import AddressTable
from provd.core.dhcp_states import State
from provd.model.lease import Lease

_IN_USE: Final = frozenset({State.BOUND, State.DECLINED})

GRACE_S: Final = 3600.0
"""What the wall clock may be wrong by over a reboot: daylight saving, a hardware clock in local time."""


def remaining_s(lease: Lease, now: float, wall: float, boot: str) -> float:
    """Seconds that a stored lease has left, zero or less where it ended; never fewer than it was granted.

    While the machine runs, its monotonic clock knows how long ago the lease was granted. After a reboot only the wall
    clock is there: of what it says, an hour is not believed, and if it lies before the start nothing is cut off.

    Args:
        lease: as it was stored.
        now: monotonic seconds.
        wall: seconds since the epoch.
        boot: which run of the machine this is, empty where nobody knows.
    """
    granted = lease.expires_at - lease.starts_at
    if boot and lease.boot == boot and lease.boot_s <= now:
        return granted - (now - lease.boot_s)
    return min(granted, lease.expires_at - wall + GRACE_S)


def restore(table: AddressTable, lease: Lease, now: float, wall: float, boot: str = "") -> None:
    """Put a stored lease into the table; arguments as of :func:`remaining_s`."""
    remaining = remaining_s(lease, now, wall, boot)
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
    """Move the leases of ``other`` that lie in ``table``'s subnet: it was renamed, split or joined.

    A table that comes back may have offers of before: no lease was given out of it since, so a running one of ``other``
    and its quarantine stand before them.
    """
    for binding in [binding for binding in other if binding.address in table and binding.lease is not None]:
        there = table.at(binding.address)
        if there is not None and binding.state in _IN_USE and there.state not in _IN_USE:
            table.forget(there)
            there = None
        if there is None:
            other.cut(binding)
            table.put(binding)
