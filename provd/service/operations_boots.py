"""Operations that look at boots and their timelines."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Annotated, Final, Protocol

import msgspec

from provd.core.diagnosis_facts import Finding
from provd.model.event import Event
from provd.model.mac import Mac
from provd.model.session import BootSession
from provd.plugin.contract import Operation
from provd.service.inspect import packages, phases, session_row, timeline, verdict
from provd.service.operations import Arguments, OperationError
from provd.service.system_lookup import NamedSystems

_NOTHING_CAME: Final = (
    "its cable and boot order, UDP 67 here (provd check firewall), its relay, or its hardware address in provd"
)


class SessionsView(Protocol):
    """Boots and events that were kept."""

    def session(self, session: str) -> BootSession | None:
        """The session with this id."""
        ...

    def sessions(self, *, system: str = "", mac: str = "", limit: int = 20) -> Sequence[BootSession]:
        """Sessions, the newest first."""
        ...

    def events(self, session: str) -> Sequence[Event]:
        """Events of a session."""
        ...


class TraceQuery(Arguments, frozen=True):
    """Whose boot: a system's name or a MAC; ``session`` for an older boot, ``after`` for newer events only."""

    system: str
    session: str = ""
    after: int = 0


class BootsQuery(Arguments, frozen=True):
    """Which boots: the newest of all, or of one system or MAC."""

    system: str = ""
    limit: Annotated[int, msgspec.Meta(ge=1, le=1000)] = 20


class BootOperations:
    """The operations, around what the stores kept.

    Args:
        sessions: boots and events.
        systems: the systems service.
        wall: seconds since the epoch.
        findings: why a boot does not go on.
    """

    def __init__(
        self,
        sessions: SessionsView,
        systems: NamedSystems,
        wall: Callable[[], float],
        findings: Callable[[BootSession, Sequence[Event]], Sequence[Finding]],
    ) -> None:
        self._findings = findings
        self._sessions = sessions
        self._systems = systems
        self._wall = wall

    def operations(self) -> tuple[Operation, ...]:
        """``trace`` and ``boots``."""
        return (
            Operation(
                "trace",
                "Show the timeline of a machine's boot.",
                "read",
                TraceQuery,
                self.trace,
                "provd trace web1",
                result="The boot session, its `verdict` with `findings` (`rule`, `step`, `cause`, `advice`), `phases`, "
                "`packages`, and its `events` in order.",
            ),
            Operation(
                "boots",
                "List boots, the newest first.",
                "read",
                BootsQuery,
                self.boots,
                "provd boots --limit 5",
                result="One row per boot session, the newest first.",
            ),
        )

    def trace(self, arguments: TraceQuery) -> object:
        """The newest boot (or the one named) of a system or MAC, event by event."""
        session = self._session(arguments)
        whole = self._sessions.events(session.id)
        events = [event for event in whole if event.id > arguments.after]
        findings = self._findings(session, whole)
        return {
            **session_row(session),
            "verdict": findings[0].cause if findings else verdict(session, self._wall() - session.last_at),
            "findings": findings,
            "phases": phases(session, whole),
            "packages": packages(whole),
            "events": timeline(session, events),
        }

    def boots(self, arguments: BootsQuery) -> object:
        """One row per boot."""
        system, mac = self._whose(arguments.system) if arguments.system else ("", "")
        return [session_row(one) for one in self._sessions.sessions(system=system, mac=mac, limit=arguments.limit)]

    def _session(self, arguments: TraceQuery) -> BootSession:
        if arguments.session:
            found = self._sessions.session(arguments.session)
            if found is None:
                raise OperationError(f"there is no boot {arguments.session!r}", field="session", kind="not-found")
            return found
        system, mac = self._whose(arguments.system)
        newest = [*self._sessions.sessions(system=system, mac=mac, limit=1), *self._of_cards(system)]
        if not newest:
            sentence = f"{arguments.system} has not booted from the network yet"
            raise OperationError(f"{sentence}: no DHCP message of it came in; {_NOTHING_CAME}", kind="not-found")
        return max(newest, key=lambda session: session.started_at)

    def _of_cards(self, name: str) -> Iterator[BootSession]:
        """Boots of a system's cards that ended before anybody knew whose they are, as behind an unknown relay."""
        system = self._systems.get(name) if name else None
        for card in system.interfaces if system is not None else ():
            for session in self._sessions.sessions(mac=str(card.mac), limit=1):
                if session.system in {"", name}:
                    yield session

    def _whose(self, text: str) -> tuple[str, str]:
        """System name or MAC, one of the two empty."""
        if self._systems.get(text) is not None:
            return text, ""
        try:
            return "", str(Mac.parse(text))
        except ValueError:
            raise OperationError(f"{text!r} is no system and no MAC", field="system", kind="not-found") from None
