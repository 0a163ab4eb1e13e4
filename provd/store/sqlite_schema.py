"""The tables, their version, and how an older file is brought up to it."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from typing import Any, Final

import msgspec

from provd.store.interface import StoreError, StoreTooNewError
from provd.store.sqlite_record import RecordError, seal, unseal

VERSION: Final = 6

Columns = Callable[[Any], tuple[Any, ...]]

TABLES: Final[Mapping[str, str]] = {
    "leases": "address INTEGER PRIMARY KEY, record BLOB NOT NULL",
    "systems": "name TEXT PRIMARY KEY, record BLOB NOT NULL",
    "installs": "system TEXT PRIMARY KEY, record BLOB NOT NULL",
    "sessions": "id TEXT PRIMARY KEY, record BLOB NOT NULL, mac TEXT, system TEXT, last_at REAL",
    "events": "id INTEGER PRIMARY KEY, record BLOB NOT NULL, session TEXT, system TEXT, at REAL",
    "tokens": "key TEXT PRIMARY KEY, record BLOB NOT NULL, expires_at REAL",
    "runs": "id INTEGER PRIMARY KEY, record BLOB NOT NULL, event_id INTEGER, started_at REAL",
    "users": "name TEXT PRIMARY KEY, record BLOB NOT NULL",
    "api_tokens": "key TEXT PRIMARY KEY, record BLOB NOT NULL",
    "audit": "id INTEGER PRIMARY KEY, record BLOB NOT NULL, user TEXT, at REAL",
}
"""Columns by table; the first is the key, the second the sealed record, the rest is there to be searched."""

_INDEXES: Final = (
    "CREATE INDEX IF NOT EXISTS sessions_mac ON sessions (mac, last_at)",
    "CREATE INDEX IF NOT EXISTS sessions_system ON sessions (system, last_at)",
    "CREATE INDEX IF NOT EXISTS sessions_last ON sessions (last_at)",
    "CREATE INDEX IF NOT EXISTS events_session ON events (session, id)",
    "CREATE INDEX IF NOT EXISTS audit_user ON audit (user, id)",
    "CREATE INDEX IF NOT EXISTS runs_event ON runs (event_id, id)",
)

SEARCHED: Final[Mapping[str, Columns]] = {
    "sessions": lambda session: (session.mac, session.system, session.last_at),
    "events": lambda row: (
        (row[0], row[1], row[3][-1][2]) if isinstance(row, tuple) else (row.session, row.system, row.at)
    ),
    "tokens": lambda token: (token.expires_at,),
    "runs": lambda run: (run.run.event_id, run.run.started_at),
    "audit": lambda entry: (entry.user, entry.at),
}
"""Values of the columns behind the record."""


def _accounts(connection: sqlite3.Connection) -> None:
    """Version 2 has users, API tokens and an audit log."""
    connection.execute("CREATE TABLE users (name TEXT PRIMARY KEY, record BLOB NOT NULL)")
    connection.execute("CREATE TABLE api_tokens (key TEXT PRIMARY KEY, record BLOB NOT NULL)")
    connection.execute("CREATE TABLE audit (id INTEGER PRIMARY KEY, record BLOB NOT NULL, user TEXT, at REAL)")
    connection.execute("CREATE INDEX audit_user ON audit (user, id)")


def _policies(connection: sqlite3.Connection) -> None:
    """From version 3 on a system may leave its policy to its profile; ``once`` was what those had that said nothing."""
    for name, record in connection.execute("SELECT name, record FROM systems").fetchall():
        try:
            sequence, body = unseal("systems", record)
        except RecordError:
            continue  # left for the check at the start, which puts it into quarantine
        system = msgspec.msgpack.decode(body)
        if system.get("policy") == "once":
            body = msgspec.msgpack.encode({**system, "policy": ""})
            connection.execute("UPDATE systems SET record = ? WHERE name = ?", (seal("systems", sequence, body), name))


_AT_ONCE: Final = (256, 32, 4, 1)
"""Rows that one statement writes; few sizes, so that SQLite's prepared statements are found again."""


def _blocks(_connection: sqlite3.Connection) -> None:
    """From version 4 on a row of ``events`` may hold several of one boot; those of one each are read as before."""


