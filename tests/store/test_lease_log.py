"""The lease log: durable before it is told, carried into the database when it is quiet, read back after any end."""

from __future__ import annotations

import random
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path

import pytest
from msgspec.structs import replace

from provd.model.lease import Lease
from provd.store import lease_log, lease_log_pace
from provd.store.interface import StoreError
from provd.store.kinds import LEASES
from provd.store.lease_log import LeaseLog
from provd.store.lease_log_file import KEPT, LogFile, open_logs
from provd.store.sqlite import SqliteStore
from provd.store.sqlite_writer import BACKLOG
from tests.fakes.owner_thread import OwnerThread

NOW = 1_800_000_000.0


def lease(address: int, name: str = "") -> Lease:
    return Lease(address, "lan", address.to_bytes(6, "big"), expires_at=NOW + 3600, hostname=name or f"host{address}")


def record(address: int, sequence: int) -> bytes:
    return LEASES.encode(lease(address), sequence)


def opened(path: Path, owner: OwnerThread) -> SqliteStore:
    return SqliteStore(path, deliver=owner.deliver, wall=lambda: NOW)


def killed(path: Path, store: SqliteStore) -> Path:
    """The files as they are in this moment, in a folder of their own."""
    folder = path.parent / f"killed{len(list(path.parent.iterdir()))}"
    folder.mkdir()
    for each in (path, *(Path(f"{path}{end}") for end in ("-wal", "-leases1", "-leases2"))):
        (folder / each.name).write_bytes(each.read_bytes())
    store.close()
    return folder / path.name


def held(path: Path) -> tuple[dict[int, Lease], tuple[str, ...]]:
    store = opened(path, OwnerThread())
    found = {each.address: each for each in store.leases.load()}
    store.close()
    return found, store.damage


@pytest.fixture
def owner() -> OwnerThread:
    return OwnerThread()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "provd.db"


class Direct:
    """A log whose database is the test's: it notes what is carried, and fails where it is told to."""

    def __init__(self, folder: Path) -> None:
        self.files = open_logs(folder / "provd.db", lambda: NOW)
        self.carried: list[dict[int, bytes]] = []
        self.problem: Exception | None = None
        self.now, self.pauses = 100.0, list[float]()
        self.numbers = iter(range(1000, 10**6))
        self.turned = threading.Event()
        self.log = LeaseLog(
            self.files,
            self.submit,
            lambda work: work(),
            lambda: next(self.numbers),
            monotonic=lambda: self.now,
            pause=self.pauses.append,
        )

    def submit(self, work: Callable[[sqlite3.Connection], None], done: Callable[[Exception | None], None]) -> None:
        if self.problem is None:
            (piece,) = work.args  # type: ignore[attr-defined]
            self.carried.append(dict(piece))
        done(self.problem)
        self.turned.set()

    def durable(self, address: int, sequence: int) -> None:
        ended = threading.Event()
        self.log.commit([record(address, sequence)], [], lambda error: ended.set() if error is None else None)
        assert ended.wait(20)


@pytest.fixture
def direct(tmp_path: Path) -> Iterator[Direct]:
    made = Direct(tmp_path)
    yield made
    made.problem = None
    if not made.log._closing:
        made.log.close()


def test_a_lone_lease_waits_for_nobody(direct: Direct) -> None:
    direct.durable(1, 1)
    direct.durable(2, 2)
    assert direct.pauses == []


def test_what_comes_while_a_block_is_written_is_the_next_block(direct: Direct, monkeypatch: pytest.MonkeyPatch) -> None:
    began, go_on, ended = threading.Event(), threading.Event(), threading.Semaphore(0)
    add = direct.files[0].add

    def slow(entries: Sequence[bytes]) -> None:
        began.set()
        assert go_on.wait(20)
        add(entries)

    monkeypatch.setattr(direct.files[0], "add", slow)
    for number in (1, 2, 3):
        direct.log.commit([record(number, number)], [], lambda _error: ended.release())
        assert began.wait(20)
    go_on.set()
    assert all(ended.acquire(timeout=20) for _ in range(3))
    assert [len(block) for block in direct.files[0].blocks()] == [1, 2]


