"""Boot sessions: one boot of one machine."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final


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
        action: ``install``, ``start``, ``menu``, ``local``, ``hold`` or ``none``: the plan it was given keeps, whatever
            is edited meanwhile.
        profile: profile name of that plan.
        loader: boot loader name of that plan.
        address: leased address (dotted quad), or empty so far.
        bound: address that answers are bound to; the lease's, or the first that fetched the configuration.
        slot: what it is to the queue of installations: empty, ``waiting``, ``running`` (it counts) or ``freed`` (it
            stood still, or its token expired, and counts no more).
        slot_until: seconds since the epoch until which it counts.
        queued_at: seconds since the epoch when it asked first.
        subnet: name of its subnet, as the queue counts it.
        source: its install source, as the queue counts it.
        outcome: ``running``, ``finished``, ``failed``, ``local``, ``started`` (it booted what installs nothing),
            ``menu`` (it was shown the menu, and provd heard of no choice) or ``superseded``.
        arch: provd's name of the firmware's architecture, or empty.
        choice: entry of the menu that was chosen at the machine, or empty.
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
    slot: str = ""
    slot_until: float = 0.0
    queued_at: float = 0.0
    subnet: str = ""
    source: str = ""
    arch: str = ""
    choice: str = ""

    def seen(self, now: float, step: str = "") -> BootSession:
        """The session after a sign of life, at another step where one is named.

        It happens several times for each DHCP message; ``dataclasses.replace`` takes three times as long.
        """
        return BootSession(
            self.id,
            self.mac,
            self.system,
            self.started_at,
            now,
            step or self.step,
            self.action,
            self.profile,
            self.loader,
            self.address,
            self.bound,
            self.outcome,
            self.slot,
            self.slot_until,
            self.queued_at,
            self.subnet,
            self.source,
            self.arch,
            self.choice,
        )


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


WAITING: Final = "waiting"
RUNNING: Final = "running"
FREED: Final = "freed"
"""Values of ``slot``."""
