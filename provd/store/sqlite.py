"""The store in one SQLite file."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

from provd.store.interface import Deliver, Done
from provd.store.sqlite_accounts import SqliteAccounts, SqliteAudit
from provd.store.sqlite_database import Database
from provd.store.sqlite_file import lock, prepare
from provd.store.sqlite_keepers import SqliteInstalls, SqliteLeases, SqliteSystems, SqliteTokens, SqliteTriggerRuns
from provd.store.sqlite_sessions import SqliteSessions


class SqliteStore:
    """:class:`provd.store.interface.Store` in one file, mode 0600, held by one process at a time.

    Attributes:
        damage: what was found damaged at the start and what became of it.
    """

    def __init__(self, path: Path, *, deliver: Deliver, wall: Callable[[], float]) -> None:
        """Open, check and where needed repair the file.

        Args:
            path: the file; it and its directory are made if they are not there.
            deliver: runs a function on the owning thread: ``reactor.callFromThread``.
            wall: seconds since the epoch.

        Raises:
            StoreTooNewError: a newer provd wrote the file.
            StoreError: it is in use, or cannot be opened or written.
        """
        self._lock = lock(path)
        try:
            prepared = prepare(path, wall)
            self.damage = prepared.damage
            self._database = Database(path, deliver=deliver, wall=wall, after=prepared.sequence)
        except BaseException:
            os.close(self._lock)
            raise
        for sentence in self.damage:
            self._database.log.error("{sentence}", sentence=sentence)
        self.leases = SqliteLeases(self._database)
        self.systems = SqliteSystems(self._database)
        self.installs = SqliteInstalls(self._database)
        self.sessions = SqliteSessions(self._database)
        self.tokens = SqliteTokens(self._database)
        self.trigger_runs = SqliteTriggerRuns(self._database)
        self.accounts = SqliteAccounts(self._database)
        self.audit = SqliteAudit(self._database)

    def flush(self, done: Done) -> None:
        """Call ``done`` once everything handed over before is durable or failed."""
        self.sessions.flush()
        self._database.writer.submit(lambda _connection: None, done)

    def close(self) -> None:
        """Make everything durable, then close; blocks."""
        self.sessions.flush()
        self._database.close()
        os.close(self._lock)
