"""Many TFTP clients on a bad way, run in the namespace of a host; prints its figures as JSON.

    python lossy_tftp.py SERVER FILE PATH CLIENTS WINDOW LOSS_PERCENT SEED

The kernel at hand has no netem, so the clients do to themselves what a bad way does: each datagram in either direction
is lost with LOSS_PERCENT, one of a hundred comes twice, one of a hundred changes places with the next.
"""

from __future__ import annotations

import hashlib
import json
import random
import select
import socket
import sys
import time

BLKSIZE = 1468
RETRY_S = 0.5
LONGEST_S = 150.0


class Way:
    """What happens to datagrams."""

    def __init__(self, loss: float, seed: int) -> None:
        self.loss, self.chance = loss, random.Random(seed)
        self.arrived = self.lost = 0

    def drops(self) -> bool:
        if self.chance.random() >= self.loss:
            return False
        self.lost += 1
        return True

    def disturb(self, datagrams: list[bytes]) -> list[bytes]:
        """What comes of the datagrams of one moment."""
        self.arrived += len(datagrams)
        kept = [one for one in datagrams if not self.drops()]
        for at in range(len(kept) - 1):
            if self.chance.random() < 0.01:
                kept[at], kept[at + 1] = kept[at + 1], kept[at]
        return [copy for one in kept for copy in ([one, one] if self.chance.random() < 0.01 else [one])]


class Client:
    """One transfer (RFC 1350, 2347, 7440)."""

    def __init__(self, server: str, path: str, window: int, way: Way) -> None:
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK)
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)
        self.server, self.way, self.window = (server, 69), way, window
        self.request = b"\0\1" + path.encode() + b"\0octet\0blksize\x001468\0windowsize\0%d\0" % window
        self.peer: tuple[str, int] | None = None
        self.hash, self.size, self.next, self.in_window, self.gap, self.done = hashlib.sha256(), 0, 1, 0, False, False
        self.due = 0.0

    def send(self, now: float) -> None:
        """The request, or what was acknowledged last."""
        self.due = now + RETRY_S
        if self.way.drops():
            return
        if self.peer is None:
            self.socket.sendto(self.request, self.server)
        else:
            self.socket.sendto(b"\0\4" + ((self.next - 1) & 0xFFFF).to_bytes(2), self.peer)

    def read(self, now: float) -> None:
        datagrams: list[bytes] = []
        while len(datagrams) < self.window:
            try:
                data, peer = self.socket.recvfrom(2048)
            except BlockingIOError:
                break
            self.peer = self.peer or peer
            datagrams.append(data)
        for data in self.way.disturb(datagrams):
            self.take(data, now)

    def take(self, data: bytes, now: float) -> None:
        if data[1] == 6 and self.next == 1:
            self.send(now)
        if data[1] != 3 or self.done:
            return
        ahead = (int.from_bytes(data[2:4]) - self.next) & 0xFFFF
        again = ahead == 0xFFFF and self.in_window == 0
        if again or (0 < ahead < 0x8000 and not self.gap):
            # What was acknowledged last comes again: that was lost. One that comes too soon: the one before was.
            self.gap = not again
            self.in_window = 0
            self.send(now)
        if ahead:
            return
        self.gap = False
        self.hash.update(data[4:])
        self.size += len(data) - 4
        self.next += 1
        self.in_window += 1
        self.done = len(data) - 4 < BLKSIZE
        if self.done or self.in_window >= self.window:
            self.in_window = 0
            self.send(now)


def main() -> None:
    """Fetch and tell."""
    server, path, count, window = sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
    way = Way(float(sys.argv[5]) / 100, int(sys.argv[6]))
    clients = {}
    poller = select.epoll()
    for _ in range(count):
        client = Client(server, path, window, way)
        clients[client.socket.fileno()] = client
        poller.register(client.socket, select.EPOLLIN)
        client.send(time.monotonic())
    began = time.monotonic()
    hashes: list[str] = []
    while clients and time.monotonic() - began < LONGEST_S:
        for descriptor, _ in poller.poll(0.05):
            clients[descriptor].read(time.monotonic())
        now = time.monotonic()
        for descriptor, client in list(clients.items()):
            if client.done:
                hashes.append(client.hash.hexdigest())
                poller.unregister(descriptor)
                del clients[descriptor]
            elif client.due <= now:
                client.send(now)
    figures = {"hashes": hashes, "arrived": way.arrived, "lost": way.lost, "seconds": time.monotonic() - began}
    print(json.dumps(figures))


if __name__ == "__main__":
    main()
