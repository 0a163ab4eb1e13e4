"""The store in memory: for tests and for rehearsals, where nothing may be kept."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Final

from provd.model.event import Event, Told
from provd.model.lease import Lease
from provd.model.session import BootSession
from provd.model.system import InstallState, System
from provd.model.token import InstallToken
from provd.model.trigger import TriggerRun
from provd.store.interface import Deliver, Done, StaleWriteError, StoreError, SystemWrite
from provd.store.memory_accounts import MemoryAccounts, MemoryAudit
from provd.store.versions import check_version, with_version


class MemoryLeases:
    """:class:`provd.store.interface.LeaseStore` in memory."""

    def __init__(self, deliver: Deliver) -> None:
        self._deliver = deliver
        self._leases: dict[int, Lease] = {}

    def load(self) -> Iterable[Lease]:
        """Every lease, in the order of addresses."""
        return [self._leases[address] for address in sorted(self._leases)]

    def commit(self, leases: Sequence[Lease], removed: Sequence[int], done: Done) -> None:
        """Insert or replace ``leases`` and remove those of the addresses ``removed``."""
        for address in removed:
            self._leases.pop(address, None)
        self._leases.update((lease.address, lease) for lease in leases)
        self._deliver(partial(done, None))

    def begin_turn(self) -> None:
        """Nothing to gather: what is handed over is kept."""

    def end_turn(self) -> None:
        """See :meth:`begin_turn`."""


class MemorySystems:
    """:class:`provd.store.interface.SystemStore` in memory."""

    def __init__(self) -> None:
        self._systems: dict[str, System] = {}

    def all(self) -> Sequence[System]:
        """Every system, in the order of names."""
        return [self._systems[name] for name in sorted(self._systems)]

    def get(self, name: str) -> System | None:
        """The system of this name."""
        return self._systems.get(name)

    def put(self, system: System, *, expected: str) -> System:
        """Write a system of this version."""
        check_version(system.name, self._systems.get(system.name), expected)
        self._systems[system.name] = with_version(system)
        return self._systems[system.name]

    def remove(self, name: str, *, expected: str) -> None:
        """Remove a system of this version."""
        if name not in self._systems:
            raise StaleWriteError(f"system {name} was removed meanwhile")
        check_version(name, self._systems[name], expected)
        del self._systems[name]

    def change(self, writes: Sequence[SystemWrite]) -> Sequence[System]:
        """Several writes, all or none."""
        before = dict(self._systems)
        kept: list[System] = []
        try:
            for write in writes:
                if write.system is None:
                    self.remove(write.name, expected=write.expected)
                else:
                    kept.append(self.put(write.system, expected=write.expected))
        except StoreError:
            self._systems = before
            raise
        return kept


_FRESH: Final = InstallState()


class MemoryInstalls:
    """:class:`provd.store.interface.InstallStore` in memory."""

    def __init__(self) -> None:
        self._states: dict[str, InstallState] = {}
        self._held: dict[str, InstallState] = {}

    def get(self, system: str) -> InstallState:
        """The state; a fresh one where nothing was kept."""
        return self._states.get(system, _FRESH)

    def all(self) -> Mapping[str, InstallState]:
        """Every state that was kept."""
        return dict(self._states)

    def held(self) -> Mapping[str, InstallState]:
        """The states of held systems."""
        return dict(self._held)

    def put(self, system: str, state: InstallState) -> None:
        """Insert or replace."""
        self._states[system] = state
        if state.state == "held":
            self._held[system] = state
        else:
            self._held.pop(system, None)

    def sync(self, system: str) -> None:
        """Nothing is ever durable here."""

    def remove(self, system: str) -> None:
        """Forget a system's state."""
        self._held.pop(system, None)
        self._states.pop(system, None)


