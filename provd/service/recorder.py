"""Keeps the packets of chosen machines as they arrive at the listeners and leave them, for ``provd record``.

While nothing is recorded it costs one look at a flag per packet.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from ipaddress import IPv4Address
from typing import Final

from provd.model.content import AwaitedBody, Content, FileRequest, NotFound
from provd.model.dhcp import Destination
from provd.model.event import Event
from provd.model.scrub import scrub_path
from provd.service.dhcp_ports import Arrival
from provd.service.sessions import Boot
from provd.wire.errors import WireError
from provd.wire.ipv4_udp import ip_udp_packet
from provd.wire.pcapng import Frame
from provd.wire.tftp import Request, encode_request

RECORDINGS: Final = 16
"""Recordings at once; an older one ends when there are more."""
KEPT_S: Final = 3600.0
"""Seconds after the time of a recording for which it waits to be fetched: who began it may be gone."""
MOST_PACKETS: Final = 10_000
MOST_OCTETS: Final = 16 << 20
_CHADDR: Final = slice(28, 34)
_CLIENT_PORT: Final = 2070
ENDS: Final = frozenset({"install.finished", "install.failed", "boot.local"})


@dataclass(slots=True)
class Recording:
    """What was kept of some machines.

    Attributes:
        macs: their hardware addresses.
        until: seconds since the epoch after which nothing is added.
        frames: packets in order.
        octets: of all packets.
        over: the boot has ended.
        full: packets were left out.
    """

    macs: frozenset[bytes]
    until: float
    frames: list[Frame] = field(default_factory=list)
    octets: int = 0
    over: bool = False
    full: bool = False


class Recorder:
    """Listens at the listeners.

    Args:
        boot_of: the boot of the machine at an address (dotted quad).
        ports: UDP ports of DHCP, of the PXE service, of TFTP.
        wall: seconds since the epoch.
    """

    def __init__(
        self, boot_of: Callable[[str], Boot | None], ports: tuple[int, int, int], wall: Callable[[], float]
    ) -> None:
        self._boot_of, self._wall = boot_of, wall
        self._dhcp, self._pxe, self._tftp = ports
        self._all: dict[str, Recording] = {}
        self.active = False

    def begin(self, macs: Sequence[bytes], seconds: float) -> str:
        """Record these machines from now on; returns the recording's id."""
        name = secrets.token_hex(6)
        while len(self._all) >= RECORDINGS:
            del self._all[next(iter(self._all))]
        self._all[name] = Recording(frozenset(macs), self._wall() + seconds)
        self.active = True
        return name

    def get(self, name: str) -> Recording | None:
        """The recording with this id."""
        return self._all.get(name)

    def end(self, name: str) -> Recording | None:
        """Take it away."""
        found = self._all.pop(name, None)
        self.active = bool(self._all)
        return found

    def tidy(self) -> None:
        """Forget what nobody fetched."""
        before = self._wall() - KEPT_S
        self._all = {name: one for name, one in self._all.items() if one.until >= before}
        self.active = bool(self._all)

    def on_event(self, event: Event) -> None:
        """A boot that ends ends its recordings."""
        if self.active and event.kind in ENDS:
            mac = bytes.fromhex(event.mac.replace(":", ""))
            for one in self._all.values():
                one.over |= mac in one.macs

    def arrived(self, data: bytes, arrival: Arrival) -> None:
        """A DHCP datagram came in."""
        wanted = self._wanted(data[_CHADDR])
        if wanted:
            to = arrival.local if arrival.unicast else 0xFFFFFFFF
            port = self._pxe if arrival.pxe else self._dhcp
            packet = ip_udp_packet(data, arrival.source, arrival.source_port, to, port)
            self._keep(wanted, arrival.interface, packet, _place(arrival), inbound=True, kind=_kind(pxe=arrival.pxe))

    def sent(self, interface: str, data: bytes, destination: Destination, local: int, *, pxe: bool = False) -> None:
        """A DHCP reply left."""
        wanted = self._wanted(data[_CHADDR])
        if wanted:
            port = self._pxe if pxe else self._dhcp
            packet = ip_udp_packet(data, local, port, destination.address, destination.port)
            self._keep(wanted, interface, packet, "", inbound=False, kind=_kind(pxe=pxe))

    def asked(self, request: FileRequest, answer: Content | NotFound | Awaitable[Content | NotFound]) -> None:
        """A file was asked for by TFTP, and this is the answer."""
        boot = self._boot_of(request.peer) if request.protocol == "tftp" else None
        wanted = self._wanted(bytes.fromhex(boot.session.mac.replace(":", ""))) if boot is not None else []
        if not wanted:
            return
        path = scrub_path(request.path)
        try:
            data = encode_request(Request(write=False, filename=path, mode="octet", options=dict(request.headers)))
        except WireError:
            return  # a name that no packet holds; the machine is answered all the same
        peer, local = int(IPv4Address(request.peer)), int(IPv4Address(request.local))
        packet = ip_udp_packet(data, peer, _CLIENT_PORT, local, self._tftp)
        self._keep(wanted, "tftp", packet, "", inbound=True, kind="tftp", answer=outcome(answer))

    def _wanted(self, mac: bytes) -> list[Recording]:
        now = self._wall()
        return [one for one in self._all.values() if mac in one.macs and now < one.until]

    def _keep(
        self, wanted: list[Recording], interface: str, packet: bytes, place: str, *, inbound: bool, **note: str
    ) -> None:
        frame = Frame(self._wall(), interface, inbound, packet, json.dumps(note), place)
        for one in wanted:
            if len(one.frames) >= MOST_PACKETS or one.octets + len(packet) > MOST_OCTETS:
                one.full = True
            else:
                one.frames.append(frame)
                one.octets += len(packet)


def outcome(answer: Content | NotFound | Awaitable[Content | NotFound]) -> str:
    """What a request for a file got, in words that two runs can be compared by."""
    if isinstance(answer, NotFound):
        return f"nothing ({answer.status})"
    if not isinstance(answer, Content) or isinstance(answer.body, AwaitedBody) or answer.length < 0:
        return "a file"
    return f"nothing ({answer.status})" if answer.status >= 400 else f"{answer.length} octets"


def _kind(*, pxe: bool) -> str:
    return "pxe" if pxe else "dhcp"


def _place(arrival: Arrival) -> str:
    addresses = [str(IPv4Address(one)) for one in arrival.addresses]
    return json.dumps({"local": str(IPv4Address(arrival.local)), "addresses": addresses, "mtu": arrival.mtu})
