"""Reloading subnets loses no offer and no lease."""

from __future__ import annotations

from dataclasses import replace
from ipaddress import IPv4Network

import pytest

from provd.model.subnet import Pool
from provd.model.system import System
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
)

ADDRESS = ip("10.88.0.100")


@pytest.fixture
def world() -> DhcpWorld:
    return DhcpWorld()


def renewal(mac: bytes = MAC, ciaddr: int = ADDRESS, xid: int = 9) -> bytes:
    return request(REQUEST, mac=mac, ciaddr=ciaddr, xid=xid)


def test_a_reload_between_offer_and_request_keeps_the_offer(world: DhcpWorld) -> None:
    world.answer(request(DISCOVER))
    world.configure(lease_s=7200)
    ack = world.answer(request(REQUEST, wanted=ADDRESS, server=SERVER))
    assert (ack.kind, ack.packet.options[51]) == (ACK, (3600).to_bytes(4))


def test_a_reload_loses_no_lease_when_a_subnet_goes_and_comes_back_under_another_name(world: DhcpWorld) -> None:
    world.dora()
    first, *rest = world.subnets
    world.service.reconfigure(rest, own=(SERVER,))
    assert world.ask(renewal(), unicast=True) == []
    world.service.reconfigure((replace(first, name="renamed"), *rest), own=(SERVER,))
    assert world.answer(renewal(), unicast=True, source=ADDRESS).kind == ACK
    assert world.answer(request(DISCOVER, mac=OTHER_MAC, wanted=ADDRESS)).packet.yiaddr != ADDRESS


def test_a_lease_stored_for_a_subnet_that_comes_only_later_is_found(world: DhcpWorld) -> None:
    world.dora()
    first, *rest = world.subnets
    world.subnets = rest
    world.restart()
    world.service.reconfigure((first, *rest), own=(SERVER,))
    assert world.answer(request(REQUEST, wanted=ADDRESS)).kind == ACK


def test_a_subnet_that_keeps_its_name_and_gets_another_network_begins_anew_and_back_again(world: DhcpWorld) -> None:
    world.dora()
    first, *rest = world.subnets
    network = IPv4Network("10.77.0.0/24")
    moved = replace(first, network=network, pool=Pool(network[100], network[109]), routers=())
    world.service.reconfigure((moved, *rest), own=(SERVER,))
    assert world.answer(request(DISCOVER, mac=OTHER_MAC)).packet.yiaddr == ip("10.77.0.100")
    # The client asks for what it had: it is ours, and on a network that is not there any more.
    assert [sent.kind for sent in world.ask(request(REQUEST, wanted=ADDRESS, xid=2))] in ([NAK], [])
    world.service.reconfigure((first, *rest), own=(SERVER,))
    assert world.answer(renewal(xid=3), unicast=True, source=ADDRESS).kind == ACK


def test_what_a_system_has_is_its_running_lease(world: DhcpWorld) -> None:
    world.know(a_system())
    assert world.service.tables.leased_to(MAC) == 0
    world.dora()
    assert world.service.tables.leased_to(MAC) == ADDRESS
    world.ask(request(RELEASE, ciaddr=ADDRESS, server=SERVER))
    assert world.service.tables.leased_to(MAC) == 0


def test_a_system_that_changes_is_reserved_for_as_if_all_were_read_anew() -> None:
    """Whatever one change does, a whole reading of all systems gives the same offers."""
    names = ("a", "b", "c")
    followed, reread = DhcpWorld(), DhcpWorld()
    for world in (followed, reread):
        for number in range(3):
            world.dora(bytes((2, 0, 0, 0, 0, number)))
        world.pass_time(4000)
        world.service.expire()
    systems: dict[str, System] = {}
    for step in range(60):
        name, number = names[step % 3], step % 7
        address = ("", "10.88.0.100", "10.88.0.103", "10.88.0.55")[(step * 5) % 4]
        taken = {str(card.address) for one in systems.values() if one.name != name for card in one.interfaces}
        if step % 4 == 3 or address in taken:
            systems.pop(name, None)
        else:
            systems[name] = a_system(name, mac=bytes((2, 1, 0, 0, 0, number)), address=address)
        for world in (followed, reread):
            world.systems.all = list(systems.values())
        followed.service.follow(name, systems.get(name))
        reread.service.reserve(systems.values())
        mac = bytes((2, 2, 0, 0, 0, step))
        offers = [
            [sent.packet.yiaddr for sent in world.ask(request(DISCOVER, mac=mac, wanted=ip("10.88.0.100")))]
            for world in (followed, reread)
        ]
        assert offers[0] == offers[1], step
        for world in (followed, reread):
            world.pass_time(30)


def test_a_client_that_had_another_address_before_keeps_its_lease_when_its_subnet_is_renamed(world: DhcpWorld) -> None:
    had, has = ADDRESS, ip("10.88.0.105")
    world.dora()
    world.know(a_system(address="10.88.0.105"))
    world.dora(xid=8)
    world.know()
    first, *rest = world.subnets
    world.service.reconfigure((replace(first, name="renamed"), *rest), own=(SERVER,))
    assert world.answer(renewal(ciaddr=has, xid=10), unicast=True, source=has).kind == ACK
    assert world.answer(request(DISCOVER, xid=11, wanted=had)).packet.yiaddr == has


def test_two_systems_that_change_their_addresses_for_each_others_keep_both_reserved(world: DhcpWorld) -> None:
    macs = [bytes((2, 1, 0, 0, 0, number)) for number in range(2)]
    addresses = ["10.88.0.100", "10.88.0.101"]
    world.know(a_system("a", macs[0], addresses[0]), a_system("b", macs[1], addresses[1]))
    world.systems.all = [a_system("a", macs[0], addresses[1]), a_system("b", macs[1], addresses[0])]
    for system in world.systems.all:
        world.service.follow(system.name, system)
    for address in addresses:
        mac = bytes((2, 2, 0, 0, 0, ip(address) & 255))
        offer = world.answer(request(DISCOVER, mac=mac, wanted=ip(address)))
        assert offer.packet.yiaddr not in {ip(one) for one in addresses}
