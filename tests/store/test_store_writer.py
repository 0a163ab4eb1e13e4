"""The writing thread: groups, refusals, and one listener's fault."""

from __future__ import annotations

import sqlite3
import threading
from functools import partial

import pytest

from provd.store.interface import StaleWriteError, StoreError
from provd.store.sqlite_writer import BACKLOG, Writer
from tests.fakes.owner_thread import OwnerThread


@pytest.fixture
def owner() -> OwnerThread:
    return OwnerThread()


class Traced:
    """A database in memory that notes its statements."""

    def __init__(self) -> None:
        self.statements: list[str] = []

    def connect(self) -> sqlite3.Connection:
        connection = sqlite3.connect(":memory:", isolation_level=None, check_same_thread=False)
        connection.execute("CREATE TABLE kept (number INTEGER)")
        connection.set_trace_callback(self.statements.append)
        return connection


def keep(number: int, connection: sqlite3.Connection) -> None:
    connection.execute("INSERT INTO kept VALUES (?)", (number,))


def refuse(_connection: sqlite3.Connection) -> None:
    raise StaleWriteError("changed meanwhile")


class Gate:
    """A write that holds the thread until the test lets it go."""

    def __init__(self) -> None:
        self.busy, self.free = threading.Event(), threading.Event()

    def __call__(self, _connection: sqlite3.Connection) -> None:
        self.busy.set()
        assert self.free.wait(20)


def test_a_disk_that_does_not_keep_up_is_told_to_whoever_asks_for_more(owner: OwnerThread) -> None:
    gate, writer = Gate(), Writer(Traced().connect, owner.deliver)
    told: list[Exception | None] = []
    writer.submit(gate, told.append)
    assert gate.busy.wait(20)
    for _ in range(BACKLOG + 1):
        writer.submit(lambda _connection: None, told.append)
    gate.free.set()
    writer.close()
    owner.run_delivered()
    assert [str(error) for error in told if error is not None] == [f"the store is {BACKLOG} writes behind"]
    assert told.count(None) == BACKLOG + 1


def test_what_waits_becomes_durable_in_one_transaction(owner: OwnerThread) -> None:
    traced, gate = Traced(), Gate()
    writer = Writer(traced.connect, owner.deliver)
    told: list[Exception | None] = []
    writer.submit(gate, told.append)
    assert gate.busy.wait(20)
    for number in range(100):
        writer.submit(partial(keep, number), told.append)
    gate.free.set()
    writer.close()
    owner.run_delivered()
    assert told == [None] * 101
    assert traced.statements.count("COMMIT") == 2


def test_a_stale_edit_in_a_group_fails_alone(owner: OwnerThread) -> None:
    gate, writer = Gate(), Writer(Traced().connect, owner.deliver)
    told: list[Exception | None] = []
    writer.submit(gate, told.append)
    assert gate.busy.wait(20)
    for work in (partial(keep, 1), refuse, partial(keep, 2)):
        writer.submit(work, told.append)
    gate.free.set()
    writer.close()
    owner.run_delivered()
    assert [str(error) for error in told] == ["None", "None", "changed meanwhile", "None"]


def test_a_listeners_fault_does_not_silence_the_others(owner: OwnerThread) -> None:
    writer = Writer(Traced().connect, owner.deliver)
    told: list[Exception | None] = []

    def faulty(_error: Exception | None) -> None:
        raise ValueError("of the listener")

    gate = Gate()
    writer.submit(gate, faulty)
    assert gate.busy.wait(20)
    writer.submit(partial(keep, 1), faulty)
    writer.submit(partial(keep, 2), told.append)
    gate.free.set()
    writer.close()
    owner.run_delivered()
    assert told == [None]


def test_a_closed_store_refuses(owner: OwnerThread) -> None:
    writer = Writer(Traced().connect, owner.deliver)
    writer.close()
    with pytest.raises(StoreError, match="the store is closed"):
        owner.wait(partial(writer.submit, partial(keep, 1)))
    with pytest.raises(StoreError, match="the store is closed"):
        writer.run(partial(keep, 1))
