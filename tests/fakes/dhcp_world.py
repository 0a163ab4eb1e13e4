"""A DHCP service with fakes around it, and clients made of packets."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from ipaddress import IPv4Address, IPv4Network
from pathlib import Path

from provd.model.dhcp import Destination
from provd.model.distro import Distro
from provd.model.event import Event
from provd.model.mac import Mac
from provd.model.profile import BootPolicy, Profile
from provd.model.subnet import Pool, Subnet
from provd.model.system import Interface, System
from provd.service.dhcp import DhcpService
from provd.service.dhcp_clocks import Clocks
from provd.service.dhcp_ports import Arrival, DhcpHooks, Foreign
from provd.wire.dhcp import DhcpPacket, decode, encode
from tests.fakes.dhcp_fakes import FakeBootDirector, FakeHooks, FakeProbe, FakeSystems, MemoryLeases

GOLDEN = Path(__file__).parent.parent / "golden" / "packets"
SERVER = int(IPv4Address("10.88.0.1"))
RELAY = int(IPv4Address("10.88.1.1"))
FOREIGN = int(IPv4Address("10.99.0.1"))
MAC = bytes.fromhex("525400880011")
OTHER_MAC = bytes.fromhex("525400880099")
DISCOVER, OFFER, REQUEST, DECLINE, ACK, NAK, RELEASE, INFORM = range(1, 9)


def ip(text: str) -> int:
    """Address as a number."""
    return int(IPv4Address(text))


def captured(name: str) -> bytes:
    """A packet of real firmware."""
    return (GOLDEN / f"{name}.bin").read_bytes()


def subnet(name: str = "lab", network: str = "10.88.0.0/24", first: int = 100, last: int = 109) -> Subnet:
    """A subnet with a pool of ``first`` to ``last``."""
    net = IPv4Network(network)
    return Subnet(
        name,
        net,
        Pool(net[first], net[last]),
        interface="eth0" if name == "lab" else "",
        routers=(net[254],),
        lease_s=3600,
    )


def relayed_subnet() -> Subnet:
    """The subnet behind the relay of the captures."""
    net = IPv4Network("10.88.1.0/24")
    return Subnet("far", net, Pool(net[100], net[109]), routers=(net[1],), server_address=IPv4Address("10.88.0.1"))


def request(
    kind: int,
    *,
    mac: bytes = MAC,
    xid: int = 7,
    ciaddr: int = 0,
    giaddr: int = 0,
    flags: int = 0,
    secs: int = 0,
    hops: int = 0,
    options: Mapping[int, bytes] | None = None,
    wanted: int = 0,
    server: int = 0,
) -> bytes:
    """A client's message; ``wanted`` is option 50, ``server`` option 54."""
    values: dict[int, bytes] = {53: bytes((kind,))} if kind else {}
    values |= options or {}
    if wanted:
        values[50] = wanted.to_bytes(4)
    if server:
        values[54] = server.to_bytes(4)
    packet = DhcpPacket(1, 1, 6, hops, xid, secs, flags, ciaddr, 0, 0, giaddr, mac.ljust(16, b"\0"), b"", b"", values)
    return encode(packet).data


def a_profile(name: str = "web", lease_s: int = 0, options: Mapping[str, object] | None = None) -> Profile:
    """A profile of a distro that is never booted."""
    distro = Distro(name="debian-12", family="debian", version="12", arch="x86_64")
    return Profile(name, distro, options=options or {}, boot=BootPolicy(lease_s=lease_s))


def a_system(name: str = "web1", mac: bytes = MAC, address: str = "", uuid: str = "", profile: str = "") -> System:
    """A system with one card."""
    card = Interface("eth0", Mac(mac), IPv4Address(address) if address else None)
    return System(name, profile=profile, interfaces=(card,), uuid=uuid)


@dataclass
class Sent:
    """One reply on the wire."""

    packet: DhcpPacket
    destination: Destination
    interface: str
    local: int
    data: bytes

    @property
    def kind(self) -> int:
        return self.packet.message_type


