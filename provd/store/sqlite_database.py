"""The two connections to the file: one thread writes, the owner reads; and what waits to become durable."""

from __future__ import annotations

import itertools
import sqlite3
import threading
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from pathlib import Path
from typing import Any, Final, Generic, TypeVar

from twisted.logger import Logger

from provd.store.interface import Deliver, Done
from provd.store.sqlite_file import connect
from provd.store.sqlite_record import Codec, RecordError
from provd.store.sqlite_schema import SEARCHED, upsert, upsert_rows
from provd.store.sqlite_writer import Writer

T = TypeVar("T")

BATCH: Final = 256
"""Values that are gathered for one write at most; the backlog of the writer bounds their number."""

KEPT_FAILED: Final = 10_000
"""Values of one kind that are kept for another try while the disk refuses them; beyond, the oldest are lost."""


class Database:
    """Reads and writes values of any kind."""

    def __init__(self, path: Path, *, deliver: Deliver, wall: Callable[[], float], after: int = 0) -> None:
        """Open both connections to a file that was prepared.

        Args:
            path: the file.
            deliver: runs a function on the owning thread.
            wall: seconds since the epoch; begins the sequence numbers, so that they grow over restarts.
            after: they are higher than this, also where the clock went back.
        """
        self.log = Logger(namespace="provd.store")
        self._sequence = itertools.count(max(int(wall() * 1_000_000), after + 1))
        self._reader = connect(path)
        self._reader.execute("PRAGMA query_only = ON")
        self._reading = threading.Lock()
        self._behind: list[WriteBehind[Any]] = []
        self.writer = Writer(lambda: connect(path), deliver, recovered=self.retry)

    def row(self, codec: Codec[T], value: T) -> tuple[Any, ...]:
        """Parameters of :func:`provd.store.sqlite_schema.upsert`."""
        searched = SEARCHED.get(codec.kind, lambda _value: ())
        return (codec.key(value), codec.encode(value, next(self._sequence)), *searched(value))

    def next_number(self) -> int:
        """The next sequence number."""
        return next(self._sequence)

    def save(self, codec: Codec[T], value: T, done: Done) -> None:
        """Insert or replace one value."""
        self.writer.submit(lambda connection: _execute(connection, upsert(codec.kind), self.row(codec, value)), done)

    def change(self, statement: str, arguments: Sequence[object]) -> None:
        """Run one statement whose failure is only logged."""
        self.writer.submit(lambda connection: _execute(connection, statement, arguments), self._told)

    def attach(self, behind: WriteBehind[Any]) -> None:
        """Tell ``behind`` when the disk takes writes again."""
        self._behind.append(behind)

    def retry(self) -> None:
        """Something became durable: what failed before is tried again."""
        for behind in self._behind:
            behind.retry()

    def _told(self, error: Exception | None) -> None:
        if error is not None:
            self.log.error("{error}", error=error)

    def select(self, codec: Codec[T], clause: str = "", arguments: Sequence[object] = ()) -> list[T]:
        """Values of the rows that a ``WHERE``, ``ORDER BY`` and ``LIMIT`` clause picks; damaged ones are left out."""
        statement = f"SELECT record FROM {codec.kind} {clause}"  # noqa: S608  clauses are constants of ours
        with self._reading:
            records = self._reader.execute(statement, arguments).fetchall()
        values: list[T] = []
        for (record,) in records:
            try:
                values.append(codec.decode(record))
            except RecordError as error:
                self.log.error("a record of {kind} is left out: {error}", kind=codec.kind, error=error)
        return values

    def number(self, table: str) -> int:
        """Largest key of a table of numbered rows, 0 where it is empty."""
        with self._reading:
            (largest,) = self._reader.execute(f"SELECT max(id) FROM {table}").fetchone()  # noqa: S608  name of ours
        return int(largest or 0)

    def close(self) -> None:
        """Make everything durable and close."""
        self.writer.close()
        self._reader.close()


def _execute(connection: sqlite3.Connection, statement: str, arguments: Sequence[object]) -> None:
    connection.execute(statement, arguments)


