"""A file of the lease log is lengthened where it is quiet: blocks then wait for no more than their own octets."""

from __future__ import annotations

import errno
import itertools
import os
from pathlib import Path

import pytest

from provd.model.lease import Lease
from provd.store.kinds import LEASES
from provd.store.lease_log_file import KEPT, ROOM, LogFile
from provd.store.lease_log_format import removal
from provd.store.sqlite_record import carve


def record(number: int) -> bytes:
    return LEASES.encode(Lease(number, "lan", number.to_bytes(6, "big"), expires_at=1.8e9), number)


def found(path: Path) -> tuple[list[int], str]:
    file = LogFile(path, "stamp")
    addresses = [address for block in file.blocks() for address, _ in block]
    file.close()
    return addresses, file.damage


@pytest.fixture
def file(tmp_path: Path) -> LogFile:
    made = LogFile(tmp_path / "log", "stamp")
    made.begin(1)
    return made


def test_where_it_is_quiet_the_file_is_lengthened_towards_twice_what_it_held(file: LogFile) -> None:
    for number in range(2, 3000):
        file.add([record(number)])
    held = file.size
    assert held > ROOM
    before = file.path.stat().st_size
    for _ in range(10):
        file.make_room()
    assert before < 2 * held == file.path.stat().st_size
    for number in range(3000, 5000):
        file.add([record(number)])
    assert file.path.stat().st_size == 2 * held, "these blocks lay in room that was there"
    file.close()
    assert found(file.path) == (list(range(2, 5000)), "")


def test_a_file_that_never_held_much_stays_small(file: LogFile) -> None:
    before = file.path.stat().st_size
    file.add([record(2)])
    file.make_room()
    assert file.path.stat().st_size == before


def test_a_file_is_lengthened_in_pieces_and_never_beyond_what_is_kept(file: LogFile) -> None:
    body = record(1)
    sizes = [file.path.stat().st_size]
    file.add([body] * (KEPT * 2 // 3 // len(body)))
    for _ in range(20):
        file.make_room()
        sizes.append(file.path.stat().st_size)
    assert sizes[-1] == KEPT
    assert all(after - before <= 1 << 20 for before, after in itertools.pairwise(sizes[1:]))
    file.close()


def test_a_disk_without_room_is_no_fault(file: LogFile, monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(2, 1000):
        file.add([record(number)])

    def full(_descriptor: int, _octets: bytes, _at: int) -> int:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as patched:
        patched.setattr(os, "pwrite", full)
        file.make_room()
    file.add([record(1000)])
    file.close()
    assert found(file.path) == (list(range(2, 1001)), "")


def test_a_kill_while_it_grows_leaves_no_damage(file: LogFile) -> None:
    for number in range(2, 50):
        file.add([record(number)])
    with file.path.open("r+b") as outside:
        outside.truncate(file.path.stat().st_size + 100_000)
    file.close()
    assert found(file.path) == (list(range(2, 50)), "")


def test_the_newest_number_is_found_before_blocks_that_only_remove(file: LogFile) -> None:
    for number in range(2, 9):
        file.add([record(number)])
    file.add([removal(3), removal(4)])
    file.add([removal(5)])
    file.close()
    again = LogFile(file.path, "stamp")
    assert again.newest == 8
    again.close()


def test_records_of_an_earlier_round_are_passed_over_and_newer_ones_found(file: LogFile) -> None:
    octets = b"junk".join(record(number) for number in range(1, 30))
    everything = list(carve(["leases"], octets))
    assert [sequence for _, sequence, _ in everything] == list(range(1, 30))
    assert list(carve(["leases"], octets, above=20)) == everything[20:]
    file.close()
