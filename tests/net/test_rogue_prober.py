"""Questions to links: lengths are checked before they are believed, and sockets are open only while answers may come."""

from __future__ import annotations

from typing import cast

import pytest
from hypothesis import given
from hypothesis import strategies as st
from twisted.internet.interfaces import IReactorFDSet, IReadDescriptor
from twisted.internet.task import Clock

from provd.core.rogue import Sighting
from provd.net.rawsocket import udp_payload
from provd.net.rogue import RogueProber
from provd.wire.ipv4_udp import ip_udp_packet

SEEN = Sighting("eth0", 0x0A5800FE)
PACKET = ip_udp_packet(b"payload!", 0x0A5800FE, 67, 0xFFFFFFFF, 68)


def with_octets(at: int, octets: bytes) -> bytes:
    return PACKET[:at] + octets + PACKET[at + len(octets) :]


def test_the_payload_of_a_whole_datagram() -> None:
    assert udp_payload(PACKET, 68) == (0x0A5800FE, b"payload!")
    # Ethernet pads short frames.
    assert udp_payload(PACKET + bytes(20), 68) == (0x0A5800FE, b"payload!")


@pytest.mark.parametrize(
    "packet",
    [
        b"",
        PACKET[:19],
        PACKET[:27],
        PACKET[:-1],
        with_octets(0, b"\x65"),
        with_octets(0, b"\x44"),
        with_octets(0, b"\x4f"),
        with_octets(2, b"\xff\xff"),
        with_octets(2, b"\x00\x10"),
        with_octets(6, b"\x20\x00"),
        with_octets(6, b"\x00\x01"),
        with_octets(9, b"\x06"),
        with_octets(22, b"\x00\x43"),
        with_octets(24, b"\x00\x07"),
        with_octets(24, b"\xff\xff"),
    ],
    ids=[
        *(
            "empty",
            "short IP",
            "short UDP",
            "cut",
            "version 6",
            "header too short",
            "header too long",
            "total too long",
        ),
        *(
            "total too short",
            "more fragments",
            "a later fragment",
            "TCP",
            "another port",
            "UDP too short",
            "UDP too long",
        ),
    ],
)
def test_C23_lengths_are_checked_against_each_other(packet: bytes) -> None:
    assert udp_payload(packet, 68) is None


@given(st.binary(max_size=80), st.integers(0, 40))
def test_C23_no_octets_are_a_fault(octets: bytes, at: int) -> None:
    for packet in (octets, with_octets(at, octets), PACKET[:at]):
        found = udp_payload(packet, 68)
        assert found is None or len(found[1]) <= len(packet) - 28


class FakeLink:
    """A link on paper."""

    def __init__(self, network: Network, name: str) -> None:
        self.network, self.name = network, name
        self.asked = 0
        self.open = True
        self.waiting: list[Sighting] = []

    def ask(self) -> None:
        self.asked += 1
        if self.name == "down":
            raise OSError(100, "Network is down")

    def answers(self) -> list[Sighting]:
        found, self.waiting = self.waiting, []
        return found

    def fileno(self) -> int:
        return 7 if self.open else -1

    def close(self) -> None:
        self.open = False


class Network:
    """Reactor and kernel on paper."""

    def __init__(self) -> None:
        self.readers: list[IReadDescriptor] = []
        self.links: list[FakeLink] = []
        self.clock = Clock()
        self.heard: list[Sighting] = []
        self.over = 0
        self.prober = RogueProber(cast("IReactorFDSet", self), self.clock, self.open_link)

    def addReader(self, reader: IReadDescriptor) -> None:
        self.readers.append(reader)

    def removeReader(self, reader: IReadDescriptor) -> None:
        self.readers.remove(reader)

    def open_link(self, name: str) -> FakeLink:
        if name == "closed":
            raise PermissionError(1, "Operation not permitted")
        self.links.append(FakeLink(self, name))
        return self.links[-1]

    def ask(self, *names: str) -> tuple[str, ...]:
        def done() -> None:
            self.over += 1

        return self.prober.ask(names, 3.0, self.heard.append, done)


def test_row_39_a_link_is_open_while_answers_may_come() -> None:
    network = Network()
    assert network.ask("eth0") == ("eth0",)
    (link,) = network.links
    link.waiting = [SEEN]
    network.readers[0].doRead()
    assert (network.heard, link.asked, link.open, network.over) == ([SEEN], 1, True, 0)
    network.clock.advance(3.0)
    assert (link.open, network.readers, network.over) == (False, [], 1)


def test_row_39_an_interface_that_cannot_be_asked_does_not_stop_the_others() -> None:
    network = Network()
    assert network.ask("closed", "down", "eth0") == ("down", "eth0")
    assert [link.asked for link in network.links] == [1, 1]


def test_row_39_an_interface_that_cannot_be_asked_is_complained_of_once() -> None:
    network = Network()
    for _ in range(3):
        network.ask("closed")
        network.clock.advance(3.0)
    assert network.over == 3
    assert len(network.prober._refused) == 1


def test_row_39_stopping_closes_everything() -> None:
    network = Network()
    network.ask("eth0")
    network.prober.stop()
    assert not network.links[0].open
    network.clock.advance(3.0)
    assert network.readers == []
