"""Where replies go and what they are called: rules A01 to A12 (RFC 2131 section 4.1)."""

from __future__ import annotations

from dataclasses import replace
from ipaddress import IPv4Address, IPv4Network

import pytest

from provd.model.subnet import Pool, Subnet
from tests.fakes.dhcp_world import (
    ACK,
    DISCOVER,
    INFORM,
    MAC,
    NAK,
    OFFER,
    RELAY,
    REQUEST,
    SERVER,
    DhcpWorld,
    Sent,
    a_system,
    ip,
    request,
    subnet,
)

ADDRESS = ip("10.88.0.100")
FAR = ip("10.88.1.100")
BROADCAST = 0xFFFFFFFF
FLAG = 0x8000


@pytest.fixture
def world() -> DhcpWorld:
    return DhcpWorld()


def where(sent: Sent) -> tuple[int, int, bytes]:
    return sent.destination.address, sent.destination.port, sent.destination.mac


@pytest.mark.parametrize("flags", [0, FLAG])
def test_A01_through_a_relay_to_giaddr_port_67(world: DhcpWorld, flags: int) -> None:
    sent = world.answer(request(DISCOVER, giaddr=RELAY, flags=flags), unicast=True, source=ip("10.77.0.1"))
    assert (sent.kind, where(sent)) == (OFFER, (RELAY, 67, b""))


def test_A02_a_client_with_an_address_is_answered_there(world: DhcpWorld) -> None:
    world.dora()
    sent = world.answer(request(REQUEST, ciaddr=ADDRESS, flags=FLAG), unicast=True, source=ADDRESS)
    assert (sent.kind, where(sent)) == (ACK, (ADDRESS, 68, b""))


def test_A03_with_the_broadcast_flag_by_broadcast(world: DhcpWorld) -> None:
    assert where(world.answer(request(DISCOVER, flags=FLAG))) == (BROADCAST, 68, b"")


def test_A04_without_it_to_the_hardware_address_and_yiaddr(world: DhcpWorld) -> None:
    assert where(world.answer(request(DISCOVER))) == (ADDRESS, 68, MAC)


def test_A05_a_nak_on_the_link_is_broadcast_always(world: DhcpWorld) -> None:
    world.dora()
    sent = world.answer(request(REQUEST, ciaddr=ip("10.88.0.105")), unicast=True, source=ip("10.88.0.105"))
    assert (sent.kind, where(sent)) == (NAK, (BROADCAST, 68, b""))


def test_A06_a_nak_through_a_relay_makes_the_relay_broadcast(world: DhcpWorld) -> None:
    sent = world.answer(request(REQUEST, giaddr=RELAY, wanted=FAR, server=SERVER), unicast=True)
    assert (sent.kind, where(sent), sent.packet.flags) == (NAK, (RELAY, 67, b""), FLAG)


@pytest.mark.parametrize("own", [0, ip("10.88.1.50")])
def test_A06_an_answer_without_an_address_makes_the_relay_broadcast(world: DhcpWorld, own: int) -> None:
    sent = world.answer(request(INFORM, ciaddr=own, giaddr=RELAY), unicast=True, source=RELAY)
    assert (sent.kind, where(sent), sent.packet.ciaddr) == (ACK, (RELAY, 67, b""), own)
    assert (sent.packet.yiaddr, sent.packet.flags) == (0, FLAG)


def test_A06_an_answer_with_an_address_leaves_the_choice_to_the_client(world: DhcpWorld) -> None:
    offer = world.answer(request(DISCOVER, giaddr=RELAY), unicast=True)
    assert (offer.packet.yiaddr, offer.packet.flags) == (FAR, 0)


def test_A07_an_inform_is_answered_to_ciaddr(world: DhcpWorld) -> None:
    sent = world.answer(request(INFORM, ciaddr=ip("10.88.0.50"), flags=FLAG))
    assert (sent.kind, where(sent)) == (ACK, (ip("10.88.0.50"), 68, b""))


def test_A08_an_inform_without_ciaddr_is_answered_to_its_source_or_dropped(world: DhcpWorld) -> None:
    assert where(world.answer(request(INFORM), source=ip("10.88.0.50")))[0] == ip("10.88.0.50")
    assert world.ask(request(INFORM)) == []


