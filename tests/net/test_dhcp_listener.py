"""Sockets: which answer leaves by which way, interfaces that come and go, octets over loopback."""

from __future__ import annotations

import resource
import socket
import struct
from collections.abc import Callable
from contextlib import closing
from typing import Any, cast

import pytest
import pytest_twisted
from scapy.layers.inet import IP, UDP
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IReactorFDSet, IReadDescriptor
from twisted.internet.task import Clock, deferLater
from twisted.python.failure import Failure

from provd.model.dhcp import Destination
from provd.net.dhcp import DhcpListener
from provd.net.dhcp_kernel import Link, LinuxKernel, RawOutput
from provd.service.dhcp_ports import Arrival
from provd.wire.ipv4_udp import checksum, ip_udp_packet

LOCAL = 0x0A580001
CLIENT = 0x0A580064
MAC = bytes.fromhex("525400880011")
EVERYBODY = 0xFFFFFFFF


class FakeSocket:
    """Remembers what was sent; hands out what was put in."""

    def __init__(self) -> None:
        self.sent: list[tuple[bytes, str, int, str]] = []
        self.waiting: list[tuple[bytes, str, str, tuple[str, int]]] = []
        self.problem: OSError | None = None
        self.closed = False

    def fileno(self) -> int:
        return 99

    def close(self) -> None:
        self.closed = True

    def getsockname(self) -> tuple[str, int]:
        return "0.0.0.0", 67

    def sendmsg(self, buffers: list[bytes], ancillary: list[Any], flags: int, address: tuple[str, int]) -> int:
        if self.problem is not None:
            raise self.problem
        _, local, _ = struct.unpack("=i4s4s", ancillary[0][2])
        self.sent.append((buffers[0], *address, socket.inet_ntoa(local)))
        return len(buffers[0])

    def recvmsg(self, size: int, space: int) -> tuple[bytes, list[Any], int, tuple[str, int]]:
        if not self.waiting:
            raise BlockingIOError
        data, local, destination, peer = self.waiting.pop(0)
        info = struct.pack("=i4s4s", 2, socket.inet_aton(local), socket.inet_aton(destination))
        return data, [(socket.IPPROTO_IP, 8, info)], 0, peer


class FakeRaw:
    """An AF_PACKET socket on paper."""

    def __init__(self) -> None:
        self.sent: list[tuple[str, bytes, bytes]] = []
        self.problem: OSError | None = None
        self.turns: list[str] = []

    def send(self, interface: str, index: int, packet: bytes, mac: bytes, failed: Callable[[str], None]) -> None:
        if self.problem is not None:
            raise self.problem
        self.sent.append((interface, packet, mac))

    def hold(self) -> None:
        self.turns.append("hold")

    def flush(self) -> None:
        self.turns.append("flush")

    def close(self) -> None:
        self.sent = []


class FakeKernel:
    """Links that tests add and remove."""

    def __init__(self) -> None:
        self.links: dict[str, Link] = {"eth0": Link("eth0", 2, 1500, (LOCAL,))}
        self.sockets: list[FakeSocket] = []
        self.packets = FakeRaw()
        self.may_raw = True
        self.problem: OSError | None = None

    def link(self, name: str) -> Link | None:
        return self.links.get(name)

    def udp(self, link: Link, port: int) -> socket.socket:
        if self.problem is not None:
            raise self.problem
        self.sockets.append(FakeSocket())
        return cast("socket.socket", self.sockets[-1])

    def batch(self, sock: socket.socket) -> None:
        """These sockets are no descriptors."""

    def raw(self, soon: Callable[[Callable[[], None]], object]) -> RawOutput:
        if not self.may_raw:
            raise PermissionError(1, "Operation not permitted")
        return self.packets

    def close(self) -> None:
        self.links = {}


class FakeReactor:
    """Remembers readers."""

    def __init__(self) -> None:
        self.readers: list[IReadDescriptor] = []

    def addReader(self, reader: IReadDescriptor) -> None:
        self.readers.append(reader)

    def removeReader(self, reader: IReadDescriptor) -> None:
        self.readers.remove(reader)


class Host:
    """A listener on fakes."""

    def __init__(self, *names: str) -> None:
        self.kernel = FakeKernel()
        self.reactor = FakeReactor()
        self.clock = Clock()
        self.received: list[tuple[bytes, Arrival]] = []
        self.changes = 0
        self.problem: Exception | None = None
        self.listener = DhcpListener(
            cast("IReactorFDSet", self.reactor),
            self.clock,
            names or ("eth0",),
            lambda data, arrival: self.received.append((data, arrival)),
            changed=self.changed,
            kernel=self.kernel,
        )

    def changed(self) -> None:
        self.changes += 1
        if self.problem is not None:
            raise self.problem


