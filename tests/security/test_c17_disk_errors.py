"""A disk that refuses fsync or rename is believed: nothing is acknowledged, nothing is lost."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from provd.model.lease import Lease
from provd.store.sqlite import SqliteStore
from tests.fakes.owner_thread import OwnerThread

ROOT = Path(__file__).parents[2]
START = """
import sys
from pathlib import Path
from provd.model.lease import Lease
from provd.store.interface import StoreError
from provd.store.sqlite import SqliteStore
from tests.fakes.owner_thread import OwnerThread
from tests.fakes.refused_calls import refuse

path, owner = Path(sys.argv[1]), OwnerThread()

def commit(store, address):
    try:
        owner.wait(lambda done: store.leases.commit([Lease(address, "lan", bytes(6))], [], done))
    except StoreError as error:
        return f"refused: {error}"
    return "durable"
"""
COMMITS = """
store = SqliteStore(path, deliver=owner.deliver, wall=lambda: 1.0)
print(commit(store, 1))
refuse("fsync", "fdatasync", "pwritev2")
print(commit(store, 2))
"""
REPAIR = """
refuse(*sys.argv[2:])
try:
    SqliteStore(path, deliver=owner.deliver, wall=lambda: 1.0)
except (StoreError, OSError) as error:
    print(f"refused: {error}")
else:
    print("opened")
"""


def told(program: str, *arguments: str | Path) -> list[str]:
    """What a program printed that ran in a process of its own; it must end by itself."""
    done = subprocess.run(
        [sys.executable, "-c", START + program, *map(str, arguments)],
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    return done.stdout.splitlines()


def leases(path: Path) -> tuple[set[int], tuple[str, ...]]:
    """Addresses in a store, and what it said about damage."""
    store = SqliteStore(path, deliver=OwnerThread().deliver, wall=lambda: 2.0)
    found = {lease.address for lease in store.leases.load()}
    damage = store.damage
    store.close()
    return found, damage


@pytest.fixture
def damaged(tmp_path: Path) -> Path:
    """A store of 200 leases with a page overwritten."""
    path = tmp_path / "provd.db"
    owner = OwnerThread()
    store = SqliteStore(path, deliver=owner.deliver, wall=lambda: 1.0)
    rows = [Lease(address, "lan", bytes(6), hostname=f"host{address}") for address in range(1, 201)]
    owner.wait(lambda done: store.leases.commit(rows, [], done))
    store.close()
    octets = bytearray(path.read_bytes())
    octets[8192:12288] = b"\xff" * 4096
    path.write_bytes(octets)
    return path


def test_c17_a_lease_whose_fsync_failed_is_refused_and_the_ones_before_it_stay(tmp_path: Path) -> None:
    path = tmp_path / "provd.db"
    first, second = told(COMMITS, path)
    assert first == "durable"
    assert second.startswith("refused: ")
    found, damage = leases(path)
    assert 1 in found
    assert damage == ()


@pytest.mark.parametrize(
    "calls", [("fsync", "fdatasync"), ("rename", "renameat", "renameat2")], ids=["fsync", "rename"]
)
def test_c17_a_repair_that_the_disk_refuses_stops_the_start_and_costs_nothing(
    damaged: Path, calls: tuple[str, ...]
) -> None:
    before = damaged.read_bytes()
    (answer,) = told(REPAIR, damaged, *calls)
    assert answer.startswith("refused: ")
    assert damaged.read_bytes() == before
    found, damage = leases(damaged)
    assert len(found) > 100
    assert len(damage) == 1
