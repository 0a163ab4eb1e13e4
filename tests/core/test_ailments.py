"""What ails a service, from numbers: each rule speaks where it should and is silent in health."""

from __future__ import annotations

from collections.abc import Iterable

import pytest

from provd.core.ailments import Ailment, certificate, clock, datagrams, disk, pool

DAY, MIB, GIB = 86_400.0, 1 << 20, 1 << 30


def levels(found: Iterable[Ailment]) -> list[str]:
    told = list(found)
    assert all(one.text and one.advice and one.area for one in told)
    return [one.level for one in told]


@pytest.mark.parametrize(
    ("size", "taken", "level"),
    [(0, 0, []), (100, 0, []), (100, 89, []), (100, 90, ["warning"]), (100, 100, ["error"]), (1, 1, ["error"])],
)
def test_pool(size: int, taken: int, level: list[str]) -> None:
    assert levels(pool("lan", size, taken)) == level


@pytest.mark.parametrize(
    ("left", "level"), [(31 * DAY, []), (29 * DAY, ["warning"]), (1.0, ["warning"]), (-1.0, ["error"])]
)
def test_certificate(left: float, level: list[str]) -> None:
    assert levels(certificate("it", 1e9 + left, 1e9, own=False)) == level
    (*_, one) = certificate("it", 1e9 - DAY, 1e9, own=True)
    assert "next start" in one.advice


@pytest.mark.parametrize(
    ("free", "total", "inodes", "level"),
    [
        (500 * GIB, 1000 * GIB, 9, []),
        (20 * GIB, 1000 * GIB, 9, []),  # 2 %, and room enough
        (9 * GIB, 1000 * GIB, 9, ["warning"]),
        (2 * GIB, 4 * GIB, 9, []),
        (900 * MIB, 4 * GIB, 9, ["warning"]),
        (99 * MIB, 4 * GIB, 9, ["error"]),
        (500 * GIB, 1000 * GIB, 0, ["error"]),
        (500 * GIB, 1000 * GIB, -1, []),  # btrfs has no number of inodes
    ],
)
def test_disk(free: int, total: int, inodes: int, level: list[str]) -> None:
    assert levels(disk("/data", free, total, inodes)) == level


@pytest.mark.parametrize(
    ("newest", "drift", "synchronised", "level"),
    [
        (0.0, 0.0, True, []),
        (999.0, 0.1, None, []),
        (1004.0, 0.0, True, []),
        (1006.0, 0.0, True, ["error"]),
        (0.0, 6.0, True, ["warning"]),
        (0.0, -6.0, True, ["warning"]),
        (0.0, 0.0, False, ["warning"]),
        (2000.0, -9.0, False, ["error", "warning"]),
    ],
)
def test_clock(newest: float, drift: float, synchronised: bool | None, level: list[str]) -> None:
    assert levels(clock(1000.0, newest, drift, synchronised=synchronised)) == level


def test_datagrams() -> None:
    assert levels(datagrams("DHCP", 67, 0, 4096)) == []
    assert levels(datagrams("DHCP", 67, 3, 2 * MIB)) == ["warning", "warning"]
