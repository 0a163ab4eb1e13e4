"""Machines are woken by packets to the networks that their cards are in."""

from __future__ import annotations

import errno
import socket
from dataclasses import replace
from ipaddress import IPv4Network
from pathlib import Path
from typing import Any

import msgspec
import pytest

from provd.model.mac import Mac
from provd.model.subnet import Subnet
from provd.model.system import Interface, System
from provd.net.wake import broadcast
from provd.service.operations import OperationError, plain
from provd.service.operations_wake import WakeOperation
from provd.service.system_edits import Edit
from provd.wire.magic_packet import magic_packet
from tests.fakes.simulated_server import SimulatedServer

FIRST, SECOND = Mac.parse("52:54:00:00:00:01"), Mac.parse("52:54:00:00:00:02")


class World:
    """Two networks and one that has no broadcast address; packets are kept, or refused."""

    def __init__(self, root: Path) -> None:
        services = SimulatedServer(root).services
        services.systems.make(Edit("", System("web1", "", (Interface("eth0", FIRST), Interface("eth1", SECOND)))))
        self.sent: list[tuple[bytes, str, int]] = []
        self.broken: set[str] = set()
        self.addresses = {FIRST.octets: "10.1.0.7"}
        self.subnets = [
            Subnet("a", IPv4Network("10.1.0.0/24")),
            Subnet("b", IPv4Network("10.2.0.0/23")),
            Subnet("link", IPv4Network("10.3.0.0/31")),
        ]
        made = WakeOperation(services.systems, lambda: self.subnets, lambda mac: self.addresses.get(mac, ""), self.send)
        (self.operation,) = made.operations()

    def send(self, data: bytes, address: str, port: int) -> None:
        if address in self.broken:
            raise OSError(errno.ENETUNREACH, "Network is unreachable")
        self.sent.append((data, address, port))

    def wake(self, name: str = "web1", **arguments: object) -> Any:
        return plain(self.operation.run(msgspec.convert({"name": name, **arguments}, self.operation.arguments)))


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


def test_a_packet_is_six_octets_of_255_and_the_address_sixteen_times() -> None:
    packet = magic_packet(FIRST.octets)
    assert len(packet) == 102
    assert packet[:6] == b"\xff" * 6
    assert {packet[at : at + 6] for at in range(6, 102, 6)} == {FIRST.octets}
    with pytest.raises(ValueError, match="6 octets, not 8"):
        magic_packet(b"12345678")


def test_a_card_is_woken_in_its_own_network_and_one_without_an_address_in_every_one(world: World) -> None:
    rows = world.wake()
    assert [(row["interface"], row["subnet"], row["broadcast"]) for row in rows] == [
        ("eth0", "a", "10.1.0.255"),
        ("eth1", "a", "10.1.0.255"),
        ("eth1", "b", "10.2.1.255"),
    ]
    assert world.sent == [
        (magic_packet(FIRST.octets), "10.1.0.255", 9),
        (magic_packet(SECOND.octets), "10.1.0.255", 9),
        (magic_packet(SECOND.octets), "10.2.1.255", 9),
    ]


def test_one_card_and_another_port(world: World) -> None:
    world.wake(interface="eth0", port=7)
    assert world.sent == [(magic_packet(FIRST.octets), "10.1.0.255", 7)]


def test_a_dry_run_sends_nothing(world: World) -> None:
    assert len(world.wake(dry_run=True)) == 3
    assert world.sent == []


def test_a_network_without_a_way_is_told_and_the_others_get_theirs(world: World) -> None:
    world.broken.add("10.2.1.255")
    assert [row["error"] for row in world.wake()] == ["", "", "10.2.1.255: Network is unreachable"]
    world.broken.add("10.1.0.255")
    with pytest.raises(OperationError, match=r"no packet could be sent: 10\.1\.0\.255: Network is unreachable"):
        world.wake()


def test_wrong_names_say_what_there_is(world: World) -> None:
    with pytest.raises(OperationError, match="there is no system nobody"):
        world.wake("nobody")
    with pytest.raises(OperationError, match="no interface eth9; it has eth0, eth1"):
        world.wake(interface="eth9")
    world.subnets = [replace(world.subnets[2])]
    with pytest.raises(OperationError, match="no subnet with a broadcast address"):
        world.wake()


def test_the_packet_reaches_a_socket_of_the_network() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as listener:
        listener.settimeout(5)
        listener.bind(("127.255.255.255", 0))
        broadcast(magic_packet(FIRST.octets), "127.255.255.255", listener.getsockname()[1])
        assert listener.recv(2000) == magic_packet(FIRST.octets)
