"""The short way gives the octets of the long way, keeps out of whatever is one machine's affair, and skips no hook."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from ipaddress import IPv4Address
from typing import Any, cast

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from provd.model.client_class import ClientClass
from provd.model.dhcp import Ignore, OptionSet
from provd.service.dhcp_shortcut import Shortcut
from tests.fakes.dhcp_fakes import FakeBootDirector, FakeHooks
from tests.fakes.dhcp_world import DISCOVER, RELAY, REQUEST, SERVER, DhcpWorld, Sent, a_system, ip, request, subnet

MACS = [bytes((2, 0, 0, 0, 0, number)) for number in range(5)]
PRL = {55: bytes((1, 3, 6, 12, 15))}


class SharingHooks(FakeHooks):
    """Plugins that say that they do not look at the machine."""

    def __init__(self) -> None:
        super().__init__()
        self.shared = True
        self.concerned: frozenset[int] = frozenset({82, 118})

    def hook_is_shared(self, hook: str) -> bool:
        return self.shared

    def hook_concerns(self, hook: str, options: frozenset[int]) -> bool:
        return not self.concerned or not self.concerned.isdisjoint(options)


class QuietDirector(FakeBootDirector):
    """No machine boots but those that a test names."""

    def __init__(self) -> None:
        super().__init__()
        self.boots: set[bytes] = set()
        self.held: set[int] = set()

    def booting(self, mac: bytes) -> bool:
        return mac in self.boots

    def holds(self, address: int) -> bool:
        return address in self.held


class _Noted:
    """A shortcut whose answers are noted; it may be a compiled one, which nothing can be put into."""

    def __init__(self, shortcut: Shortcut) -> None:
        self.shortcut = shortcut
        self.answers: list[bool] = []

    def answer(self, data: bytes, arrival: Any) -> bool:
        self.answers.append(self.shortcut.answer(data, arrival))
        return self.answers[-1]

    def clear(self) -> None:
        self.shortcut.clear()


class World(DhcpWorld):
    """Counts the messages that go the long way."""

    def __post_init__(self) -> None:
        self.sharing = SharingHooks()
        super().__post_init__()
        self.behind = self.sharing
        self.director = self.quiet = QuietDirector()
        self.restart()
        self.here = self.arrival()
        self.long = 0

    def say(self, data: bytes, arrival: Any = None) -> list[Sent]:
        before = len(self.sent)
        self.service.handle(data, arrival or self.here)
        return self.sent[before:]

    def was_short(self, data: bytes) -> bool:
        """Whether this message is answered the short way."""
        noted = self.service._shortcut = _Noted(cast("Shortcut", self.service._shortcut))
        try:
            self.say(data)
        finally:
            self.service._shortcut = noted.shortcut
        return noted.answers == [True]

    def dora_of(self, mac: bytes, **more: Any) -> tuple[Sent, Sent]:
        (offer,) = self.say(request(DISCOVER, mac=mac, **more))
        (ack,) = self.say(request(REQUEST, mac=mac, wanted=offer.packet.yiaddr, server=SERVER, **more))
        return offer, ack


@pytest.fixture
def world() -> World:
    made = World()
    for mac in MACS[:1]:
        made.dora_of(mac, options=PRL)
    return made


def test_the_second_machine_of_a_kind_goes_the_short_way(world: World) -> None:
    assert world.was_short(request(DISCOVER, mac=MACS[1], options=PRL))
    offered = world.sent[-1].packet
    assert world.was_short(request(REQUEST, mac=MACS[1], wanted=offered.yiaddr, server=SERVER, options=PRL))
    assert (world.sent[-1].kind, world.sent[-1].packet.chaddr[:6]) == (5, MACS[1])
    assert world.store.rows[offered.yiaddr].mac == MACS[1]


def step() -> st.SearchStrategy[dict[str, Any]]:
    options = st.fixed_dictionaries(
        {},
        optional={
            61: st.sampled_from([b"\1" + MACS[0], b"\1" + MACS[1], b"\xff\1\2\3", b"\xff\4\5\6", b"x"]),
            12: st.sampled_from([b"web1", b"db_2!", b"\xff\xff\xff\xff"]),
            55: st.sampled_from([b"\1\3\6", b"\1\x33\x3a"]),
            57: st.just(b"\2\x40"),
            51: st.sampled_from([b"\0\0\0\x78", b"\xff\xff\xff\xff"]),
            82: st.just(b"\1\2ab"),
            93: st.just(b"\0\0"),
            60: st.sampled_from([b"PXEClient:Arch:00000", b"udhcp 1.35"]),
        },
    )
    return st.fixed_dictionaries(
        {
            "kind": st.sampled_from([DISCOVER, DISCOVER, REQUEST, REQUEST, REQUEST, 4, 7, 8]),
            "mac": st.sampled_from(MACS),
            "xid": st.integers(1, 3),
            "flags": st.sampled_from([0, 0x8000]),
            "secs": st.integers(0, 2),
            "giaddr": st.sampled_from([0, 0, RELAY]),
            "ciaddr": st.sampled_from([0, 0, 0, ip("10.88.0.100")]),
            "wanted": st.sampled_from([0, -1, -1, -1, ip("10.88.0.103"), ip("10.88.1.101"), ip("10.9.9.9")]),
            "server": st.sampled_from([0, SERVER, SERVER, ip("10.9.9.1")]),
            "options": options,
            "wait": st.sampled_from([0, 0, 0, 1, 61, 4000]),
        }
    )


def facts(world: DhcpWorld) -> object:
    counters = world.service.counters.as_dict()
    sent = [(one.data, one.destination, one.interface, one.local) for one in world.sent]
    return sent, world.store.rows, counters["received"], counters["sent"], counters["dropped"], counters["writes"]


@settings(max_examples=200, deadline=None)
@given(st.lists(step(), min_size=4, max_size=40))
def test_the_short_way_sends_and_stores_what_the_long_way_does(steps: list[dict[str, Any]]) -> None:
    short, long = World(), World()
    long.sharing.shared = False
    arrivals = {0: short.here, RELAY: short.arrival(source=RELAY, unicast=True, source_port=67)}
    last: dict[bytes, int] = {}
    for one in steps:
        wait, wanted = one.pop("wait"), one.pop("wanted")
        data = request(wanted=last.get(one["mac"], 0) if wanted < 0 else wanted, **one)
        for world in (short, long):
            world.pass_time(wait)
            world.say(data, arrivals[one["giaddr"]])
        if short.sent and short.sent[-1].packet.yiaddr:
            last[short.sent[-1].packet.chaddr[:6]] = short.sent[-1].packet.yiaddr
        assert facts(short) == facts(long)
    assert short.service.counters.errors == 0


def test_that_comparison_meets_the_short_way() -> None:
    """A machine of each kind after another one: without this the property above could compare the long way with itself."""
    world, went = World(), 0
    for options in ({}, {61: b"\xff\1\2\3"}, {12: b"web1"}, {57: b"\2\x40"}):
        for flags in (0, 0x8000):
            for number, mac in enumerate(MACS):
                data = request(DISCOVER, mac=mac, flags=flags, options=options)
                went += world.was_short(data)
                offered = world.sent[-1].packet.yiaddr
                data = request(REQUEST, mac=mac, flags=flags, options=options, wanted=offered, server=SERVER)
                went += world.was_short(data)
                assert world.sent[-1].kind == 5, number
    assert went >= 40


@pytest.mark.parametrize(
    "change",
    [
        pytest.param(lambda world: world.know(a_system(mac=MACS[1])), id="a machine with a name"),
        pytest.param(lambda world: world.quiet.boots.add(MACS[1]), id="a machine that boots"),
        pytest.param(lambda world: setattr(world.sharing, "epoch", (1, 0)), id="a plugin was swapped"),
        pytest.param(lambda world: setattr(world.sharing, "epoch", (0, 1)), id="a plugin failed"),
        pytest.param(lambda world: world.configure(lease_s=600), id="a reload"),
        pytest.param(lambda world: world.service.classify({}, ()), id="classes"),
        pytest.param(lambda world: world.service.forget(), id="a new catalogue"),
    ],
)
def test_what_changes_the_answer_ends_the_short_way(world: World, change: Callable[[World], object]) -> None:
    change(world)
    assert not world.was_short(request(DISCOVER, mac=MACS[1], options=PRL))


@pytest.mark.parametrize(
    "prepare",
    [
        pytest.param(lambda world: setattr(world.sharing, "shared", False), id="a hook looks at the machine"),
        pytest.param(lambda world: setattr(world.sharing, "concerned", frozenset()), id="a hook hears every message"),
        pytest.param(lambda world: world.configure(probe="icmp"), id="addresses are probed"),
        pytest.param(
            lambda world: world.service.classify({}, (ClientClass("x", mac_prefix=b"\2"),)), id="a class by MAC"
        ),
    ],
)
def test_what_is_one_machines_affair_is_never_learnt(prepare: Callable[[World], object]) -> None:
    world = World()
    prepare(world)
    world.say(request(DISCOVER, mac=MACS[0], options=PRL))
    assert not world.was_short(request(DISCOVER, mac=MACS[1], options=PRL))


@pytest.mark.parametrize(
    "options", [{82: b"\1\2ab"}, {118: b"\x0a\x58\0\0"}, {97: b"\0" + bytes(16)}, {81: b"\0\0\0web"}]
)
def test_messages_with_these_options_always_go_the_long_way(world: World, options: dict[int, bytes]) -> None:
    for mac in MACS[:2]:
        assert not world.was_short(request(DISCOVER, mac=mac, giaddr=RELAY, options={**PRL, **options}))


def test_row_9_firmware_always_goes_the_long_way(world: World) -> None:
    pxe = {**PRL, 60: b"PXEClient:Arch:00007", 93: b"\0\7"}
    for mac in MACS[:2]:
        assert not world.was_short(request(DISCOVER, mac=mac, options=pxe))


def test_a_gate_that_hears_every_message_hears_it(world: World) -> None:
    world.sharing.concerned = frozenset()
    world.service.forget()
    world.sharing.verdict = Ignore("no")
    for mac in MACS:
        assert world.say(request(DISCOVER, mac=mac, options=PRL)) == []
    assert world.service.counters.dropped["gate"] == len(MACS)


def test_another_way_in_is_another_kind(world: World) -> None:
    other = replace(world.here, local=int(IPv4Address("10.88.0.2")))
    before = len(world.sent)
    world.service.handle(request(DISCOVER, mac=MACS[1], options=PRL), other)
    assert world.sent[before].packet.options[54] == world.sent[before].local.to_bytes(4)


def test_R13_a_request_that_is_repeated_has_one_write(world: World) -> None:
    (offer,) = world.say(request(DISCOVER, mac=MACS[1], options=PRL))
    data = request(REQUEST, mac=MACS[1], wanted=offer.packet.yiaddr, server=SERVER, options=PRL)
    world.store.hold = True
    assert world.was_short(data)
    assert world.say(data) == []
    world.store.flush()
    assert [sent.kind for sent in world.sent[-1:]] == [5]
    commits = world.store.commits
    assert world.say(data)[0].data == world.sent[-2].data
    assert world.store.commits == commits


def test_R15_no_ack_where_the_lease_cannot_be_stored(world: World) -> None:
    (offer,) = world.say(request(DISCOVER, mac=MACS[1], options=PRL))
    world.store.problem = OSError("full")
    data = request(REQUEST, mac=MACS[1], wanted=offer.packet.yiaddr, server=SERVER, options=PRL)
    assert world.say(data) == []
    world.store.problem = None
    assert [sent.kind for sent in world.say(data)] == [5]


def test_O06_an_empty_pool_is_told_the_long_way(world: World) -> None:
    world.subnets = (subnet(last=100),)
    world.service.reconfigure(world.subnets, own=(SERVER,))
    world.say(request(DISCOVER, mac=MACS[0], options=PRL))
    assert world.say(request(DISCOVER, mac=MACS[1], options=PRL)) == []
    assert world.service.counters.dropped["pool exhausted"] == 1


def test_C21_kinds_of_messages_are_bounded(world: World) -> None:
    for number in range(2000):
        world.say(request(DISCOVER, mac=MACS[0], options={**PRL, 60: b"vendor %d" % number}))
    shortcut = cast("Shortcut", world.service._shortcut)
    assert sum(map(len, shortcut._ways.values())) <= Shortcut.KNOWN


def test_of_two_subnets_on_a_link_each_machine_is_answered_for_its_own() -> None:
    """The address a machine asks for chooses the subnet there: what one was told is no pattern for the next."""
    world = World()
    world.subnets = (subnet(), replace(subnet("second", "10.89.0.0/24"), interface="eth0"))
    world.service.reconfigure(world.subnets, own=(SERVER, ip("10.89.0.1")))
    for mac, address in zip(MACS, ("10.89.0.105", "10.88.0.105", "10.89.0.106", "10.88.0.106"), strict=False):
        (offer,) = world.say(request(DISCOVER, mac=mac, options=PRL, wanted=ip(address)))
        assert offer.packet.yiaddr == ip(address)


def test_an_answer_that_a_plugin_failed_in_is_no_pattern_for_others() -> None:
    world = World()
    world.sharing.sets = [("site", OptionSet({15: b"example.org"}, force=True))]
    whole = world.sharing.options

    def fails(*_: Any) -> Sequence[tuple[str, OptionSet]]:
        swaps, missed = world.sharing.epoch
        world.sharing.epoch = swaps, missed + 1
        return ()

    cast("Any", world.sharing).options = fails
    world.dora_of(MACS[0], options=PRL)
    cast("Any", world.sharing).options = whole
    # The ACK of a moment ago is repeated, and stays what it was.
    world.say(request(REQUEST, mac=MACS[0], wanted=ip("10.88.0.100"), server=SERVER, options=PRL))
    for mac in MACS[1:3]:
        assert [sent.packet.options[15] for sent in world.dora_of(mac, options=PRL)] == [b"example.org"] * 2
