"""Boot sessions and events in SQLite."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from provd.model.event import Event
from provd.model.session import BootSession
from provd.store.kinds import EVENTS, SESSIONS
from provd.store.sqlite_database import Database, WriteBehind


class SqliteSessions:
    """:class:`provd.store.interface.SessionStore` in SQLite."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._sessions = WriteBehind(database, SESSIONS)
        self._events = WriteBehind(database, EVENTS, gather=True)
        self._last = database.number("events")

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

    def events(self, session: str) -> Sequence[Event]:
        """Events of a session in the order they happened."""
        found = {event.id: event for event in self._database.select(EVENTS, "WHERE session = ?", (session,))}
        found |= {event.id: event for event in self._events.pending() if event.session == session}
        return [found[number] for number in sorted(found)]

    def last_event(self) -> int:
        """Number of the newest event, 0 before the first."""
        return self._last

    def events_after(self, number: int, *, system: str = "", limit: int = 1000) -> Sequence[Event]:
        """Events with a larger number, the oldest first."""
        clause = "WHERE id > ? AND (? = '' OR system = ?) ORDER BY id LIMIT ?"
        rows = self._database.select(EVENTS, clause, (number, system, system, limit))
        found = {event.id: event for event in rows}
        for event in self._events.pending():
            if event.id > number and system in {"", event.system}:
                found[event.id] = event
        return [found[each] for each in sorted(found)][:limit]

    def prune(self, *, before: float, keep: int) -> None:
        """Remove sessions older than ``before`` and all but the ``keep`` newest, with their events; and old events."""
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
