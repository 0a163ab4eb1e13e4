"""Loops that hand many packets to the decoder and to the whole service, and judge what became of each."""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from provd.core.client_facts import client_facts
from provd.service.dhcp_ports import Arrival
from provd.wire.dhcp import decode_request
from provd.wire.errors import WireError
from tests.fakes.dhcp_world import GOLDEN, MAC, OTHER_MAC, SERVER, captured, ip, request
from tests.faults.mutation import Mutator
from tests.faults.whole_service import ARRIVALS, HERE, WholeService

HANG_S = 0.010
"""Seconds of processor time that no packet may take."""

_OFFER = 2
_PRUNE = 2000


def corpus() -> list[bytes]:
    """Every captured DHCP packet, and messages of each kind that this server knows what to do with."""
    packets = [captured(path.stem) for path in sorted(GOLDEN.glob("*.bin")) if not path.stem.startswith("tftp")]
    leased, relay = ip("10.88.0.100"), ip("10.88.1.1")
    pxe = {60: b"PXEClient:Arch:00007:UNDI:003016", 93: b"\0\7", 94: b"\1\3\x10", 97: b"\0" + bytes(range(16)),
           55: bytes((1, 3, 6, 43, 60, 66, 67)), 57: b"\5\xc0"}  # fmt: skip
    agent = {82: b"\1\4port\2\5agent\5\4\x0a\x58\1\0\x0b\4\x0a\x58\0\1"}
    for mac in (MAC, OTHER_MAC):
        for options in ({}, pxe, {61: b"\xff\0\0\0\1\0\1abcdef", 12: b"host", 81: b"\0\0\0host"}):
            packets += [
                request(1, mac=mac, options=options),
                request(1, mac=mac, options=options, giaddr=relay),
                request(1, mac=mac, options={**options, **agent}, giaddr=relay),
                request(3, mac=mac, options=options, wanted=leased, server=SERVER),
                request(3, mac=mac, options=options, wanted=leased),
                request(3, mac=mac, options=options, ciaddr=leased),
                request(4, mac=mac, options=options, wanted=leased, server=SERVER),
                request(7, mac=mac, options=options, ciaddr=leased, server=SERVER),
                request(8, mac=mac, options=options, ciaddr=leased),
                request(0, mac=mac, options=options),
            ]
    return packets


@dataclass
class Handled:
    """What many packets came to.

    Attributes:
        packets: handed in.
        read: of these, those that decoded.
        replies: that left.
        slowest_s: processor time of the slowest packet that was as slow three times.
        grown_kib: resident memory, from the end of the first quarter to the end.
        faults: what must not happen, one sentence each with the packet.
    """

    packets: int = 0
    read: int = 0
    replies: int = 0
    slowest_s: float = 0.0
    grown_kib: int = 0
    faults: list[str] = field(default_factory=list)

    def text(self) -> str:
        """One line for people."""
        return (
            f"{self.packets} packets, {self.read} of them read, {self.replies} replies, slowest "
            f"{self.slowest_s * 1000:.2f} ms, memory grew by {self.grown_kib} KiB, {len(self.faults)} faults"
        )

    def timed(self, work: Callable[[], object], data: bytes) -> None:
        """Do it; where it took long, do it again: a collection of garbage does not hit the same packet three times."""
        began = time.thread_time()
        work()
        took = time.thread_time() - began
        for _ in range(2):
            if took < HANG_S:
                break
            began = time.thread_time()
            work()
            took = min(took, time.thread_time() - began)
        self.slowest_s = max(self.slowest_s, took)
        if took >= HANG_S:
            self.faults.append(f"{took * 1000:.0f} ms: {data.hex()}")


def decode_many(count: int, seed: int) -> Handled:
    """Hand mutated packets to the decoder, and what it reads to the reader of clients' facts."""
    mutator, handled = Mutator(corpus(), seed), Handled(packets=count)
    started = 0
    data = b""

    def read() -> None:
        handled.read += _reads(data, handled)

    for number in range(count):
        data = mutator.next()
        handled.timed(read, data)
        if number == count // 4:
            started = resident_kib()
    handled.grown_kib = resident_kib() - started
    return handled


def _reads(data: bytes, handled: Handled) -> bool:
    try:
        client_facts(decode_request(data))
    except WireError:
        return False
    except Exception as error:  # noqa: BLE001  whatever it is, it is what must not happen
        handled.faults.append(f"{type(error).__name__}: {error}: {data.hex()}")
        return False
    return True


def serve_many(folder: Path, count: int, seed: int) -> Handled:
    """Hand mutated packets to the whole service, by every way a datagram may come in; offers are taken up."""
    service, handled = WholeService(folder), Handled(packets=count)
    mutator, pick = Mutator(corpus(), seed), random.Random(seed)
    started, follow, data, arrival = 0, b"", b"", HERE

    def one() -> None:
        serve(service, data, arrival, handled)

    for number in range(count):
        if follow:
            data = follow
        else:
            data, arrival = mutator.next(), ARRIVALS[int(pick.random() * len(ARRIVALS))]
        handled.timed(one, data)
        follow = _taken_up(data, service.replies, pick)
        if number % _PRUNE == 0:
            service.services.store.sessions.prune(before=0, keep=100)
        if number == count // 4:
            started = resident_kib()
    handled.grown_kib = resident_kib() - started
    received = service.counters.dropped["malformed"]
    handled.read = handled.packets - received
    if service.counters.errors:
        handled.faults.append(f"{service.counters.errors} errors were counted and logged")
    service.close()
    return handled


def serve(service: WholeService, data: bytes, arrival: Arrival, handled: Handled) -> None:
    """Hand one datagram to the service and judge what became of it."""
    before = service.accounted
    replies = service.handle(data, arrival)
    handled.replies += len(replies)
    if service.accounted <= before:
        handled.faults.append(f"neither answered nor counted: {data.hex()}")
    if len(replies) > 1:
        handled.faults.append(f"{len(replies)} replies: {data.hex()}")
    if replies and len(replies[0]) + 28 > 1500:
        handled.faults.append(f"a reply of {len(replies[0])} octets: {data.hex()}")


def _taken_up(data: bytes, replies: list[bytes], pick: random.Random) -> bytes:
    """The REQUEST for an offer, so that the ways behind it are walked as well."""
    if not replies or replies[0][242] != _OFFER or pick.random() < 0.3:
        return b""
    offer = replies[0]
    tail = b"\x35\1\3\x36\4" + SERVER.to_bytes(4) + b"\x32\4" + offer[16:20] + b"\xff"
    return data[:8] + bytes(4) + bytes(4) + data[16:240] + tail


def resident_kib() -> int:
    """Resident memory of this process."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * 4
