"""The SQLite file: private, exclusive, durable, and never silently less than it was."""

from __future__ import annotations

import os
import signal
import sqlite3
import stat
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import msgspec
import pytest

from provd.model.event import Event
from provd.model.lease import Lease
from provd.model.system import System
from provd.model.token import InstallToken
from provd.store.interface import StoreError, StoreTooNewError
from provd.store.sqlite import SqliteStore
from provd.store.sqlite_file import connect
from provd.store.sqlite_schema import VERSION, migrate, read_version, write_version
from tests.fakes.owner_thread import OwnerThread

ROOT = Path(__file__).parents[2]
NOW = 1_800_000_000.0
KILLS = int(os.environ.get("PROVD_KILLS", "10"))
TOKEN = InstallToken("live-token-text", "web1", "s1", "10.0.0.100", NOW, NOW + 60)


@pytest.fixture
def owner() -> OwnerThread:
    return OwnerThread()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "data" / "provd.db"


def opened(path: Path, owner: OwnerThread) -> SqliteStore:
    return SqliteStore(path, deliver=owner.deliver, wall=lambda: NOW)


def lease(address: int) -> Lease:
    return Lease(address, "lan", address.to_bytes(6, "big"), expires_at=NOW + 3600)


def filled(path: Path, owner: OwnerThread, count: int = 200) -> None:
    store = opened(path, owner)
    owner.wait(lambda done: store.leases.commit([lease(number) for number in range(1, count + 1)], [], done))
    store.close()


def test_c08_every_file_of_the_store_is_the_owners_alone(path: Path, owner: OwnerThread) -> None:
    before = os.umask(0)
    try:
        store = opened(path, owner)
        owner.wait(lambda done: store.leases.commit([lease(1)], [], done))
        modes = {each.name: stat.S_IMODE(each.stat().st_mode) for each in path.parent.iterdir()}
        store.close()
    finally:
        os.umask(before)
    names = ("provd.db", "provd.db-wal", "provd.db-shm", "provd.db.lock", "provd.db-leases1", "provd.db-leases2")
    assert modes == dict.fromkeys(names, 0o600)
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700


def test_c08_a_file_that_others_could_read_is_made_private(path: Path, owner: OwnerThread) -> None:
    filled(path, owner)
    path.chmod(0o644)
    opened(path, owner).close()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_a_commit_is_on_the_disk_before_it_is_told(path: Path) -> None:
    path.parent.mkdir()
    connection = connect(path)
    assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    assert connection.execute("PRAGMA synchronous").fetchone() == (2,)
    connection.close()


def test_a_store_belongs_to_one_process(path: Path, owner: OwnerThread) -> None:
    store = opened(path, owner)
    with pytest.raises(StoreError, match=r"provd\.db is in use by another process"):
        opened(path, owner)
    store.close()
    opened(path, owner).close()


def test_everything_is_there_after_a_restart(path: Path, owner: OwnerThread) -> None:
    store = opened(path, owner)
    kept = store.systems.put(System("web1"), expected="")
    store.tokens.save(TOKEN)
    number = store.sessions.append(Event("boot.started", NOW, "s1"))
    store.close()
    store = opened(path, owner)
    assert store.systems.get("web1") == kept
    assert store.tokens.find("live-token-text") == TOKEN
    assert store.sessions.append(Event("boot.started", NOW, "s1")) > number
    assert store.damage == ()
    store.close()


def test_an_ended_token_leaves_no_text_in_the_file(path: Path, owner: OwnerThread) -> None:
    store = opened(path, owner)
    store.tokens.save(TOKEN)
    owner.wait(store.flush)
    store.tokens.save(replace(TOKEN, ended_at=NOW, end_reason="finished"))
    store.close()
    assert b"live-token-text" not in b"".join(each.read_bytes() for each in path.parent.iterdir())
    store = opened(path, owner)
    found = store.tokens.find("live-token-text")
    assert found is not None
    assert found.end_reason == "finished"
    assert store.tokens.find(found.token) is None
    store.close()


def test_an_acknowledged_lease_survives_sigkill(path: Path, owner: OwnerThread) -> None:
    acknowledged: list[int] = []
    for _ in range(KILLS):
        first = max(acknowledged, default=0) + 1000
        command = [sys.executable, "-m", "tests.fakes.lease_writer_process", str(path), str(first)]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT) as process:
            assert process.stdout is not None
            acknowledged += [int(process.stdout.readline()) for _ in range(30)]
            process.send_signal(signal.SIGKILL)
            acknowledged += [int(line) for line in process.stdout if line.endswith("\n")]
    store = opened(path, owner)
    stored = {each.address: each.mac for each in store.leases.load()}
    assert store.damage == ()
    store.close()
    assert len(acknowledged) >= KILLS * 30
    assert all(stored[address] == address.to_bytes(6, "big") for address in acknowledged)


def test_a_full_disk_refuses_and_space_that_comes_back_is_used_without_a_restart(path: Path) -> None:
    command = [sys.executable, "-m", "tests.fakes.full_disk_process", str(path)]
    told = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, check=True, timeout=60).stdout.splitlines()
    assert told[0] == "durable"
    assert told[1].startswith("refused: the store cannot write: ")
    assert told[2:] == ["an edit is refused", "durable", "[1, 3] []", "held [True]"]


def test_one_value_that_cannot_be_stored_fails_alone(path: Path, owner: OwnerThread) -> None:
    store = opened(path, owner)
    told: list[Exception | None] = []
    wrong = msgspec.structs.replace(lease(2), hostname=object())
    store.leases.commit([lease(1)], [], told.append)
    store.leases.commit([wrong], [], told.append)
    store.leases.commit([lease(3)], [], told.append)
    owner.wait(store.flush)
    assert told[0] is None
    assert isinstance(told[1], StoreError)
    assert "object cannot be stored" in str(told[1])
    assert told[2] is None
    assert [each.address for each in store.leases.load()] == [1, 3]
    store.close()


def test_a_newer_file_is_refused_and_left_as_it_is(path: Path, owner: OwnerThread) -> None:
    filled(path, owner)
    with sqlite3.connect(path) as connection:
        write_version(connection, VERSION + 1)
    connection.close()
    with pytest.raises(
        StoreTooNewError, match=rf"the store has version {VERSION + 1}, and this provd knows versions up"
    ):
        opened(path, owner)
    connection = sqlite3.connect(path)
    assert read_version(connection) == VERSION + 1
    connection.close()
    assert not list(path.parent.glob("*.damaged*"))


def test_migration_takes_every_step_or_none(tmp_path: Path) -> None:
    connection = sqlite3.connect(tmp_path / "x.db", isolation_level=None)
    connection.execute("CREATE TABLE meta (name TEXT PRIMARY KEY, record BLOB)")
    write_version(connection, 1)
    steps = {
        1: lambda each: each.execute("CREATE TABLE one (a)"),
        2: lambda each: each.execute("CREATE TABLE two (a)"),
    }
    with pytest.raises(StoreError, match="has version 1, which this provd cannot bring to version 4"):
        migrate(connection, 1, target=4, steps=steps)
    assert read_version(connection) == 1
    migrate(connection, 1, target=3, steps=steps)
    assert read_version(connection) == 3
    tables = {name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
    assert {"one", "two"} <= tables
    connection.close()
