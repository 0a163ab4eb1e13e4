"""The power goes at any moment: what a process wrote since its last fsync is lost, whole or in part.

The calls of a real process are replayed up to a moment; the folder that a disk may hold then must open, with every
lease that the process had told as durable. The full number of moments is in ``tests/long``.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from tests.fakes.traced_store_process import lease_of
from tests.faults.power_audit import Traced, audit, contents, leases_of, quick_folder, traced
from tests.faults.power_loss import Disk

COMMITTED = {address: lease_of(address) for address in range(1, 301)}


@pytest.fixture
def folder() -> Iterator[Path]:
    with quick_folder() as scratch:
        yield scratch


@pytest.fixture(scope="module")
def serving() -> Iterator[Traced]:
    """A process that opens a new store and commits until the log was moved into the database in between."""
    with quick_folder() as scratch:
        yield traced(scratch, 1, 1100)


def test_row_12_no_acknowledged_lease_is_lost_with_the_power(serving: Traced) -> None:
    verdict = audit(serving, {}, random.Random(1), share=0.3)
    print(verdict.text())
    assert verdict.faults == []
    assert verdict.images > 600


def test_a_store_that_would_not_sync_would_be_caught(serving: Traced) -> None:
    careless = replace(serving, calls=[call for call in serving.calls if call.name not in {"fsync", "fdatasync"}])
    verdict = audit(careless, {}, random.Random(2), share=0.02)
    assert any("is missing" in fault for fault in verdict.faults)


def test_row_12_the_power_goes_again_while_the_store_recovers(folder: Path) -> None:
    first = traced(folder, 1, 300)
    left = [image for word, image in _last_moment(first) if word == "everything was written"]
    _fill(folder, left[0])
    verdict = audit(traced(folder, 1001, 30), {}, random.Random(3), share=0.5)
    assert verdict.faults == []
    again = set(leases_of(folder)[0])
    assert COMMITTED.keys() - again <= {address for address in COMMITTED if address % 20 == 19}


def test_row_12_the_power_goes_while_a_damaged_store_is_repaired(folder: Path) -> None:
    traced(folder, 1, 300)
    octets = bytearray((folder / "provd.db").read_bytes())
    octets[4096 * 3 : 4096 * 4] = b"\xff" * 4096
    _fill(folder, {"provd.db": bytes(octets)})
    repair = traced(folder, 1, 0)
    found = set(leases_of(folder)[0])
    assert 200 < len(found) < 300
    verdict = audit(repair, {address: lease_of(address) for address in found}, random.Random(4), share=0.3)
    assert verdict.faults == []
    assert verdict.repaired > 10


def _last_moment(work: Traced) -> list[tuple[str, dict[str, bytes]]]:
    """What is there just before the process begins to close the store."""
    disk = Disk(work.folder, work.before)
    for call in work.calls:
        disk.replay(call)
        if b"removed 299" in disk.told:
            break
    return disk.images(random.Random(0), 0)


def _fill(folder: Path, image: dict[str, bytes]) -> None:
    for name in contents(folder):
        (folder / name).unlink()
    for name, octets in image.items():
        (folder / name).write_bytes(octets)
