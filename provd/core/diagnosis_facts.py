"""What a diagnosis looks at, and what it finds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from provd.model.event import Event
from provd.model.session import BootSession, step_reached

SILENT_S: Final = 60.0
"""Seconds without anything from a machine after which its boot counts as standing still."""
INSTALLER_SILENT_S: Final = 600.0
"""The same for an installer that unpacks: it says nothing for minutes."""


@dataclass(frozen=True, slots=True)
class Facts:
    """What is known beside the boot itself.

    Attributes:
        silent_s: seconds since the newest event.
        cpu: of the firmware (``x86_64``), empty where it did not say.
        distro: name and CPU of the distro that the plan installs, empty where there is none.
        loaders: boot loaders that the plan may use.
        resting: plugins that were slow or failed and are not called now, with what they did.
        earlier: boots of the same machine before this one, the newest first.
    """

    silent_s: float = 0.0
    cpu: str = ""
    distro: tuple[str, str] = ("", "")
    loaders: tuple[str, ...] = ()
    resting: tuple[str, ...] = ()
    earlier: Sequence[BootSession] = ()


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is wrong.

    Attributes:
        rule: stable name, as in ``missing-file``.
        step: step of the boot at which it shows, one of :data:`provd.model.session.STEPS`.
        cause: what was seen and what it means, in a sentence.
        advice: what to look at or to do.
    """

    rule: str
    step: str
    cause: str
    advice: str


@dataclass(frozen=True, slots=True)
class Boot:
    """What the rules look at."""

    session: BootSession
    events: Sequence[Event]
    facts: Facts
    kinds: frozenset[str] = field(default=frozenset())

    def of(self, *kinds: str) -> list[Event]:
        """Events of these kinds, in order."""
        return [event for event in self.events if event.kind in kinds] if not self.kinds.isdisjoint(kinds) else []

    def last(self, kind: str) -> Event | None:
        """The newest event of a kind."""
        found = self.of(kind)
        return found[-1] if found else None

    @property
    def stands(self) -> bool:
        """Nothing came for a while, or another boot began instead of going on."""
        slow = step_reached(self.session, "answers") and self.session.action == "install"
        limit = INSTALLER_SILENT_S if slow else SILENT_S
        return self.session.outcome == "superseded" or (
            self.session.outcome == "running" and self.facts.silent_s >= limit
        )

    @property
    def over(self) -> bool:
        """It ended as it should."""
        return self.session.outcome in {"finished", "local", "started", "menu"} and self.session.action != "hold"


def word(event: Event, name: str) -> str:
    """A detail of an event as text, empty where there is none."""
    return str(event.fields.get(name, "") or "")