@pytest.fixture
def host() -> Host:
    host = Host()
    host.listener.start()
    return host


def test_A04_an_address_with_a_mac_goes_out_raw_from_port_67_to_68(host: Host) -> None:
    host.listener.send("eth0", b"offer", Destination(CLIENT, 68, MAC), LOCAL)
    ((interface, packet, mac),) = host.kernel.packets.sent
    assert (interface, mac) == ("eth0", MAC)
    parsed = IP(packet)
    assert (parsed.src, parsed.dst, parsed[UDP].sport, parsed[UDP].dport) == ("10.88.0.1", "10.88.0.100", 67, 68)
    assert bytes(parsed[UDP].payload) == b"offer"
    assert host.kernel.sockets[0].sent == []


def test_A04_broadcast_where_raw_is_not_allowed() -> None:
    host = Host()
    host.kernel.may_raw = False
    host.listener.start()
    host.listener.send("eth0", b"offer", Destination(CLIENT, 68, MAC), LOCAL)
    assert host.kernel.sockets[0].sent == [(b"offer", "255.255.255.255", 68, "10.88.0.1")]


def test_A04_broadcast_where_raw_does_not_work(host: Host) -> None:
    host.kernel.packets.problem = OSError(100, "Network is down")
    host.listener.send("eth0", b"offer", Destination(CLIENT, 68, MAC), LOCAL)
    assert host.kernel.sockets[0].sent == [(b"offer", "255.255.255.255", 68, "10.88.0.1")]


@pytest.mark.parametrize(
    ("destination", "to"), [(Destination(EVERYBODY, 68), "255.255.255.255"), (Destination(0x0A580101, 67), "10.88.1.1")]
)
def test_A01_A03_broadcasts_and_relays_are_answered_from_the_chosen_address(
    host: Host, destination: Destination, to: str
) -> None:
    host.listener.send("eth0", b"offer", destination, 0x0A580002)
    assert host.kernel.sockets[0].sent == [(b"offer", to, destination.port, "10.88.0.2")]


def test_A10_the_answer_leaves_by_the_interface_of_the_request() -> None:
    host = Host("eth0", "eth1")
    host.kernel.links["eth1"] = Link("eth1", 3, 1500, (0x0A590001,))
    host.listener.start()
    host.listener.send("eth1", b"offer", Destination(EVERYBODY, 68), 0x0A590001)
    assert [len(sock.sent) for sock in host.kernel.sockets] == [0, 1]


def test_a_reply_that_cannot_leave_is_counted_and_no_exception(host: Host) -> None:
    host.kernel.sockets[0].problem = OSError(101, "Network is unreachable")
    host.listener.send("eth0", b"offer", Destination(EVERYBODY, 68), LOCAL)
    host.listener.send("eth7", b"offer", Destination(EVERYBODY, 68), LOCAL)
    assert host.listener.unsent == 2


def test_one_wake_takes_every_datagram_that_waits(host: Host) -> None:
    peer = ("0.0.0.0", 68)
    host.kernel.sockets[0].waiting = [(bytes([n]), "10.88.0.1", "255.255.255.255", peer) for n in range(100)]
    host.reactor.readers[0].doRead()
    assert [data[0] for data, _ in host.received] == list(range(100))


def test_a_datagram_knows_how_it_came(host: Host) -> None:
    host.kernel.sockets[0].waiting = [
        (b"broadcast", "10.88.0.1", "255.255.255.255", ("0.0.0.0", 68)),
        (b"unicast", "10.88.0.2", "10.88.0.2", ("10.88.0.100", 6800)),
    ]
    host.reactor.readers[0].doRead()
    (_, first), (_, second) = host.received
    assert first == Arrival("eth0", LOCAL, 0, 68, unicast=False, addresses=(LOCAL,), mtu=1500)
    assert (second.local, second.source, second.source_port, second.unicast) == (0x0A580002, CLIENT, 6800, True)


def test_an_interface_that_appears_later_is_bound(host: Host) -> None:
    host.listener.use(["eth0", "eth1"])
    assert "eth1" not in host.listener.bound
    host.kernel.links["eth1"] = Link("eth1", 3, 9000, (0x0A590001,))
    host.clock.advance(1)
    assert host.listener.bound == ("eth0", "eth1")
    assert host.listener.addresses == {LOCAL, 0x0A590001}
    assert host.changes == 2


