"""The address table piece by piece: order of allocation, reservations, pools without a scan, reloads, restores."""

from __future__ import annotations

import math
from dataclasses import replace
from ipaddress import IPv4Network

import pytest

from provd.core.dhcp_binding import Who
from provd.core.dhcp_identity import auto_key, own_client_id, strict_key
from provd.core.dhcp_leases import AddressTable
from provd.core.dhcp_pool import FreeAddresses
from provd.core.dhcp_quarantine import DeclineGuard
from provd.core.dhcp_states import State
from provd.core.dhcp_timers import Timers
from provd.core.dhcp_times import end_of, lease_time, time_options
from provd.model.lease import Lease
from provd.model.subnet import Pool, Subnet

NETWORK = IPv4Network("10.0.0.0/24")
SUBNET = Subnet("lab", NETWORK, Pool(NETWORK[10], NETWORK[19]))
BASE = int(NETWORK[0])


def client(number: int) -> Who:
    mac = b"\x02\0\0\0\0" + bytes((number,))
    return Who(b"m" + mac, mac)


def lease(address: int, who: Who, *, state: str = "bound", until: float = 2000.0, client_id: bytes = b"") -> Lease:
    return Lease(address, "lab", who.mac, client_id, state, starts_at=1000.0, expires_at=until)


def bound(table: AddressTable, number: int, at: int, until: float = 100.0) -> None:
    table.bind(client(number), BASE + at, lease(BASE + at, client(number)), until)


def test_the_oldest_idle_address_is_given_first_and_a_new_end_counts_anew() -> None:
    table = AddressTable(SUBNET)
    for number in range(10):
        bound(table, number, 10 + number, until=10.0 + number)
    table.expire(14.5)
    assert table.candidate(client(99)) == (BASE + 10, "oldest-expired")
    bound(table, 0, 10, until=15.5)
    assert table.candidate(client(99)) == (BASE + 11, "oldest-expired")
    table.expire(30.0)
    given = []
    for number in range(50, 60):
        chosen = table.candidate(client(number))
        assert chosen is not None
        given.append(chosen[0] - BASE)
        table.offer(client(number), chosen[0], 60, 30.0, 60.0)
    assert given == [11, 12, 13, 14, 15, 10, 16, 17, 18, 19]


def test_a_pool_of_65000_addresses_is_walked_once() -> None:
    looked: list[int] = []

    def taken(address: int) -> bool:
        looked.append(address)
        return address in given

    net = IPv4Network("10.0.0.0/16")
    free = FreeAddresses(Pool(net[1], net[65000]))
    given: set[int] = set()
    for _ in range(65000):
        given.add(free.next(taken))
    assert len(given) == 65000
    assert free.next(taken) == 0
    assert len(looked) < 2 * 65001


def test_an_address_given_back_waits_behind_the_unused_ones() -> None:
    free = FreeAddresses(SUBNET.pool)
    given = {free.next(lambda _: False)}
    assert given == {BASE + 10}
    assert free.next(given.__contains__) == BASE + 11
    free.give_back(BASE + 10)
    assert free.next({BASE + 11}.__contains__) == BASE + 12
    assert free.next({BASE + number for number in range(11, 20)}.__contains__) == BASE + 10


def test_an_address_asked_for_and_given_up_many_times_waits_only_once() -> None:
    table = AddressTable(replace(SUBNET, pool=Pool(NETWORK[10], NETWORK[11])))
    bound(table, 1, 10)
    table.candidate(client(2))
    bound(table, 2, 11)
    table.candidate(client(3))
    table.decline(table._by_address[BASE + 11], lease(BASE + 11, client(2)), 1.0)
    table.expire(2.0)
    for number in range(100):
        table.offer(client(3), BASE + 11, 60, float(number), 60.0)
        table.withdraw(client(3))
    assert len(table._free._back) == 1
    assert table.candidate(client(3)) == (BASE + 11, "free")


