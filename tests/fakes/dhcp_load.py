"""Many DHCP clients behind one relay on loopback, over real sockets, that remember every ACK they were given.

The relay's address and the clients' addresses are loopback ones, so no root rights are needed. What a server may never
do is written down as sentences in ``faults``: an acknowledged address given to another client, another address for a
client that has one, a NAK for a client's own address.
"""

from __future__ import annotations

import random
import select
import socket
import struct
import time
from collections.abc import Callable
from dataclasses import dataclass
from ipaddress import IPv4Address
from typing import Final

from provd.wire.codes import MessageType
from provd.wire.dhcp import encode
from provd.wire.packet import DhcpPacket

RELAY: Final = "127.0.0.2"
_U32: Final = struct.Struct("!I")
_OPTIONS_AT: Final = 240
_RETRY_S: Final = 0.4
_DISCOVER, _REQUEST, _RELEASE = (int(kind) for kind in (MessageType.DISCOVER, MessageType.REQUEST, MessageType.RELEASE))
_OFFER, _ACK, _NAK = (int(kind) for kind in (MessageType.OFFER, MessageType.ACK, MessageType.NAK))


def mac_of(number: int) -> bytes:
    """Hardware address of a client."""
    return b"\x02\x5e" + _U32.pack(number)


def message(number: int, kind: int, *, ciaddr: int = 0, wanted: int = 0, server: bytes = b"") -> bytes:
    """One client's message as the relay passes it on; its transaction number is the client's number."""
    options = {53: bytes((kind,))}
    options |= {54: server} if server else {}
    options |= {50: _U32.pack(wanted)} if wanted else {}
    options |= {55: bytes((1, 3, 6, 15, 51, 54))}
    chaddr = mac_of(number).ljust(16, b"\0")
    giaddr = int(IPv4Address(RELAY))
    packet = DhcpPacket(1, 1, 6, 1, number, 0, 0, ciaddr, 0, 0, giaddr, chaddr, b"", b"", options)
    return encode(packet, min_size=0).data


def option(reply: bytes, code: int) -> bytes:
    """An option of a reply, empty where it is not there."""
    at = _OPTIONS_AT
    while at + 1 < len(reply) and reply[at] != 255:
        if reply[at] == code:
            return reply[at + 2 : at + 2 + reply[at + 1]]
        at += 1 if reply[at] == 0 else 2 + reply[at + 1]
    return b""


@dataclass(slots=True)
class _Open:
    """An exchange that is not finished: what was sent and when."""

    data: bytes
    at: float
    kind: int
    wanted: int = 0


