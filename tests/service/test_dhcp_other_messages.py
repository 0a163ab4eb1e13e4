"""DECLINE, RELEASE, INFORM, BOOTP and what is never answered: rules X01 to X08, D001, D010, L11."""

from __future__ import annotations

import pytest

from tests.fakes.dhcp_world import (
    ACK,
    DECLINE,
    DISCOVER,
    FOREIGN,
    INFORM,
    MAC,
    OFFER,
    OTHER_MAC,
    RELAY,
    RELEASE,
    REQUEST,
    SERVER,
    DhcpWorld,
    a_system,
    ip,
    request,
    subnet,
)

ADDRESS = ip("10.88.0.100")


@pytest.fixture
def world() -> DhcpWorld:
    return DhcpWorld()


def decline(world: DhcpWorld, mac: bytes = MAC, wanted: int = ADDRESS, server: int = SERVER) -> None:
    assert world.ask(request(DECLINE, mac=mac, wanted=wanted, server=server)) == []


def free_now(world: DhcpWorld, address: int = ADDRESS, mac: bytes = b"\x02" * 6) -> bool:
    """A stranger who asks for the address is offered it."""
    sent = world.ask(request(DISCOVER, mac=mac, wanted=address))
    return bool(sent) and sent[0].packet.yiaddr == address


def test_X01_a_declined_address_is_in_quarantine_for_the_subnets_time(world: DhcpWorld) -> None:
    world.dora()
    decline(world)
    assert world.store.rows[ADDRESS].state == "declined"
    assert world.director.kinds[-1] == "dhcp.decline"
    assert not free_now(world)
    world.pass_time(599)
    assert not free_now(world)
    world.pass_time(2)
    assert free_now(world, mac=b"\x06" * 6)


def test_X01_quarantine_survives_a_restart(world: DhcpWorld) -> None:
    world.dora()
    decline(world)
    world.restart()
    assert not free_now(world)
    world.pass_time(601)
    assert free_now(world, mac=b"\x06" * 6)


def test_X01_the_client_is_offered_another_address(world: DhcpWorld) -> None:
    world.dora()
    decline(world)
    assert world.answer(request(DISCOVER)).packet.yiaddr == ip("10.88.0.101")


def test_X02_a_decline_of_another_clients_address_is_ignored(world: DhcpWorld) -> None:
    world.dora()
    decline(world, OTHER_MAC)
    assert world.store.rows[ADDRESS].state == "bound"
    assert world.service.counters.dropped["decline of an address that is not this client's"] == 1


@pytest.mark.parametrize(("wanted", "server"), [(0, SERVER), (ADDRESS, 0), (ADDRESS, FOREIGN)])
def test_X02_a_decline_without_50_or_54_or_for_another_server_is_ignored(
    world: DhcpWorld, wanted: int, server: int
) -> None:
    world.dora()
    decline(world, wanted=wanted, server=server)
    assert world.store.rows[ADDRESS].state == "bound"


def test_X03_declines_take_a_quarter_of_the_pool_at_most(world: DhcpWorld) -> None:
    for number in range(5):
        mac = b"\x02" * 5 + bytes((number,))
        decline(world, mac, world.dora(mac).packet.yiaddr)
    assert [row.state for row in world.store.rows.values()].count("declined") == 2


def test_X03_one_client_declines_three_addresses_at_most(world: DhcpWorld) -> None:
    world.configure(pool=subnet(first=100, last=199).pool)
    for xid in range(5):
        decline(world, wanted=world.dora(xid=xid).packet.yiaddr)
    assert [row.state for row in world.store.rows.values()].count("declined") == 3
    assert world.service.counters.dropped["this client declines too often"] == 2


def test_X04_a_release_frees_the_address_and_keeps_it_as_the_previous_one(world: DhcpWorld) -> None:
    world.configure(pool=subnet(first=100, last=100).pool)
    world.dora()
    assert world.ask(request(RELEASE, ciaddr=ADDRESS, server=SERVER)) == []
    assert world.store.rows[ADDRESS].state == "released"
    assert free_now(world)


@pytest.mark.parametrize(("mac", "ciaddr"), [(OTHER_MAC, ADDRESS), (MAC, ip("10.88.0.101"))])
def test_X04_a_release_that_does_not_match_the_binding_is_ignored(world: DhcpWorld, mac: bytes, ciaddr: int) -> None:
    world.dora()
    assert world.ask(request(RELEASE, mac=mac, ciaddr=ciaddr, server=SERVER), unicast=True) == []
    assert world.store.rows[ADDRESS].state == "bound"
    assert not free_now(world)


def test_X05_a_release_for_another_server_is_ignored(world: DhcpWorld) -> None:
    world.dora()
    world.ask(request(RELEASE, ciaddr=ADDRESS, server=FOREIGN))
    assert world.store.rows[ADDRESS].state == "bound"


