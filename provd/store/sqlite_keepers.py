"""Leases, systems, installs, tokens and trigger runs in SQLite, leases by way of their log."""

from __future__ import annotations

import itertools
import sqlite3
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Final

from msgspec.structs import force_setattr

from provd.model.lease import Lease
from provd.model.system import InstallState, System
from provd.model.token import InstallToken
from provd.model.trigger import TriggerRun
from provd.store.interface import Done, StaleWriteError, StoreError, SystemWrite
from provd.store.kinds import (
    ENDED,
    INSTALLS,
    LEASES,
    RUNS,
    SYSTEMS,
    TOKENS,
    Install,
    NumberedRun,
    token_key,
    without_text,
)
from provd.store.lease_log import LeaseLog
from provd.store.sqlite_database import Database, WriteBehind
from provd.store.sqlite_record import RecordError, encode_body, seal
from provd.store.sqlite_schema import upsert
from provd.store.versions import check_version, with_version

_KIND: Final = LEASES.kind


class SqliteLeases:
    """:class:`provd.store.interface.LeaseStore`: what the log holds goes before what the table says."""

    def __init__(self, database: Database, log: LeaseLog, found: Sequence[Lease] = ()) -> None:
        """Take collaborators.

        Args:
            database: keeps them.
            log: has them first.
            found: what the database held at the start; asked once.
        """
        self._database, self._log = database, log
        self._found: Sequence[Lease] | None = found or None
        self.begin_turn, self.end_turn = log.begin_turn, log.end_turn
        self._next = database.next_number

    def load(self) -> Iterable[Lease]:
        """Every lease, in the order of addresses."""
        # What is carried into the table in this moment is then in both, and not in neither.
        unsettled = self._log.unsettled()
        found, self._found = self._found, None
        if found is None or self._log.checkpoints:
            found = self._database.select(LEASES, "ORDER BY address")
        leases: Sequence[Lease] = found
        if unsettled:
            leases = self._overlaid(leases, unsettled)
        for lease in leases:
            _share(lease)
        return leases

    def _overlaid(self, leases: Sequence[Lease], unsettled: Mapping[int, bytes]) -> Sequence[Lease]:
        found = {lease.address: lease for lease in leases}
        for address, record in unsettled.items():
            found.pop(address, None)
            if not record:
                continue
            try:
                found[address] = LEASES.decode(record)
            except RecordError as error:
                self._database.log.error("a record of leases is left out: {error}", error=error)
        return [found[address] for address in sorted(found)]

    def commit(self, leases: Sequence[Lease], removed: Sequence[int], done: Done) -> None:
        """Insert or replace ``leases`` and remove those of the addresses ``removed``."""
        self._found = None
        try:
            # What Codec.encode does, without its ways there: each ACK waits for this.
            records = [seal(_KIND, self._next(), encode_body(lease)) for lease in leases]
        except Exception as error:  # noqa: BLE001  a value that cannot be stored fails alone, and later like any other
            failure = StoreError(f"the store cannot write: {error}")
            self._log.commit((), (), lambda problem: done(problem or failure))
            return
        self._log.commit(records, removed, done)


_REPEATED: Final = ("subnet", "state", "relay", "interface", "boot")
_NOTHING: Final[Mapping[str, str]] = {}


def _share(lease: Lease) -> None:
    """Words that thousands of leases have in common are kept once: a fifth of the memory of a large table."""
    for name in _REPEATED:
        # The value stays equal; only its copies go, before anybody else has seen the lease.
        force_setattr(lease, name, sys.intern(getattr(lease, name)))
    if not lease.context:
        force_setattr(lease, "context", _NOTHING)


