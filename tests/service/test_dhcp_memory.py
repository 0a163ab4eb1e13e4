"""What plugins are asked once per client and what for every packet; and that nothing remembered outlives its reason."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import replace

from provd.model.boot import BootPlan
from provd.model.dhcp import Allow, DhcpRequest, GateVerdict, OptionSet, Reply
from provd.model.lease import Lease
from provd.model.subnet import Subnet
from provd.plugin.api import hookimpl
from provd.plugin.host import PluginHost
from provd.service import dhcp_memory
from tests.fakes.dhcp_world import (
    DISCOVER,
    MAC,
    OTHER_MAC,
    REQUEST,
    SERVER,
    DhcpWorld,
    a_profile,
    a_system,
    ip,
    request,
    subnet,
)
from tests.fakes.plugin_world import FakeClock, made

OPTIONS = {55: b"\1\3\6\xe0", 61: b"\1" + MAC}
PURE = ("labels", "subnet", "options")
ALWAYS = ("gate", "reply")


class Counting:
    """One implementation of each hook of a packet; the pure ones change their answer with ``number``."""

    def __init__(self) -> None:
        self.calls: Counter[str] = Counter()
        self.number = 1
        self.fails = False

    @hookimpl
    def provd_dhcp_gate(self, request: DhcpRequest) -> GateVerdict | None:
        self.calls["gate"] += 1
        return Allow()

    @hookimpl
    def provd_dhcp_labels(self, request: DhcpRequest) -> Iterable[str] | None:
        self.calls["labels"] += 1
        if self.fails:
            raise RuntimeError("not now")
        return [f"class-{self.number}"]

    @hookimpl
    def provd_dhcp_subnet(self, request: DhcpRequest, subnets: Sequence[Subnet]) -> Subnet | None:
        self.calls["subnet"] += 1
        return None

    @hookimpl
    def provd_dhcp_options(self, request: DhcpRequest, lease: Lease | None, plan: BootPlan | None) -> OptionSet | None:
        self.calls["options"] += 1
        return OptionSet({224: f"{self.number} {' '.join(sorted(request.client.labels))}".encode()})

    @hookimpl
    def provd_dhcp_reply(self, request: DhcpRequest, reply: Reply) -> Reply | None:
        self.calls["reply"] += 1
        return None


class CountingPerPacket(Counting):
    """The same, with hooks that depend on more than their arguments."""

    @hookimpl(per_packet=True)
    def provd_dhcp_labels(self, request: DhcpRequest) -> Iterable[str] | None:
        return super().provd_dhcp_labels(request)

    @hookimpl(per_packet=True)
    def provd_dhcp_subnet(self, request: DhcpRequest, subnets: Sequence[Subnet]) -> Subnet | None:
        return super().provd_dhcp_subnet(request, subnets)

    @hookimpl(per_packet=True)
    def provd_dhcp_options(self, request: DhcpRequest, lease: Lease | None, plan: BootPlan | None) -> OptionSet | None:
        return super().provd_dhcp_options(request, lease, plan)


def world_of(plugin: Counting) -> DhcpWorld:
    host = PluginHost([made("counting", lambda _settings: plugin)], {}, clock=FakeClock())
    return DhcpWorld(behind=host)


def exchanges(world: DhcpWorld, count: int, mac: bytes = MAC) -> bytes:
    """Full exchanges of one client; returns option 224 of the last ACK."""
    said = b""
    for _ in range(count):
        said = world.dora(mac, options=OPTIONS, xid=len(world.sent) + 1000).packet.options[224]
    return said


def test_pure_hooks_are_asked_once_per_client_and_reply_and_the_others_for_every_packet() -> None:
    plugin = Counting()
    world = world_of(plugin)
    exchanges(world, 5)
    assert {hook: plugin.calls[hook] for hook in ALWAYS} == {"gate": 10, "reply": 10}
    # The first OFFER has no lease; later ones and the ACK have.
    assert {hook: plugin.calls[hook] for hook in PURE} == {"labels": 1, "subnet": 1, "options": 3}
    exchanges(world, 1, OTHER_MAC)
    assert {hook: plugin.calls[hook] for hook in PURE} == {"labels": 2, "subnet": 2, "options": 5}


def test_per_packet_hooks_are_asked_for_every_packet() -> None:
    plugin = CountingPerPacket()
    world = world_of(plugin)
    exchanges(world, 5)
    assert {hook: plugin.calls[hook] for hook in (*ALWAYS, *PURE)} == dict.fromkeys((*ALWAYS, *PURE), 10)
    plugin.number = 2
    assert exchanges(world, 1) == b"2 class-2"


def test_other_facts_of_the_same_client_are_asked_anew() -> None:
    plugin = Counting()
    world = world_of(plugin)
    exchanges(world, 1)
    world.dora(options={**OPTIONS, 60: b"anaconda"}, xid=200)
    assert plugin.calls["labels"] == 2
    world.dora(options={**OPTIONS, 55: b"\1\3\6\xe0\x0f"}, xid=201)
    assert plugin.calls["labels"] == 3


def test_a_reload_a_swapped_plugin_and_an_edited_system_void_what_is_remembered() -> None:
    plugin = Counting()
    world = world_of(plugin)
    assert exchanges(world, 1) == b"1 class-1"
    plugin.number = 2
    assert exchanges(world, 1) == b"1 class-1"
    world.configure(lease_s=1800)
    assert exchanges(world, 1) == b"2 class-2"
    plugin.number = 3
    assert isinstance(world.behind, PluginHost)
    world.behind.swap("counting", {})
    assert exchanges(world, 1) == b"3 class-3"
    plugin.number = 4
    world.systems.all = [a_system(profile="web")]
    assert exchanges(world, 1) == b"4 class-4"
    plugin.number = 5
    world.systems.profiles["web"] = a_profile()
    assert exchanges(world, 1) == b"5 class-5"


def test_the_profile_of_a_system_changes_its_options_at_once() -> None:
    world = DhcpWorld()
    world.know(a_system(profile="web"))
    world.systems.profiles["web"] = a_profile(options={"domain-name": "one.example"})
    assert world.dora(xid=1).packet.options[15] == b"one.example"
    world.systems.profiles["web"] = a_profile(options={"domain-name": "two.example"})
    assert world.dora(xid=2).packet.options[15] == b"two.example"


def test_an_answer_that_a_failing_plugin_did_not_give_is_not_remembered() -> None:
    plugin = Counting()
    world = world_of(plugin)
    plugin.fails = True
    assert exchanges(world, 1) == b"1 "
    plugin.fails = False
    assert exchanges(world, 1) == b"1 class-1"


def test_replies_from_memory_have_the_octets_of_replies_made_anew() -> None:
    warm, cold = DhcpWorld(), DhcpWorld()
    for number in range(4):
        mac = MAC[:5] + bytes((number,))
        for options in ({}, {55: b"\1\3\6"}, {57: b"\2\x40", 55: b"\3\1"}, {61: b"\1" + mac}, {60: b"PXEClient"}):
            for kind in (DISCOVER, REQUEST):
                wanted = warm.sent[-1].packet.yiaddr if kind == REQUEST else 0
                server = SERVER if kind == REQUEST else 0
                data = request(kind, mac=mac, options=options, xid=len(warm.sent), wanted=wanted, server=server)
                cold.service.forget()
                assert warm.answer(data).data == cold.answer(data).data


def test_a_plugin_that_changes_options_changes_them_for_one_reply() -> None:
    world = DhcpWorld()
    plain = world.dora(xid=1).packet.options
    world.hooks.change = lambda reply: replace(reply, options={**reply.options, 224: b"once"})
    assert world.dora(xid=2).packet.options[224] == b"once"
    world.hooks.change = lambda reply: reply
    assert world.dora(xid=3).packet.options == plain


def test_a_client_that_changes_its_subnet_gets_the_options_of_the_other() -> None:
    near, far = subnet("near"), subnet("far", "10.89.0.0/24")
    world = DhcpWorld([replace(near, interface="eth0"), replace(far, interface="eth0")])
    first = world.answer(request(DISCOVER, wanted=ip("10.89.0.105")))
    second = world.answer(request(DISCOVER, wanted=ip("10.88.0.105"), xid=8))
    assert [first.packet.options[3], second.packet.options[3]] == [b"\x0a\x59\0\xfe", b"\x0a\x58\0\xfe"]


def test_clients_that_never_come_back_are_forgotten() -> None:
    world = DhcpWorld()
    memory = world.service._memory
    for number in range(dhcp_memory.CLIENTS + 50):
        world.ask(request(DISCOVER, mac=b"\x02\0" + number.to_bytes(4), xid=number))
        world.sent.clear()
        world.director.heard.clear()
    assert len(memory) == dhcp_memory.CLIENTS
