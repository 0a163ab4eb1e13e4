"""DHCP behind the real plugin host, and a server with two network cards."""

from __future__ import annotations

from ipaddress import IPv4Network

import pytest

from provd.model.subnet import Pool, Subnet
from tests.fakes.dhcp_world import ACK, NAK, RELAY, REQUEST, SERVER, DhcpWorld, ip, request
from tests.fakes.shipped_plugins import shipped

PXE = {60: b"PXEClient:Arch:00000:UNDI:002001", 93: b"\0\0"}
INFORMATION = b"\x01\x06labbr1"


@pytest.fixture
def world() -> DhcpWorld:
    return DhcpWorld(behind=shipped("relay"))


def test_a_relayed_boot_through_the_plugin_host(world: DhcpWorld) -> None:
    ack = world.dora(giaddr=RELAY, options={**PXE, 82: INFORMATION})
    assert (ack.kind, ack.packet.yiaddr, ack.packet.options[82]) == (ACK, ip("10.88.1.100"), INFORMATION)
    again = request(REQUEST, giaddr=RELAY, options={82: INFORMATION}, wanted=ip("10.88.1.109"), server=SERVER)
    refused = world.answer(again, unicast=True)
    assert (refused.kind, refused.packet.options[82]) == (NAK, INFORMATION)


def test_the_host_remembers_no_echo_of_another_client(world: DhcpWorld) -> None:
    for number in range(3):
        information = b"\x01\x01" + bytes((number,))
        mac = b"\x02" * 5 + bytes((number,))
        assert world.dora(mac, giaddr=RELAY, options={82: information}).packet.options[82] == information


def test_row_38_of_two_network_cards_each_has_its_own_siaddr_and_server_identifier(world: DhcpWorld) -> None:
    networks = [IPv4Network("10.90.0.0/24"), IPv4Network("10.91.0.0/24")]
    subnets = [Subnet(str(net), net, Pool(net[100], net[110])) for net in networks]
    world.service.reconfigure(subnets)
    for number, net in enumerate(networks):
        own = int(net[1])
        data = request(1, options=PXE, mac=b"\x02" * 5 + bytes((number,)))
        sent = world.answer(data, interface=f"eth{number}", local=own, addresses=(own,))
        assert (sent.interface, sent.local, sent.packet.siaddr) == (f"eth{number}", own, own)
        assert (sent.packet.yiaddr, sent.packet.options[54]) == (int(net[100]), own.to_bytes(4))
        assert sent.packet.options[66] == str(net[1]).encode()
