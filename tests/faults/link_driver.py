"""Drives a simulated machine on a real link, as its network card would: broadcasts without an address, replies by frame.

Needs root, and an interface that holds every address the machine may be given.
"""

from __future__ import annotations

import http.client
import socket
import struct
from collections.abc import Mapping
from dataclasses import dataclass
from ipaddress import IPv4Address
from time import monotonic
from typing import Any, Final
from urllib.parse import urlsplit

from provd.simulate.actions import BootError, DhcpSend, Fetched, HttpSend, TftpGet
from provd.simulate.tftp import TftpRead
from provd.wire.dhcp import decode
from provd.wire.errors import WireError
from provd.wire.ipv4_udp import ip_udp_packet, read_packet

_PROMISCUOUS: Final = struct.Struct("@iHH8s")
_ADD_MEMBERSHIP, _SOL_PACKET, _PROMISC = 1, 263, 1
_EVERYBODY: Final = b"\xff" * 6
_IP: Final = 0x0800


@dataclass
class LinkDriver:
    """Carries out actions on one interface.

    Attributes:
        interface: name.
        prefer: address of the DHCP server whose replies the firmware takes; empty for whoever is first.
        prefer_installer: the same for whatever comes after firmware.
        deaf: no DHCP reply reaches it.
        dies: part of a path, or ``installer``: the machine stops before it asks for that.
        wait_s: seconds for a file or a connection.
    """

    interface: str = "eth0"
    prefer: str = ""
    prefer_installer: str = ""
    deaf: bool = False
    dies: str = ""
    wait_s: float = 2.0

    @classmethod
    def of(cls, told: Mapping[str, Any]) -> LinkDriver:
        """From an order, of which it takes what is its own."""
        return cls(**{name: told[name] for name in cls.__dataclass_fields__ if name in told})

    def dhcp(self, action: DhcpSend) -> list[bytes]:
        """Broadcast, and take what comes back from the server it prefers."""
        packet = decode(action.data)
        firmware = packet.options.get(60, b"").startswith((b"PXEClient", b"HTTPClient"))
        if self.dies == "installer" and not firmware:
            raise BootError("kernel", "panic")
        server = int(IPv4Address((self.prefer if firmware else self.prefer_installer) or "0.0.0.0"))
        with socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(_IP)) as link:
            link.bind((self.interface, _IP))
            card = socket.if_nametoindex(self.interface)
            link.setsockopt(_SOL_PACKET, _ADD_MEMBERSHIP, _PROMISCUOUS.pack(card, _PROMISC, 0, b""))
            mac = packet.mac
            link.send(_EVERYBODY + mac + _IP.to_bytes(2) + ip_udp_packet(action.data, 0, 68, 0xFFFFFFFF, 67))
            return [] if self.deaf else _replies(link, packet.xid, server, action.wait_s)

    def _lives(self, path: str) -> None:
        if self.dies and self.dies in path:
            raise BootError("machine", f"died before {path}")

    def tftp(self, action: TftpGet) -> Fetched:
        """Read a file; a block that does not come is asked for again."""
        self._lives(action.path)
        transfer = TftpRead(action)
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as link:
            link.bind((action.source, 0))
            link.settimeout(self.wait_s / 2)
            peer = (action.server, 69)
            link.sendto(transfer.first(), peer)
            for _ in range(2):
                try:
                    while transfer.result is None:
                        data, peer = link.recvfrom(65536)
                        for answer in transfer.received(data):
                            link.sendto(answer, peer)
                except TimeoutError:
                    link.sendto(transfer.again(), peer)
                if transfer.result is not None:
                    return transfer.result
        return Fetched(500, error="TFTP: no answer")

    def http(self, action: HttpSend) -> Fetched:
        """One request on a connection of its own, from the machine's address."""
        self._lives(action.url)
        parts = urlsplit(action.url)
        connection = http.client.HTTPConnection(
            parts.hostname or "", parts.port or 80, timeout=self.wait_s, source_address=(action.source, 0)
        )
        try:
            connection.request(action.method, parts.path, action.body or None, dict(action.headers))
            response = connection.getresponse()
            body = response.read()
        except (OSError, http.client.HTTPException) as error:
            return Fetched(599, error=f"HTTP: {error}")
        finally:
            connection.close()
        return Fetched(response.status, body, {name.lower(): value for name, value in response.getheaders()})


def _replies(link: socket.socket, xid: int, server: int, wait_s: float) -> list[bytes]:
    """The first reply of the server that is preferred, or of any."""
    until = monotonic() + wait_s
    while (left := until - monotonic()) > 0:
        link.settimeout(left)
        try:
            frame, (_, _, kind, *_) = link.recvfrom(4096)
            datagram = read_packet(frame[14:])
            if kind == socket.PACKET_OUTGOING or datagram.port != 68:
                continue
            reply = decode(datagram.data)
            if reply.op == 2 and reply.xid == xid and server in {0, reply.server_id}:
                return [datagram.data]
        except TimeoutError:
            return []
        except WireError:
            continue
    return []
