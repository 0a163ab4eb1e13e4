"""A machine as plugins that keep lists of machines see it: no answers, no free values, no secrets."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Machine:
    """A system, and what provd knows of its installation.

    Attributes:
        name: of the system.
        hostname: of the installed system.
        profile: name of its profile, or empty.
        macs: hardware addresses of its network cards, in their order.
        address: IPv4 address of the first card that has one now (its lease's, else its reservation's), or empty.
        state: ``new``, ``installing``, ``installed``, ``due``, ``failed``, ``held`` or ``started``.
        installed_at: seconds since the epoch of the last finished installation, 0 for never.
        tags: free words.
        groups: names of groups.
    """

    name: str
    hostname: str
    profile: str
    macs: tuple[str, ...]
    address: str
    state: str
    installed_at: float = 0.0
    tags: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()