def test_A09_option_54_and_the_source_are_the_receiving_interfaces_address(world: DhcpWorld) -> None:
    second = Subnet("second", IPv4Network("10.89.0.0/24"), Pool(IPv4Address("10.89.0.9"), IPv4Address("10.89.0.9")))
    world.service.reconfigure((*world.subnets, second), own=())
    other = ip("10.89.0.1")
    sent = world.answer(request(DISCOVER), interface="eth1", local=other, addresses=(other,))
    assert (sent.packet.yiaddr, sent.packet.options[54], sent.local) == (ip("10.89.0.9"), other.to_bytes(4), other)


def test_A09_of_two_addresses_the_one_in_the_clients_subnet(world: DhcpWorld) -> None:
    other = ip("10.77.0.1")
    sent = world.answer(request(DISCOVER), local=other, addresses=(other, SERVER))
    assert (sent.packet.options[54], sent.local) == (SERVER.to_bytes(4), SERVER)


def test_A09_of_two_addresses_the_one_that_was_asked(world: DhcpWorld) -> None:
    world.dora()
    second = ip("10.88.0.2")
    data = request(REQUEST, ciaddr=ADDRESS)
    sent = world.answer(data, local=second, addresses=(SERVER, second), unicast=True, source=ADDRESS)
    assert (sent.packet.options[54], sent.local) == (second.to_bytes(4), second)


def test_A09_two_subnets_on_one_interface_with_two_addresses(world: DhcpWorld) -> None:
    lab = replace(subnet(), interface="")
    other = replace(subnet("other", "10.89.0.0/24"), interface="")
    world.subnets = (lab, other)
    world.service.reconfigure(world.subnets, own=())
    world.know(a_system(address="10.89.0.20"))
    here = (SERVER, ip("10.89.0.1"))
    sent = world.answer(request(DISCOVER), addresses=here)
    assert (sent.packet.yiaddr, sent.packet.options[54], sent.local) == (ip("10.89.0.20"), here[1].to_bytes(4), here[1])


def test_an_interface_without_an_address_is_not_answered_for(world: DhcpWorld) -> None:
    assert world.ask(request(DISCOVER), local=0, addresses=()) == []
    assert world.service.counters.dropped["interface without an address"] == 1


def test_A10_the_answer_leaves_by_the_interface_the_request_came_in(world: DhcpWorld) -> None:
    world.configure(interface="")
    for name in ("eth0", "eth1"):
        sent = world.answer(request(DISCOVER, mac=name.encode().ljust(6, b"\x02")), interface=name)
        assert sent.interface == name


def test_row_7_a_packet_on_an_interface_without_a_subnet_is_not_answered(world: DhcpWorld) -> None:
    assert world.ask(request(DISCOVER), interface="eth9", local=ip("10.77.0.1"), addresses=(ip("10.77.0.1"),)) == []


def test_A11_link_selection_changes_the_subnet_and_not_the_way_back(world: DhcpWorld) -> None:
    information = bytes([5, 4]) + ip("10.88.1.0").to_bytes(4)
    sent = world.answer(request(DISCOVER, giaddr=ip("10.99.0.1"), options={82: information}), unicast=True)
    assert (sent.packet.yiaddr, where(sent)) == (FAR, (ip("10.99.0.1"), 67, b""))


def test_A12_the_relays_server_identifier_is_used_and_accepted(world: DhcpWorld) -> None:
    override = ip("10.88.1.2")
    information = bytes([11, 4]) + override.to_bytes(4)
    offer = world.answer(request(DISCOVER, giaddr=RELAY, options={82: information}), unicast=True)
    assert offer.packet.options[54] == override.to_bytes(4)
    data = request(REQUEST, giaddr=RELAY, options={82: information}, wanted=FAR, server=override)
    ack = world.answer(data, unicast=True)
    assert (ack.kind, ack.packet.options[54]) == (ACK, override.to_bytes(4))


def test_row_38_relayed_clients_are_told_the_configured_server_address(world: DhcpWorld) -> None:
    world.subnets = (world.subnets[0], replace(world.subnets[1], server_address=IPv4Address("10.70.0.7")))
    world.service.reconfigure(world.subnets, own=(SERVER,))
    data = request(DISCOVER, giaddr=RELAY, options={60: b"PXEClient"})
    sent = world.answer(data, unicast=True)
    assert (sent.packet.siaddr, sent.packet.options[66]) == (ip("10.70.0.7"), b"10.70.0.7")
    assert sent.local == SERVER
