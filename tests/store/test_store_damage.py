"""C16: a damaged store starts, never with a wrong lease, never silently with fewer."""

from __future__ import annotations

import random
import sqlite3
from functools import partial
from pathlib import Path

import pytest
from msgspec.structs import replace

from provd.model.lease import Lease
from provd.model.system import System
from provd.store.interface import StoreError
from provd.store.kinds import LEASES
from provd.store.sqlite import SqliteStore
from provd.store.sqlite_record import carve
from tests.fakes.owner_thread import OwnerThread

NOW = 1_800_000_000.0
ROWS = 200


def lease(address: int) -> Lease:
    return Lease(address, "lan", address.to_bytes(6, "big"), expires_at=NOW + 3600, hostname=f"host{address}")


GOOD = {lease(number).address: lease(number) for number in range(1, ROWS + 1)}


def opened(path: Path) -> SqliteStore:
    return SqliteStore(path, deliver=OwnerThread().deliver, wall=lambda: NOW)


@pytest.fixture
def octets(tmp_path: Path) -> bytes:
    path = tmp_path / "sound.db"
    store = opened(path)
    store.leases.commit(list(GOOD.values()), [], lambda _error: None)
    store.systems.put(System("web1"), expected="")
    store.close()
    return path.read_bytes()


def judge(path: Path) -> tuple[int, str]:
    """Open a damaged store: how many leases it has, and what it told."""
    store = opened(path)
    found = {each.address: each for each in store.leases.load()}
    told = "; ".join(store.damage)
    store.close()
    assert all(GOOD[address] == each for address, each in found.items())
    assert told or len(found) == ROWS
    return len(found), told


def test_one_flipped_bit_anywhere_costs_at_most_the_record_it_hit(tmp_path: Path, octets: bytes) -> None:
    pick = random.Random(16)
    header, schema = range(0, 100, 7), range(2000, 4096, 61)
    offsets = {*header, *schema, *pick.sample(range(len(octets)), 80)}
    for offset in sorted(offsets):
        folder = tmp_path / str(offset)
        folder.mkdir()
        damaged = bytearray(octets)
        damaged[offset] ^= 1 << pick.randrange(8)
        (folder / "provd.db").write_bytes(damaged)
        count, _ = judge(folder / "provd.db")
        assert count >= ROWS - 1, f"octet {offset}"


@pytest.mark.parametrize("kept", [20, 100, 4096, 20_000])
def test_a_torn_file_starts_with_what_is_left_and_says_so(tmp_path: Path, octets: bytes, kept: int) -> None:
    path = tmp_path / "provd.db"
    path.write_bytes(octets[:kept])
    count, told = judge(path)
    assert count < ROWS
    assert f"the store {path} was damaged (" in told
    copies = list(tmp_path.glob("provd.db.damaged-20270115T080000"))
    assert [each.read_bytes() for each in copies] == [octets[:kept]]
    assert copies[0].stat().st_mode & 0o777 == 0o600


def test_a_file_whose_schema_is_lost_still_gives_back_every_record(tmp_path: Path, octets: bytes) -> None:
    path = tmp_path / "provd.db"
    path.write_bytes(b"\0" * 4096 + octets[4096:])
    count, told = judge(path)
    assert count == ROWS
    assert f"recovered: {ROWS} leases, 1 systems" in told
    assert judge(path) == (ROWS, "")


def test_an_emptied_file_is_told(tmp_path: Path) -> None:
    path = tmp_path / "provd.db"
    path.touch()
    assert judge(path)[1].startswith(f"the store {path} was there without any content")


def test_a_damaged_record_is_set_aside_and_the_others_serve(tmp_path: Path, octets: bytes) -> None:
    path = tmp_path / "provd.db"
    path.write_bytes(octets)
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute("UPDATE leases SET record = substr(record, 1, 30) WHERE address = 7")
    connection.execute("UPDATE leases SET address = 9999 WHERE address = 8")
    connection.close()
    count, told = judge(path)
    assert count == ROWS - 1
    assert told == (
        "1 damaged records of leases were set aside in the table quarantine; "
        "1 records of leases had a damaged key and were put right"
    )
    connection = sqlite3.connect(path)
    assert connection.execute("SELECT kind, key, reason FROM quarantine").fetchall() == [
        ("leases", "7", "the checksum does not fit")
    ]
    connection.close()
    store = opened(path)
    assert store.damage == ()
    store.close()