class SqliteSystems:
    """:class:`provd.store.interface.SystemStore` in SQLite."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def all(self) -> Sequence[System]:
        """Every system, in the order of names."""
        return self._database.select(SYSTEMS, "ORDER BY name")

    def get(self, name: str) -> System | None:
        """The system of this name."""
        return next(iter(self._database.select(SYSTEMS, "WHERE name = ?", (name,))), None)

    def put(self, system: System, *, expected: str) -> System:
        """Write a system of this version and wait until it is durable."""
        return self.change([SystemWrite(system.name, system, expected)])[0]

    def remove(self, name: str, *, expected: str) -> None:
        """Remove a system of this version and wait until that is durable."""
        self.change([SystemWrite(name, None, expected)])

    def change(self, writes: Sequence[SystemWrite]) -> Sequence[System]:
        """Several writes in one transaction; waits until it is durable."""
        kept = [None if write.system is None else with_version(write.system) for write in writes]

        def work(connection: sqlite3.Connection) -> None:
            connection.execute("SAVEPOINT several")
            try:
                for write, system in zip(writes, kept, strict=True):
                    self._write(connection, write, system)
            except StaleWriteError:
                # Others' writes share the transaction, so only these are undone.
                connection.execute("ROLLBACK TO several")
                raise
            finally:
                connection.execute("RELEASE several")

        self._database.writer.run(work)
        return [system for system in kept if system is not None]

    def _write(self, connection: sqlite3.Connection, write: SystemWrite, system: System | None) -> None:
        stored = _stored(connection, write.name)
        if system is None and stored is None:
            raise StaleWriteError(f"system {write.name} was removed meanwhile")
        check_version(write.name, stored, write.expected)
        if system is None:
            connection.execute("DELETE FROM systems WHERE name = ?", (write.name,))
        else:
            connection.execute(upsert("systems"), self._database.row(SYSTEMS, system))


def _stored(connection: sqlite3.Connection, name: str) -> System | None:
    row = connection.execute("SELECT record FROM systems WHERE name = ?", (name,)).fetchone()
    return None if row is None else SYSTEMS.decode(row[0])


_FRESH: Final = InstallState()


class SqliteInstalls:
    """:class:`provd.store.interface.InstallStore` in SQLite, with all states in memory."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._states = {install.system: install.state for install in database.select(INSTALLS)}
        self._held = {name: state for name, state in self._states.items() if state.state == "held"}
        self._behind = WriteBehind(database, INSTALLS)

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
        self._behind.save(Install(system, state))

    def sync(self, system: str) -> None:
        """Wait until the state is durable; where that fails it is tried again as after any :meth:`put`."""
        install = Install(system, self.get(system))

        def work(connection: sqlite3.Connection) -> None:
            connection.execute(upsert("installs"), self._database.row(INSTALLS, install))

        self._database.writer.run(work)

    def remove(self, system: str) -> None:
        """Forget a system's state."""
        self._held.pop(system, None)
        if self._states.pop(system, None) is not None:
            self._behind.forget(system)
            self._database.change("DELETE FROM installs WHERE system = ?", (system,))


class SqliteTokens:
    """:class:`provd.store.interface.TokenStore` in SQLite, with all tokens in memory."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._tokens: dict[str, InstallToken] = {}
        self._by_session: dict[str, InstallToken] = {}
        self._behind = WriteBehind(database, TOKENS)
        for token in database.select(TOKENS):
            self._index(token)

    def find(self, token: str) -> InstallToken | None:
        """The record of this token, ended or not; what an ended one is kept as finds nothing."""
        return None if token.startswith(ENDED) else self._tokens.get(token_key(token))

    def of_session(self, session: str) -> InstallToken | None:
        """The token of a session."""
        return self._by_session.get(session)

    def save(self, token: InstallToken) -> None:
        """Insert or replace."""
        self._index(token)
        self._behind.save(without_text(token))

    def prune(self, *, before: float) -> None:
        """Remove tokens that expired before this time."""
        for key, token in list(self._tokens.items()):
            if token.expires_at < before:
                del self._tokens[key]
                self._by_session.pop(token.session, None)
                self._behind.forget(key)
        self._database.change("DELETE FROM tokens WHERE expires_at < ?", (before,))

    def _index(self, token: InstallToken) -> None:
        self._tokens[token_key(token.token)] = token
        self._by_session[token.session] = token


class SqliteTriggerRuns:
    """:class:`provd.store.interface.TriggerRunStore` in SQLite."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._numbers = itertools.count(database.number("runs") + 1)
        self._behind = WriteBehind(database, RUNS)

    def record(self, run: TriggerRun) -> int:
        """Keep one run under its number, or under a new one where that is 0; gives the number."""
        number = run.id or next(self._numbers)
        self._behind.save(NumberedRun(number, run))
        return number

    def runs(self, *, event_id: int = 0, limit: int = 50) -> Sequence[TriggerRun]:
        """Runs that one event started, or all; the newest first."""
        clause = "WHERE event_id = ? OR ? = 0 ORDER BY id DESC LIMIT ?"
        found = {run.id: run for run in self._database.select(RUNS, clause, (event_id, event_id, limit))}
        found |= {run.id: run for run in self._behind.pending() if event_id in {0, run.run.event_id}}
        return [replace(found[number].run, id=number) for number in sorted(found, reverse=True)][:limit]

    def prune(self, *, before: float) -> None:
        """Remove runs that started before this time."""
        self._database.change("DELETE FROM runs WHERE started_at < ?", (before,))
