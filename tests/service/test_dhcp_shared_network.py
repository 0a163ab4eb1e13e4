"""Shared networks: several subnets on one link or behind one relay (rule L09)."""

from __future__ import annotations

from dataclasses import replace
from ipaddress import IPv4Address

import pytest

from provd.model.subnet import Subnet
from tests.fakes.dhcp_world import (
    ACK,
    DECLINE,
    DISCOVER,
    FOREIGN,
    MAC,
    NAK,
    OFFER,
    OTHER_MAC,
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

MACS = [bytes((2, 0, 0, 0, 0, number)) for number in range(6)]


def on_link() -> tuple[Subnet, ...]:
    """Two subnets of two addresses on eth0; the server has an address in the first only."""
    first = replace(subnet(first=100, last=101), shared_network="floor")
    second = subnet("second", "10.89.0.0/24", first=100, last=101)
    return first, replace(second, shared_network="floor", routers=(IPv4Address("10.89.0.254"),))


@pytest.fixture
def world() -> DhcpWorld:
    return DhcpWorld(subnets=on_link())


def test_L09_addresses_come_from_the_next_subnet_when_one_is_exhausted(world: DhcpWorld) -> None:
    acks = [world.dora(mac).packet for mac in MACS[:4]]
    assert [str(IPv4Address(ack.yiaddr)) for ack in acks] == [
        "10.88.0.100",
        "10.88.0.101",
        "10.89.0.100",
        "10.89.0.101",
    ]
    assert world.ask(request(DISCOVER, mac=MACS[4])) == []
    assert world.service.counters.dropped["pool exhausted"] == 1


def test_L09_options_are_those_of_the_subnet_of_the_address(world: DhcpWorld) -> None:
    acks = [world.dora(mac).packet for mac in MACS[:3]]
    assert [ack.options[3] for ack in acks[1:]] == [
        IPv4Address("10.88.0.254").packed,
        IPv4Address("10.89.0.254").packed,
    ]
    assert acks[2].options[54] == SERVER.to_bytes(4)


def test_L09_a_client_keeps_its_address_in_whichever_subnet_it_is(world: DhcpWorld) -> None:
    for mac in MACS[:3]:
        world.dora(mac)
    (offer,) = world.ask(request(DISCOVER, mac=MACS[2], xid=9))
    assert str(IPv4Address(offer.packet.yiaddr)) == "10.89.0.100"
    (ack,) = world.ask(request(REQUEST, mac=MACS[2], wanted=ip("10.89.0.100")))
    assert ack.kind == ACK


def test_L09_a_wrong_address_is_judged_by_the_whole_network(world: DhcpWorld) -> None:
    for mac in MACS[:3]:
        world.dora(mac)
    for wanted in ("10.89.0.100", "10.99.0.1"):
        (nak,) = world.ask(request(REQUEST, mac=MACS[0], wanted=ip(wanted)))
        assert nak.kind == NAK
    (ack,) = world.ask(request(REQUEST, mac=MACS[0], wanted=ip("10.88.0.100")))
    assert ack.kind == ACK


def test_L09_a_stranger_with_an_address_of_another_subnet_of_the_network_is_no_stranger_to_the_link() -> None:
    """With authority an address of the second subnet is given, as it is one of this link; a foreign one is refused."""
    world = DhcpWorld(subnets=tuple(replace(one, authoritative=True) for one in on_link()))
    (ack,) = world.ask(request(REQUEST, mac=MACS[0], wanted=ip("10.89.0.101")))
    assert (ack.kind, ack.packet.yiaddr) == (ACK, ip("10.89.0.101"))
    (nak,) = world.ask(request(REQUEST, mac=MACS[1], wanted=ip("10.99.0.1")))
    assert nak.kind == NAK


def test_L09_the_wished_address_chooses_the_subnet(world: DhcpWorld) -> None:
    (offer,) = world.ask(request(DISCOVER, mac=MACS[0], wanted=ip("10.89.0.101")))
    assert offer.packet.yiaddr == ip("10.89.0.101")


def test_L09_a_reservation_in_any_of_them_is_honoured(world: DhcpWorld) -> None:
    world.know(a_system(mac=MAC, address="10.89.0.50"))
    (offer,) = world.ask(request(DISCOVER, mac=MAC))
    assert (offer.kind, offer.packet.yiaddr) == (OFFER, ip("10.89.0.50"))
    (other,) = world.ask(request(DISCOVER, mac=OTHER_MAC))
    assert other.packet.yiaddr == ip("10.88.0.100")


def test_L09_behind_a_relay_its_address_means_the_whole_network() -> None:
    near = replace(relayed_subnet(), shared_network="far")
    near = replace(near, pool=replace(near.pool, last=near.pool.first)) if near.pool else near
    more = replace(subnet("more", "10.90.0.0/24"), shared_network="far", server_address=IPv4Address("10.88.0.1"))
    world = DhcpWorld(subnets=(subnet(), near, more))
    first = world.dora(MACS[0], giaddr=RELAY)
    second = world.dora(MACS[1], giaddr=RELAY)
    assert (first.packet.yiaddr, second.packet.yiaddr) == (ip("10.88.1.100"), ip("10.90.0.100"))
    assert second.destination.address == RELAY


def test_L09_without_the_name_subnets_do_not_help_each_other() -> None:
    world = DhcpWorld(subnets=tuple(replace(one, shared_network="") for one in on_link()))
    for mac in MACS[:2]:
        world.dora(mac)
    assert world.ask(request(DISCOVER, mac=MACS[2])) == []


def test_L09_a_released_address_waits_for_its_client_before_a_new_one_of_another_subnet(world: DhcpWorld) -> None:
    for mac in MACS[:3]:
        world.dora(mac)
    world.ask(request(7, mac=MACS[2], ciaddr=ip("10.89.0.100"), server=SERVER), unicast=True)
    world.ask(request(7, mac=MACS[0], ciaddr=ip("10.88.0.100"), server=SERVER), unicast=True)
    (offer,) = world.ask(request(DISCOVER, mac=MACS[2], xid=8))
    assert offer.packet.yiaddr == ip("10.89.0.100")


def test_L09_a_reload_that_joins_subnets_loses_no_lease(world: DhcpWorld) -> None:
    apart = tuple(replace(one, shared_network="") for one in on_link())
    world = DhcpWorld(subnets=apart)
    world.dora(MACS[0])
    world.service.reconfigure(on_link(), own=(SERVER,))
    (ack,) = world.ask(request(REQUEST, mac=MACS[0], wanted=ip("10.88.0.100")))
    assert ack.kind == ACK


def test_L09_a_client_whose_address_is_reserved_for_another_now_moves_to_the_next_subnet(world: DhcpWorld) -> None:
    for mac in MACS[:2]:
        world.dora(mac)
    world.know(a_system(mac=MACS[4], address="10.88.0.100"))
    assert world.answer(request(REQUEST, mac=MACS[0], ciaddr=ip("10.88.0.100"))).kind == NAK
    assert world.dora(MACS[0], xid=9).packet.yiaddr == ip("10.89.0.100")
    assert world.answer(request(DISCOVER, mac=MACS[0], xid=10)).packet.yiaddr == ip("10.89.0.100")


def test_L09_X01_a_reservation_in_quarantine_does_not_tie_its_machine_to_a_full_subnet(world: DhcpWorld) -> None:
    for mac in MACS[:2]:
        world.dora(mac)
    world.know(a_system(mac=MACS[2], address="10.88.0.50"))
    world.dora(MACS[2])
    world.ask(request(DECLINE, mac=MACS[2], wanted=ip("10.88.0.50"), server=SERVER))
    assert world.answer(request(DISCOVER, mac=MACS[2], xid=9)).packet.yiaddr == ip("10.89.0.100")


@pytest.mark.parametrize("ask", ["rebind", "decline"])
def test_R09_X01_a_reservation_in_another_subnet_of_the_link_hides_no_lease(ask: str) -> None:
    """Two subnets on a link that nobody called a shared network."""
    first, second = subnet(), replace(subnet("second", "10.89.0.0/24"), interface="eth0")
    world, has = DhcpWorld(subnets=(first, second)), ip("10.89.0.100")
    assert world.dora(options={50: has.to_bytes(4)}).packet.yiaddr == has
    world.know(a_system(address="10.88.0.50"))
    if ask == "rebind":
        assert world.answer(request(REQUEST, ciaddr=has, xid=9)).kind == ACK
    else:
        world.ask(request(DECLINE, wanted=has, server=SERVER, xid=9))
        assert world.store.rows[has].state == "declined"
    assert world.answer(request(REQUEST, wanted=has, xid=10)).kind == NAK
    assert world.dora(xid=11).packet.yiaddr == ip("10.88.0.50")


def test_L09_R01_whoever_takes_another_servers_address_frees_our_offer_in_every_subnet(world: DhcpWorld) -> None:
    assert world.answer(request(DISCOVER, mac=MACS[0])).packet.yiaddr == ip("10.88.0.100")
    assert world.ask(request(REQUEST, mac=MACS[0], wanted=ip("10.89.0.180"), server=FOREIGN)) == []
    assert world.answer(request(DISCOVER, mac=MACS[1])).packet.yiaddr == ip("10.88.0.100")