class DhcpLoad:
    """The clients.

    Args:
        port: the server's port, on 127.0.0.1; replies to the relay come to the same port of the relay's address.
        seed: of what clients do.
        in_flight: exchanges at once.
        stay: every client keeps its address; else some give theirs back.
        most: clients that have an address at once.
    """

    def __init__(
        self, port: int, *, seed: int = 0, in_flight: int = 64, stay: bool = False, most: int = 1_000_000
    ) -> None:
        self._server = ("127.0.0.1", port)
        self._link = socket.socket(socket.AF_INET, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK)
        self._link.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self._link.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 << 20)
        self._link.bind((RELAY, port))
        self._pick = random.Random(seed)
        self._in_flight, self._stay, self._most = in_flight, stay, most
        self._open: dict[int, _Open] = {}
        self._next = 1
        self._returning: list[int] = []
        self.held: dict[int, int] = {}
        self.owner: dict[int, int] = {}
        self.latest: list[int] = []
        self.faults: list[str] = []
        self.acks = self.offers = self.repeats = 0

    def close(self) -> None:
        """Free the port."""
        self._link.close()

    def run(self, ended: Callable[[], bool], *, new: bool = True) -> None:
        """Go on until ``ended``; without ``new`` only what was begun is finished."""
        while not ended():
            while new and len(self._open) < self._in_flight:
                self._begin()
            ready, _, _ = select.select([self._link], [], [], 0.005)
            if ready:
                self._receive()
            self._repeat()

    def serve(self, count: int, most_s: float = 60.0) -> None:
        """Begin exchanges until ``count`` clients more have an address."""
        goal, end = len(self.held) + count, time.monotonic() + most_s
        self.run(lambda: len(self.held) >= goal or time.monotonic() > end)
        assert len(self.held) >= goal, f"{goal - len(self.held)} of {count} clients were not served in {most_s:.0f} s"

    def lose(self) -> None:
        """The server is gone: take what it had sent, forget what was begun, and let the clients begin again."""
        while self._receive():
            pass
        self._returning += [number for number in self._open if number not in self.held]
        self._open.clear()

    def first_offer(self, since: float, most_s: float = 30.0, told: Callable[[], str] = str) -> float:
        """Ask again and again until there is an OFFER; seconds since a point of ``time.monotonic``.

        Args:
            since: that point.
            most_s: seconds after which it is given up.
            told: what the server says, for the message then.
        """
        number = self._next
        self._next += 1
        before = self.offers
        self._open[number] = _Open(message(number, _DISCOVER), 0.0, _DISCOVER)
        while self.offers == before:
            assert time.monotonic() < since + most_s, f"no offer after {most_s:.0f} s: {told()}"
            self._send(self._open[number])
            select.select([self._link], [], [], 0.01)
            self._receive()
        return time.monotonic() - since

    def confirm(self, numbers: list[int], most_s: float = 20.0) -> None:
        """Clients that were acknowledged come back (INIT-REBOOT) and must keep their address."""
        waiting = [number for number in dict.fromkeys(numbers) if number in self.held]
        end = time.monotonic() + most_s
        while waiting or self._open:
            for number in waiting[: self._in_flight]:
                self._start(number, _REQUEST, wanted=self.held[number])
            waiting = waiting[self._in_flight :]
            self.run(lambda: not self._open or time.monotonic() > end, new=False)
            assert time.monotonic() < end, f"{len(self._open)} clients got no answer for their own address"

    def _begin(self) -> None:
        chance = self._pick.random()
        if self._returning:
            self._start(self._returning.pop(), _DISCOVER)
        elif (chance < 0.75 and len(self.held) < self._most) or not self.held:
            self._start(self._next, _DISCOVER)
            self._next += 1
        else:
            number = self._pick.randrange(1, self._next)
            if number in self.held and number not in self._open:
                self._come_back(number)

    def _come_back(self, number: int) -> None:
        address = self.held[number]
        if self._stay or self._pick.random() < 0.6:
            self._start(number, _REQUEST, wanted=address)
            return
        del self.held[number], self.owner[address]
        server = int(IPv4Address("127.0.0.1")).to_bytes(4)
        self._link.sendto(message(number, _RELEASE, ciaddr=address, server=server), self._server)

    def _start(self, number: int, kind: int, wanted: int = 0, server: bytes = b"") -> None:
        opened = _Open(message(number, kind, wanted=wanted, server=server), 0.0, kind, wanted)
        self._open[number] = opened
        self._send(opened)

    def _send(self, opened: _Open) -> None:
        opened.at = time.monotonic()
        self._link.sendto(opened.data, self._server)

    def _repeat(self) -> None:
        late = time.monotonic() - _RETRY_S
        for opened in self._open.values():
            if opened.at < late:
                self.repeats += 1
                self._send(opened)

    def _receive(self) -> int:
        """Take everything that has come; how much it was."""
        count = 0
        while True:
            try:
                reply = self._link.recv(4096)
            except BlockingIOError:
                return count
            count += 1
            self._answered(_U32.unpack_from(reply, 4)[0], _U32.unpack_from(reply, 16)[0], reply)

    def _answered(self, number: int, address: int, reply: bytes) -> None:
        kind, opened = option(reply, 53)[0], self._open.get(number)
        if opened is None or reply[28:34] != mac_of(number):
            return
        if kind == _OFFER and opened.kind == _DISCOVER:
            self.offers += 1
            self._start(number, _REQUEST, address, option(reply, 54))
        elif kind == _ACK and opened.kind == _REQUEST:
            del self._open[number]
            self._acknowledged(number, address)
        elif kind == _NAK and opened.kind == _REQUEST:
            del self._open[number]
            if self.held.get(number) == opened.wanted:
                self.faults.append(f"client {number} was refused its own address {IPv4Address(opened.wanted)}")
            else:
                # What it was offered was forgotten with the server that offered it.
                self._returning.append(number)

    def _acknowledged(self, number: int, address: int) -> None:
        self.acks += 1
        if self.held.get(number, address) != address:
            mine = IPv4Address(self.held[number])
            self.faults.append(f"client {number} has {mine} and was acknowledged {IPv4Address(address)}")
        if self.owner.get(address, number) != number:
            self.faults.append(f"{IPv4Address(address)} of client {self.owner[address]} was given to client {number}")
        self.held[number] = address
        self.owner[address] = number
        self.latest.append(number)