def test_X06_an_inform_gets_parameters_and_no_lease(world: DhcpWorld) -> None:
    sent = world.answer(request(INFORM, ciaddr=ip("10.88.0.50")))
    assert (sent.kind, sent.packet.yiaddr, sent.packet.ciaddr) == (ACK, 0, ip("10.88.0.50"))
    assert not {51, 58, 59} & set(sent.packet.options)
    assert {1, 3, 6, 54} <= set(sent.packet.options)
    assert (world.store.commits, world.store.rows) == (0, {})


def test_X07_an_inform_through_a_relay_is_answered_through_it(world: DhcpWorld) -> None:
    sent = world.answer(request(INFORM, ciaddr=ip("10.88.1.50"), giaddr=RELAY), unicast=True)
    assert (sent.destination.address, sent.destination.port) == (RELAY, 67)


@pytest.mark.parametrize("kind", [2, 5, 6, 9, 10, 13, 99, 255])
def test_X08_a_lease_query_and_everything_that_is_not_a_clients_is_ignored(world: DhcpWorld, kind: int) -> None:
    assert world.ask(request(kind)) == []
    assert world.service.counters.dropped["not a client's message"] == 1


def test_D001_what_is_no_request_is_counted_and_not_answered(world: DhcpWorld) -> None:
    good = request(DISCOVER)
    reply = b"\x02" + good[1:]
    long_address = good[:2] + b"\x11" + good[3:]
    no_cookie = good[:236] + b"\0\0\0\0" + good[240:]
    for data in (b"", good[:239], reply, long_address, no_cookie):
        assert world.ask(data) == []
    assert world.service.counters.dropped["malformed"] == 5
    assert world.service.counters.errors == 0


def test_D010_bootp_is_answered_for_a_reservation_only(world: DhcpWorld) -> None:
    assert world.ask(request(0)) == []
    world.know(a_system(address="10.88.0.20"))
    sent = world.answer(request(0))
    assert sent.packet.yiaddr == ip("10.88.0.20")
    assert not {51, 53, 54, 58, 59} & set(sent.packet.options)
    assert len(sent.data) >= 300
    assert world.store.commits == 0


@pytest.mark.parametrize("length", [300, 340, 548, 1400])
def test_D010_a_bootp_reply_is_no_longer_than_the_request_and_overloads_nothing(world: DhcpWorld, length: int) -> None:
    """RFC 951 section 3: a BOOTP client reads 64 octets of vendor area, and knows nothing of option 52."""
    world.know(a_system(address="10.88.0.20"))
    world.configure(options={str(code): "x" * 30 for code in range(224, 244)})
    sent = world.answer(request(0).ljust(length, b"\0"))
    assert length - 32 < len(sent.data) <= max(300, min(length, 548)) or length > 548
    assert len(sent.data) <= 548
    assert sent.data[44:236] == bytes(192)
    assert {1, 3} <= set(sent.packet.options)


def test_X06_an_inform_from_the_subnets_broadcast_address_is_not_answered(world: DhcpWorld) -> None:
    """The ACK would go to every host (RFC 2131 section 4.3.5 asks for unicast; RFC 1122 section 3.2.1.3)."""
    everybody = ip("10.88.0.255")
    assert world.ask(request(INFORM, ciaddr=everybody)) == []
    assert world.ask(request(INFORM), source=everybody) == []
    assert world.service.counters.dropped["inform without an address"] == 2


def test_L11_more_than_16_hops_are_dropped(world: DhcpWorld) -> None:
    assert world.ask(request(DISCOVER, hops=17, giaddr=RELAY), unicast=True) == []
    assert world.answer(request(DISCOVER, hops=16, giaddr=RELAY), unicast=True).kind == OFFER


def test_a_client_without_any_identity_is_dropped(world: DhcpWorld) -> None:
    data = request(DISCOVER)
    assert world.ask(data[:2] + b"\0" + data[3:]) == []
    assert world.service.counters.dropped["no identity"] == 1


def test_a_client_that_has_only_a_client_id_is_served(world: DhcpWorld) -> None:
    data = request(DISCOVER, options={61: b"\xff\0\0\0\1ib"})
    sent = world.answer(data[:2] + b"\0" + data[3:])
    assert (sent.kind, sent.destination.address) == (OFFER, 0xFFFFFFFF)


def test_a_release_of_an_old_address_does_not_touch_the_new_one(world: DhcpWorld) -> None:
    world.dora()
    world.know(a_system(address="10.88.0.20"))
    world.dora(xid=8)
    world.ask(request(RELEASE, ciaddr=ADDRESS, server=SERVER))
    assert world.store.rows[ip("10.88.0.20")].state == "bound"
    assert world.answer(request(REQUEST, wanted=ip("10.88.0.20"))).kind == ACK


def test_D010_O02_a_bootp_client_does_not_get_its_reservation_while_another_client_has_it(world: DhcpWorld) -> None:
    world.dora(OTHER_MAC)
    world.know(a_system(address="10.88.0.100"))
    assert world.ask(request(0)) == []
    world.ask(request(RELEASE, mac=OTHER_MAC, ciaddr=ADDRESS, server=SERVER))
    assert world.answer(request(0)).packet.yiaddr == ADDRESS
