"""Lease times: what the client gets for what it asked (RFC 2131 sections 3.3 and 4.4.5)."""

from __future__ import annotations

import math
import struct
from collections.abc import Mapping
from typing import Final

from provd.core.dhcp_states import INFINITE
from provd.model.subnet import Subnet
from provd.wire import codes

_U32: Final = struct.Struct("!I")


def lease_time(subnet: Subnet, requested: int | None, preferred: int = 0) -> int:
    """Seconds of a lease; 0xffffffff is for ever (rule O07, RFC 2131 section 3.3).

    Args:
        subnet: gives the default and the bounds of what a client may ask for.
        requested: option 51 of the client, or None.
        preferred: lease time of the client's profile, 0 for the subnet's.
    """
    own = preferred or subnet.lease_s
    if requested is None:
        return min(own, INFINITE)
    # A profile's short lease is a decision, not a wish: the client may ask for less, never for more.
    longest = min(subnet.max_lease_s, own) if preferred else subnet.max_lease_s
    return min(max(requested, min(subnet.min_lease_s, longest)), longest, INFINITE)


_NONE: Final[Mapping[int, bytes]] = {}


def time_options(lease_s: int, configured: Mapping[int, bytes] = _NONE) -> dict[int, bytes]:
    """Options 51, 58 and 59: T1 at a half, T2 at seven eighths (rule O08, RFC 2131 section 4.4.5).

    Args:
        lease_s: seconds of the lease.
        configured: options with the T1 and T2 that somebody configured; they count where T1 < T2 < lease holds.
    """
    if lease_s >= INFINITE:
        return {codes.LEASE_TIME: _U32.pack(INFINITE)}
    t1, t2 = lease_s // 2, lease_s * 7 // 8
    if codes.RENEWAL_TIME in configured or codes.REBINDING_TIME in configured:
        own_t1 = _seconds(configured.get(codes.RENEWAL_TIME), t1)
        own_t2 = _seconds(configured.get(codes.REBINDING_TIME), t2)
        t1, t2 = (own_t1, own_t2) if own_t1 < own_t2 < lease_s else (t1, t2)
    return {
        codes.LEASE_TIME: _U32.pack(lease_s),
        codes.RENEWAL_TIME: _U32.pack(t1),
        codes.REBINDING_TIME: _U32.pack(t2),
    }


def _seconds(octets: bytes | None, otherwise: int) -> int:
    return otherwise if octets is None or len(octets) != _U32.size else int(_U32.unpack(octets)[0])


def end_of(start: float, lease_s: int) -> float:
    """When a lease that starts at ``start`` ends; infinity for an infinite one."""
    return math.inf if lease_s >= INFINITE else start + lease_s
