"""The three kinds of allocation: rows 49 to 51 (RFC 2131 section 1)."""

from __future__ import annotations

from ipaddress import IPv4Address

import pytest

from provd.model.subnet import Pool
from tests.fakes.dhcp_world import (
    ACK,
    DISCOVER,
    MAC,
    NAK,
    OTHER_MAC,
    RELEASE,
    REQUEST,
    SERVER,
    DhcpWorld,
    a_system,
    ip,
    request,
    subnet,
)

YEAR = 366 * 86_400
FIRST = ip("10.88.0.100")


@pytest.fixture
def world() -> DhcpWorld:
    return DhcpWorld()


def mac(number: int) -> bytes:
    return b"\x02\0\0\0\0" + bytes((number,))


def offered(world: DhcpWorld, who: bytes, wanted: int = 0) -> int:
    sent = world.ask(request(DISCOVER, mac=who, wanted=wanted))
    return sent[0].packet.yiaddr if sent else 0


@pytest.mark.parametrize("restart", [False, True])
def test_row_49_automatic_the_first_address_is_kept_for_ever(world: DhcpWorld, restart: bool) -> None:
    world.configure(allocation="automatic", pool=subnet(first=100, last=101).pool)
    world.dora(MAC)
    world.dora(OTHER_MAC)
    world.pass_time(YEAR)
    world.service.expire()
    if restart:
        world.restart()
    assert offered(world, mac(1), wanted=FIRST) == 0
    assert world.service.counters.dropped["pool exhausted"] == 1
    assert world.dora(MAC).packet.yiaddr == FIRST


def test_row_49_automatic_a_released_address_is_kept_as_well(world: DhcpWorld) -> None:
    world.configure(allocation="automatic", pool=subnet(first=100, last=100).pool)
    world.dora(MAC)
    world.ask(request(RELEASE, ciaddr=FIRST, server=SERVER))
    assert offered(world, OTHER_MAC) == 0
    assert offered(world, MAC) == FIRST


def test_row_49_automatic_leases_have_a_time_so_that_clients_renew(world: DhcpWorld) -> None:
    world.configure(allocation="automatic")
    assert world.dora().packet.options[51] == (3600).to_bytes(4)


def test_row_49_automatic_an_offer_that_nobody_took_is_not_kept(world: DhcpWorld) -> None:
    world.configure(allocation="automatic", pool=subnet(first=100, last=100).pool)
    offered(world, MAC)
    world.pass_time(61)
    assert offered(world, OTHER_MAC) == FIRST


def test_row_49_automatic_the_address_left_for_a_reservation_is_free(world: DhcpWorld) -> None:
    world.configure(allocation="automatic", pool=subnet(first=100, last=100).pool)
    world.dora(MAC)
    world.know(a_system(address="10.88.0.20"))
    world.dora(MAC, xid=8)
    assert offered(world, OTHER_MAC) == FIRST


def test_row_49_automatic_a_reservation_is_stronger_than_an_ended_lease(world: DhcpWorld) -> None:
    world.configure(allocation="automatic")
    world.dora(OTHER_MAC)
    world.pass_time(3601)
    world.know(a_system(address="10.88.0.100"))
    assert offered(world, MAC) == FIRST


@pytest.mark.parametrize("restart", [False, True])
def test_row_50_dynamic_the_least_recently_used_address_goes_first(world: DhcpWorld, restart: bool) -> None:
    world.configure(pool=subnet(first=100, last=102).pool)
    for number in range(3):
        world.dora(mac(number))
    assert offered(world, OTHER_MAC) == 0
    world.pass_time(1000)
    for number in (1, 0):
        address = ip(f"10.88.0.10{number}")
        world.answer(request(REQUEST, mac=mac(number), ciaddr=address, xid=50 + number), unicast=True)
        world.pass_time(1)
    world.pass_time(3601)
    if restart:
        world.restart()
    assert [offered(world, mac(10 + number)) & 255 for number in range(3)] == [102, 101, 100]


def test_row_51_manual_strangers_get_nothing_and_systems_their_reservation(world: DhcpWorld) -> None:
    world.configure(allocation="manual")
    world.know(a_system(address="10.88.0.20"))
    assert offered(world, OTHER_MAC) == 0
    assert world.service.counters.dropped["no reservation"] == 1
    assert world.dora(MAC).packet.yiaddr == ip("10.88.0.20")


