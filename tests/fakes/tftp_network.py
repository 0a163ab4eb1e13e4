"""A network in memory for the TFTP server: sockets by address and port, datagrams in a list."""

from __future__ import annotations

import errno
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from twisted.internet.task import Clock

from provd.core.tftp_negotiation import TransferLimits
from provd.model.content import FileRequest
from provd.net.tftp import OpenFile, TftpCaps, TftpServer
from provd.net.tftp_lane import Ahead
from provd.net.tftp_socket import Address, Endpoint, Received, RequestReceived, TransferEndpoint
from provd.wire import tftp

SERVER = "10.0.0.1"
CLIENT: Address = ("10.0.0.50", 2070)


@dataclass(eq=False)
class FakeEndpoint:
    """One bound port."""

    network: FakeNetwork
    address: Address
    received: Received | RequestReceived

    def send(self, data: bytes, to: Address) -> None:
        self.network.sent.append((self.address, to, data))

    def send_all(self, datagrams: Sequence[bytes], to: Address) -> None:
        for datagram in datagrams:
            self.send(datagram, to)

    def hasten(self, _peer: Address, _ahead: Ahead, _seconds: Callable[[], float], _size: int) -> bool:
        return False

    def close(self) -> None:
        self.network.endpoints.pop(self.address, None)


@dataclass
class FakeNetwork:
    """Hands out ports from 40000 on; ``full`` ports are left before EMFILE."""

    sent: list[tuple[Address, Address, bytes]] = field(default_factory=list)
    endpoints: dict[Address, FakeEndpoint] = field(default_factory=dict)
    next_port: int = 40000
    full: int = 1 << 30

    def listen(self, local: str, port: int, received: RequestReceived) -> Endpoint:
        return self._bind((local, port or 69), received)

    def open(self, local: str, _peer: Address, received: Received) -> TransferEndpoint:
        if sum(address[1] >= 40000 for address in self.endpoints) >= self.full:
            raise OSError(errno.EMFILE, "Too many open files")
        self.next_port += 1
        return self._bind((local, self.next_port), received)

    def _bind(self, address: Address, received: Received | RequestReceived) -> FakeEndpoint:
        self.endpoints[address] = FakeEndpoint(self, address, received)
        return self.endpoints[address]


class TftpWorld:
    """A server on a fake network with a clock that only moves when told, and what it said."""

    def __init__(
        self,
        open_file: OpenFile,
        *,
        caps: TftpCaps | None = None,
        limits: TransferLimits | None = None,
        wall: Callable[[], float] = lambda: 0.0,
    ) -> None:
        self.clock = Clock()
        self.network = FakeNetwork()
        self.events: list[tuple[str, FileRequest, Mapping[str, object]]] = []
        self.server = TftpServer(
            clock=self.clock,
            network=self.network,
            open_file=open_file,
            on_event=lambda kind, request, fields: self.events.append((kind, request, fields)),
            caps=caps,
            limits=limits,
            wall=wall,
        )
        self.server.listen(SERVER)

    def ask(self, data: bytes, peer: Address = CLIENT, local: str = SERVER) -> list[tuple[Address, bytes]]:
        """Hand one datagram to the request port; gives (source, octets) of what left."""
        before = len(self.network.sent)
        self.network.endpoints[SERVER, 69].received(data, peer, local)  # type: ignore[call-arg]
        return [(source, octets) for source, to, octets in self.network.sent[before:] if to == peer]

    def rrq(self, name: str, peer: Address = CLIENT, **options: str) -> list[tuple[Address, bytes]]:
        """Send a read request."""
        return self.ask(tftp.encode_request(tftp.Request(False, name, "octet", options)), peer)

    def answer(self, tid: Address, data: bytes, peer: Address = CLIENT) -> list[bytes]:
        """Hand one datagram to a transfer's port; gives what left for that peer."""
        before = len(self.network.sent)
        self.network.endpoints[tid].received(data, peer)  # type: ignore[call-arg]
        return [octets for _, to, octets in self.network.sent[before:] if to == peer]

    def kinds(self) -> list[str]:
        return [kind for kind, _, _ in self.events]


def error_of(sent: list[tuple[Address, bytes]]) -> int:
    """Code of the one ERROR packet that left."""
    assert len(sent) == 1
    packet = tftp.decode(sent[0][1])
    assert isinstance(packet, tftp.Error)
    return packet.code