def test_a_repair_that_was_interrupted_is_finished(tmp_path: Path, octets: bytes) -> None:
    path = tmp_path / "provd.db"
    path.write_bytes(octets[:100])
    Path(f"{path}.salvaged").write_bytes(octets)
    Path(f"{path}-wal").write_bytes(b"the old file's journal")
    assert judge(path) == (ROWS, "")
    assert not Path(f"{path}.salvaged").exists()


@pytest.fixture
def killed(tmp_path: Path) -> tuple[bytes, bytes]:
    """Octets of the file and of its write-ahead log as a kill leaves them, each lease committed by itself."""
    owner = OwnerThread()
    path = tmp_path / "killed.db"
    store = SqliteStore(path, deliver=owner.deliver, wall=lambda: NOW)
    for number in range(1, ROWS + 1):
        # As the lease log is carried into the database, and as a provd that had none wrote them.
        owner.wait(partial(store.leases._database.save, LEASES, lease(number)))
    octets = path.read_bytes(), Path(f"{path}-wal").read_bytes()
    store.close()
    return octets


def test_a_log_that_a_kill_left_is_read_and_is_no_damage(tmp_path: Path, killed: tuple[bytes, bytes]) -> None:
    path = tmp_path / "provd.db"
    path.write_bytes(killed[0])
    Path(f"{path}-wal").write_bytes(killed[1])
    assert judge(path) == (ROWS, "")


def test_one_flipped_bit_in_the_log_costs_no_acknowledged_lease_but_the_one_it_hit(
    tmp_path: Path, killed: tuple[bytes, bytes]
) -> None:
    pick = random.Random(17)
    size = len(killed[1])
    for offset in sorted({*range(0, 56, 3), size - 1, size - 4100, size - 4105, *pick.sample(range(size), 20)}):
        folder = tmp_path / str(offset)
        folder.mkdir()
        damaged = bytearray(killed[1])
        damaged[offset] ^= 1 << pick.randrange(8)
        (folder / "provd.db").write_bytes(killed[0])
        (folder / "provd.db-wal").write_bytes(damaged)
        count, told = judge(folder / "provd.db")
        assert count >= ROWS - 1, f"octet {offset}"
        assert "write-ahead log" in told, f"octet {offset}"
        (copy,) = folder.glob("*.damaged-*-wal")
        assert copy.read_bytes() == damaged


@pytest.mark.parametrize("at", [40, 5000])
@pytest.mark.parametrize("more", [-100, 100])
def test_a_log_whose_octets_were_moved_costs_nothing_and_is_told(
    tmp_path: Path, killed: tuple[bytes, bytes], at: int, more: int
) -> None:
    path = tmp_path / "provd.db"
    path.write_bytes(killed[0])
    log = killed[1]
    Path(f"{path}-wal").write_bytes(log[:at] + bytes(max(more, 0)) + log[at - min(more, 0) :])
    count, told = judge(path)
    assert count >= ROWS - 1
    assert "write-ahead log" in told


def test_the_torn_end_of_an_interrupted_write_is_no_damage(tmp_path: Path, killed: tuple[bytes, bytes]) -> None:
    path = tmp_path / "provd.db"
    path.write_bytes(killed[0])
    Path(f"{path}-wal").write_bytes(killed[1] + killed[1][32:1000])
    assert judge(path) == (ROWS, "")


def test_of_two_versions_of_a_lease_the_newer_is_kept_though_the_clock_went_back_between_them(tmp_path: Path) -> None:
    path, owner = tmp_path / "provd.db", OwnerThread()
    for wall, name in ((NOW, "older"), (NOW - 1e8, "newer")):
        store = SqliteStore(path, deliver=owner.deliver, wall=lambda wall=wall: wall)  # type: ignore[misc]
        owner.wait(partial(store.leases.commit, [replace(lease(1), hostname=name)], []))
        octets = path.read_bytes() + Path(f"{path}-leases1").read_bytes()
        store.close()
    both = [(sequence, LEASES.read(body).hostname) for _, sequence, body in carve(["leases"], octets)]
    assert {name for _, name in both} == {"older", "newer"}
    assert max(both)[1] == "newer"


def test_a_directory_in_the_way_is_no_damage(tmp_path: Path) -> None:
    (tmp_path / "provd.db").mkdir()
    with pytest.raises(StoreError, match=r"provd\.db cannot be used: Is a directory"):
        opened(tmp_path / "provd.db")


def test_c20_a_symbolic_link_in_the_way_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").write_bytes(b"")
    (tmp_path / "provd.db").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(StoreError, match=r"provd\.db cannot be used"):
        opened(tmp_path / "provd.db")
