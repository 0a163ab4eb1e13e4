"""A model of who may have which address, beside the whole DHCP service with restarts, held and failed writes.

The model believes only what clients saw: an ACK that a client takes is a promise until its lease time is over, whatever
happens to the server, its store or its wall clock. Rules R15, R16 and O02 of the conformance list in one.
"""

from __future__ import annotations

from dataclasses import dataclass

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from provd.core.dhcp_states import State
from provd.model.subnet import Pool
from tests.fakes.dhcp_world import (
    ACK,
    DECLINE,
    DISCOVER,
    INFORM,
    NAK,
    OFFER,
    RELEASE,
    REQUEST,
    SERVER,
    DhcpWorld,
    Sent,
    a_system,
    ip,
    request,
    subnet,
)

CLIENTS = 5
FIRST, LAST = 100, 104
RESERVED = ip("10.88.0.102")
OTHER_SERVER = ip("10.88.0.9")
HOUR = 3600.0
_SLACK = 0.001

clients = st.integers(0, CLIENTS - 1)
addresses = st.sampled_from([*range(ip("10.88.0.99"), ip("10.88.0.107")), ip("10.99.0.1")])


def mac_of(client: int) -> bytes:
    return b"\x02\0\0\0\0" + bytes((client,))


@dataclass
class Client:
    """What one client knows.

    Attributes:
        xid: of its newest message; replies to older ones are not for it.
        offered: address it was offered, 0 for none.
        address: that it has, 0 for none.
        until: end of its lease, in true time.
        asked: address of its newest REQUEST.
        sent_at: true time of its newest message: a lease counts from the REQUEST (RFC 2131 section 4.4.1).
        said: its newest message.
        source: address it sent that from by unicast, 0 for broadcast.
    """

    xid: int = 0
    offered: int = 0
    address: int = 0
    until: float = 0.0
    asked: int = 0
    sent_at: float = 0.0
    said: bytes = b""
    source: int = 0


