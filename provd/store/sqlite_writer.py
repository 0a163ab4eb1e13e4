"""The one thread that writes: everything that waits goes into one transaction and becomes durable together."""

from __future__ import annotations

import sqlite3
import threading
import time
from collections.abc import Callable, Sequence
from functools import partial
from typing import Final

import msgspec
from twisted.logger import Logger

from provd.store.interface import Deliver, Done, StaleWriteError, StoreError
from provd.store.sqlite_schema import upsert_rows

GROUP: Final = 1024
"""Writes in one transaction at most, so that the first of them does not wait for ever."""

BACKLOG: Final = 50_000
"""Writes that may wait; beyond, the disk is not keeping up and further ones are refused."""

WAIT_S: Final = 10.0
"""Seconds that an edit waits to become durable."""

_GATHER_S: Final = 0.0002
"""Seconds that a small group waits for company where another one has just become durable.

A commit costs the same for one lease as for ten, and its thread takes the interpreter from the one that answers: at
5,000 leases a second, one commit for each pair of them keeps a processor busy and makes everybody wait longer.
"""
_FEW: Final = 8
_BUSY_S: Final = 0.002

Work = Callable[[sqlite3.Connection], None]
Rows = Sequence[tuple[object, ...]]


class _Unit(msgspec.Struct, eq=False):
    """One write: ``work``, or ``rows`` for the table they are collected for."""

    done: Done
    work: Work | None = None
    rows: Rows = ()
    waits: bool = False


_Outcome = tuple[_Unit, Exception | None]


