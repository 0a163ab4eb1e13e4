"""Leases become durable in a log of their own, and go into the database when nobody waits for them.

An ACK waits for its lease. A commit of SQLite writes several pages of 4 KiB, and each thousand pages it copies them
into the main file meanwhile; a block of the log is some hundred octets, written in one piece. Two files take turns:
while one is carried into the database, the other takes what comes. After a restart both are read.
"""

from __future__ import annotations

import errno
import itertools
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from typing import Final

from twisted.logger import Logger

from provd.store.interface import Deliver, Done, StoreError
from provd.store.lease_log_file import LogFile
from provd.store.lease_log_format import Entry, removal
from provd.store.lease_log_pace import Pace
from provd.store.sqlite_record import RecordError
from provd.store.sqlite_schema import upsert_rows
from provd.store.sqlite_writer import BACKLOG, GROUP

QUIET_S: Final = 1.0
"""Seconds without a lease after which the log is carried into the database."""

RETRY_S: Final = 10.0
"""Seconds until the database is tried again after it could not write."""

CLOSE_S: Final = 30.0
"""Seconds that closing waits for the database; what it did not take stays in the log."""

_PIECE: Final = 1024
"""Leases of one transaction, so that other writes find their turn between."""

_FULL_DISK: Final = (errno.ENOSPC, errno.EDQUOT)

_Commit = tuple[Sequence[bytes], Done]
Submit = Callable[[Callable[[sqlite3.Connection], None], Done], None]
"""Hands a write to the database; its end is told on any thread."""


