"""Two servers on one segment, each with its half of the addresses, and clients that hear both."""

from __future__ import annotations

import random
from collections import Counter
from dataclasses import dataclass, field
from ipaddress import IPv4Address, IPv4Network

from provd.model.subnet import Pool, Subnet
from provd.wire.dhcp import decode
from provd.wire.packet import DhcpPacket
from tests.fakes.dhcp_world import ACK, DISCOVER, NAK, OFFER, REQUEST, DhcpWorld, request

NETWORK = IPv4Network("10.88.0.0/16")
SERVERS = (int(IPv4Address("10.88.0.1")), int(IPv4Address("10.88.0.2")))
HALVES = (("10.88.16.0", "10.88.63.255"), ("10.88.64.0", "10.88.111.255"))


class OneOfTwo(DhcpWorld):
    """One server with its half of the pool."""

    def __init__(self, number: int) -> None:
        pool = Pool(*map(IPv4Address, HALVES[number]))
        subnets = (Subnet("lab", NETWORK, pool, interface="eth0", lease_s=3600),)
        super().__init__(subnets=subnets, own=SERVERS[number])

    def hear(self, data: bytes) -> DhcpPacket | None:
        """A broadcast; what this server answers."""
        for kept in (self.sent, self.director.heard, self.director.asked):
            kept.clear()
        self.ask(data, local=self.own, addresses=(self.own,))
        return decode(self.sent[0].data) if self.sent else None


@dataclass
class Segment:
    """Both servers, and what clients were acknowledged.

    Attributes:
        held: address by client.
        served: clients by server.
        moved: clients that were refused, because an ACK of the other server had been lost, and began anew.
        faults: what must not happen, one sentence each.
    """

    pick: random.Random
    loss: float
    servers: tuple[OneOfTwo, OneOfTwo] = field(default_factory=lambda: (OneOfTwo(0), OneOfTwo(1)))
    held: dict[int, int] = field(default_factory=dict)
    owner: dict[int, int] = field(default_factory=dict)
    served: Counter[int] = field(default_factory=Counter)
    moved: int = 0
    faults: list[str] = field(default_factory=list)

    def broadcast(self, data: bytes) -> list[DhcpPacket]:
        """Every server may hear it and may be heard; the answers in the order in which they come."""
        answers = []
        for server in self.pick.sample(self.servers, 2):
            if self.pick.random() >= self.loss:
                answer = server.hear(data)
                if answer is not None and self.pick.random() >= self.loss:
                    answers.append(answer)
        return answers

    def join(self, number: int) -> None:
        """One client asks until it has an address."""
        mac = b"\x02\0" + number.to_bytes(4)
        for attempt in range(50):
            xid = number * 64 + attempt
            offers = [one for one in self.broadcast(request(DISCOVER, mac=mac, xid=xid)) if one.message_type == OFFER]
            if not offers:
                continue
            chosen = offers[0]
            wanted = request(REQUEST, mac=mac, xid=xid, wanted=chosen.yiaddr, server=chosen.server_id)
            for answer in self.broadcast(wanted):
                self._take(number, answer, chosen.server_id)
            if number in self.held:
                return
        self.faults.append(f"client {number} has no address after 50 attempts")

    def come_back(self, number: int) -> None:
        """A client that has an address boots again and asks for it (INIT-REBOOT)."""
        mac = b"\x02\0" + number.to_bytes(4)
        data = request(REQUEST, mac=mac, xid=number, wanted=self.held[number])
        answers = self.broadcast(data)
        if any(answer.message_type == NAK for answer in answers):
            self.moved += 1
            del self.owner[self.held.pop(number)]
            self.join(number)
            return
        for answer in answers:
            self._take(number, answer, answer.server_id)

    def _take(self, number: int, answer: DhcpPacket, server: int) -> None:
        if answer.message_type != ACK or answer.server_id != server:
            self.faults.append(f"client {number} got an answer of a server that it had not chosen")
            return
        address = answer.yiaddr
        if self.owner.setdefault(address, number) != number:
            self.faults.append(f"{IPv4Address(address)} of client {self.owner[address]} was given to {number}")
        if self.held.setdefault(number, address) != address:
            self.faults.append(f"client {number} was given a second address")
        self.served[SERVERS.index(server)] += 1
