"""New clients by place and minute (rule I06)."""

from __future__ import annotations

from provd.core.dhcp_limits import NewClients

PORT, SUBNET = ("port", "1"), ("subnet", "lab")


def test_I06_each_place_has_its_limit_and_a_refused_one_counts_nowhere() -> None:
    limits = NewClients()
    places = ((PORT, 2), (SUBNET, 3))
    assert [limits.full(places, 0.0) for _ in range(3)] == [None, None, PORT]
    assert limits.full((((("port", "2")), 2), (SUBNET, 3)), 1.0) is None
    assert limits.full((((("port", "3")), 2), (SUBNET, 3)), 1.0) == SUBNET


def test_I06_the_window_slides() -> None:
    limits = NewClients()
    assert limits.full(((PORT, 1),), 0.0) is None
    assert limits.full(((PORT, 1),), 59.9) == PORT
    assert limits.full(((PORT, 1),), 60.0) is None


def test_I06_zero_is_no_limit_and_is_not_counted() -> None:
    limits = NewClients()
    assert all(limits.full(((PORT, 0), (SUBNET, 0)), 0.0) is None for _ in range(100))
    assert limits._seen == {}


def test_I06_C21_ports_that_are_made_up_keep_memory_bounded() -> None:
    limits = NewClients()
    for number in range(10_000):
        limits.full(((("port", str(number)), 1),), 0.0)
    assert len(limits._seen) <= 4096