@dataclass
class DhcpWorld:
    """The service and everything around it; time stands still until a test moves it."""

    subnets: Sequence[Subnet] = ()
    identity: str = "auto"
    behind: DhcpHooks | None = None
    mono: float = 1000.0
    wall: float = 1_700_000_000.0
    boot: str = "first"
    sent: list[Sent] = field(default_factory=list)
    served: list[Sent] = field(default_factory=list)
    foreign: Foreign = lambda _request, _server: None
    own: int = SERVER
    events: list[Event] = field(default_factory=list)
    waiting: list[tuple[float, Callable[[], None]]] = field(default_factory=list)
    service: DhcpService = field(init=False)

    def __post_init__(self) -> None:
        self.hooks = FakeHooks()
        self.director = FakeBootDirector()
        self.systems = FakeSystems()
        self.store = MemoryLeases()
        self.probe = FakeProbe()
        self.subnets = self.subnets or (subnet(), relayed_subnet())
        self.restart()

    def restart(self) -> None:
        """A new process over the same store."""
        self.service = DhcpService(
            hooks=self.behind or self.hooks,
            director=self.director,
            systems=self.systems,
            profiles=self.systems,
            store=self.store,
            send=self.send,
            clocks=Clocks(lambda: self.wall, lambda: self.mono, self.boot),
            identity=self.identity,
            probe=self.probe,
            send_service=self.send_service,
            foreign=self.foreign,
            publish=self.events.append,
            later=lambda seconds, function: self.waiting.append((seconds, function)),
        )
        self.service.reconfigure(self.subnets, own=(self.own,))
        self.service.reserve(self.systems.all)
        self.service.load(self.store.rows.values())

    def reboot(self) -> None:
        """A new process after a reboot of the machine, whose monotonic clock begins again."""
        self.boot, self.mono = self.boot + "+", 30.0
        self.restart()

    def know(self, *systems: System) -> None:
        """Register systems."""
        self.systems.all = list(systems)
        self.service.reserve(systems)

    def configure(self, **changes: object) -> None:
        """Change the first subnet and reload."""
        self.subnets = (replace(self.subnets[0], **changes), *self.subnets[1:])  # type: ignore[arg-type]
        self.service.reconfigure(self.subnets, own=(self.own,))

    def send(self, interface: str, data: bytes, destination: Destination, local: int) -> None:
        self.sent.append(Sent(decode(data), destination, interface, local, data))

    def send_service(self, interface: str, data: bytes, destination: Destination, local: int) -> None:
        """From the PXE port."""
        self.served.append(Sent(decode(data), destination, interface, local, data))

    def pass_time(self, seconds: float) -> None:
        """Both clocks go on."""
        self.mono += seconds
        self.wall += seconds

    def arrival(self, **changes: object) -> Arrival:
        """On eth0."""
        here = Arrival("eth0", SERVER, addresses=(SERVER,))
        return replace(here, **changes)  # type: ignore[arg-type]

    def ask(self, data: bytes, **arrival: object) -> list[Sent]:
        """Hand one datagram in; returns what was sent because of it."""
        before = len(self.sent)
        self.service.handle(data, self.arrival(**arrival))
        return self.sent[before:]

    def ask_service(self, data: bytes, **arrival: object) -> list[Sent]:
        """Hand one datagram of the PXE port in; returns what that port sent because of it."""
        before = len(self.served)
        here = {"pxe": True, "unicast": True, "source_port": 4011, **arrival}
        assert self.ask(data, **here) == []
        return self.served[before:]

    def answer(self, data: bytes, **arrival: object) -> Sent:
        """Hand one datagram in that has exactly one answer."""
        (sent,) = self.ask(data, **arrival)
        return sent

    def dora(self, mac: bytes = MAC, options: Mapping[int, bytes] | None = None, giaddr: int = 0, xid: int = 7) -> Sent:
        """DISCOVER to ACK; returns the ACK."""
        unicast = bool(giaddr)
        offer = self.answer(request(DISCOVER, mac=mac, options=options, giaddr=giaddr, xid=xid), unicast=unicast)
        assert offer.kind == OFFER
        server = int.from_bytes(offer.packet.options[54])
        wanted = offer.packet.yiaddr
        ack = self.answer(
            request(REQUEST, mac=mac, options=options, giaddr=giaddr, xid=xid, wanted=wanted, server=server),
            unicast=unicast,
        )
        assert (ack.kind, ack.packet.yiaddr) == (ACK, wanted)
        return ack