def test_reserved_addresses_come_back_when_the_reservation_is_gone() -> None:
    table = AddressTable(SUBNET)
    table.reserve({BASE + number: b"\x0a" * 6 for number in range(10, 20)})
    assert table.candidate(client(1)) is None
    table.reserve({})
    assert table.candidate(client(1)) == (BASE + 10, "free")


def test_an_idle_address_that_was_reserved_comes_back_when_the_reservation_is_gone() -> None:
    table = AddressTable(replace(SUBNET, pool=Pool(NETWORK[10], NETWORK[10])))
    bound(table, 1, 10, until=10.0)
    table.expire(11.0)
    table.reserve({BASE + 10: b"\x0a" * 6})
    assert table.candidate(client(2)) is None
    table.reserve({})
    assert table.candidate(client(2)) == (BASE + 10, "oldest-expired")


def test_a_smaller_pool_keeps_leases_and_gives_their_addresses_to_nobody_new() -> None:
    table = AddressTable(SUBNET)
    bound(table, 1, 19, until=10.0)
    table.reconfigure(replace(SUBNET, pool=Pool(NETWORK[10], NETWORK[10])))
    held = table.held(client(1))
    assert held is not None
    assert held.state is State.BOUND
    bound(table, 2, 10)
    table.expire(11.0)
    assert table.candidate(client(3)) is None


def test_a_lease_outside_a_smaller_pool_runs_on_but_is_not_offered_again() -> None:
    table = AddressTable(SUBNET)
    bound(table, 1, 19)
    table.reconfigure(replace(SUBNET, pool=Pool(NETWORK[10], NETWORK[12])))
    assert table.may_have(client(1), BASE + 19)
    assert table.candidate(client(1)) == (BASE + 10, "free")


def test_a_previous_address_on_offer_is_not_the_oldest_expired_one() -> None:
    table = AddressTable(replace(SUBNET, pool=Pool(NETWORK[10], NETWORK[10])))
    bound(table, 1, 10, until=10.0)
    table.expire(11.0)
    assert table.candidate(client(1)) == (BASE + 10, "previous")
    table.offer(client(1), BASE + 10, 60, 11.0, 60.0)
    assert table.candidate(client(2)) is None
    table.expire(80.0)
    assert table.candidate(client(2)) == (BASE + 10, "oldest-expired")


def test_a_client_that_moves_leaves_its_old_address_to_others() -> None:
    table = AddressTable(SUBNET)
    bound(table, 1, 10)
    bound(table, 1, 11)
    assert table.candidate(client(1)) == (BASE + 11, "current")
    old = table.at(BASE + 10)
    assert old is not None
    assert old.state is State.IDLE
    assert table.candidate(client(2), BASE + 10) == (BASE + 10, "requested")


def test_a_second_offer_of_another_address_takes_the_first_one_back() -> None:
    table = AddressTable(replace(SUBNET, pool=Pool(NETWORK[10], NETWORK[10])))
    table.offer(client(1), BASE + 10, 60, 0.0, 60.0)
    table.offer(client(1), BASE + 200, 60, 0.0, 60.0)
    assert table.at(BASE + 10) is None
    assert table.candidate(client(2)) == (BASE + 10, "free")


def test_one_timer_entry_serves_many_renewals() -> None:
    timers = Timers()
    table = AddressTable(SUBNET)
    binding = table.bind(client(1), BASE + 10, lease(BASE + 10, client(1)), 10.0)
    binding.due = math.inf
    for number in range(1000):
        timers.schedule(binding, 10.0 + number)
    assert timers.next == 10.0
    assert list(timers.over(20.0)) == []
    assert timers.next == 1009.0
    assert list(timers.over(1009.0)) == [binding]
    assert timers.next == math.inf


def test_offers_taken_back_leave_no_growing_heap() -> None:
    table = AddressTable(SUBNET)
    bound(table, 1, 19, until=90.0)
    for _ in range(20000):
        table.offer(client(2), BASE + 10, 60, 0.0, 60.0)
        table.withdraw(client(2))
    assert len(table._timers._heap) < 2500
    assert [binding.address - BASE for binding in table.expire(90.0)] == [19]