def test_what_is_committed_in_one_turn_is_one_block_in_its_order(direct: Direct) -> None:
    ended = threading.Event()
    direct.log.begin_turn()
    direct.log.commit([record(1, 1)], [], lambda _error: None)
    direct.log.commit([], [1], lambda _error: None)
    direct.log.commit([record(1, 3), record(2, 4)], [3], lambda _error: ended.set())
    assert list(direct.files[0].blocks()) == []
    direct.log.end_turn()
    assert ended.wait(20)
    assert list(direct.files[0].blocks()) == [
        [(1, record(1, 1)), (1, b""), (3, b""), (1, record(1, 3)), (2, record(2, 4))]
    ]


def test_a_quiet_log_is_carried_into_the_database_and_begins_anew(
    direct: Direct, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lease_log, "QUIET_S", 0.01)
    direct.durable(1, 1)
    assert direct.turned.wait(20)
    assert direct.carried == [{1: record(1, 1)}]
    direct.durable(2, 2)
    assert [list(file.blocks()) for file in direct.files] == [[], [[(2, record(2, 2))]]]


def test_a_quiet_log_makes_room_for_the_next_storm(direct: Direct, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lease_log, "QUIET_S", 0.01)
    made = list[Path]()
    ended = threading.Event()

    def make_room(self: LogFile) -> None:
        made.append(self.path)
        if len(set(made)) == len(direct.files):
            ended.set()

    monkeypatch.setattr(LogFile, "make_room", make_room)
    for number in range(1, 200):
        direct.durable(number, number)
        if ended.wait(0.05):
            break
    assert set(made) == {file.path for file in direct.files}


def test_a_full_log_is_carried_though_leases_keep_coming(direct: Direct, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lease_log_pace, "FULL", 1000)
    for number in range(1, 30):
        direct.durable(number, number)
    assert {address for piece in direct.carried for address in piece} > set(range(1, 20))
    assert all(file.size < 1400 for file in direct.files)


def test_what_the_database_refuses_stays_in_the_log_and_is_tried_again(
    direct: Direct, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lease_log, "QUIET_S", 0.01)
    direct.problem = StoreError("full")
    direct.durable(1, 1)
    assert direct.turned.wait(20)
    assert direct.log.unsettled() == {1: record(1, 1)}
    direct.turned.clear()
    direct.durable(1, 2)
    assert direct.log.unsettled() == {1: record(1, 2)}
    direct.problem = None
    assert not direct.turned.wait(0.1), "it is not tried again at once"
    direct.now += lease_log.RETRY_S
    direct.durable(2, 3)
    assert direct.turned.wait(20)
    assert direct.carried[0] == {1: record(1, 1)}


def test_a_disk_that_does_not_keep_up_is_told_to_whoever_asks_for_more(
    direct: Direct, monkeypatch: pytest.MonkeyPatch
) -> None:
    busy, free, told = threading.Event(), threading.Event(), list[Exception | None]()
    whole = LogFile.add

    def slow(self: LogFile, entries: list[bytes]) -> None:
        busy.set()
        assert free.wait(20)
        whole(self, entries)

    monkeypatch.setattr(LogFile, "add", slow)
    direct.log.commit([record(1, 1)], [], told.append)
    assert busy.wait(20)
    for _ in range(BACKLOG + 1):
        direct.log.commit([record(2, 2)], [], told.append)
    assert [str(error) for error in told] == [f"the store is {BACKLOG} writes behind"]
    free.set()
    direct.log.close()
    assert told.count(None) == BACKLOG + 1


def test_a_closed_log_refuses(tmp_path: Path) -> None:
    direct, told = Direct(tmp_path), list[Exception | None]()
    direct.log.close()
    direct.log.commit([record(1, 1)], [], told.append)
    assert [str(error) for error in told] == ["the store is closed"]


def test_a_listeners_fault_does_not_silence_the_others(direct: Direct) -> None:
    def faulty(_error: Exception | None) -> None:
        raise ValueError("of the listener")

    told, ended = list[Exception | None](), threading.Event()
    direct.log.begin_turn()
    direct.log.commit([record(1, 1)], [], faulty)
    direct.log.commit([record(2, 2)], [], told.append)
    direct.log.commit([], [], lambda _error: ended.set())
    direct.log.end_turn()
    assert ended.wait(20)
    assert told == [None]