def _lighter_events(connection: sqlite3.Connection) -> None:
    """Version 5 has no index of events by system: no search used it, and every row of a boot paid for it."""
    connection.execute("DROP INDEX IF EXISTS events_system")


def _lease_log(_connection: sqlite3.Connection) -> None:
    """From version 6 on the newest leases may be in a log beside the file, which an earlier provd would not read."""


MIGRATIONS: Final[Mapping[int, Callable[[sqlite3.Connection], None]]] = {
    1: _accounts,
    2: _policies,
    3: _blocks,
    4: _lighter_events,
    5: _lease_log,
}
"""What brings a file of version N to N + 1, by N."""


def key_column(table: str) -> str:
    """Name of a table's key."""
    return TABLES[table].partition(" ")[0]


@cache
def upsert(table: str, rows: int = 1) -> str:
    """The statement that inserts or replaces rows; parameters of each are key, record and the searched columns."""
    names = [column.split()[0] for column in TABLES[table].split(", ")]
    updates = ", ".join(f"{name} = excluded.{name}" for name in names[1:])
    marks = ", ".join([f"({', '.join('?' * len(names))})"] * rows)
    return f"INSERT INTO {table} VALUES {marks} ON CONFLICT ({names[0]}) DO UPDATE SET {updates}"  # noqa: S608  names of ours


def upsert_rows(connection: sqlite3.Connection, table: str, rows: Sequence[tuple[object, ...]]) -> None:
    """Insert or replace rows in their order.

    One statement writes many of them: SQLite runs it without Python's lock, which a loop over rows would take and give
    back for each, every time waiting for the thread that answers packets.
    """
    at = 0
    for size in _AT_ONCE:
        while len(rows) - at >= size:
            connection.execute(upsert(table, size), [value for row in rows[at : at + size] for value in row])
            at += size


def create(connection: sqlite3.Connection) -> None:
    """Make all tables of the current version in an empty file."""
    with connection:
        for table, columns in TABLES.items():
            connection.execute(f"CREATE TABLE IF NOT EXISTS {table} ({columns})")
        for statement in _INDEXES:
            connection.execute(statement)
        connection.execute("CREATE TABLE IF NOT EXISTS meta (name TEXT PRIMARY KEY, record BLOB NOT NULL)")
        connection.execute(
            "CREATE TABLE IF NOT EXISTS quarantine"
            " (id INTEGER PRIMARY KEY, at REAL, kind TEXT, key BLOB, reason TEXT, record BLOB)"
        )
        write_version(connection, VERSION)


def write_version(connection: sqlite3.Connection, version: int) -> None:
    """Note the version of the tables."""
    record = seal("meta", 0, str(version).encode())
    connection.execute("INSERT OR REPLACE INTO meta VALUES ('version', ?)", (record,))


def read_version(connection: sqlite3.Connection) -> int:
    """Version of the tables; 0 for an empty file.

    Raises:
        RecordError: the version's record is damaged or missing.
        sqlite3.Error: the file is damaged.
    """
    tables = {name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
    if not tables:
        return 0
    row = connection.execute("SELECT record FROM meta WHERE name = 'version'").fetchone()
    if row is None:
        raise RecordError("the version is missing")
    return int(unseal("meta", row[0])[1])


def migrate(
    connection: sqlite3.Connection,
    version: int,
    *,
    target: int = VERSION,
    steps: Mapping[int, Callable[[sqlite3.Connection], None]] = MIGRATIONS,
) -> None:
    """Bring the tables from ``version`` to ``target``, all steps or none.

    Raises:
        StoreTooNewError: the file was written by a newer provd; it is left as it is.
        StoreError: there is no way from that version.
    """
    if version > target:
        raise StoreTooNewError(
            f"the store has version {version}, and this provd knows versions up to {target}: "
            "start the newer provd again, or restore the copy made before the upgrade"
        )
    connection.execute("BEGIN IMMEDIATE")
    with connection:
        for step in range(version, target):
            if step not in steps:
                raise StoreError(f"the store has version {version}, which this provd cannot bring to version {target}")
            steps[step](connection)
            write_version(connection, step + 1)
