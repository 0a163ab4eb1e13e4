"""The free addresses of a pool: each once, none from outside, none of the excluded ones."""

from __future__ import annotations

from ipaddress import IPv4Address

import pytest

from provd.core.dhcp_pool import FreeAddresses
from provd.model.subnet import Pool

BASE = int(IPv4Address("10.0.0.0"))
POOL = Pool(IPv4Address(BASE + 10), IPv4Address(BASE + 13))


def drain(free: FreeAddresses, taken: set[int]) -> list[int]:
    """Take until nothing is left; last octets."""
    given: list[int] = []
    while address := free.next(taken.__contains__):
        taken.add(address)
        given.append(address - BASE)
        assert len(given) < 20
    return given


@pytest.mark.parametrize("address", [9, 14, 11])
def test_what_is_no_address_of_the_pool_is_not_in_it_and_not_taken_back(address: int) -> None:
    free = FreeAddresses(POOL, excluded=[BASE + 11])
    taken: set[int] = set()
    assert drain(free, taken) == [10, 12, 13]
    assert BASE + address not in free
    free.give_back(BASE + address)
    assert drain(free, taken) == []


def test_an_address_given_back_comes_once_and_after_the_others() -> None:
    free = FreeAddresses(POOL)
    taken = {BASE + 10}
    assert free.next(taken.__contains__) == BASE + 11
    free.give_back(BASE + 13)
    free.give_back(BASE + 11)
    taken.clear()
    free.give_back(BASE + 10)
    free.give_back(BASE + 10)
    assert drain(free, taken) == [11, 12, 13, 10]


def test_a_pool_of_none_has_nothing() -> None:
    free = FreeAddresses(None)
    assert (free.size, free.next(lambda _address: False), 1 in free, 0 in free) == (0, 0, False, False)
