"""Probes on the wire: what is sent, which answers count, and that sockets are open only while something is asked."""

from __future__ import annotations

import socket
from typing import cast

import pytest
from scapy.layers import inet, l2
from twisted.internet.interfaces import IReactorFDSet, IReadDescriptor
from twisted.internet.task import Clock

from provd.net.probe import AddressProber
from provd.net.probe_packets import arp_probe, arp_sender, echo_request, echo_sender
from provd.service.dhcp_probe import ARP, ICMP, Question

ADDRESS, LOCAL = 0x0A580064, 0x0A580001
MAC, OTHER = bytes.fromhex("525400880001"), bytes.fromhex("525400880077")
IDENTIFIER = 0x1234


def arp_reply(address: str) -> bytes:
    return bytes(l2.ARP(op=2, hwsrc=OTHER.hex(":"), psrc=address, hwdst=MAC.hex(":"), pdst="0.0.0.0"))


def echo_reply(address: str, identifier: int = IDENTIFIER) -> bytes:
    return bytes(inet.IP(src=address, dst="10.88.0.1") / inet.ICMP(type=0, id=identifier, seq=1))


class FakeSocket:
    """One raw socket on paper."""

    def __init__(self) -> None:
        self.sent: list[tuple[bytes, tuple[object, ...]]] = []
        self.waiting: list[bytes] = []
        self.problem: OSError | None = None
        self.open = True

    def fileno(self) -> int:
        return 99 if self.open else -1

    def close(self) -> None:
        self.open = False

    def getsockname(self) -> tuple[str, int, int, int, bytes]:
        return "lo", 0x0806, 0, 1, MAC

    def sendmsg(self, buffers: list[bytes], ancillary: list[object], flags: int, to: tuple[object, ...]) -> None:
        self.sendto(buffers[0], to)

    def sendto(self, packet: bytes, to: tuple[object, ...]) -> None:
        if self.problem is not None:
            raise self.problem
        self.sent.append((packet, to))

    def recv(self, _size: int) -> bytes:
        if not self.waiting:
            raise BlockingIOError
        return self.waiting.pop(0)


class FakeSockets:
    """The kernel on paper."""

    def __init__(self) -> None:
        self.made: dict[str, FakeSocket] = {}
        self.opened = 0
        self.refuse = False

    def icmp(self) -> socket.socket:
        return self.arp("")

    def arp(self, interface: str) -> socket.socket:
        if self.refuse:
            raise PermissionError(1, "Operation not permitted")
        self.opened += 1
        self.made[interface] = FakeSocket()
        return cast("socket.socket", self.made[interface])


class Network:
    """A prober with fakes around it; the loopback interface has an index everywhere."""

    def __init__(self) -> None:
        self.sockets, self.clock = FakeSockets(), Clock()
        self.readers: list[IReadDescriptor] = []
        self.prober = AddressProber(cast("IReactorFDSet", self), self.clock, self.sockets, IDENTIFIER)
        self.answers: list[str] = []

    def addReader(self, reader: IReadDescriptor) -> None:
        self.readers.append(reader)

    def removeReader(self, reader: IReadDescriptor) -> None:
        self.readers.remove(reader)

    def ask(self, *ways: str, address: int = ADDRESS, interface: str = "lo") -> None:
        self.prober.ask(Question(address, interface, LOCAL, frozenset(ways), 0.5), self.answers.append)

    def hear(self, name: str, packet: bytes) -> None:
        self.sockets.made[name].waiting.append(packet)
        for reader in list(self.readers):
            reader.doRead()


@pytest.fixture
def network() -> Network:
    return Network()


def test_an_arp_probe_speaks_for_nobody() -> None:
    packet = l2.ARP(arp_probe(MAC, ADDRESS))
    assert (packet.op, packet.hwsrc, packet.psrc, packet.pdst) == (1, MAC.hex(":"), "0.0.0.0", "10.88.0.100")


def test_an_echo_request_has_a_right_checksum() -> None:
    octets = echo_request(IDENTIFIER, 7)
    packet = inet.ICMP(octets)
    assert (packet.type, packet.id, packet.seq) == (8, IDENTIFIER, 7)
    again = inet.ICMP(type=8, id=IDENTIFIER, seq=7)
    assert bytes(again) == octets


@pytest.mark.parametrize(
    "packet", [b"", bytes(19), bytes(28), b"\x45" + bytes(20), b"\x4f" + bytes(27), b"\x60" + bytes(40)]
)
def test_rubbish_is_no_answer(packet: bytes) -> None:
    assert echo_sender(packet, IDENTIFIER) == 0
    assert arp_sender(packet) is None


@pytest.mark.parametrize("way", [ICMP, ARP])
def test_silence_means_free_and_closes_the_socket(network: Network, way: str) -> None:
    network.ask(way)
    assert network.answers == []
    network.clock.advance(0.5)
    assert network.answers == [""]
    assert network.readers == []
    assert [made.open for made in network.sockets.made.values()] == [False]


def test_row_55_a_host_that_answers_arp_is_heard(network: Network) -> None:
    network.ask(ICMP, ARP)
    network.hear("lo", arp_reply("10.88.0.100"))
    assert network.answers == [f"10.88.0.100 answered ARP from {OTHER.hex(':')}"]
    network.clock.advance(1)
    assert len(network.answers) == 1
    assert network.readers == []


def test_row_53_a_host_that_answers_echo_is_heard(network: Network) -> None:
    network.ask(ICMP)
    packet, to = network.sockets.made[""].sent[0]
    assert (inet.ICMP(packet).type, to) == (8, ("10.88.0.100", 0))
    network.hear("", echo_reply("10.88.0.100"))
    assert network.answers == ["10.88.0.100 answered ICMP echo"]


@pytest.mark.parametrize(
    ("name", "packet"),
    [
        ("lo", arp_reply("10.88.0.101")),
        ("lo", bytes(l2.ARP(op=1, psrc="0.0.0.0", pdst="10.88.0.100", hwsrc=OTHER.hex(":")))),
        ("", echo_reply("10.88.0.101")),
        ("", echo_reply("10.88.0.100", 1)),
        ("", bytes(inet.IP(src="10.88.0.100") / inet.ICMP(type=8, id=IDENTIFIER))),
    ],
)
def test_answers_of_others_do_not_count(network: Network, name: str, packet: bytes) -> None:
    network.ask(ICMP, ARP)
    network.hear(name, packet)
    assert network.answers == []


def test_questions_share_a_socket_until_the_last_is_answered(network: Network) -> None:
    network.ask(ICMP)
    network.ask(ICMP, address=ADDRESS + 1)
    network.hear("", echo_reply("10.88.0.101"))
    assert (network.sockets.opened, len(network.readers)) == (1, 1)
    network.hear("", echo_reply("10.88.0.100"))
    assert network.readers == []


@pytest.mark.parametrize("spoil", ["refuse", "send"])
def test_an_address_that_cannot_be_asked_for_counts_as_free(network: Network, spoil: str) -> None:
    network.sockets.refuse = spoil == "refuse"
    if spoil == "send":
        network.ask(ICMP, address=ADDRESS + 1)
        network.sockets.made[""].problem = OSError(113, "No route to host")
    network.ask(ICMP)
    network.clock.advance(0.5)
    assert network.answers[-1] == ""


def test_stop_closes_everything_and_calls_nobody(network: Network) -> None:
    network.ask(ICMP, ARP)
    network.prober.stop()
    network.clock.advance(1)
    assert (network.answers, network.readers) == ([], [])
