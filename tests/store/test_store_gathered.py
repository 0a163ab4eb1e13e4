"""Events are gathered into few writes: all are kept, none overtakes a removal, and a bad one holds up no other."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path

import pytest

from provd.model.event import Event
from provd.model.session import BootSession
from provd.store.kinds import Block, Gathered, block_events
from provd.store.sqlite import SqliteStore
from provd.store.sqlite_sessions import SPAN
from tests.fakes.slow_store import NOW, Slow


@pytest.fixture
def slow(tmp_path: Path) -> Iterator[Slow]:
    made = Slow(tmp_path)
    yield made
    made.close()


def again(slow: Slow) -> SqliteStore:
    """What is durable."""
    slow.close()
    return SqliteStore(slow.path, deliver=lambda _work: None, wall=lambda: NOW)


def event(number: int, session: str = "s1") -> Event:
    return Event("dhcp.offer", NOW + number, session, fields={"number": number})


def test_many_events_are_few_writes_and_all_are_kept(slow: Slow) -> None:
    slow.hold()
    slow.store.sessions.save_session(BootSession("s1", "m", started_at=NOW, last_at=NOW))
    for number in range(1000):
        slow.store.sessions.append(event(number))
    assert slow.units() <= 1 + 1000 // 64 + 1
    assert len(slow.store.sessions.events("s1")) == 1000
    store = again(slow)
    assert [one.fields["number"] for one in store.sessions.events("s1")] == list(range(1000))
    store.close()


def test_an_event_after_a_removal_is_not_removed(slow: Slow) -> None:
    """The removal takes events without a session; the one that comes later belongs to a session that comes later too."""
    slow.hold()
    slow.store.sessions.append(event(0))  # of a session that is not there
    slow.store.sessions.prune(before=NOW - 1, keep=10)
    slow.store.sessions.save_session(BootSession("s2", "m", started_at=NOW, last_at=NOW))
    slow.store.sessions.append(event(1, "s2"))
    store = again(slow)
    assert [one.fields["number"] for one in store.sessions.events("s2")] == [1]
    assert store.sessions.events("s1") == []
    store.close()


def test_an_event_that_cannot_be_written_holds_up_no_other(slow: Slow) -> None:
    slow.hold()
    slow.store.sessions.save_session(BootSession("s1", "m", started_at=NOW, last_at=NOW))
    slow.store.sessions.append(event(0))
    slow.store.sessions.append(Event("odd", NOW, "s1", fields={"value": object()}))
    slow.store.sessions.append(event(2))
    store = again(slow)
    assert [one.fields["number"] for one in store.sessions.events("s1")] == [0, 2]
    store.close()


def test_a_boot_is_one_row_and_details_that_cannot_be_stored_cost_nobody_else_theirs(slow: Slow) -> None:
    slow.hold()
    slow.store.sessions.save_session(BootSession("s1", "m", started_at=NOW, last_at=NOW))
    for number, value in enumerate((1, object(), 2**70, 3)):
        slow.store.sessions.keep(("odd", NOW, "s1", "web1", "m", {"number": number, "value": value}))
    slow.store.sessions.flush()
    assert slow.units() == 2
    store = again(slow)
    told = [dict(one.fields) for one in store.sessions.events("s1")]
    assert told[0] == {"number": 0, "value": 1}
    assert told[1] == told[2] | {"number": 1} == {"number": 1, "lost": "details that cannot be stored"}
    assert told[3] == {"number": 3, "value": 3}
    store.close()


def test_an_event_that_cannot_be_kept_at_all_leaves_the_others_of_its_boot_as_they_are(slow: Slow) -> None:
    sessions = slow.store.sessions
    for kind in ("\ud800", "boot.started", "\ud800", "boot.held"):
        with suppress(UnicodeEncodeError):
            sessions.keep((kind, NOW, "s1", "web1", "m", {"kind": "x"}))
    assert [one.kind for one in sessions.events("s1")] == ["boot.started", "boot.held"]
    sessions.save_session(BootSession("s1", "m", started_at=NOW, last_at=NOW))
    store = again(slow)
    assert [(one.kind, one.system, one.mac) for one in store.sessions.events("s1")] == [
        ("boot.started", "web1", "m"),
        ("boot.held", "web1", "m"),
    ]
    store.close()


def test_what_is_gathered_is_read_before_and_while_it_is_written_and_a_full_disk_loses_nothing(slow: Slow) -> None:
    sessions = slow.store.sessions
    write = slow.writer._carry_out

    def full(*_units: object) -> None:
        raise sqlite3.OperationalError("database or disk is full")

    slow.writer._carry_out = full  # type: ignore[method-assign,assignment]
    for number in range(600):
        sessions.keep(("dhcp.offer", NOW, f"s{number}", "", "m", {"number": number}))
    wanted = list(range(600))
    assert [one.fields["number"] for one in sessions.events_after(0)] == wanted
    sessions.flush()
    slow.goes_on.wait(0.3)
    while slow.turns:
        slow.turns.popleft()()
    assert [one.fields["number"] for one in sessions.events_after(0)] == wanted
    slow.writer._carry_out = write  # type: ignore[method-assign]
    sessions.save_session(BootSession("s1", "m", started_at=NOW, last_at=NOW))
    slow.goes_on.wait(0.3)
    while slow.turns:
        slow.turns.popleft()()
    store = again(slow)
    assert [one.fields["number"] for one in store.sessions.events_after(0)] == wanted
    store.close()


def test_what_is_gathered_is_written_at_the_latest_by_the_end_of_the_store(slow: Slow) -> None:
    slow.store.sessions.keep(("boot.started", NOW, "s1", "", "m", {}))
    assert slow.store.sessions.gathers
    store = again(slow)
    assert [one.kind for one in store.sessions.events("s1")] == ["boot.started"]
    assert store.sessions.last_event() == 1
    assert store.sessions.keep(("boot.held", NOW, "s1", "", "m", {})) == 2
    store.close()


def test_no_row_is_wider_than_readers_count_on_and_most_boots_are_one_row(slow: Slow) -> None:
    rows: list[list[int]] = []
    sessions = slow.store.sessions
    save_all = sessions._events.save_all

    def count(values: Sequence[Event | Block | Gathered]) -> None:
        rows.extend([one.id for one in block_events(value)] for value in values)
        save_all(values)

    sessions._events.save_all = count  # type: ignore[method-assign]
    for number in range(3 * SPAN):
        quiet = number % 7 == 0
        sessions.keep(("dhcp.offer", NOW, f"s{number // 7 % 3000}" if quiet else "loud", "", "m", {}))
    sessions.flush()
    assert sorted(one for row in rows for one in row) == list(range(1, 3 * SPAN + 1))
    assert max(row[-1] - row[0] for row in rows) < SPAN
    assert [one.id for one in sessions.events_after(0, limit=5)] == [1, 2, 3, 4, 5]
    rows.clear()
    for number in range(4 * 1024):
        # A thousand machines at once, DISCOVER and OFFER of all, then REQUEST and ACK.
        sessions.keep(("dhcp.offer", NOW, f"t{number // 2 % 1024}", "", "m", {}))
    sessions.flush()
    assert len(rows) == 1024