class LeaseLog:
    """Owns the two files and the thread that writes them.

    Attributes:
        checkpoints: how often it began to carry a file into the database.
    """

    def __init__(
        self,
        files: tuple[LogFile, LogFile],
        submit: Submit,
        deliver: Deliver,
        numbers: Callable[[], int],
        *,
        recovered: Callable[[], None] = lambda: None,
        monotonic: Callable[[], float] = time.monotonic,
        pause: Callable[[float], None] = time.sleep,
    ) -> None:
        """Take up what the files hold, and start the thread.

        Args:
            files: as the last process left them.
            submit: hands a write to the database.
            deliver: runs a function on the owning thread.
            numbers: the next sequence number.
            recovered: called on the owning thread after every group that became durable.
            monotonic: seconds.
            pause: waits so many seconds.
        """
        self._submit, self._deliver, self._numbers = submit, deliver, numbers
        self._recovered, self._monotonic = recovered, monotonic
        self._pace = Pace(pause)
        self._log = Logger(namespace="provd.store")
        older, newer = sorted(files, key=lambda file: file.number)
        self._files = (older, newer)
        self._left: LogFile | None = older if older.used else None
        self._active = newer if newer.used else older
        if not self._active.used:
            self._active.begin(numbers())
        self.checkpoints = 0
        self._checkpointing, self._retry_at = False, float("-inf")
        self._turn: list[_Commit] | None = None
        self._waiting: list[_Commit] = []
        # The lock itself is taken where nothing is waited for: a condition takes it by way of two functions of its own.
        self._lock = threading.Lock()
        self._wake = threading.Condition(self._lock)
        self._closing = False
        self._worker = threading.Thread(target=self._run, name="provd-leases", daemon=True)
        self._worker.start()

    def commit(self, records: Sequence[bytes], removed: Sequence[int], done: Done) -> None:
        """Hand over sealed leases and addresses whose lease goes, all or nothing; ``done`` hears of their end."""
        entries = [*map(removal, removed), *records] if removed else records
        if self._turn is not None:
            self._turn.append((entries, done))
        else:
            self._hand_over([(entries, done)])

    def begin_turn(self) -> None:
        """What is committed from here to :meth:`end_turn` is handed over together, so that it is one block."""
        self._turn = []

    def end_turn(self) -> None:
        """Hand over what was committed since :meth:`begin_turn`."""
        turn, self._turn = self._turn, None
        if turn:
            self._hand_over(turn)

    def _hand_over(self, commits: Sequence[_Commit]) -> None:
        with self._lock:
            refusal = "the store is closed" if self._closing else ""
            if len(self._waiting) >= BACKLOG:
                refusal = f"the store is {BACKLOG} writes behind"
            if not refusal:
                if not self._waiting:
                    self._wake.notify()
                self._waiting.extend(commits)
        if refusal:
            self._deliver(partial(self._finish, commits, StoreError(refusal)))

    def flush(self, done: Done) -> None:
        """Call ``done`` once everything handed over before is durable or failed."""
        self.commit((), (), done)

    def unsettled(self) -> Mapping[int, bytes]:
        """What the database may not have: the newest sealed lease by address, without octets where it is gone.

        Raises:
            StoreError: the disk does not give back what was written.
        """
        with self._lock:
            files = [file for file in (self._left, self._active) if file is not None]
        found: dict[int, bytes] = {}
        try:
            for entries in itertools.chain.from_iterable(file.blocks() for file in files):
                found.update(entries)
        except (OSError, RecordError) as error:
            raise StoreError(f"the lease log cannot be read: {error}") from error
        return found

    def close(self) -> None:
        """Write what waits, carry it into the database, then end the thread; the database must still write."""
        with self._wake:
            self._closing = True
            self._wake.notify_all()
        self._worker.join()
        for file in self._files:
            file.close()

    def _run(self) -> None:
        while True:
            commits, closing = self._next()
            if commits:
                self._deliver(partial(self._finish, commits, self._write(commits)))
                self._pace.wrote(len(commits), self._monotonic())
            elif closing:
                break
            if not commits or self._pace.due(self._active.size):
                self._checkpoint()
            if not commits:
                self._active.make_room()
        self._empty()

    def _next(self) -> tuple[Sequence[_Commit], bool]:
        """Commits for one block; none where it was quiet for long enough to do something else."""
        with self._wake:
            if not self._waiting and not self._closing:
                self._wake.wait(QUIET_S if self._active.used or self._left is not None else None)
            commits, self._waiting = self._waiting[:GROUP], self._waiting[GROUP:]
            return commits, self._closing

    def _write(self, commits: Sequence[_Commit]) -> StoreError | None:
        """One block; None once it is durable."""
        entries = [entry for commit in commits for entry in commit[0]]
        try:
            if entries:
                self._active.add(entries)
        except Exception as error:  # noqa: BLE001  whatever it was, nobody is told that it is durable, and the thread lives
            failure = StoreError(f"the store cannot write: {_words(error)}")
            failure.__cause__ = error
            return failure
        return None

    def _finish(self, commits: Sequence[_Commit], problem: StoreError | None) -> None:
        if problem is None:
            self._recovered()
        for _, done in commits:
            try:
                done(problem)
            except Exception:  # noqa: BLE001  one listener's fault must not silence the others
                self._log.failure("a listener failed after a write")

    def _checkpoint(self) -> None:
        """Begin to carry a file into the database, unless that goes on already or failed just now."""
        if self._checkpointing or self._monotonic() < self._retry_at:
            return
        if self._left is None:
            if not self._active.used:
                return
            other = next(file for file in self._files if file is not self._active)
            other.begin(self._numbers())
            with self._lock:
                self._left, self._active = self._active, other
        self.checkpoints += 1
        self._checkpointing = True
        self._checkpoint_piece(self._left, self._pace.unhurried(self._left.blocks()))

    def _checkpoint_piece(self, file: LogFile, entries: Iterator[Entry]) -> None:
        try:
            piece = dict(itertools.islice(entries, _PIECE))
        except Exception as error:  # noqa: BLE001  whatever the disk gave back: the leases of this process still stand
            self._checkpointed(file, error)
            return
        if not piece:
            self._settle(file)
            return

        def done(problem: Exception | None) -> None:
            if problem is None:
                self._checkpoint_piece(file, entries)
            else:
                self._checkpointed(file, problem)

        self._submit(partial(_put, piece), done)

    def _settle(self, file: LogFile) -> None:
        try:
            file.settle()
        except OSError as error:
            self._checkpointed(file, error)
            return
        self._checkpointed(file, None)

    def _checkpointed(self, file: LogFile, problem: Exception | None) -> None:
        if problem is not None:
            self._log.error("the lease log {path} waits for the store: {error}", path=str(file.path), error=problem)
        with self._wake:
            self._checkpointing = False
            if problem is None:
                self._left, self._retry_at = None, float("-inf")
            else:
                self._retry_at = self._monotonic() + RETRY_S
            self._wake.notify_all()

    def _empty(self) -> None:
        """Carry both files into the database; what fails stays for the next start."""
        self._retry_at = float("-inf")
        ends = self._monotonic() + CLOSE_S
        while (self._left is not None or self._active.used) and self._monotonic() < ends:
            self._checkpoint()
            with self._wake:
                if self._checkpointing:
                    self._wake.wait(CLOSE_S)
            if self._retry_at > self._monotonic():
                return


def _words(error: Exception) -> str:
    if isinstance(error, OSError):
        return "the disk is full" if error.errno in _FULL_DISK else str(error.strerror)
    return str(error)


def _put(piece: Mapping[int, bytes], connection: sqlite3.Connection) -> None:
    gone = [(address,) for address, record in piece.items() if not record]
    if gone:
        connection.executemany("DELETE FROM leases WHERE address = ?", gone)
    upsert_rows(connection, "leases", sorted((address, record) for address, record in piece.items() if record))