class _Batch(Generic[T]):
    """Values that are written by one statement: those that were saved until the writing thread came to it.

    Of several with one key it is the newest.
    """

    def __init__(self, database: Database, codec: Codec[T]) -> None:
        self._database, self._codec = database, codec
        self._before = database.writer.ordered
        self._lock = threading.Lock()
        self._closed = False
        self.values: dict[int | str, T] = {}
        self.faults: dict[int | str, Exception] = {}

    def add(self, key: int | str, value: T) -> bool:
        """Take one more; False where it is too late, there are enough, or a write came between whose place counts."""
        with self._lock:
            if self._closed or self._before != self._database.writer.ordered or len(self.values) >= BATCH:
                return False
            self.values[key] = value
            return True

    def write(self, connection: sqlite3.Connection) -> None:
        """Write all, also a second time; one that cannot be encoded is left out, and the others are not held up."""
        with self._lock:
            self._closed = True
        rows = []
        for key, value in self.values.items():
            try:
                rows.append(self._database.row(self._codec, value))
            except Exception as error:  # noqa: BLE001  whatever a plugin put into it
                self.faults[key] = error
        upsert_rows(connection, self._codec.kind, rows)


class WriteBehind(Generic[T]):
    """Values that were handed over and are not durable yet; one that fails is tried again when the disk is well."""

    def __init__(self, database: Database, codec: Codec[T], *, gather: bool = False) -> None:
        """Take collaborators; with ``gather`` many values are one write, and may overtake other kinds that do so."""
        self._database = database
        self._codec = codec
        self._gather = gather
        self._pending: dict[int | str, T] = {}
        self._failed: dict[int | str, None] = {}
        self._told = False
        self._open: _Batch[T] | None = None
        database.attach(self)

    def save(self, value: T) -> None:
        """Hand over a value."""
        key = self._codec.key(value)
        self._pending[key] = value
        self._failed.pop(key, None)
        if not self._gather:
            self._database.save(self._codec, value, partial(self._done, key, value))
        elif self._open is None or not self._open.add(key, value):
            self._open = batch = _Batch(self._database, self._codec)
            batch.add(key, value)
            self._database.writer.submit(batch.write, partial(self._written, batch), orders=False)

    def save_all(self, values: Sequence[T]) -> None:
        """Hand over many values whose keys are new, in writes of their own (with ``gather`` only)."""
        for at in range(0, len(values), BATCH):
            batch = _Batch(self._database, self._codec)
            batch.values = {self._codec.key(value): value for value in values[at : at + BATCH]}
            self._pending.update(batch.values)
            self._database.writer.submit(batch.write, partial(self._written, batch), orders=False)

    def _written(self, batch: _Batch[T], error: Exception | None) -> None:
        if self._open is batch:
            # What failed before its turn was never closed: it would go on taking values that nobody writes.
            self._open = None
        for key, value in batch.values.items():
            self._done(key, value, batch.faults.get(key, error))

    def pending(self) -> Iterable[T]:
        """Values that a reading of the file may not show."""
        return tuple(self._pending.values())

    def get(self, key: int | str) -> T | None:
        """The value of this key that is not durable yet."""
        return self._pending.get(key)

    def forget(self, key: int | str) -> None:
        """The value is no longer wanted; a write that is on its way may still happen."""
        self._pending.pop(key, None)
        self._failed.pop(key, None)

    def retry(self) -> None:
        """Hand over once more what failed."""
        if self._failed:
            again, self._failed = self._failed, {}
            for key in again:
                self.save(self._pending[key])

    def _done(self, key: int | str, value: T, error: Exception | None) -> None:
        if error is None:
            self._told = False
            if self._pending.get(key) is value:
                del self._pending[key]
            return
        if not self._told:
            # Once, and not with each try: the lease log may have room left, and each of its blocks is one.
            self._told = True
            self._database.log.error("{kind} wait for the disk: {error}", kind=self._codec.kind, error=error)
        if self._pending.get(key) is value:
            self._failed[key] = None
        while len(self._failed) > KEPT_FAILED:
            oldest = next(iter(self._failed))
            del self._failed[oldest]
            self._pending.pop(oldest, None)
