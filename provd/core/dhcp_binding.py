"""One address and the client that holds it, as the address table keeps it in memory."""

from __future__ import annotations

import msgspec

from provd.core.dhcp_states import State
from provd.model.lease import Lease


class Who(msgspec.Struct, frozen=True, gc=False):
    """A client as the address table tells clients apart.

    Attributes:
        key: identity; equal keys are one client (RFC 2131 section 4.2).
        mac: hardware address.
        client_id: option 61 where it is more than the hardware address, else empty.
        reserved: address reserved for this client in this subnet, or 0.
        known: a system is registered for this client.
        elsewhere: the client has a running lease in another subnet of this server.
    """

    key: bytes
    mac: bytes
    client_id: bytes = b""
    reserved: int = 0
    known: bool = False
    elsewhere: bool = False


class Binding(msgspec.Struct, eq=False, gc=False):
    """One address of a subnet that is, was or may become somebody's.

    Attributes:
        address: as an int.
        who: the client.
        state: see :class:`State`.
        until: monotonic seconds at which the state ends; infinity for an infinite lease.
        due: time of the earliest entry in the table's timer heap, infinity where there is none.
        lease: newest lease of this client on this address, None before its first ACK.
        lease_s: option 51 of the newest offer, so that the ACK says the same (RFC 2131 section 3.1).
    """

    address: int
    who: Who
    state: State
    until: float
    due: float
    lease: Lease | None = None
    lease_s: int = 0

    def __lt__(self, other: Binding) -> bool:
        """Which of two that end at the same time comes first: the lower address."""
        return self.address < other.address