@pytest.mark.parametrize("reserved", ["10.88.0.20", "10.88.0.100"])
@pytest.mark.parametrize("allocation", ["dynamic", "automatic", "manual"])
def test_row_51_manual_a_reservation_inside_or_outside_the_pool_is_nobody_elses(
    world: DhcpWorld, reserved: str, allocation: str
) -> None:
    world.configure(allocation=allocation)
    world.know(a_system(address=reserved))
    for number in range(12):
        assert offered(world, mac(number), wanted=ip(reserved)) != ip(reserved)
    assert world.dora(MAC).packet.yiaddr == ip(reserved)


def test_row_51_manual_a_lease_from_before_ends_with_its_renewal(world: DhcpWorld) -> None:
    world.dora(OTHER_MAC)
    world.configure(allocation="manual")
    renewal = request(REQUEST, mac=OTHER_MAC, ciaddr=FIRST, xid=9)
    assert [sent.kind for sent in world.ask(renewal, unicast=True, source=FIRST)] == [NAK]


def test_O04_an_offer_stands_though_the_lease_of_its_address_ends_meanwhile(world: DhcpWorld) -> None:
    address = world.dora().packet.yiaddr
    world.pass_time(3599)
    assert world.answer(request(DISCOVER, xid=8)).packet.yiaddr == address
    world.pass_time(2)
    world.service.expire()
    assert world.answer(request(DISCOVER, mac=OTHER_MAC, wanted=address)).packet.yiaddr != address
    assert world.answer(request(REQUEST, xid=8, wanted=address, server=SERVER)).kind == ACK


def test_R08_an_offer_of_an_earlier_address_that_is_not_taken_costs_no_running_lease(world: DhcpWorld) -> None:
    had, has = world.dora().packet.yiaddr, ip("10.88.0.105")
    world.know(a_system(address="10.88.0.105"))
    world.dora(xid=8)
    world.know(a_system(address=str(IPv4Address(had))))
    assert world.answer(request(DISCOVER, xid=9)).packet.yiaddr == had
    world.pass_time(100)
    world.service.expire()
    world.know()
    assert world.answer(request(REQUEST, ciaddr=has, xid=10), unicast=True, source=has).kind == ACK


@pytest.mark.parametrize("ask", ["reboot", "renew"])
def test_R04_R16_an_ended_lease_outside_a_smaller_pool_is_not_given_again(world: DhcpWorld, ask: str) -> None:
    has = world.dora(options={50: ip("10.88.0.109").to_bytes(4)}).packet.yiaddr
    world.configure(pool=Pool(IPv4Address("10.88.0.100"), IPv4Address("10.88.0.104")))
    assert world.answer(request(REQUEST, ciaddr=has, xid=8)).kind == ACK
    world.pass_time(4000)
    world.service.expire()
    again = request(REQUEST, wanted=has, xid=9) if ask == "reboot" else request(REQUEST, ciaddr=has, xid=9)
    assert world.answer(again).kind == NAK
    assert world.dora(xid=10).packet.yiaddr == FIRST


def test_O01_a_running_lease_outside_a_smaller_pool_is_offered_where_the_pool_is_exhausted(world: DhcpWorld) -> None:
    """Its renewals are answered, so its next boot is; RFC 2131 section 4.3.1 names the current address first."""
    has = world.dora(options={50: ip("10.88.0.109").to_bytes(4)}).packet.yiaddr
    assert world.dora(mac=OTHER_MAC, xid=8).packet.yiaddr == FIRST
    world.configure(pool=Pool(IPv4Address("10.88.0.100"), IPv4Address("10.88.0.100")))
    assert offered(world, mac(9), has) == 0
    assert world.dora(xid=10).packet.yiaddr == has
    world.pass_time(4000)
    world.service.expire()
    assert world.answer(request(REQUEST, wanted=has, xid=11)).kind == NAK


@pytest.mark.parametrize("first", [MAC, OTHER_MAC])
def test_R08_an_offer_of_before_hides_no_lease_where_a_subnet_gets_its_name_back(
    world: DhcpWorld, first: bytes
) -> None:
    name = world.subnets[0].name
    assert offered(world, first) == FIRST
    world.configure(name="other")
    world.dora()
    world.configure(name=name)
    assert world.answer(request(REQUEST, ciaddr=FIRST, xid=8)).kind == ACK
    world.pass_time(100)
    world.service.expire()
    assert offered(world, mac(9), FIRST) not in {0, FIRST}
