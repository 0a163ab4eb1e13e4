"""The store: one SQLite file, and a log in which leases are durable before they are in it."""

from __future__ import annotations

import os
from collections.abc import Callable
from functools import partial
from pathlib import Path

from provd.store.interface import Deliver, Done
from provd.store.lease_log import LeaseLog
from provd.store.lease_log_file import open_logs
from provd.store.sqlite_accounts import SqliteAccounts, SqliteAudit
from provd.store.sqlite_database import Database
from provd.store.sqlite_file import lock, prepare
from provd.store.sqlite_keepers import SqliteInstalls, SqliteLeases, SqliteSystems, SqliteTokens, SqliteTriggerRuns
from provd.store.sqlite_sessions import SqliteSessions


class SqliteStore:
    """:class:`provd.store.interface.Store` in files of mode 0600, held by one process at a time.

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
            logs = open_logs(path, wall)
            newest = max(prepared.sequence, *(log.newest for log in logs))
            self._database = database = Database(path, deliver=deliver, wall=wall, after=newest)
        except BaseException:
            os.close(self._lock)
            raise
        self.damage = (*prepared.damage, *(log.damage for log in logs if log.damage))
        for sentence in self.damage:
            self._database.log.error("{sentence}", sentence=sentence)
        self._log = LeaseLog(
            logs, database.writer.submit_behind, deliver, database.next_number, recovered=database.retry
        )
        self.leases = SqliteLeases(self._database, self._log, prepared.leases)
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
        self._log.flush(partial(self._after_leases, done))

    def _after_leases(self, done: Done, problem: Exception | None) -> None:
        if problem is not None:
            done(problem)
            return
        self._database.writer.submit(lambda _connection: None, done)

    def close(self) -> None:
        """Make everything durable, also what a full disk refused before, then close; blocks."""
        self._database.retry()
        self.sessions.flush()
        self._log.close()
        self._database.close()
        os.close(self._lock)
