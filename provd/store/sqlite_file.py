"""The store's file: private, locked, checked before use; what is damaged is kept aside and never silently dropped."""

from __future__ import annotations

import fcntl
import itertools
import os
import sqlite3
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

from provd.model.lease import Lease
from provd.store.durable_file import stamp
from provd.store.interface import StoreError
from provd.store.kinds import INSTALLS, LEASES, SYSTEMS, TOKENS
from provd.store.sqlite_journal import JournalError, check_journal
from provd.store.sqlite_record import Codec, RecordError, unseal
from provd.store.sqlite_salvage import DAMAGE, Damaged, finish_salvage, salvage
from provd.store.sqlite_schema import SEARCHED, TABLES, create, key_column, migrate, read_version, upsert

VERIFIED: Final[tuple[Codec[Any], ...]] = (LEASES, SYSTEMS, INSTALLS, TOKENS)
"""Kinds whose every record is looked at before the first answer; the others are looked at when they are read."""

_NOT_DAMAGE: Final = {
    sqlite3.SQLITE_BUSY,
    sqlite3.SQLITE_LOCKED,
    sqlite3.SQLITE_FULL,
    sqlite3.SQLITE_IOERR,
    sqlite3.SQLITE_CANTOPEN,
    sqlite3.SQLITE_NOMEM,
}


def connect(path: Path) -> sqlite3.Connection:
    """A connection that commits durably: WAL, synchronous=FULL; deleted content is overwritten."""
    connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False, timeout=5.0)
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute("PRAGMA secure_delete = ON")
    connection.execute("PRAGMA journal_size_limit = 67108864")
    return connection