def test_an_interface_made_anew_is_bound_again(host: Host) -> None:
    host.kernel.links["eth0"] = Link("eth0", 9, 1500, (LOCAL,))
    host.clock.advance(1)
    assert [sock.closed for sock in host.kernel.sockets] == [True, False]
    assert len(host.reactor.readers) == 1


def test_an_address_that_changes_is_known_without_a_new_socket(host: Host) -> None:
    host.kernel.links["eth0"] = Link("eth0", 2, 1500, (LOCAL, 0x0A580002))
    host.clock.advance(1)
    assert len(host.kernel.sockets) == 1
    assert host.listener.addresses == {LOCAL, 0x0A580002}


def test_a_port_that_is_taken_is_tried_again() -> None:
    host = Host()
    host.kernel.problem = OSError(98, "Address already in use")
    host.listener.start()
    assert not host.listener.bound
    host.kernel.problem = None
    host.clock.advance(1)
    assert host.listener.bound == ("eth0",)


def test_stop_closes_everything(host: Host) -> None:
    host.listener.stop()
    assert host.reactor.readers == []
    assert host.kernel.sockets[0].closed
    assert host.clock.getDelayedCalls() == []


def test_the_raw_packet_has_right_checksums_for_even_and_odd_lengths() -> None:
    for data in (b"", b"a", b"ab", b"x" * 547):
        packet = ip_udp_packet(data, LOCAL, 67, CLIENT, 68)
        assert checksum(packet[:20]) == 0
        parsed = IP(packet)
        again = IP(bytes(IP(src=parsed.src, dst=parsed.dst) / UDP(sport=67, dport=68) / data))
        assert parsed[UDP].chksum == again[UDP].chksum
        assert (parsed.len, parsed[UDP].len) == (28 + len(data), 8 + len(data))


def test_a_udp_checksum_of_zero_is_sent_as_its_complement() -> None:
    """RFC 768: zero on the wire means that none was made."""
    plain = ip_udp_packet(b"\0\0", LOCAL, 67, CLIENT, 68)
    packet = ip_udp_packet(plain[26:28], LOCAL, 67, CLIENT, 68)
    assert packet[26:28] == b"\xff\xff"
    pseudo = packet[12:20] + b"\0\x11" + packet[24:26]
    assert checksum(pseudo + packet[20:]) == 0


def test_C23_a_payload_no_packet_can_hold_is_refused() -> None:
    with pytest.raises(ValueError, match="65508 octets do not fit"):
        ip_udp_packet(bytes(65508), LOCAL, 67, CLIENT, 68)


def test_the_kernels_loopback_is_found_with_its_address() -> None:
    with closing(LinuxKernel()) as kernel:
        link, none = kernel.link("lo"), kernel.link("no-such-link")
    assert link is not None
    assert 0x7F000001 in link.addresses
    assert link.loopback
    assert link.mtu >= 1500
    assert none is None


@pytest_twisted.ensureDeferred
async def test_row_40_a_datagram_and_its_answer_over_loopback_without_root() -> None:
    from twisted.internet import reactor  # noqa: TID251  # this test is about the real one

    heard: Deferred[tuple[bytes, Arrival]] = Deferred()
    clock = Clock()
    listener = DhcpListener(
        cast("IReactorFDSet", reactor), clock, ["lo"], lambda *datagram: heard.callback(datagram), server_port=0
    )
    listener.start()
    try:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
            client.settimeout(5)
            client.bind(("0.0.0.0", 0))
            port = client.getsockname()[1]
            client.sendto(b"discover", ("127.0.0.1", listener.port("lo")))
            data, arrival = await heard
            # Answers of one reading leave after it, and this blocks for them.
            await deferLater(reactor, 0)
            assert (data, arrival.interface, arrival.unicast) == (b"discover", "lo", True)
            assert (arrival.local, arrival.source) == (0x7F000001, 0x7F000001)
            listener.send("lo", b"offer", Destination(0x7F000001, port), arrival.local)
            clock.advance(0)
            assert client.recvfrom(100) == (b"offer", ("127.0.0.1", listener.port("lo")))
            listener.send("lo", b"all", Destination(EVERYBODY, port), arrival.local)
            clock.advance(0)
            assert client.recv(100) == b"all"
    finally:
        listener.stop()


