"""Failed logins: five are free, then each costs more, by user and by address."""

from __future__ import annotations

from provd.core.login_limits import FREE, LONGEST_S, WINDOW_S, LoginLimits

KEYS = ("user ann", "peer 10.0.0.1")


def test_people_may_mistype() -> None:
    limits = LoginLimits()
    for _ in range(FREE):
        limits.failed(KEYS, 0.0)
    assert limits.wait_s(KEYS, 0.0) == 0


def test_each_further_failure_costs_twice_the_time_up_to_a_bound() -> None:
    limits = LoginLimits()
    waits = []
    for _ in range(FREE + 12):
        limits.failed(KEYS, 0.0)
        waits.append(limits.wait_s(KEYS, 0.0))
    assert waits[FREE:][:4] == [2.0, 4.0, 8.0, 16.0]
    assert waits[-1] == LONGEST_S


def test_the_wait_counts_from_the_last_failure_and_is_forgotten_after_a_while() -> None:
    limits = LoginLimits()
    for _ in range(FREE + 3):
        limits.failed(KEYS, 100.0)
    assert limits.wait_s(KEYS, 103.0) == 5.0
    assert limits.wait_s(KEYS, 108.0) == 0
    limits.failed(KEYS, 100.0 + WINDOW_S + 1)
    assert limits.wait_s(KEYS, 100.0 + WINDOW_S + 1) == 0


def test_an_address_that_tries_many_users_waits_and_other_addresses_do_not() -> None:
    limits = LoginLimits()
    for number in range(FREE + 1):
        limits.failed((f"user u{number}", "peer 10.0.0.1"), 0.0)
    assert limits.wait_s(("user new", "peer 10.0.0.1"), 0.0) > 0
    assert limits.wait_s(("user new", "peer 10.0.0.2"), 0.0) == 0


def test_a_right_password_forgets_the_users_failures_only() -> None:
    limits = LoginLimits()
    for _ in range(FREE + 1):
        limits.failed(KEYS, 0.0)
    limits.succeeded("user ann")
    assert limits.wait_s(("user ann",), 0.0) == 0
    assert limits.wait_s(("peer 10.0.0.1",), 0.0) > 0


def test_C21_a_flood_of_names_keeps_memory_bounded() -> None:
    limits = LoginLimits()
    for number in range(20_000):
        limits.failed((f"user {number}", f"peer {number}"), 0.0)
    assert len(limits._failures) <= 4096


def test_right_passwords_cost_an_address_nothing_however_many_they_are() -> None:
    limits = LoginLimits()
    for _ in range(100):
        limits.failed(KEYS, 0.0)
        limits.succeeded(*KEYS)
    assert limits.wait_s(KEYS, 0.0) == 0
    for _ in range(6):
        limits.failed(KEYS, 0.0)
    limits.failed(KEYS, 0.0)
    limits.succeeded(*KEYS)
    assert limits.wait_s(("peer 10.0.0.1",), 0.0) > 0
