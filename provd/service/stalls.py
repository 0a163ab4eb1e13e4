"""The alarm for boots that stand still: longer than boots of their profile ever did at this step."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import pairwise
from types import MappingProxyType
from typing import Final, Protocol

from provd.core.diagnosis_facts import SILENT_S, Finding
from provd.model.event import Event
from provd.model.session import STEPS, WAITING, BootSession
from provd.service.inspect import phases
from provd.service.sessions import Sessions

STALLED: Final = "session.stalled"
NOBODY: Final[Mapping[str, float]] = MappingProxyType({})
_LEARNED: Final = 20
"""Installations of a profile that are remembered for each step."""
_FACTOR: Final = 2.0
"""How much longer than the longest of them is a stall."""
_PAST: Final = 200
"""Boots that are read at the start."""
_MEASURED_WITH: Final[Mapping[str, str]] = MappingProxyType({"loader": "ack", "installer-dhcp": "initrd"})
"""Steps that no phase begins: they are part of the phase that these steps begin."""
_MOST: Final = 10_000
"""Profiles and steps that are remembered."""


class SessionsView(Protocol):
    """Boots and events that were kept."""

    def sessions(self, *, system: str = "", mac: str = "", limit: int = 20) -> Sequence[BootSession]:
        """Sessions, the newest first."""
        ...

    def events(self, session: str) -> Sequence[Event]:
        """Events of a session."""
        ...


class Stalls:
    """Publishes ``session.stalled`` once for a boot that stands still, with what the diagnosis says of it.

    Args:
        live: boots of this moment.
        kept: boots and events that were kept.
        findings: the diagnosis.
        publish: event bus.
        wall: seconds since the epoch.
    """

    def __init__(
        self,
        *,
        live: Sessions,
        kept: SessionsView,
        findings: Callable[[BootSession, Sequence[Event]], Sequence[Finding]],
        publish: Callable[[Event], None],
        wall: Callable[[], float],
    ) -> None:
        self._live, self._kept, self._findings = live, kept, findings
        self._publish, self._wall = publish, wall
        self._gaps: dict[tuple[str, str], deque[float]] = {}
        self._told: dict[str, float] = {}

    def load(self) -> None:
        """Learn from the boots that finished before this start."""
        for session in reversed(self._kept.sessions(limit=_PAST)):
            if session.outcome == "finished":
                self._learn(session)

    def on_event(self, event: Event) -> None:
        """Learn from an installation that has finished."""
        if event.kind == "install.finished" and event.session:
            boot = self._live.of_id(event.session)
            if boot is not None:
                self._learn(boot.session)

    def allowed_s(self, session: BootSession) -> float:
        """Seconds of silence after the session's step that are not remarkable."""
        step = _MEASURED_WITH.get(session.step, session.step)
        known = self._gaps.get((session.profile, step))
        return max(SILENT_S, _FACTOR * max(known)) if known else SILENT_S

    def look(self) -> None:
        """Called by a timer: whatever stands still is told, once."""
        running = {session.id for session in self._running()}
        self._told = {name: at for name, at in self._told.items() if name in running}
        for session, event in self.standing(self._told):
            self._told[session.id] = session.last_at
            self._publish(event)

    def standing(self, told: Mapping[str, float] = NOBODY) -> Iterator[tuple[BootSession, Event]]:
        """Boots that stand still now, each with the event that tells why.

        Args:
            told: what is left out: time of the last sign of life by session.
        """
        now = self._wall()
        for session in self._running():
            silent_s = now - session.last_at
            if silent_s < self.allowed_s(session) or told.get(session.id) == session.last_at:
                continue
            found = self._findings(session, self._kept.events(session.id))
            if found:
                yield session, _event(session, found[0], silent_s, now)

    def _running(self) -> list[BootSession]:
        return [boot.session for boot in self._live.boots() if _goes_on(boot.session)]

    def _learn(self, session: BootSession) -> None:
        steps = [(str(one["step"]), one["took"]) for one in phases(session, self._kept.events(session.id))]
        for (step, _), (_, took) in pairwise(steps):
            key = (session.profile, step)
            # Those that are known go on learning when there is no room for others.
            if step in STEPS and isinstance(took, int | float) and (key in self._gaps or len(self._gaps) < _MOST):
                self._gaps.setdefault(key, deque(maxlen=_LEARNED)).append(float(took))


def _goes_on(session: BootSession) -> bool:
    """It should; one that waits in the queue is meant to stand still."""
    return session.outcome == "running" and session.slot != WAITING


def _event(session: BootSession, finding: Finding, silent_s: float, now: float) -> Event:
    fields = {"rule": finding.rule, "step": finding.step, "cause": finding.cause, "silent_s": round(silent_s)}
    return Event(STALLED, now, session.id, session.system, session.mac, fields)