def test_leases_and_removals_come_back_after_a_kill(path: Path, owner: OwnerThread) -> None:
    store = opened(path, owner)
    owner.wait(partial(store.leases.commit, [lease(number) for number in range(1, 11)], []))
    owner.wait(partial(store.leases.commit, [lease(3, "newer")], [4, 5]))
    owner.wait(partial(store.leases.commit, [lease(5, "back")], []))
    wanted = {number: lease(number) for number in (1, 2, 6, 7, 8, 9, 10)} | {3: lease(3, "newer"), 5: lease(5, "back")}
    assert {each.address: each for each in store.leases.load()} == wanted
    left = killed(path, store)
    assert held(left) == (wanted, ())
    assert held(left) == (wanted, ()), "carried by the end of the store before"
    assert held(path) == (wanted, ())


def test_a_start_that_takes_long_reads_what_was_carried_meanwhile(
    path: Path, owner: OwnerThread, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = opened(path, owner)
    owner.wait(partial(store.leases.commit, [lease(1)], []))
    store.close()
    store = opened(path, owner)
    owner.wait(partial(store.leases.commit, [lease(2)], []))
    left = killed(path, store)
    monkeypatch.setattr(lease_log, "QUIET_S", 0.01)
    store = opened(left, owner)
    for _ in range(500):
        if not store._log.unsettled():
            break
        time.sleep(0.01)
    assert store._log.unsettled() == {}
    assert [each.address for each in store.leases.load()] == [1, 2]
    store.close()


def test_of_many_starts_and_kills_every_newest_lease_is_kept(path: Path, owner: OwnerThread) -> None:
    """Random commits, removals, kills and clean ends, beside a dictionary."""
    pick, wanted = random.Random(23), dict[int, Lease]()
    for run in range(40):
        store = opened(path, owner)
        assert {each.address: each for each in store.leases.load()} == wanted
        for step in range(pick.randint(0, 12)):
            address = pick.randint(1, 30)
            gone = [number for number in range(1, 31) if pick.random() < 0.05 and number != address]
            new = lease(address, f"{run}-{step}")
            owner.wait(partial(store.leases.commit, [new], gone))
            wanted = {number: each for number, each in wanted.items() if number not in gone} | {address: new}
        if pick.random() < 0.5:
            path = killed(path, store)
        else:
            store.close()
        assert store.damage == ()


def test_a_kill_while_the_log_is_carried_costs_nothing_and_brings_nothing_back(path: Path, owner: OwnerThread) -> None:
    """A part of the older file is in the database, and the newer file removed one of its leases."""
    store = opened(path, owner)
    owner.wait(partial(store.leases.commit, [lease(number) for number in range(1, 5)], []))
    log = store._log
    first, second = log._files
    with log._lock:
        log._checkpointing = True
        log._left, log._active = first, second
        second.begin(log._numbers())
    owner.wait(partial(store.leases.commit, [lease(7)], [2]))
    owner.wait(partial(store._database.save, LEASES, lease(1)))
    with log._lock:
        log._checkpointing = False
    wanted = {number: lease(number) for number in (1, 3, 4, 7)}
    assert {each.address: each for each in store.leases.load()} == wanted
    left = killed(path, store)
    assert held(left) == (wanted, ())
    assert held(left) == (wanted, ())


def test_an_old_round_is_never_taken_for_a_new_one(tmp_path: Path) -> None:
    """A file is written again from its start; what lies behind is as sound as it was."""
    file = LogFile(tmp_path / "log", "stamp")
    file.begin(10)
    for number in range(1, 6):
        file.add([record(number, 10 + number)])
    file.settle()
    file.begin(20)
    file.add([record(9, 21)])
    file.close()
    again = LogFile(tmp_path / "log", "stamp")
    assert (list(again.blocks()), again.damage) == ([[(9, record(9, 21))]], "")
    again.settle()
    again.close()
    empty = LogFile(tmp_path / "log", "stamp")
    assert (list(empty.blocks()), empty.damage, empty.settled) == ([], "", 21)
    empty.close()


def test_a_disk_that_gives_back_something_else_costs_no_lease_of_a_running_service(
    direct: Direct, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What cannot be read back is neither carried nor forgotten; the next start repairs the file and tells it."""
    direct.durable(1, 1)
    direct.durable(2, 2)
    path = direct.files[0].path
    octets = bytearray(path.read_bytes())
    octets[100] ^= 1
    path.write_bytes(octets)
    with pytest.raises(StoreError, match=r"the lease log cannot be read: the block at octet 64 of .* is not what was"):
        direct.log.unsettled()
    direct.log.close()
    assert direct.carried == []
    again = LogFile(path, "stamp")
    assert (dict(each for block in again.blocks() for each in block), bool(again.damage)) == ({2: record(2, 2)}, True)
    again.close()


def test_a_fault_that_is_none_of_the_disk_fails_its_group_and_the_next_is_written(
    direct: Direct, monkeypatch: pytest.MonkeyPatch
) -> None:
    told, ended = list[Exception | None](), threading.Event()

    def heard(error: Exception | None) -> None:
        told.append(error)
        ended.set()

    with monkeypatch.context() as patched:
        patched.setattr(LogFile, "add", lambda _self, _entries: 1 // 0)
        direct.log.commit([record(1, 1)], [], heard)
        assert ended.wait(20)
    assert [str(error) for error in told] == ["the store cannot write: integer division or modulo by zero"]
    direct.durable(2, 2)
    assert direct.log.unsettled() == {2: record(2, 2)}


def test_a_file_that_grew_large_is_cut_off_when_it_begins_anew(tmp_path: Path) -> None:
    file = LogFile(tmp_path / "log", "stamp")
    file.begin(1)
    body = record(1, 2)
    for _ in range(3):
        file.add([body] * (KEPT // len(body) // 2))
    assert (tmp_path / "log").stat().st_size > KEPT
    file.settle()
    assert (tmp_path / "log").stat().st_size == KEPT
    file.close()


def test_what_a_full_disk_left_of_a_block_is_no_damage_later(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = LogFile(tmp_path / "log", "stamp")
    file.begin(1)
    file.add([record(1, 2)])
    whole = LogFile._write

    def half(self: LogFile, octets: bytes, at: int) -> None:
        whole(self, octets[: len(octets) // 2], at)
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(LogFile, "_write", half)
        with pytest.raises(OSError, match="No space"):
            file.add([record(number, number) for number in range(2, 9)])
    file.add([record(9, 9)])
    file.close()
    again = LogFile(tmp_path / "log", "stamp")
    assert ([each for block in again.blocks() for each in block], again.damage) == (
        [(1, record(1, 2)), (9, record(9, 9))],
        "",
    )
    again.close()


@pytest.mark.parametrize("step", range(5))
def test_a_flipped_bit_costs_at_most_its_lease_and_is_told(tmp_path: Path, step: int) -> None:
    file = LogFile(tmp_path / "log", "stamp")
    file.begin(1)
    for number in range(2, 22, 2):
        file.add([record(number, number), record(number + 1, number + 1)])
    size = file.size
    file.close()
    octets = (tmp_path / "log").read_bytes()
    for at in range(step, size, 5):
        (folder := tmp_path / f"at{at}").mkdir()
        damaged = bytearray(octets)
        damaged[at] ^= 1 << (at % 8)
        (folder / "log").write_bytes(damaged)
        one = LogFile(folder / "log", "stamp")
        found = dict(each for block in one.blocks() for each in block)
        one.close()
        assert all(found[address] == record(address, address) for address in found)
        assert len(found) >= 19, f"octet {at}"
        assert one.damage or len(found) == 20, f"octet {at}"
        if one.damage:
            assert (folder / "log.damaged-stamp").read_bytes() == damaged
        silent = LogFile(folder / "log", "stamp")
        assert (dict(each for block in silent.blocks() for each in block), silent.damage) == (found, "")
        silent.close()


def test_versions_of_one_lease_keep_their_order_behind_damage(tmp_path: Path) -> None:
    file = LogFile(tmp_path / "log", "stamp")
    file.begin(1)
    file.add([record(5, 2)])
    at = file.size
    for sequence in (3, 4, 5):
        file.add([LEASES.encode(replace(lease(5), hostname=f"v{sequence}"), sequence)])
    file.close()
    octets = bytearray((tmp_path / "log").read_bytes())
    octets[at + 30] ^= 1
    (tmp_path / "log").write_bytes(octets)
    again = LogFile(tmp_path / "log", "stamp")
    newest = dict(each for block in again.blocks() for each in block)[5]
    again.close()
    assert LEASES.decode(newest).hostname == "v5"
