"""Floods of new clients, servers that stand by, and the word that a pool is empty."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.fakes.dhcp_world import (
    ACK,
    DISCOVER,
    MAC,
    OFFER,
    RELAY,
    REQUEST,
    SERVER,
    DhcpWorld,
    a_system,
    ip,
    relayed_subnet,
    request,
    subnet,
)  # fmt: skip

MACS = [bytes((2, 0, 0, 0, 0, number)) for number in range(8)]


def at_port(name: bytes) -> dict[int, bytes]:
    return {82: b"\1%c" % len(name) + name}


@pytest.fixture
def world() -> DhcpWorld:
    return DhcpWorld()


def limited(world: DhcpWorld, **limits: int) -> DhcpWorld:
    world.subnets = tuple(replace(one, **limits) for one in (subnet(), relayed_subnet()))  # type: ignore[arg-type]
    world.service.reconfigure(world.subnets, own=(SERVER,))
    return world


def test_I06_a_port_brings_so_many_new_clients_in_a_minute(world: DhcpWorld) -> None:
    limited(world, new_per_port=2)
    for mac in MACS[:2]:
        world.dora(mac, options=at_port(b"ge0/1"), giaddr=RELAY)
    assert world.ask(request(DISCOVER, mac=MACS[2], options=at_port(b"ge0/1"), giaddr=RELAY), unicast=True) == []
    assert world.service.counters.dropped["too many new clients of one port"] == 1
    world.dora(MACS[3], options=at_port(b"ge0/2"), giaddr=RELAY)
    world.pass_time(61)
    world.dora(MACS[2], options=at_port(b"ge0/1"), giaddr=RELAY)


def test_I06_a_subnet_takes_so_many_new_clients_in_a_minute(world: DhcpWorld) -> None:
    limited(world, new_per_subnet=2)
    for mac in MACS[:2]:
        world.dora(mac)
    assert world.ask(request(DISCOVER, mac=MACS[2])) == []
    assert world.service.counters.dropped["too many new clients of one subnet"] == 1


def test_I06_who_has_an_address_or_a_name_is_no_new_client(world: DhcpWorld) -> None:
    limited(world, new_per_subnet=1)
    world.dora(MACS[0])
    assert world.ask(request(DISCOVER, mac=MACS[1])) == []
    assert world.ask(request(DISCOVER, mac=MACS[0], xid=9))[0].kind == OFFER
    assert world.ask(request(REQUEST, mac=MACS[0], ciaddr=ip("10.88.0.100")), unicast=True)[0].kind == ACK
    world.know(a_system(mac=MAC))
    assert world.ask(request(DISCOVER, mac=MAC))[0].kind == OFFER


def test_I06_a_stranger_of_an_authoritative_server_counts_as_well(world: DhcpWorld) -> None:
    limited(world, new_per_subnet=1, authoritative=True)
    assert world.ask(request(REQUEST, mac=MACS[0], wanted=ip("10.88.0.103")))[0].kind == ACK
    assert world.ask(request(REQUEST, mac=MACS[1], wanted=ip("10.88.0.104"))) == []


def test_I06_a_flood_of_identities_leaves_the_pool_to_others(world: DhcpWorld) -> None:
    limited(world, new_per_port=3)
    for number in range(200):
        mac = bytes((2, 1, 0, 0, 0, number))
        world.ask(request(DISCOVER, mac=mac, options=at_port(b"bad"), giaddr=RELAY), unicast=True)
    world.dora(MACS[0], options=at_port(b"good"), giaddr=RELAY)


def test_row_58_a_server_that_stands_by_waits_for_the_clients_secs(world: DhcpWorld) -> None:
    limited(world, min_secs=4)
    assert world.ask(request(DISCOVER, mac=MAC, secs=3)) == []
    assert world.service.counters.dropped["another server answers first"] == 1
    (offer,) = world.ask(request(DISCOVER, mac=MAC, secs=4))
    (ack,) = world.ask(request(REQUEST, mac=MAC, wanted=offer.packet.yiaddr, server=SERVER))
    assert ack.kind == ACK


def test_row_58_an_offer_is_delayed_and_is_dropped_where_the_client_chose_another_server(world: DhcpWorld) -> None:
    limited(world, reply_delay_ms=250)
    assert world.ask(request(DISCOVER, mac=MACS[0])) == []
    assert world.ask(request(DISCOVER, mac=MACS[1])) == []
    (delay, first), (_, second) = world.waiting
    assert delay == 0.25
    first()
    assert [(sent.kind, sent.packet.chaddr[:6]) for sent in world.sent] == [(OFFER, MACS[0])]
    world.ask(request(REQUEST, mac=MACS[1], wanted=ip("10.88.0.222"), server=ip("10.88.0.9")))
    second()
    assert len(world.sent) == 1


def test_row_60_an_empty_pool_is_an_event_once_a_minute(world: DhcpWorld) -> None:
    world.configure(pool=None)
    for mac in MACS[:3]:
        assert world.ask(request(DISCOVER, mac=mac)) == []
    told = [(event.kind, event.fields["subnet"]) for event in world.events]
    assert told == [("dhcp.pool-exhausted", "lab")]
    world.pass_time(60)
    world.ask(request(DISCOVER, mac=MACS[0]))
    assert len(world.events) == 2
