"""The address table under any order of events: rules O02, O04, R15 and the promises of every lease."""

from __future__ import annotations

from ipaddress import IPv4Network

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from provd.core import dhcp_decide as decide
from provd.core.dhcp_binding import Who
from provd.core.dhcp_leases import AddressTable
from provd.core.dhcp_restore import restore
from provd.core.dhcp_states import State
from provd.model.lease import Lease
from provd.model.subnet import Pool, Subnet
from provd.wire.dhcp import DhcpPacket

NETWORK = IPv4Network("10.0.0.0/24")
SERVER = int(NETWORK[1])
SUBNET = Subnet("lab", NETWORK, Pool(NETWORK[10], NETWORK[14]), offer_s=60, decline_s=600)
RESERVED = int(NETWORK[12])
LEASE_S = 600.0

clients = st.integers(0, 6)
identities = st.sampled_from([b"", b"own", b"\xffduid-1", b"\xffduid-2"])
some_addresses = st.sampled_from([0, *(int(NETWORK[number]) for number in (1, 10, 11, 12, 13, 14, 15, 200))])


class LeaseTable(RuleBasedStateMachine):
    """Clients against one table; what is promised to them is kept beside it as a plain model."""

    def __init__(self) -> None:
        super().__init__()
        self.table = AddressTable(SUBNET, excluded=(SERVER,))
        self.table.reserve({RESERVED: self.mac(0)})
        self.last = 14
        self.now = 1000.0
        self.wall = 5000.0
        self.stored: dict[int, Lease] = {}
        self.promised: dict[int, tuple[bytes, float]] = {}
        self.offered: dict[bytes, tuple[int, float]] = {}

    @staticmethod
    def mac(client: int) -> bytes:
        return b"\x02\0\0\0\0" + bytes((client,))

    def who(self, client: int, identity: bytes) -> Who:
        mac = self.mac(client)
        client_id = b"\x01" + mac if identity == b"own" else identity
        known = client == 0
        return self.table.who(1, mac, client_id, known=known, reserved=RESERVED if known else 0)

    def packet(self, who: Who, kind: int, *, ciaddr: int = 0, wanted: int = 0, server: int = 0) -> DhcpPacket:
        options = {53: bytes((kind,))}
        options |= {50: wanted.to_bytes(4)} if wanted else {}
        options |= {54: server.to_bytes(4)} if server else {}
        return DhcpPacket(1, 1, 6, 0, 7, 0, 0, ciaddr, 0, 0, 0, who.mac.ljust(16, b"\0"), b"", b"", options)

    def ask(self, packet: DhcpPacket, who: Who) -> decide.Outcome:
        self.table.expire(self.now)
        here = decide.Here(ours={SERVER})
        return decide.decide(packet, self.table, who, here)

    def live(self, address: int) -> bytes:
        """Key of the client whose lease on the address runs, or nothing."""
        key, until = self.promised.get(address, (b"", 0.0))
        return key if until > self.now else b""

    @rule(client=clients, identity=identities, wanted=some_addresses)
    def discover(self, client: int, identity: bytes, wanted: int) -> None:
        who = self.who(client, identity)
        outcome = self.ask(self.packet(who, 1, wanted=wanted), who)
        if isinstance(outcome, decide.Silent):
            assert outcome.reason == "pool exhausted"
            return
        assert isinstance(outcome, decide.Offer)
        address = outcome.address
        assert self.live(address) in {b"", who.key}
        standing = self.offered.get(who.key)
        fits = standing is not None and standing[1] > self.now and standing[0] <= int(NETWORK[self.last])
        if standing is not None and fits and not who.reserved:
            assert address == standing[0], "a repeated DISCOVER gets the same address"
        for key, (other, until) in self.offered.items():
            assert key == who.key or other != address or until <= self.now, "offered to somebody else"
        assert address != RESERVED or client == 0
        self.table.offer(who, address, int(LEASE_S), self.now, SUBNET.offer_s)
        self.offered[who.key] = address, self.now + SUBNET.offer_s

    @rule(
        client=clients,
        identity=identities,
        wanted=some_addresses,
        server=st.sampled_from([0, SERVER, 99]),
        durable=st.booleans(),
    )
    def request(self, client: int, identity: bytes, wanted: int, server: int, *, durable: bool) -> None:
        who = self.who(client, identity)
        outcome = self.ask(self.packet(who, 3, wanted=wanted, server=server), who)
        self.after_request(who, outcome, wanted, durable=durable)
        if server == 99:
            assert isinstance(outcome, decide.Silent), "another server's client is answered"
            self.table.withdraw(who)
            self.offered.pop(who.key, None)

    @rule(client=clients, identity=identities, ciaddr=some_addresses, durable=st.booleans())
    @precondition(lambda self: self.promised)
    def renew(self, client: int, identity: bytes, ciaddr: int, *, durable: bool) -> None:
        if not ciaddr:
            return
        who = self.who(client, identity)
        outcome = self.ask(self.packet(who, 3, ciaddr=ciaddr), who)
        self.after_request(who, outcome, ciaddr, durable=durable)

    def after_request(self, who: Who, outcome: decide.Outcome, wanted: int, *, durable: bool) -> None:
        if isinstance(outcome, decide.Nak):
            mine = self.live(wanted) == who.key and wanted != 0
            assert not mine or (who.reserved and wanted != who.reserved), "a running lease of its own is refused"
        if not isinstance(outcome, decide.Ack):
            return
        assert outcome.address == wanted
        assert self.live(wanted) in {b"", who.key}
        at = self.table.at(wanted)
        before = (at.lease, at.until) if at is not None and at.who.key == who.key and at.lease is not None else None
        held = self.table.held(who)
        lease = Lease(wanted, "lab", who.mac, who.client_id, "bound", self.wall, self.wall + LEASE_S)
        self.table.bind(who, wanted, lease, self.now + LEASE_S)
        self.offered.pop(who.key, None)
        if not durable:
            self.table.unbind(who, wanted, before, self.now)
            if before is None or before[1] <= self.now:
                self.offered[who.key] = wanted, self.now + SUBNET.offer_s
            if held is not None and held.address != wanted:
                self.promised.pop(held.address, None)
            return
        for address in [address for address, (key, _) in self.promised.items() if key == who.key]:
            del self.promised[address]
        self.stored[wanted] = lease
        self.promised[wanted] = who.key, self.now + LEASE_S

    @rule(client=clients, identity=identities, ciaddr=some_addresses)
    def release(self, client: int, identity: bytes, ciaddr: int) -> None:
        who = self.who(client, identity)
        outcome = self.ask(self.packet(who, 7, ciaddr=ciaddr, server=SERVER), who)
        if isinstance(outcome, decide.Release):
            assert self.live(ciaddr) == who.key, "freed an address of somebody else"
            binding = self.table.at(outcome.address)
            assert binding is not None
            self.table.release(binding, binding.lease)
            del self.promised[ciaddr]
            self.offered.pop(who.key, None)

    @rule(client=clients, identity=identities, wanted=some_addresses)
    def decline(self, client: int, identity: bytes, wanted: int) -> None:
        who = self.who(client, identity)
        outcome = self.ask(self.packet(who, 4, wanted=wanted, server=SERVER), who)
        if isinstance(outcome, decide.Decline):
            held = self.offered.get(who.key, (0, 0.0))[0]
            assert wanted == held or self.live(wanted) == who.key
            binding = self.table.at(wanted)
            assert binding is not None
            lease = Lease(wanted, "lab", who.mac, state="declined", expires_at=self.wall + SUBNET.decline_s)
            self.table.decline(binding, lease, self.now + SUBNET.decline_s)
            self.promised.pop(wanted, None)
            self.offered = {key: offer for key, offer in self.offered.items() if offer[0] != wanted}

    @rule(seconds=st.sampled_from([0.5, 30.0, 61.0, 300.0, 601.0]), jump=st.sampled_from([0.0, 3600.0, -86400.0, 1e9]))
    def time_passes(self, seconds: float, jump: float) -> None:
        self.now += seconds
        self.wall += seconds + jump
        self.offered = {key: offer for key, offer in self.offered.items() if offer[1] > self.now}

    @rule(last=st.sampled_from([12, 14, 20]))
    def reload(self, last: int) -> None:
        self.table.reconfigure(
            Subnet("lab", NETWORK, Pool(NETWORK[10], NETWORK[last]), offer_s=60, decline_s=600), (SERVER,)
        )
        self.last = last

    @invariant()
    def no_address_has_two_owners_and_no_client_two_addresses(self) -> None:
        self.table.expire(self.now)
        bound = [binding for binding in self.table if binding.state is State.BOUND]
        assert len({binding.address for binding in bound}) == len(bound)
        assert len({binding.who.key for binding in bound}) == len(bound)

    @invariant()
    def an_ack_implies_a_lease_that_stands_to_its_end(self) -> None:
        for address, (key, until) in self.promised.items():
            if until > self.now:
                binding = self.table.at(address)
                assert binding is not None, "a granted lease is gone"
                assert binding.state is State.BOUND, "a granted lease was ended before its time"
                assert binding.who.key == key
                assert binding.until == until
                assert self.stored[address].mac == binding.who.mac

    @invariant()
    def what_is_over_is_not_kept(self) -> None:
        for binding in self.table:
            assert binding.state is State.IDLE or binding.until > self.now, "an offer, lease or quarantine did not end"
            assert binding.lease is not None or binding.state is State.OFFERED
        declined = [binding for binding in self.table if binding.state is State.DECLINED]
        assert self.table.declined == len(declined)

    @invariant()
    def the_servers_own_address_is_nobodys(self) -> None:
        assert self.table.at(SERVER) is None

    def teardown(self) -> None:
        """A restart over what is stored knows every running lease."""
        fresh = AddressTable(SUBNET, excluded=(SERVER,))
        for lease in self.stored.values():
            restore(fresh, lease, self.now, lease.starts_at)
        for address, lease in self.stored.items():
            binding = fresh.at(address)
            assert binding is not None
            assert binding.state is State.BOUND
            assert binding.lease == lease


LeaseTable.TestCase.settings = settings(max_examples=150, stateful_step_count=50, deadline=None)
TestLeaseTable = LeaseTable.TestCase
