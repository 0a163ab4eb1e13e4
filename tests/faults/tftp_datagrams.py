"""Hands mutated TFTP packets to the decoder and to the whole TFTP server on a network in memory."""

from __future__ import annotations

import random
from collections import Counter

from provd.model.content import Content, FileRequest, NotFound
from provd.net.tftp import TftpCaps
from provd.net.tftp_socket import Address
from provd.wire import tftp
from provd.wire.errors import WireError
from tests.fakes.dhcp_world import GOLDEN, captured
from tests.fakes.tftp_network import SERVER, TftpWorld
from tests.faults.datagrams import Handled, resident_kib
from tests.faults.mutation import Mutator

_FILE = bytes(range(256)) * 40
_PORTS = 200
_HEADER = 2


def corpus() -> list[bytes]:
    """Captured requests, and packets of every kind."""
    packets = [captured(path.stem) for path in sorted(GOLDEN.glob("tftp*.bin"))]
    options = {"blksize": "1428", "tsize": "0", "timeout": "2", "windowsize": "8"}
    for name in ("file", "endless", "secret", "broken", "nosuch"):
        for mode in ("octet", "netascii"):
            packets += [
                tftp.encode_request(tftp.Request(False, name, mode, {})),
                tftp.encode_request(tftp.Request(False, name, mode, options)),
            ]
    packets += [tftp.encode_ack(block) for block in (0, 1, 2, 255, 65535)]
    packets += [b"\0\2file\0octet\0", b"\0\3\0\1data", b"\0\5\0\0gone\0", b"\0\5\0\x08no\0", b"\0\6blksize\x00512\0"]
    return packets


def serve(request: FileRequest) -> Content | NotFound:
    """A little tree of answers, one of each kind."""
    if request.path == "file":
        return Content(_FILE, len(_FILE))
    if request.path == "endless":
        return Content(_FILE, -1)
    if request.path == "secret":
        return NotFound("kept for others", status=403)
    return NotFound("nobody serves it")


def decode_many(count: int, seed: int) -> Handled:
    """Hand mutated packets to the decoder."""
    mutator, handled = Mutator(corpus(), seed, _HEADER), Handled(packets=count)
    started = 0
    data = b""

    def read() -> None:
        try:
            tftp.decode(data)
        except WireError:
            return
        except Exception as error:  # noqa: BLE001  whatever it is, it is what must not happen
            handled.faults.append(f"{type(error).__name__}: {error}: {data.hex()}")
            return
        handled.read += 1

    for number in range(count):
        data = mutator.next()
        handled.timed(read, data)
        if number == count // 4:
            started = resident_kib()
    handled.grown_kib = resident_kib() - started
    return handled


class TftpLoop:
    """The server with its transfers; each packet goes to the request port or to a transfer that runs.

    Args:
        seed: of who sends what where.
    """

    def __init__(self, seed: int) -> None:
        self.world = TftpWorld(serve, caps=TftpCaps(50, 10))
        self._pick = random.Random(seed)
        self._peers: dict[Address, Address] = {}
        self._blocks: dict[Address, int] = {}
        self.kinds: Counter[str] = Counter()

    def hand_in(self, data: bytes) -> int:
        """One packet; how many left because of it. An empty one stands for what a good client would answer."""
        draw, network = self._pick.random, self.world.network
        running = [address for address in network.endpoints if address[1] != 69]
        network.sent.clear()
        self.kinds.update(self.world.kinds())
        self.world.events.clear()
        peer = (f"10.0.0.{50 + int(draw() * 8)}", 2000 + int(draw() * _PORTS))
        if running and draw() < 0.7:
            tid = running[int(draw() * len(running))]
            owner = self._peers.get(tid, peer)
            data = data or tftp.encode_ack(self._blocks.get(tid, 0))
            network.endpoints[tid].received(data, owner if draw() < 0.95 else peer)  # type: ignore[call-arg]
        else:
            network.endpoints[SERVER, 69].received(data, peer, SERVER)  # type: ignore[call-arg]
        self._peers.update((source, to) for source, to, _ in network.sent if source not in self._peers)
        self._blocks.update((tid, int.from_bytes(out[2:4])) for tid, _, out in network.sent if out[:2] == b"\0\3")
        self.world.clock.advance(draw() * 0.5)
        if len(self._peers) > 1000:
            self._peers = {tid: owner for tid, owner in self._peers.items() if tid in network.endpoints}
            self._blocks = {tid: block for tid, block in self._blocks.items() if tid in network.endpoints}
        return len(network.sent)

    def rest(self) -> int:
        """Time passes until every transfer gave up; how many are left."""
        for _ in range(400):
            self.world.clock.advance(1.0)
        return self.world.server.transfers


def serve_many(count: int, seed: int) -> Handled:
    """Hand mutated packets to the server, among acknowledgements that keep transfers going; ``read`` is files sent."""
    loop, handled, pick = TftpLoop(seed), Handled(packets=count), random.Random(seed)
    mutator = Mutator(corpus(), seed, _HEADER)
    started, data = 0, b""

    def one() -> None:
        try:
            handled.replies += loop.hand_in(data)
        except Exception as error:  # noqa: BLE001  whatever it is, it is what must not happen
            handled.faults.append(f"{type(error).__name__}: {error}: {data.hex()}")

    for number in range(count):
        data = mutator.next() if pick.random() < 0.5 else b""
        handled.timed(one, data)
        if number == count // 4:
            started = resident_kib()
    handled.grown_kib = resident_kib() - started
    handled.read = loop.kinds["tftp.sent"]
    left = loop.rest()
    if left:
        handled.faults.append(f"{left} transfers never ended")
    return handled
