"""Boot sessions and events in SQLite."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Sequence
from typing import Final

from provd.model.event import Event, Told
from provd.model.session import BootSession
from provd.store.kinds import EVENTS, SESSIONS, Block, Gathered, block_events, event_row
from provd.store.sqlite_database import Database, WriteBehind

_Row = Event | Block | Gathered
_MOST: Final = 4096
"""Events that are gathered at most, of all boots together; then those of the boots that came first are written."""
SPAN: Final = 2 * _MOST
"""Events are in one row only where fewer than so many came between."""


class SqliteSessions:
    """:class:`provd.store.interface.SessionStore` in SQLite."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._sessions = WriteBehind(database, SESSIONS, gather=True)
        self._events = WriteBehind(database, EVENTS, gather=True)
        self._last = database.number("events")
        self._fresh: dict[tuple[str, str, str], Gathered] = {}
        self._kept = 0

    def save_session(self, session: BootSession) -> None:
        """Insert or replace the session with this id."""
        self._sessions.save(session)

    def session(self, session: str) -> BootSession | None:
        """The session with this id."""
        found = self._database.select(SESSIONS, "WHERE id = ?", (session,))
        return self._sessions.get(session) or next(iter(found), None)

    def recent_sessions(self, since: float) -> Iterable[BootSession]:
        """Newest session of every machine whose last event is not older than ``since``; the newest last."""
        found = {session.id: session for session in self._database.select(SESSIONS, "WHERE last_at >= ?", (since,))}
        found |= {session.id: session for session in self._sessions.pending()}
        ordered = sorted(found.values(), key=lambda session: (session.last_at, session.started_at))
        newest = {session.mac: session for session in ordered if session.last_at >= since}
        return [session for session in ordered if newest.get(session.mac) is session]

    def sessions(self, *, system: str = "", mac: str = "", limit: int = 20) -> Sequence[BootSession]:
        """Sessions of a system, of a MAC or of all, the newest first."""
        wanted = [(column, value) for column, value in (("system", system), ("mac", mac)) if value]
        where = " AND ".join(f"{column} = ?" for column, _ in wanted)
        clause = f"{'WHERE ' + where if where else ''} ORDER BY last_at DESC LIMIT ?"
        rows = self._database.select(SESSIONS, clause, (*(value for _, value in wanted), limit))
        found = {session.id: session for session in rows}
        for session in self._sessions.pending():
            if system in {"", session.system} and mac in {"", session.mac}:
                found[session.id] = session
        ordered = sorted(found.values(), key=lambda session: (session.last_at, session.started_at), reverse=True)
        return ordered[:limit]

    def append(self, event: Event) -> int:
        """Keep an event and return its number; numbers only grow."""
        self._last += 1
        self._events.save(event.numbered(self._last))
        return self._last

    def keep(self, told: Told) -> int:
        """Keep an event that is not made yet, in one row with others of its boot."""
        kind, at, session, system, mac, fields = told
        self._last = number = self._last + 1
        row = event_row(number, kind, at, fields)
        name = (session, system, mac)
        gathered = self._fresh.get(name)
        if gathered is None:
            gathered = self._fresh[name] = Gathered(session, system, mac, number)
        gathered.add(number, at, row)
        self._kept += 1
        if self._kept >= _MOST:
            self._flush_oldest()
        return number

    @property
    def gathers(self) -> bool:
        """Something waits for :meth:`flush`; readers see it already."""
        return bool(self._fresh)

    def flush(self) -> None:
        """Hand what was gathered to the thread that writes."""
        fresh, self._fresh, self._kept = self._fresh, {}, 0
        self._events.save_all(list(fresh.values()))

    def _flush_oldest(self) -> None:
        """The half that came first: a boot's exchange is likelier to be whole, and one row."""
        fresh = self._fresh
        first = [fresh.pop(name) for name in list(itertools.islice(fresh, (len(fresh) + 1) // 2))]
        self._kept -= sum(one.count for one in first)
        self._events.save_all(first)
        oldest = next(iter(fresh.values()), None)
        if oldest is not None and self._last - oldest.first >= _MOST:
            # One boot tells very much beside many that are slow: no row may become wider than SPAN.
            self.flush()

    def events(self, session: str) -> Sequence[Event]:
        """Events of a session in the order they happened."""
        stored = self._database.select(EVENTS, "WHERE session = ?", (session,))
        found = self._found(stored, lambda row: session == (row[0] if isinstance(row, tuple) else row.session))
        return [found[number] for number in sorted(found)]

    def _found(self, rows: Iterable[_Row], wanted: Callable[[_Row], bool] = lambda _row: True) -> dict[int, Event]:
        """Events of these rows, and of all wanted ones that the file may not show yet, by number."""
        waiting = itertools.chain(rows, self._events.pending(), self._fresh.values())
        return {event.id: event for row in waiting if wanted(row) for event in block_events(row)}

    def last_event(self) -> int:
        """Number of the newest event, 0 before the first."""
        return self._last

    def events_after(self, number: int, *, system: str = "", limit: int = 1000) -> Sequence[Event]:
        """Events with a larger number, the oldest first."""
        # A row has the number of its last event and none SPAN older: with so many rows more none is passed over.
        clause = "WHERE id > ? AND (? = '' OR system = ?) ORDER BY id LIMIT ?"
        found = self._found(self._database.select(EVENTS, clause, (number, system, system, limit + SPAN)))
        ordered = (found[each] for each in sorted(found))
        return [one for one in ordered if one.id > number and system in {"", one.system}][:limit]

    def prune(self, *, before: float, keep: int) -> None:
        """Remove sessions older than ``before`` and all but the ``keep`` newest, with their events; and old events."""
        self.flush()
        newest = "SELECT id FROM sessions ORDER BY last_at DESC LIMIT ?"
        self._database.change(
            f"DELETE FROM sessions WHERE last_at < ? OR id NOT IN ({newest})",  # noqa: S608  a constant of ours
            (before, keep),
        )
        self._database.change(
            "DELETE FROM events WHERE (session = '' AND at < ?)"
            " OR (session <> '' AND session NOT IN (SELECT id FROM sessions))",
            (before,),
        )