def lock(path: Path) -> int:
    """Take the store for this process; the file descriptor holds the lock until it is closed.

    Raises:
        StoreError: another process has it, or the directory cannot be written.
    """
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        handle = os.open(f"{path}.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    except OSError as error:
        raise StoreError(f"the store {path} cannot be used: {error.strerror}") from error
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        os.close(handle)
        raise StoreError(f"the store {path} is in use by another process") from error
    return handle


@dataclass(frozen=True, slots=True)
class Prepared:
    """A file that is ready for use.

    Attributes:
        damage: sentences about what was found damaged.
        sequence: highest sequence number of its records; the next one must be higher, whatever the wall clock says.
        leases: those of the table, in the order of addresses, so that tens of thousands are not decoded twice.
    """

    damage: tuple[str, ...]
    sequence: int
    leases: tuple[Lease, ...]


def prepare(path: Path, wall: Callable[[], float]) -> Prepared:
    """Make the file ready for use and tell what was damaged.

    Args:
        path: the file; made if it is not there. The caller holds the lock.
        wall: seconds since the epoch, for the names of copies.

    Raises:
        StoreTooNewError: a newer provd wrote it.
        StoreError: it cannot be opened or written, which is no damage.
    """
    finish_salvage(path)
    emptied = path.exists() and path.stat().st_size == 0
    _make_private(path)
    log = Path(f"{path}-wal")
    journal = log.read_bytes() if log.exists() else b""
    try:
        prepared = _check(path, wall, journal)
    except DAMAGE as error:
        if _is_no_damage(error, path):
            raise StoreError(f"the store {path} cannot be used: {error}") from error
        damaged = Damaged(path, str(error), journal, isinstance(error, JournalError))
        sentence = salvage(damaged, stamp(wall()), connect)
        _make_private(path)
        prepared = _check(path, wall, b"")
        return replace(prepared, damage=(sentence, *prepared.damage))
    if emptied:
        told = f"the store {path} was there without any content: a first start was interrupted, or it was lost"
        return replace(prepared, damage=(told, *prepared.damage))
    return prepared


def _make_private(path: Path) -> None:
    """The file exists with mode 0600 before SQLite opens it; its journal files inherit the mode."""
    try:
        handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
        try:
            os.fchmod(handle, 0o600)
        finally:
            os.close(handle)
        for journal in (Path(f"{path}-wal"), Path(f"{path}-shm")):
            if journal.exists():
                journal.chmod(0o600)
    except OSError as error:
        raise StoreError(f"the store {path} cannot be used: {error.strerror}") from error


def _is_no_damage(error: Exception, path: Path) -> bool:
    code = getattr(error, "sqlite_errorcode", None)
    if code is None:
        return False
    if code & 0xFF == sqlite3.SQLITE_READONLY:
        return not os.access(path, os.W_OK)
    if code == sqlite3.SQLITE_IOERR_SHORT_READ:
        return False
    return code & 0xFF in _NOT_DAMAGE


def _check(path: Path, wall: Callable[[], float], journal: bytes) -> Prepared:
    connection = connect(path)
    try:
        check_journal(journal, connection.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchone()[1])
        verdict = connection.execute("PRAGMA quick_check(1)").fetchone()[0]
        if verdict != "ok":
            raise RecordError(str(verdict).replace("\n", " "))
        version = read_version(connection)
        if version == 0:
            create(connection)
        else:
            migrate(connection, version)
        for table in TABLES:
            rows = connection.execute(f"SELECT {key_column(table)}, record FROM {table} LIMIT 1").fetchall()  # noqa: S608
            _refuse_foreign(table, [record for _, record in rows])
        connection.execute("BEGIN IMMEDIATE")
        with connection:
            verified = [_verify(connection, codec, wall()) for codec in VERIFIED]
        told = tuple(sentence for sentence, _, _ in verified if sentence)
        return Prepared(told, max(sequence for _, sequence, _ in verified), tuple(verified[0][2]))
    finally:
        connection.close()


def _refuse_foreign(table: str, records: Sequence[bytes]) -> None:
    """A table that begins with a record of another kind has that one's pages: swapped, they look sound to SQLite.

    Raises:
        RecordError: it has.
    """
    for record, kind in itertools.product(records, TABLES):
        if kind != table and _is_of(kind, record):
            raise RecordError(f"the table {table} holds records of {kind}")


def _is_of(kind: str, record: bytes) -> bool:
    try:
        unseal(kind, record)
    except RecordError:
        return False
    return True


def _verify(connection: sqlite3.Connection, codec: Codec[Any], now: float) -> tuple[str, int, list[Any]]:
    """Set aside every record of a kind that cannot be believed; a sentence on those, the highest sequence, the rest."""
    table, key_name = codec.kind, key_column(codec.kind)
    sound, values, last = dict[int | str, int](), dict[int | str, Any](), 0
    misplaced: list[tuple[Any, bytes, Any, int]] = []
    damaged: list[tuple[Any, str, Any]] = []
    for key, record in connection.execute(f"SELECT {key_name}, record FROM {table}"):  # noqa: S608  names of ours
        try:
            sequence, body = unseal(table, record)
            value = codec.read(body)
        except RecordError as error:
            damaged.append((key, str(error), record))
            continue
        last = max(last, sequence)
        if codec.key(value) == key:
            sound[key], values[key] = sequence, value
        else:
            misplaced.append((key, record, value, sequence))
    for key, reason, record in damaged:
        arguments = (now, table, str(key), reason, record)
        connection.execute("INSERT INTO quarantine VALUES (NULL, ?, ?, ?, ?, ?)", arguments)
        connection.execute(f"DELETE FROM {table} WHERE {key_name} = ?", (key,))  # noqa: S608
    for key, record, value, sequence in misplaced:
        connection.execute(f"DELETE FROM {table} WHERE {key_name} = ?", (key,))  # noqa: S608
        if sequence > sound.get(codec.key(value), -1):
            values[codec.key(value)] = value
            searched = SEARCHED.get(table, lambda _value: ())(value)
            connection.execute(upsert(table), (codec.key(value), record, *searched))
    parts = []
    if damaged:
        parts.append(f"{len(damaged)} damaged records of {table} were set aside in the table quarantine")
    if misplaced:
        parts.append(f"{len(misplaced)} records of {table} had a damaged key and were put right")
    return "; ".join(parts), last, [values[key] for key in sorted(values)]
