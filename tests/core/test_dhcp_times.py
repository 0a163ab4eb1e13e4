"""T1 and T2 beside a lease time (rule O08, RFC 2131 section 4.4.5)."""

from __future__ import annotations

import pytest

from provd.core.dhcp_times import time_options


@pytest.mark.parametrize(
    ("lease_s", "configured", "t1", "t2"),
    [
        (3600, {}, 1800, 3150),
        (3600, {58: 600}, 600, 3150),
        (3600, {59: 2000}, 1800, 2000),
        (3600, {58: 600, 59: 1200}, 600, 1200),
        # Not in order, or not within the lease: the usual times.
        (3600, {58: 1200, 59: 600}, 1800, 3150),
        (3600, {58: 1200, 59: 1200}, 1800, 3150),
        (3600, {58: 600, 59: 3600}, 1800, 3150),
        (3600, {59: 1800}, 1800, 3150),
        (60, {58: 600, 59: 1200}, 30, 52),
    ],
)
def test_O08_configured_times_count_while_they_are_in_order(
    lease_s: int, configured: dict[int, int], t1: int, t2: int
) -> None:
    options = time_options(lease_s, {code: value.to_bytes(4) for code, value in configured.items()})
    assert {code: int.from_bytes(octets) for code, octets in options.items()} == {51: lease_s, 58: t1, 59: t2}


@pytest.mark.parametrize("octets", [b"", b"\0\1", b"\0\0\0\1\0"])
def test_O08_what_is_no_time_is_left_out(octets: bytes) -> None:
    assert time_options(3600, {58: octets, 59: octets}) == time_options(3600)


def test_O08_an_infinite_lease_has_no_other_time() -> None:
    assert time_options(0xFFFFFFFF, {58: b"\0\0\0\1"}) == {51: b"\xff" * 4}