def test_a_lease_that_becomes_shorter_ends_at_its_new_time_and_only_once() -> None:
    table = AddressTable(SUBNET)
    bound(table, 1, 10, until=1000.0)
    bound(table, 1, 10, until=50.0)
    assert [binding.address for binding in table.expire(50.0)] == [BASE + 10]
    assert table.expire(2000.0) == []


@pytest.mark.parametrize(
    ("htype", "client_id", "own"),
    [
        (1, b"", b""),
        (1, b"\x01", b""),
        (1, b"\x01\x02\x00\x00\x00\x00\x07", b""),
        (1, b"\x06\x02\x00\x00\x00\x00\x07", b"\x06\x02\x00\x00\x00\x00\x07"),
        (1, b"\x01\x02\x00\x00\x00\x00\x08", b"\x01\x02\x00\x00\x00\x00\x08"),
        (1, b"\xffduid", b"\xffduid"),
        # RFC 2132 section 9.14: two octets are the least.
        (1, b"\x00a", b"\x00a"),
    ],
)
def test_I05_a_client_id_that_says_no_more_than_the_hardware_address(htype: int, client_id: bytes, own: bytes) -> None:
    assert own_client_id(htype, b"\x02\x00\x00\x00\x00\x07", client_id) == own


@pytest.mark.parametrize(("client_id", "key"), [(b"", b"h\x01mac"), (b"\0", b"h\x01mac"), (b"\0a", b"i\0a")])
def test_I05_strictly_two_octets_are_an_identity_and_one_is_none(client_id: bytes, key: bytes) -> None:
    assert strict_key(1, b"mac", client_id) == key


def test_I01_keys() -> None:
    mac = b"\x02\x00\x00\x00\x00\x07"
    seen: dict[bytes, bytes] = {}
    assert auto_key(1, mac, b"\xffone", seen.get, known=False) == b"m" + mac
    seen[b"m" + mac] = b"\xffone"
    assert auto_key(1, mac, b"\xffone", seen.get, known=False) == b"m" + mac
    assert auto_key(1, mac, b"\xfftwo", seen.get, known=False) != b"m" + mac
    assert auto_key(1, mac, b"\xfftwo", seen.get, known=True) == b"m" + mac
    assert auto_key(32, b"", b"\xffib", seen.get, known=False) == strict_key(32, b"", b"\xffib")
    assert strict_key(1, mac, b"") != strict_key(6, mac, b"")


def test_the_guard_of_declines_forgets_after_the_subnets_time() -> None:
    table = AddressTable(SUBNET)
    guard = DeclineGuard(per_client=1)
    assert guard.refusal(table, b"a", 0.0) == ""
    assert guard.refusal(table, b"a", 1.0) == "this client declines too often"
    assert guard.refusal(table, b"b", 1.0) == ""
    assert guard.refusal(table, b"a", 600.0) == ""


def test_the_guard_of_declines_keeps_a_bounded_memory() -> None:
    table = AddressTable(SUBNET)
    guard = DeclineGuard()
    for number in range(5000):
        guard.refusal(table, number.to_bytes(6), number * 10.0)
    assert len(guard._seen) <= 1025


def test_O07_a_profiles_short_lease_is_a_bound_and_a_client_may_ask_for_less() -> None:
    assert lease_time(SUBNET, None, 300) == 300
    assert lease_time(SUBNET, 86400, 300) == 300
    assert lease_time(SUBNET, 100, 300) == 100
    assert lease_time(SUBNET, 1, 30) == 30


def test_O08_times_of_an_infinite_lease() -> None:
    assert time_options(0xFFFFFFFF) == {51: b"\xff\xff\xff\xff"}
    assert end_of(10.0, 0xFFFFFFFF) == math.inf
    assert end_of(10.0, 60) == 70.0
