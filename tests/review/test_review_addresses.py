"""Who an address belongs to when leases move between machines: nobody gets another machine's configuration."""

from __future__ import annotations

from dataclasses import replace
from ipaddress import IPv4Address
from pathlib import Path

import pytest

from provd.model.client import ClientFacts
from provd.model.content import Content, NotFound
from provd.model.dhcp import DhcpRequest
from provd.model.mac import Mac
from provd.service.boot_dhcp import BootDhcp
from provd.wire.codes import MessageType
from provd.wire.packet import DhcpPacket
from tests.fakes.boot_world import ADDRESS, FIRMWARE, MAC, SENDING, BootWorld

CONFIG = "fake.cfg/default"
OTHER = Mac.parse("52:54:00:00:00:02")
SECOND = "10.0.0.11"


@pytest.fixture
def world(tmp_path: Path) -> BootWorld:
    return BootWorld(tmp_path)


def seen(world: BootWorld, client: ClientFacts, address: str, kind: MessageType = MessageType.REQUEST) -> None:
    """An ACK that left, as the DHCP service tells of it."""
    chaddr = client.mac.octets.ljust(16, b"\0")
    packet = DhcpPacket(1, 1, 6, 0, 1, 0, 0, 0, 0, 0, 0, chaddr, b"", b"", {53: bytes([kind])})
    request = DhcpRequest(packet, client, "eth0", int(IPv4Address("10.0.0.1")), 0, 68, world.now)
    BootDhcp(world.director, world.sessions, 80, world.wall).seen(
        "dhcp.ack", request, None, int(IPv4Address(address)), {}
    )


def test_a_machine_that_gets_its_old_address_back_is_itself_again(world: BootWorld) -> None:
    one = world.discover()
    other = world.director.discover(replace(FIRMWARE, mac=OTHER), None, SENDING)
    world.sessions.lease(other, ADDRESS)
    world.sessions.lease(one, ADDRESS)
    assert world.sessions.of_address(ADDRESS) is one


def test_an_address_that_another_machine_took_and_left_finds_its_new_holder(world: BootWorld) -> None:
    one = world.discover()
    other = world.director.discover(replace(FIRMWARE, mac=OTHER), None, SENDING)
    world.sessions.lease(other, ADDRESS)
    world.sessions.lease(other, SECOND)
    world.sessions.lease(one, ADDRESS)
    assert world.sessions.of_address(ADDRESS) is one


def test_a_plain_client_with_the_address_of_a_dead_machine_gets_no_token(world: BootWorld) -> None:
    world.discover()
    assert "answer/" in world.text(CONFIG)
    seen(world, ClientFacts(mac=OTHER), ADDRESS)
    answer = world.get(CONFIG)
    assert isinstance(answer, NotFound), answer


def test_an_inform_takes_nobodys_address(world: BootWorld) -> None:
    one = world.discover()
    liar = replace(FIRMWARE, mac=OTHER)
    world.director.discover(liar, None, SENDING)
    seen(world, liar, ADDRESS, MessageType.INFORM)
    assert world.sessions.of_address(ADDRESS) is one


def test_a_machine_whose_lease_moved_in_the_middle_of_a_boot_goes_on(world: BootWorld) -> None:
    world.discover()
    before = world.text(CONFIG)
    seen(world, ClientFacts(mac=MAC), SECOND)
    after = world.get(CONFIG, peer=SECOND)
    assert isinstance(after, Content), after
    assert after.body == before.encode()


def test_a_machine_that_left_memory_takes_nobody_elses_address_with_it(
    world: BootWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("provd.service.sessions.LIVE_SESSIONS", 2)
    world.discover()
    other = world.director.discover(replace(FIRMWARE, mac=OTHER), None, SENDING)
    world.sessions.lease(other, ADDRESS)
    third = replace(FIRMWARE, mac=Mac.parse("52:54:00:00:00:03"))
    world.director.discover(third, None, SENDING)
    assert world.sessions.of_mac(str(MAC)) is None
    assert world.sessions.of_address(ADDRESS) is other
