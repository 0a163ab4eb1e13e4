"""The one thread that writes: everything that waits goes into one transaction and becomes durable together."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Callable, Sequence
from functools import partial
from typing import Final

import msgspec
from twisted.logger import Logger

from provd.store.interface import Deliver, Done, StaleWriteError, StoreError

GROUP: Final = 1024
"""Writes in one transaction at most, so that the first of them does not wait for ever."""

BACKLOG: Final = 50_000
"""Writes that may wait; beyond, the disk is not keeping up and further ones are refused."""

WAIT_S: Final = 10.0
"""Seconds that an edit waits to become durable."""

Work = Callable[[sqlite3.Connection], None]


class _Unit(msgspec.Struct, eq=False):
    """One write; ``at_once`` where its end is told on the writing thread."""

    work: Work
    done: Done
    at_once: bool = False


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
        recovered: Callable[[], None] = lambda: None,
    ) -> None:
        """Start the thread.

        Args:
            connect: opens the writing connection; called again after an error that the connection did not survive.
            deliver: runs a function on the owning thread.
            recovered: called on the owning thread after every group that became durable.
        """
        self._connect = connect
        self._deliver = deliver
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
        self._submit(_Unit(work, done))

    def submit_behind(self, work: Work, done: Done) -> None:
        """Hand over a write that overtakes nobody's reading; ``done`` is called on the writing thread."""
        self._submit(_Unit(work, done, at_once=True))

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
        self._submit(_Unit(work, done, at_once=True))
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
        """Some are told here, the others in one turn of the owning thread."""
        for unit, error in outcomes:
            if unit.at_once:
                unit.done(error)
        others = [outcome for outcome in outcomes if not outcome[0].at_once]
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
            self._tell(self._write(units))
        if self._connection is not None:
            self._connection.close()

    def _next(self) -> Sequence[_Unit]:
        with self._wake:
            while not self._waiting and not self._closing:
                self._wake.wait()
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
        return [(unit, _attempt(unit.work, connection)) for unit in units]

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