class MemorySessions:
    """:class:`provd.store.interface.SessionStore` in memory."""

    def __init__(self) -> None:
        self._sessions: dict[str, BootSession] = {}
        self._events: dict[int, Event] = {}
        self._last = 0

    def save_session(self, session: BootSession) -> None:
        """Insert or replace the session with this id."""
        self._sessions[session.id] = session

    def session(self, session: str) -> BootSession | None:
        """The session with this id."""
        return self._sessions.get(session)

    def recent_sessions(self, since: float) -> Iterable[BootSession]:
        """Newest session of every machine whose last event is not older than ``since``; the newest last."""
        ordered = self._by_age(session for session in self._sessions.values() if session.last_at >= since)
        newest = {session.mac: session for session in ordered}
        return [session for session in ordered if newest[session.mac] is session]

    def sessions(self, *, system: str = "", mac: str = "", limit: int = 20) -> Sequence[BootSession]:
        """Sessions of a system, of a MAC or of all, the newest first."""
        found = (each for each in self._sessions.values() if system in {"", each.system} and mac in {"", each.mac})
        return self._by_age(found)[::-1][:limit]

    def append(self, event: Event) -> int:
        """Keep an event and return its number."""
        self._last = number = self._last + 1
        self._events[number] = replace(event, id=number)
        return number

    def keep(self, told: Told) -> int:
        """The same for an event that is not made yet."""
        self._last = number = self._last + 1
        self._events[number] = Event(*told, number)
        return number

    @property
    def gathers(self) -> bool:
        """Nothing is gathered."""
        return False

    def flush(self) -> None:
        """Nothing is gathered."""

    def events(self, session: str) -> Sequence[Event]:
        """Events of a session in the order they happened."""
        return [event for event in self._events.values() if event.session == session]

    def last_event(self) -> int:
        """Number of the newest event, 0 before the first."""
        return self._last

    def events_after(self, number: int, *, system: str = "", limit: int = 1000) -> Sequence[Event]:
        """Events with a larger number, the oldest first."""
        found = (event for event in self._events.values() if event.id > number and system in {"", event.system})
        return list(itertools.islice(found, limit))

    def prune(self, *, before: float, keep: int) -> None:
        """Remove sessions older than ``before`` and all but the ``keep`` newest, with their events; and old events."""
        newest = self._by_age(self._sessions.values())[::-1][:keep]
        self._sessions = {session.id: session for session in newest if session.last_at >= before}
        self._events = {
            number: event
            for number, event in self._events.items()
            if (event.session in self._sessions if event.session else event.at >= before)
        }

    @staticmethod
    def _by_age(sessions: Iterable[BootSession]) -> list[BootSession]:
        return sorted(sessions, key=lambda session: (session.last_at, session.started_at))


class MemoryTokens:
    """:class:`provd.store.interface.TokenStore` in memory."""

    def __init__(self) -> None:
        self._tokens: dict[str, InstallToken] = {}

    def find(self, token: str) -> InstallToken | None:
        """The record of this token, ended or not."""
        return self._tokens.get(token)

    def of_session(self, session: str) -> InstallToken | None:
        """The token of a session."""
        return next((token for token in self._tokens.values() if token.session == session), None)

    def save(self, token: InstallToken) -> None:
        """Insert or replace."""
        self._tokens[token.token] = token

    def prune(self, *, before: float) -> None:
        """Remove tokens that expired before this time."""
        self._tokens = {text: token for text, token in self._tokens.items() if token.expires_at >= before}


class MemoryTriggerRuns:
    """:class:`provd.store.interface.TriggerRunStore` in memory."""

    def __init__(self) -> None:
        self._runs: dict[int, TriggerRun] = {}
        self._numbers = itertools.count(1)

    def record(self, run: TriggerRun) -> int:
        """Keep one run under its number, or under a new one where that is 0; gives the number."""
        number = run.id or next(self._numbers)
        self._runs[number] = replace(run, id=number)
        return number

    def runs(self, *, event_id: int = 0, limit: int = 50) -> Sequence[TriggerRun]:
        """Runs that one event started, or all; the newest first."""
        return [run for run in reversed(self._runs.values()) if event_id in {0, run.event_id}][:limit]

    def prune(self, *, before: float) -> None:
        """Remove runs that started before this time."""
        self._runs = {run.id: run for run in self._runs.values() if run.started_at >= before or run.waiting}


class MemoryStore:
    """:class:`provd.store.interface.Store` in memory."""

    def __init__(self, deliver: Deliver) -> None:
        """Take the function that runs another one on the owning thread, later."""
        self._deliver = deliver
        self.damage: tuple[str, ...] = ()
        self.leases = MemoryLeases(deliver)
        self.systems = MemorySystems()
        self.installs = MemoryInstalls()
        self.sessions = MemorySessions()
        self.tokens = MemoryTokens()
        self.trigger_runs = MemoryTriggerRuns()
        self.accounts = MemoryAccounts()
        self.audit = MemoryAudit()

    def flush(self, done: Done) -> None:
        """Call ``done`` on the next turn: everything is as durable as it gets."""
        self._deliver(partial(done, None))

    def close(self) -> None:
        """Nothing to close."""
