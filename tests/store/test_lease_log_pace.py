"""A storm of leases is not made worse by carrying the log into the database; a long one does not fill the disk."""

from __future__ import annotations

import pytest

from provd.store.lease_log_pace import FULL, OVERFULL, STORM, Pace


class Clock:
    now = 1000.0


@pytest.fixture
def clock() -> Clock:
    return Clock()


def leases(pace: Pace, clock: Clock, a_second: int, seconds: int) -> None:
    for _ in range(seconds * 10):
        pace.wrote(a_second // 10, clock.now)
        clock.now += 0.1


def test_a_trickle_is_carried_when_the_file_is_full(clock: Clock) -> None:
    pace = Pace()
    assert not pace.due(FULL - 1)
    assert pace.due(FULL)
    leases(pace, clock, STORM // 2, 3)
    assert pace.due(FULL)


def test_a_storm_is_waited_for_unless_the_file_is_overfull(clock: Clock) -> None:
    pace = Pace()
    leases(pace, clock, 5 * STORM, 3)
    assert not pace.due(FULL)
    assert not pace.due(OVERFULL - 1)
    assert pace.due(OVERFULL)


def test_a_storm_is_over_once_a_second_was_calm(clock: Clock) -> None:
    pace = Pace()
    leases(pace, clock, 5 * STORM, 3)
    leases(pace, clock, STORM // 10, 1)
    assert not pace.due(FULL), "the second before was none"
    leases(pace, clock, STORM // 10, 2)
    assert pace.due(FULL)


def test_a_storm_long_ago_does_not_count(clock: Clock) -> None:
    pace = Pace()
    leases(pace, clock, 5 * STORM, 1)
    clock.now += 60
    pace.wrote(1, clock.now)
    assert pace.due(FULL)


def test_entries_come_in_their_order_with_pauses_between() -> None:
    pauses: list[float] = []
    blocks = [[(number * 40 + place, b"x") for place in range(40)] for number in range(10)]
    found = list(Pace(pauses.append).unhurried(iter(blocks)))
    assert found == [entry for block in blocks for entry in block]
    assert len(pauses) == 5
    assert all(0 < seconds < 0.001 for seconds in pauses)