class ServiceMachine(RuleBasedStateMachine):
    """Five clients, the first of them a known system with a reservation."""

    def __init__(self) -> None:
        super().__init__()
        self.now = 0.0
        self.last_xid = 0
        self.clients = [Client() for _ in range(CLIENTS)]

    @initialize(authoritative=st.booleans(), last=st.sampled_from([LAST, LAST + 5]))
    def begin(self, *, authoritative: bool, last: int) -> None:
        self.world = DhcpWorld(subnets=(subnet(first=FIRST, last=last),))
        self.world.know(a_system(mac=mac_of(0), address="10.88.0.102"))
        self.world.configure(authoritative=authoritative)

    def say(
        self, client: int, kind: int, *, wanted: int = 0, server: int = 0, ciaddr: int = 0, source: int = 0
    ) -> None:
        """One message of one client, and what came back at once."""
        me = self.clients[client]
        self.last_xid += 1
        me.xid, me.sent_at = self.last_xid, self.now
        me.said = request(kind, mac=mac_of(client), xid=me.xid, wanted=wanted, server=server, ciaddr=ciaddr)
        me.source = source
        self.say_again(client)

    @rule(client=clients)
    def say_again(self, client: int) -> None:
        """The newest message once more, as a client does that heard nothing."""
        me = self.clients[client]
        if me.said:
            self.world.ask(me.said, unicast=bool(me.source), source=me.source)
            self.hear()

    def hear(self) -> None:
        """Every client takes what is for it."""
        sent, self.world.sent = self.world.sent, []
        assert self.world.service.counters.errors == 0
        for reply in sent:
            client = reply.packet.mac[-1]
            if reply.packet.xid == self.clients[client].xid:
                self.take(client, reply)

    def take(self, client: int, reply: Sent) -> None:
        """One reply to one client's newest message."""
        me, address = self.clients[client], reply.packet.yiaddr
        if reply.kind == OFFER:
            self.is_free_for(client, address)
            me.offered = address
        elif reply.kind == ACK and address:
            self.acknowledged(client, reply)
        elif reply.kind == NAK:
            kept = me.address == me.asked and me.until > self.now
            moved = client == 0 and me.asked != RESERVED
            assert not kept or moved, f"client {client} was refused its own running lease"
            me.offered = 0
            if kept:
                me.address = 0

    def acknowledged(self, client: int, reply: Sent) -> None:
        """An ACK is a promise, and its lease is in the store."""
        me, address = self.clients[client], reply.packet.yiaddr
        assert address == me.asked, "an address that was not asked for"
        self.is_free_for(client, address)
        row = self.world.store.rows.get(address)
        assert row is not None, "an ACK without a stored lease"
        assert (row.mac, row.state) == (mac_of(client), "bound"), "an ACK whose lease is stored for another"
        lease_s = int.from_bytes(reply.packet.options[51])
        assert row.expires_at - row.starts_at >= lease_s - _SLACK
        me.address, me.until, me.offered = address, me.sent_at + lease_s, 0

    def is_free_for(self, client: int, address: int) -> None:
        """Nobody else was promised this address, and it is not another's reservation."""
        assert address != RESERVED or client == 0, "a reserved address for somebody else"
        for number, other in enumerate(self.clients):
            taken = other.address == address and other.until > self.now
            assert not taken or number == client, f"{address:08x} of client {number} for client {client}"

    def discover(self, client: int, wanted: int) -> None:
        self.say(client, DISCOVER, wanted=wanted)

    @rule(client=clients, wanted=addresses)
    def discover_and_wait(self, client: int, wanted: int) -> None:
        self.discover(client, wanted)

    @rule(client=clients)
    def take_offer(self, client: int) -> None:
        me = self.clients[client]
        if me.offered:
            if me.offered != me.address:
                # A client that selects is in no lease (RFC 2131 section 4.4, figure 5).
                me.address = 0
            me.asked = me.offered
            self.say(client, REQUEST, wanted=me.offered, server=SERVER)

    @rule(client=clients)
    def discover_and_take(self, client: int) -> None:
        self.discover(client, 0)
        self.take_offer(client)

    @rule(client=clients)
    def take_another_servers_offer(self, client: int) -> None:
        self.clients[client].asked = 0
        self.clients[client].offered = 0
        self.say(client, REQUEST, wanted=ip("10.88.0.103"), server=OTHER_SERVER)

    @rule(client=clients, wanted=st.one_of(st.just(0), addresses))
    def init_reboot(self, client: int, wanted: int) -> None:
        wanted = wanted or self.clients[client].address or RESERVED
        self.believes(client, wanted)
        self.say(client, REQUEST, wanted=wanted)

    def believes(self, client: int, address: int) -> None:
        """The client says that it has this address; one that names its reserved one gets it in place of what it had."""
        me = self.clients[client]
        me.asked = address
        if client == 0 and address == RESERVED != me.address:
            me.address = 0

    @rule(client=clients, unicast=st.booleans(), wrong=st.one_of(st.none(), addresses))
    def extend(self, client: int, wrong: int | None, *, unicast: bool) -> None:
        address = wrong or self.clients[client].address
        if address:
            self.believes(client, address)
            self.say(client, REQUEST, ciaddr=address, source=address if unicast else 0)

    @rule(client=clients, wrong=st.one_of(st.none(), addresses))
    def release(self, client: int, wrong: int | None) -> None:
        me = self.clients[client]
        address = wrong or me.address
        if address:
            if address == me.address:
                me.address = 0
            self.say(client, RELEASE, ciaddr=address, server=SERVER, source=address)

    @rule(client=clients, wrong=st.one_of(st.none(), addresses))
    def decline(self, client: int, wrong: int | None) -> None:
        me = self.clients[client]
        address = wrong or me.address or me.offered
        if address:
            if address == me.address:
                me.address = 0
            self.say(client, DECLINE, wanted=address, server=SERVER)

    @rule(client=clients)
    def inform(self, client: int) -> None:
        self.clients[client].asked = 0
        self.say(client, INFORM, ciaddr=self.clients[client].address or ip("10.88.0.50"))

    @rule(seconds=st.sampled_from([0.01, 5.0, 59.0, 61.0, 1800.0, 3599.0, 3601.0]))
    def time_passes(self, seconds: float) -> None:
        self.now += seconds
        self.world.pass_time(seconds)

    @rule(seconds=st.sampled_from([HOUR, -HOUR, 1e8, -1e8, 1.5]))
    def wall_clock_jumps(self, seconds: float) -> None:
        self.world.wall += seconds

    @rule()
    def store_is_slow(self) -> None:
        self.world.store.hold = True

    @rule()
    def store_catches_up(self) -> None:
        self.world.store.hold = False
        self.world.store.flush()
        self.hear()

    @rule(fails=st.booleans())
    def store_fails(self, *, fails: bool) -> None:
        self.world.store.problem = OSError("disk full") if fails else None

    @rule(written=st.integers(0, 3), jump=st.sampled_from([0.0, HOUR, -HOUR, 1e8, -1e8]))
    def restart(self, written: int, jump: float) -> None:
        self.world.store.crash(written if self.world.store.problem is None else 0)
        self.world.store.hold = False
        self.world.wall += jump
        self.world.restart()

    @rule(written=st.integers(0, 3))
    def reload(self, written: int) -> None:
        self.world.configure(pool=Pool(*(subnet().network[last] for last in (FIRST, LAST + written))))

    @invariant()
    def a_promise_stands_to_its_end(self) -> None:
        if not hasattr(self, "world"):
            return
        self.world.service.expire()
        (table,) = self.world.service.tables
        for number, client in enumerate(self.clients):
            if client.address and client.until > self.now + _SLACK:
                binding = table.at(client.address)
                assert binding is not None, f"client {number} lost its lease"
                assert binding.who.mac == mac_of(number), f"the lease of client {number} is another's"
                assert binding.state is State.BOUND, f"the lease of client {number} is {binding.state.value}"
                assert binding.until >= self.world.mono + client.until - self.now - _SLACK, "ends too early"
                row = self.world.store.rows[client.address]
                assert row.mac == mac_of(number), f"the stored lease of client {number} is another's"