@pytest_twisted.ensureDeferred
async def test_what_was_read_together_is_handled_in_one_turn_and_its_answers_leave_at_the_end() -> None:
    """Leases are handed over together, and no turn of the reactor is waited for before an answer leaves."""
    from twisted.internet import reactor  # noqa: TID251  # this test is about the real one

    said: list[str] = []
    ended: Deferred[None] = Deferred()

    class Noted:
        def begin_turn(self) -> None:
            said.append("begin")

        def end_turn(self) -> None:
            said.append("end")

    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
        client.settimeout(5)
        client.bind(("0.0.0.0", 0))
        port = client.getsockname()[1]

        def answer(data: bytes, arrival: Arrival) -> None:
            said.append(data.decode())
            listener.send("lo", data, Destination(0x7F000001, port), arrival.local)
            if data == b"2":
                ended.callback(None)

        listener = DhcpListener(cast("IReactorFDSet", reactor), Clock(), ["lo"], answer, server_port=0, turn=Noted())
        listener.start()
        try:
            for data in (b"1", b"2"):
                client.sendto(data, ("127.0.0.1", listener.port("lo")))
            await ended
            await deferLater(reactor, 0)
            assert [client.recv(10), client.recv(10)] == [b"1", b"2"]
            assert said in (["begin", "1", "2", "end"], ["begin", "1", "end", "begin", "2", "end"])
        finally:
            listener.stop()


@pytest_twisted.ensureDeferred
async def test_a_fault_at_the_end_of_a_turn_holds_no_answer_back() -> None:
    from twisted.internet import reactor  # noqa: TID251  # this test is about the real one

    class Faulty:
        def begin_turn(self) -> None:
            """Nothing yet."""

        def end_turn(self) -> None:
            raise ValueError("of the store")

    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
        client.settimeout(5)
        client.bind(("0.0.0.0", 0))
        port = client.getsockname()[1]

        def answer(data: bytes, arrival: Arrival) -> None:
            listener.send("lo", data, Destination(0x7F000001, port), arrival.local)

        listener = DhcpListener(cast("IReactorFDSet", reactor), Clock(), ["lo"], answer, server_port=0, turn=Faulty())
        listener.start()
        try:
            client.sendto(b"1", ("127.0.0.1", listener.port("lo")))
            (reader,) = listener._sockets.values()
            with pytest.raises(ValueError, match="of the store"):
                reader.doRead()
            assert client.recv(10) == b"1"
            assert not reader._reading
        finally:
            listener.stop()


def test_answers_to_hardware_addresses_are_held_for_the_end_of_the_turn(host: Host) -> None:
    host.listener.begin_turn()
    host.listener.send("eth0", b"offer", Destination(CLIENT, 68, MAC), LOCAL)
    host.listener.end_turn()
    assert host.kernel.packets.turns == ["hold", "flush"]


def test_an_interface_that_is_as_it_was_keeps_what_is_remembered_of_arrivals() -> None:
    """The listener looks after its links every second, and the short way knows arrivals by identity."""
    host = Host("eth0")
    host.listener.start()

    def hear() -> Arrival:
        host.kernel.sockets[0].waiting.append((b"x", "10.88.0.1", "255.255.255.255", ("0.0.0.0", 68)))
        host.reactor.readers[0].doRead()
        return host.received[-1][1]

    first = hear()
    host.listener.rebind()
    host.kernel.links["eth0"] = Link("eth0", 2, 1500, (LOCAL,))
    host.listener.rebind()
    assert hear() is first
    host.kernel.links["eth0"] = Link("eth0", 2, 1500, (LOCAL + 1,))
    host.listener.rebind()
    assert hear() is not first


def test_a_socket_that_the_reactor_gave_up_is_bound_again(host: Host) -> None:
    (reader,) = host.reactor.readers
    reader.connectionLost(
        Failure(RuntimeError("somewhere above"))  # type: ignore[no-untyped-call]
    )
    assert host.reactor.readers == []
    host.clock.advance(1)
    assert len(host.reactor.readers) == 1
    assert len(host.kernel.sockets) == 2
    host.kernel.sockets[1].waiting.append((b"x", "10.88.0.1", "255.255.255.255", ("0.0.0.0", 68)))
    host.reactor.readers[0].doRead()
    assert [data for data, _ in host.received] == [b"x"]


def test_a_fault_while_looking_at_interfaces_does_not_end_the_looking(host: Host) -> None:
    host.problem = RuntimeError("somewhere above")
    host.kernel.links["eth0"] = Link("eth0", 2, 1500, (LOCAL, LOCAL + 1))
    with pytest.raises(RuntimeError):
        host.clock.advance(1)
    host.problem = None
    host.kernel.links["eth0"] = Link("eth0", 3, 1500, (LOCAL,))
    host.clock.advance(1)
    assert len(host.kernel.sockets) == 2


def test_a_link_is_looked_at_without_a_free_descriptor() -> None:
    kernel = LinuxKernel()
    before = kernel.link("lo")
    assert before is not None
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (0, hard))
    try:
        assert kernel.link("lo") == before
        assert kernel.link("nosuch") is None
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    kernel.close()
