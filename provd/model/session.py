"""Boot sessions: one boot of one machine."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class BootSession:
    """One boot, joined from every packet, fetch and callback.

    Attributes:
        id: unguessable short id.
        mac: hardware address as text.
        system: system name, or empty for an unknown machine.
        started_at: seconds since the epoch of its first DISCOVER.
        last_at: of its newest event.
        step: furthest step reached, one of :data:`STEPS`.
        action: ``install``, ``local``, ``hold`` or ``none``: the plan it was given keeps, whatever is edited meanwhile.
        profile: profile name of that plan.
        loader: boot loader name of that plan.
        address: leased address (dotted quad), or empty so far.
        bound: address that answers are bound to; the lease's, or the first that fetched the configuration.
        outcome: ``running``, ``finished``, ``failed``, ``local`` or ``superseded``.
    """

    id: str
    mac: str
    system: str = ""
    started_at: float = 0.0
    last_at: float = 0.0
    step: str = "discover"
    action: str = "none"
    profile: str = ""
    loader: str = ""
    address: str = ""
    bound: str = ""
    outcome: str = "running"


STEPS = (
    "discover",
    "offer",
    "ack",
    "loader",
    "config",
    "kernel",
    "initrd",
    "installer-dhcp",
    "answers",
    "installing",
    "finished",
    "firstboot",
)
"""Steps of an installing boot in order; a local boot ends at ``config``."""


def step_reached(session: BootSession, step: str) -> bool:
    """Whether the session got at least as far as ``step``."""
    return STEPS.index(session.step) >= STEPS.index(step)