class Writer:
    """Owns the writing connection.

    Attributes:
        ordered: writes so far whose place among the others counts.

    A unit whose work raises :class:`StaleWriteError` must not have written before; it fails alone. A database error
    fails the whole group: nothing of it is durable. The next group is tried anew, so space that comes back is used.
    """

    def __init__(
        self,
        connect: Callable[[], sqlite3.Connection],
        deliver: Deliver,
        *,
        collected: str = "leases",
        recovered: Callable[[], None] = lambda: None,
        monotonic: Callable[[], float] = time.monotonic,
        pause: Callable[[float], None] = time.sleep,
    ) -> None:
        """Start the thread.

        Args:
            connect: opens the writing connection; called again after an error that the connection did not survive.
            deliver: runs a function on the owning thread.
            collected: table of :meth:`submit_rows`.
            recovered: called on the owning thread after every group that became durable.
            monotonic: seconds.
            pause: waits so many seconds.
        """
        self._monotonic, self._pause = monotonic, pause
        self._wrote_at = float("-inf")
        self._connect = connect
        self._deliver = deliver
        self._collected = collected
        self._recovered = recovered
        self.ordered = 0
        self._log = Logger(namespace="provd.store")
        self._waiting: list[_Unit] = []
        # The lock itself is taken where nothing is waited for: a condition takes it by way of two functions of its own.
        self._lock = threading.Lock()
        self._wake = threading.Condition(self._lock)
        self._closing = False
        self._connection: sqlite3.Connection | None = connect()
        self._worker = threading.Thread(target=self._run, name="provd-store", daemon=True)
        self._worker.start()

    def submit(self, work: Work, done: Done, *, orders: bool = True) -> None:
        """Hand over a write; ``done`` is delivered when it is durable or failed.

        Args:
            work: writes.
            done: told of its end.
            orders: what is gathered before it must not grow after it.
        """
        self.ordered += orders
        self._submit(_Unit(done, work))

    def submit_rows(self, rows: Rows, done: Done) -> None:
        """Hand over rows to insert or replace; those of neighbouring calls are written by one statement."""
        self._submit(_Unit(done, None, rows))

    def run(self, work: Work) -> None:
        """Write and wait until it is durable.

        Raises:
            StoreError: it failed; also :class:`StaleWriteError`, as raised by ``work``.
        """
        ended, errors = threading.Event(), list[Exception | None]()

        def done(error: Exception | None) -> None:
            errors.append(error)
            ended.set()

        self.ordered += 1
        self._submit(_Unit(done, work, waits=True))
        if not ended.wait(WAIT_S):
            raise StoreError(f"the store did not answer within {WAIT_S:.0f} s; look before you repeat the change")
        if errors[0] is not None:
            raise errors[0]

    def close(self) -> None:
        """Write what waits, then end the thread and the connection."""
        with self._wake:
            self._closing = True
            self._wake.notify()
        self._worker.join()

    def _submit(self, unit: _Unit) -> None:
        with self._lock:
            refusal = "the store is closed" if self._closing else ""
            if len(self._waiting) >= BACKLOG:
                refusal = f"the store is {BACKLOG} writes behind"
            if not refusal:
                self._waiting.append(unit)
                if len(self._waiting) == 1:
                    self._wake.notify()
        if refusal:
            self._tell([(unit, StoreError(refusal))])

    def _tell(self, outcomes: Sequence[_Outcome]) -> None:
        """Who waits is told here, the others in one turn of the owning thread."""
        for unit, error in outcomes:
            if unit.waits:
                unit.done(error)
        others = [outcome for outcome in outcomes if not outcome[0].waits]
        if others:
            self._deliver(partial(self._finish, others))

    def _finish(self, outcomes: Sequence[_Outcome]) -> None:
        if outcomes[0][1] is None:
            self._recovered()
        for unit, error in outcomes:
            try:
                unit.done(error)
            except Exception:  # noqa: BLE001  one listener's fault must not silence the others
                self._log.failure("a listener failed after a write")

    def _run(self) -> None:
        while units := self._next():
            outcomes = self._write(units)
            self._wrote_at = self._monotonic()
            self._tell(outcomes)
        if self._connection is not None:
            self._connection.close()

    def _next(self) -> Sequence[_Unit]:
        with self._wake:
            while not self._waiting and not self._closing:
                self._wake.wait()
            alone = len(self._waiting) < _FEW and not self._closing
        if alone and self._monotonic() - self._wrote_at < _BUSY_S:
            self._pause(_GATHER_S)
        with self._lock:
            units, self._waiting = self._waiting[:GROUP], self._waiting[GROUP:]
            return units

    def _write(self, units: Sequence[_Unit]) -> Sequence[_Outcome]:
        """One transaction; outcomes are known only after its commit."""
        try:
            connection = self._connection = self._connection or self._connect()
            connection.execute("BEGIN IMMEDIATE")
            outcomes = self._carry_out(units, connection)
            connection.execute("COMMIT")
        except Exception as error:  # noqa: BLE001  whatever it was, nobody is told that it is durable
            self._recover()
            if len(units) > 1 and not isinstance(error, sqlite3.Error):
                return [outcome for unit in units for outcome in self._write([unit])]
            failure = StoreError(f"the store cannot write: {error}")
            failure.__cause__ = error
            return [(unit, failure) for unit in units]
        return outcomes

    def _carry_out(self, units: Sequence[_Unit], connection: sqlite3.Connection) -> Sequence[_Outcome]:
        outcomes: list[_Outcome] = []
        rows: list[tuple[object, ...]] = []
        for unit in units:
            if unit.work is None:
                rows.extend(unit.rows)
                outcomes.append((unit, None))
                continue
            upsert_rows(connection, self._collected, rows)
            rows.clear()
            outcomes.append((unit, _attempt(unit.work, connection)))
        upsert_rows(connection, self._collected, rows)
        return outcomes

    def _recover(self) -> None:
        """Undo what was begun; a connection that cannot even do that is replaced."""
        if self._connection is None:
            return
        try:
            if self._connection.in_transaction:
                self._connection.execute("ROLLBACK")
        except sqlite3.Error:
            self._connection.close()
            self._connection = None


def _attempt(work: Work, connection: sqlite3.Connection) -> StaleWriteError | None:
    try:
        work(connection)
    except StaleWriteError as error:
        return error
    return None
