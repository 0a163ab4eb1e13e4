"""Hostile plugins: whatever one of them does, the others answer, it is counted, and nothing else is raised."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from ipaddress import IPv4Network
from pathlib import Path
from typing import Any

import pytest
from twisted.logger import ILogObserver, globalLogPublisher
from zope.interface import implementer

from provd.model.dhcp import Allow, Destination, DhcpRequest, GateVerdict, Ignore, OptionSet, Reply
from provd.plugin.api import Action, BootPlan, Change, Content, Event, FileBody, NotFound, Subnet, Veto, hookimpl
from provd.plugin.breaker import Limits
from provd.plugin.host import PluginHost
from tests.fakes.plugin_world import CLIENT, PLAN, REPLY, SYSTEM, FakeClock, dhcp_request, file_request, host_of

SUBNETS = (Subnet("a", IPv4Network("10.0.0.0/24")),)
FOREIGN = Subnet("z", IPv4Network("10.9.0.0/24"))


class BadTextError(Exception):
    def __str__(self) -> str:
        raise RuntimeError("even my text is broken")


class Exploding:
    def __iter__(self) -> Iterator[str]:
        yield "one"
        raise OSError("in the middle")


def raises(error: BaseException) -> Callable[[], object]:
    def fail() -> object:
        raise error

    return fail


def recurse() -> object:
    return recurse()


async def coroutine() -> None:
    """A coroutine that a synchronous function hands out."""


def endless() -> Iterator[str]:
    while True:
        yield "x"


GATE = "provd_dhcp_gate"
LABELS = "provd_dhcp_labels"
OPTIONS = "provd_dhcp_options"
REPLIES = "provd_dhcp_reply"
FILE = "provd_file"
PLANS = "provd_boot_plan"
ARGS = "provd_kernel_args"
VARS = "provd_answer_vars"
FAULTS: dict[str, tuple[str, Callable[[], object]]] = {
    "raises an exception": (GATE, raises(ValueError("bad"))),
    "exits": (GATE, raises(SystemExit(1))),
    "is cancelled": (GATE, raises(asyncio.CancelledError())),
    "ends a generator": (GATE, raises(GeneratorExit())),
    "stops an iteration": (GATE, raises(StopIteration())),
    "runs out of memory": (GATE, raises(MemoryError())),
    "recurses for ever": (GATE, recurse),
    "raises what cannot be printed": (GATE, raises(BadTextError())),
    "fails an assertion": (GATE, raises(AssertionError())),
    "returns a word as verdict": (GATE, lambda: "allow"),
    "returns True as verdict": (GATE, lambda: True),
    "returns the class of a verdict": (GATE, lambda: Allow),
    "returns a verdict with a wrong reason": (GATE, lambda: Ignore(7)),  # type: ignore[arg-type]
    "returns a coroutine": (GATE, coroutine),
    "returns text for labels": (LABELS, lambda: "ipxe"),
    "returns numbers for labels": (LABELS, lambda: [1]),
    "returns labels without end": (LABELS, endless),
    "fails in the middle of its labels": (LABELS, Exploding),
    "returns a number for labels": (LABELS, lambda: 7),
    "returns a subnet it made up": ("provd_dhcp_subnet", lambda: FOREIGN),
    "returns the name of a subnet": ("provd_dhcp_subnet", lambda: "a"),
    "returns a dict of options": (OPTIONS, lambda: {3: b""}),
    "returns text as an option": (OPTIONS, lambda: OptionSet({3: "10.0.0.1"})),  # type: ignore[dict-item]
    "returns an option code that is none": (OPTIONS, lambda: OptionSet({255: b""})),
    "returns options that are no mapping": (OPTIONS, lambda: OptionSet([3])),  # type: ignore[arg-type]
    "returns a reply with a negative address": (REPLIES, lambda: replace(REPLY, yiaddr=-1)),
    "returns a reply with a dotted address": (REPLIES, lambda: replace(REPLY, siaddr="10.0.0.1")),  # type: ignore[arg-type]
    "returns a reply with a long file": (REPLIES, lambda: replace(REPLY, file=b"x" * 128)),
    "returns a reply without destination": (REPLIES, lambda: replace(REPLY, destination=None)),  # type: ignore[arg-type]
    "returns a reply to port 0": (REPLIES, lambda: replace(REPLY, destination=Destination(1, 0))),
    "returns a reply of another type": (REPLIES, lambda: replace(REPLY, message_type=99)),
    "returns a reply with a text trailer": (REPLIES, lambda: replace(REPLY, trailer="x")),  # type: ignore[arg-type]
    "returns a reply with wide flags": (REPLIES, lambda: replace(REPLY, flags=0x10000)),
    "returns a word as reply": (REPLIES, lambda: "reply"),
    "returns no reason for what is not found": (FILE, lambda: NotFound(7)),  # type: ignore[arg-type]
    "returns a length that is none": (FILE, lambda: Content(FileBody(Path("/x")), -2)),
    "returns a file name": (FILE, lambda: "/etc/passwd"),
    "returns content with another length": (FILE, lambda: Content(b"abc", 4)),
    "returns content with a text body": (FILE, lambda: Content("abc", 3)),  # type: ignore[arg-type]
    "returns a header with a line break": (FILE, lambda: Content(b"", 0, headers={"X": "a\r\nB: c"})),
    "returns an impossible status": (FILE, lambda: Content(b"", 0, status=7)),
    "returns a plan that is none": (PLANS, lambda: "install"),
    "returns a plan with a word as action": (PLANS, lambda: replace(PLAN, action="install")),  # type: ignore[arg-type]
    "returns one text of arguments": (ARGS, lambda: "quiet splash"),
    "returns an argument with a line break": (ARGS, lambda: ["a\nb"]),
    "returns an empty argument": (ARGS, lambda: [""]),
    "returns a list of variables": (VARS, lambda: [("a", 1)]),
    "returns a variable no template can name": (VARS, lambda: {"a-b": 1}),
    "returns True as veto": ("provd_change", lambda: True),
    "returns something for an event": ("provd_event", lambda: 1),
}


class Hostile:
    """Does one wrong thing in one hook."""

    def __init__(self, hook: str, act: Callable[[], object]) -> None:
        self.act = act
        self.hook = hook
        setattr(self, hook, hookimpl(lambda: self.act()))  # noqa: PLW0108  a test changes act later


class Good:
    """Answers every hook well, and remembers events."""

    def __init__(self) -> None:
        self.events = 0

    @hookimpl
    def provd_dhcp_gate(self) -> GateVerdict | None:
        return Ignore("good")

    @hookimpl
    def provd_dhcp_labels(self) -> Iterable[str] | None:
        return ["good"]

    @hookimpl
    def provd_dhcp_subnet(self) -> Subnet | None:
        return SUBNETS[0]

    @hookimpl
    def provd_dhcp_options(self) -> OptionSet | None:
        return OptionSet({200: b"good"})

    @hookimpl
    def provd_dhcp_reply(self, reply: Reply) -> Reply | None:
        return replace(reply, sname=b"good")

    @hookimpl
    def provd_boot_plan(self) -> BootPlan | None:
        return PLAN

    @hookimpl
    def provd_kernel_args(self) -> Iterable[str] | None:
        return ["good"]

    @hookimpl
    def provd_file(self) -> Content | None:
        return Content.text("good")

    @hookimpl
    def provd_answer_vars(self) -> dict[str, object] | None:
        return {"good": 1}

    @hookimpl
    def provd_change(self) -> Veto | None:
        return Veto("good")

    @hookimpl
    def provd_event(self) -> None:
        self.events += 1


def ask_everything(host: PluginHost) -> dict[str, Any]:
    request = dhcp_request()
    host.event(Event("x", 0.0))
    return {
        GATE: host.gate(request),
        LABELS: host.labels(request),
        "provd_dhcp_subnet": host.subnet(request, SUBNETS),
        OPTIONS: host.options(request, None, None),
        REPLIES: host.reply(request, REPLY),
        PLANS: host.boot_plan(None, None, CLIENT),
        ARGS: host.kernel_args(PLAN),
        FILE: host.file(file_request("x")),
        VARS: host.answer_vars(SYSTEM, PLAN.profile),  # type: ignore[arg-type]
        "provd_change": host.change(Change("system.remove", "web1", SYSTEM, None)),
    }


@pytest.fixture
def logged() -> Iterator[list[dict[str, Any]]]:
    events: list[dict[str, Any]] = []

    @implementer(ILogObserver)
    def observe(event: dict[str, Any]) -> None:
        if event.get("log_namespace") == "provd.plugin":
            events.append(event)

    globalLogPublisher.addObserver(observe)
    yield events
    globalLogPublisher.removeObserver(observe)


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_is_contained_counted_and_logged(fault: str, logged: list[dict[str, Any]]) -> None:
    hook, act = FAULTS[fault]
    good = Good()
    expected = ask_everything(host_of(("good", Good)))
    host = host_of(("hostile", lambda: Hostile(hook, act)), ("good", lambda: good))
    assert ask_everything(host) == expected
    assert good.events == 1
    row = next(row for row in host.stats() if row.plugin == "hostile")
    assert (row.hook, row.calls, row.failures, row.breaker) == (hook, 1, 1, "closed")
    assert row.last_error
    assert [(event["plugin"], event["hook"]) for event in logged] == [("hostile", hook)]
    assert logged[0]["about"]


def test_a_file_whose_plugin_fails_or_rests_is_not_said_to_be_missing() -> None:
    broken = ("broken", lambda: Hostile(FILE, raises(RuntimeError("bad"))))
    host = host_of(broken)
    reasons = set()
    for _ in range(20):
        answer = host.file(file_request("iso/rocky/vmlinuz"))
        assert isinstance(answer, NotFound)
        assert answer.status == 503
        reasons.add(answer.reason)
    assert reasons == {
        "nobody serves iso/rocky/vmlinuz: plugin broken failed",
        "nobody serves iso/rocky/vmlinuz: plugin broken keeps failing and rests for now",
    }
    served = host_of(broken, ("good", Good)).file(file_request("x"))
    assert isinstance(served, Content)


def test_log_names_the_request_and_hides_tokens(logged: list[dict[str, Any]]) -> None:
    leak = raises(RuntimeError(f"cannot render {PLAN.answer_url('preseed.cfg')}"))
    host = host_of(("leaky", lambda: Hostile(FILE, leak)))
    host.file(file_request("answer/t0psecret/preseed.cfg"))
    host_of(("gate", lambda: Hostile(GATE, raises(ValueError("x"))))).gate(dhcp_request())
    assert "answer/***/preseed.cfg" in logged[0]["about"]
    assert "t0psecret" not in repr(logged)
    assert logged[1]["about"] == "DHCP xid 0000cafe from 52:54:00:aa:bb:cc"


def test_ten_failures_in_a_minute_open_the_breaker_for_a_minute(logged: list[dict[str, Any]]) -> None:
    clock = FakeClock()
    hostile = Hostile(GATE, raises(ValueError("bad")))
    host = host_of(("hostile", lambda: hostile), clock=clock)
    for _ in range(20):
        host.gate(dhcp_request())
    row = host.stats()[0]
    assert (row.calls, row.failures, row.skipped, row.breaker) == (10, 10, 10, "open")
    assert sum("breaker opened" in event["log_format"] for event in logged) == 1
    clock.advance(61)
    assert host.stats()[0].breaker == "trial"
    host.gate(dhcp_request())
    host.gate(dhcp_request())
    assert (host.stats()[0].calls, host.stats()[0].breaker) == (11, "open")
    clock.advance(61)
    hostile.act = lambda: None
    host.gate(dhcp_request())
    assert host.stats()[0].breaker == "closed"


def test_failures_that_are_spread_out_do_not_open_the_breaker() -> None:
    clock = FakeClock()
    host = host_of(("hostile", lambda: Hostile(GATE, raises(ValueError("bad")))), clock=clock)
    for _ in range(50):
        host.gate(dhcp_request())
        clock.advance(7)
    assert (host.stats()[0].calls, host.stats()[0].breaker) == (50, "closed")


def test_the_breaker_rests_every_request_hook_of_that_plugin_and_of_no_other() -> None:
    class Two(Hostile):
        @hookimpl
        def provd_dhcp_labels(self) -> Iterable[str] | None:
            return ["two"]

    host = host_of(("two", lambda: Two(GATE, raises(ValueError("bad")))), ("good", Good))
    for _ in range(10):
        host.gate(dhcp_request())
    assert host.labels(dhcp_request()) == {"good"}


@pytest.mark.parametrize(("seconds", "state"), [(0.25, "closed"), (0.2501, "open")])
def test_a_call_over_250_ms_is_logged_and_opens_the_breaker(
    seconds: float, state: str, logged: list[dict[str, Any]]
) -> None:
    clock = FakeClock()
    host = host_of(("slow", lambda: Hostile(GATE, lambda: clock.advance(seconds))), ("good", Good), clock=clock)
    clock.now = 0.0
    assert host.gate(dhcp_request()) == Ignore("good")
    assert host.stats()[0].breaker == state
    assert len(logged) == (state == "open")
    if state == "open":
        assert host.stats()[0].slow == 1
        assert host.gate(dhcp_request()) == Ignore("good")
        assert (host.stats()[0].calls, host.stats()[0].skipped) == (1, 1)


def test_a_critical_gate_fails_closed() -> None:
    host = host_of(("hostile", lambda: Hostile(GATE, raises(ValueError("bad")))), ("good", Good), critical=["hostile"])
    assert host.gate(dhcp_request()) == Ignore("the critical gate plugin hostile failed")
    for _ in range(10):
        host.gate(dhcp_request())
    assert host.gate(dhcp_request()) == Ignore("the critical gate plugin hostile keeps failing and rests for now")


def test_a_critical_change_hook_fails_closed() -> None:
    host = host_of(("hostile", lambda: Hostile("provd_change", raises(ValueError("bad")))), critical=["hostile"])
    assert host.change(Change("system.remove", "web1", SYSTEM, None)) == Veto("the critical plugin hostile failed")


def test_swap_closes_the_breaker() -> None:
    host = host_of(("hostile", lambda: Hostile(GATE, raises(ValueError("bad")))))
    for _ in range(10):
        host.gate(dhcp_request())
    assert host.stats()[0].breaker == "open"
    host.swap("hostile", {})
    assert host.stats()[0].breaker == "closed"


def test_counters_tell_how_long_calls_take() -> None:
    clock = FakeClock()
    steps = iter([0.001] * 99 + [0.1])
    host = host_of(
        ("p", lambda: Hostile(GATE, lambda: clock.advance(next(steps)))), clock=clock, limits=Limits(slow_s=1.0)
    )
    for _ in range(100):
        host.gate(dhcp_request())
    row = host.stats()[0]
    assert row.calls == 100
    assert row.total_s == pytest.approx(0.199)
    assert row.max_s == pytest.approx(0.1)
    assert 0.001 <= row.p99_s <= 0.0021


def test_plan_without_action_is_the_only_difference() -> None:
    """The table's plan is wrong in one thing only: with an action it passes."""
    host = host_of(("p", lambda: Hostile(PLANS, lambda: replace(PLAN, action=Action.LOCAL))))
    plan = host.boot_plan(None, None, CLIENT)
    assert plan is not None
    assert plan.action is Action.LOCAL


def test_gate_gets_the_request(logged: list[dict[str, Any]]) -> None:
    class Looks:
        @hookimpl
        def provd_dhcp_gate(self, request: DhcpRequest) -> GateVerdict | None:
            return Ignore(str(request.client.mac))

    assert host_of(("looks", Looks)).gate(dhcp_request()) == Ignore("52:54:00:aa:bb:cc")
    assert logged == []
