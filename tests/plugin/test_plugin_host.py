"""The typed facade: order, styles of hooks, registries, swapping, closing."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from ipaddress import IPv4Network
from pathlib import Path
from typing import Any

import pytest

from provd.model.dhcp import Allow, DhcpRequest, GateVerdict, Ignore, OptionSet, Refuse, Reply
from provd.plugin.api import (
    BootFile,
    BootLoader,
    BootPlan,
    Callback,
    CallbackCall,
    CallbackResult,
    Change,
    ClientFacts,
    Content,
    Event,
    FileRequest,
    InstallSource,
    Inventory,
    Lease,
    Location,
    NotFound,
    Operation,
    Profile,
    Settings,
    StreamBody,
    Subnet,
    System,
    Trigger,
    Veto,
    hookimpl,
)
from provd.plugin.errors import PluginError
from provd.plugin.host import VariableClashError
from provd.testing.runtime import FakeRuntime, run_now
from tests.fakes.plugin_world import CLIENT, PLAN, PROFILE, REPLY, SYSTEM, dhcp_request, file_request, host_of, made

SUBNETS = (Subnet("a", IPv4Network("10.0.0.0/24")), Subnet("b", IPv4Network("10.0.1.0/24")))


class Recorder:
    """Writes its name down in every hook and has no opinion."""

    def __init__(self, name: str, seen: list[str]) -> None:
        self.name = name
        self.seen = seen

    @hookimpl
    def provd_dhcp_gate(self, request: DhcpRequest) -> GateVerdict | None:
        self.seen.append(self.name)
        return None

    @hookimpl
    def provd_event(self, event: Event) -> None:
        self.seen.append(self.name)


def test_configured_order_is_call_order() -> None:
    seen: list[str] = []
    host = host_of(*[(name, lambda name=name: Recorder(name, seen)) for name in ("one", "two", "three")])
    host.gate(dhcp_request())
    host.event(Event("x", 0.0))
    assert seen == ["one", "two", "three"] * 2


def test_hooks_nobody_implements_have_neutral_answers_and_no_counters() -> None:
    host = host_of()
    assert host.gate(dhcp_request()) == Allow()
    assert host.labels(dhcp_request()) == frozenset()
    assert host.subnet(dhcp_request(), SUBNETS) is None
    assert host.options(dhcp_request(), None, None) == ()
    assert host.reply(dhcp_request(), REPLY) is REPLY
    assert host.boot_plan(None, None, CLIENT) is None
    assert host.kernel_args(PLAN) == ()
    assert host.file(file_request("x")) is None
    assert host.answer_vars(SYSTEM, PROFILE) == {}
    assert host.change(Change("system.remove", "web1", SYSTEM, None)) is None
    host.event(Event("x", 0.0))
    assert host.stats() == []


class Gate:
    def __init__(self, verdict: GateVerdict | None) -> None:
        self.verdict = verdict

    @hookimpl
    def provd_dhcp_gate(self, request: DhcpRequest) -> GateVerdict | None:
        return self.verdict


def test_first_verdict_wins() -> None:
    host = host_of(
        ("a", lambda: Gate(None)), ("b", lambda: Gate(Ignore("first"))), ("c", lambda: Gate(Refuse("second")))
    )
    assert host.gate(dhcp_request()) == Ignore("first")


class Everything:
    """One plugin that answers in every style."""

    def __init__(self, word: str) -> None:
        self.word = word

    @hookimpl
    def provd_dhcp_labels(self, request: DhcpRequest) -> Iterator[str]:
        yield self.word

    @hookimpl
    def provd_dhcp_subnet(self, request: DhcpRequest, subnets: Sequence[Subnet]) -> Subnet | None:
        return next((subnet for subnet in subnets if subnet.name == self.word), None)

    @hookimpl
    def provd_dhcp_options(self, request: DhcpRequest, lease: Lease | None, plan: BootPlan | None) -> OptionSet | None:
        return OptionSet({200: self.word.encode()})

    @hookimpl
    def provd_dhcp_reply(self, request: DhcpRequest, reply: Reply) -> Reply | None:
        return replace(reply, sname=reply.sname + self.word.encode())

    @hookimpl
    def provd_boot_plan(self, system: System | None, profile: Profile | None, client: ClientFacts) -> BootPlan | None:
        return replace(PLAN, reason=self.word)

    @hookimpl
    def provd_kernel_args(self, plan: BootPlan) -> Iterable[str] | None:
        return [f"word={self.word}"]

    @hookimpl
    def provd_file(self, request: FileRequest) -> Content | NotFound | None:
        if request.path == "missing":
            return NotFound(self.word)
        return Content.text(self.word) if request.path == self.word else None

    @hookimpl
    def provd_answer_vars(self, system: System, profile: Profile) -> Mapping[str, object] | None:
        return {f"var_{self.word}": 1}

    @hookimpl
    def provd_change(self, change: Change) -> Veto | None:
        return Veto(self.word)


def test_every_style() -> None:
    host = host_of(("a", lambda: Everything("a")), ("b", lambda: Everything("b")))
    request = dhcp_request()
    assert host.labels(request) == {"a", "b"}
    assert host.subnet(request, SUBNETS) is SUBNETS[0]
    assert host.options(request, None, PLAN) == (("a", OptionSet({200: b"a"})), ("b", OptionSet({200: b"b"})))
    assert host.reply(request, REPLY).sname == b"ab"
    plan = host.boot_plan(None, None, CLIENT)
    assert plan is not None
    assert plan.reason == "a"
    assert host.kernel_args(PLAN) == (("a", ("word=a",)), ("b", ("word=b",)))
    content = host.file(file_request("b"))
    assert isinstance(content, Content)
    assert content.body == b"b"
    assert host.file(file_request("missing")) == NotFound("a")
    assert host.file(file_request("nobody")) is None
    assert host.answer_vars(SYSTEM, PROFILE) == {"var_a": ("a", 1), "var_b": ("b", 1)}
    assert host.change(Change("system.remove", "web1", SYSTEM, None)) == Veto("a")


def test_same_answer_variable_names_both_plugins() -> None:
    host = host_of(("first", lambda: Everything("x")), ("second", lambda: Everything("x")))
    with pytest.raises(VariableClashError, match=r"plugin second: the answer variable var_x .* plugin first"):
        host.answer_vars(SYSTEM, PROFILE)


class FewArguments:
    """Declares only the argument it needs, which is not the first."""

    @hookimpl
    def provd_dhcp_subnet(self, subnets: Sequence[Subnet]) -> Subnet | None:
        return subnets[-1]


def test_an_implementation_may_take_fewer_arguments() -> None:
    assert host_of(("few", FewArguments)).subnet(dhcp_request(), SUBNETS) is SUBNETS[1]


class Impure:
    @hookimpl(per_packet=True)
    def provd_dhcp_labels(self, request: DhcpRequest) -> Iterable[str] | None:
        return None

    @hookimpl
    def provd_kernel_args(self, plan: BootPlan) -> Iterable[str] | None:
        return None


def test_per_packet_is_readable() -> None:
    host = host_of(("impure", Impure))
    assert not host.hook_is_pure("provd_dhcp_labels")
    assert host.hook_is_pure("provd_kernel_args")
    assert host.hook_is_pure("provd_boot_plan")


class WithData(Settings, frozen=True):
    word: str = "old"
    data_dir: str = ""


class Stateful:
    """Streams, triggers and operations that remember whether the object was closed."""

    def __init__(self, settings: WithData) -> None:
        self.settings = settings
        self.closed = False
        self.runtime: Any = None

    def start(self, runtime: Any) -> None:
        self.runtime = runtime

    def close(self) -> None:
        self.closed = True

    async def chunks(self, start: int, stop: int) -> AsyncIterator[bytes]:
        for _ in range(3):
            yield self.settings.word.encode()

    @hookimpl
    def provd_file(self, request: FileRequest) -> Content | NotFound | None:
        return Content(StreamBody(self.chunks), -1)

    @hookimpl
    def provd_triggers(self) -> Iterable[Trigger]:
        return [Trigger(self.settings.word, ("*",), 1.0, self.run)]

    async def run(self, event: Event) -> str:
        await self.runtime.sleep(1)
        return f"{self.settings.word} {self.closed}"

    @hookimpl
    def provd_operations(self) -> Iterable[Operation]:
        return [Operation("made.do", "Do.", "read", WithData, lambda arguments: arguments.word, "provd made do")]

    @hookimpl
    def provd_inventories(self) -> Iterable[Inventory]:
        return [Inventory("made", 60.0, self.load)]

    async def load(self) -> Iterable[System]:
        return [SYSTEM]


def stateful_host(built: list[Stateful], **arguments: Any) -> Any:
    def build(settings: WithData) -> Stateful:
        built.append(Stateful(settings))
        return built[-1]

    return host_of(made("stateful", build, WithData), **arguments)


def test_empty_data_dir_is_filled_in() -> None:
    built: list[Stateful] = []
    stateful_host(built, data_dir="/var/lib/provd")
    stateful_host(built, data_dir="/var/lib/provd", settings={"stateful": {"data_dir": "/else"}})
    assert [one.settings.data_dir for one in built] == ["/var/lib/provd", "/else"]


def test_swap_builds_starts_and_closes_an_idle_one_at_once() -> None:
    built: list[Stateful] = []
    host = stateful_host(built)
    runtime = FakeRuntime()
    host.start(runtime)
    host.swap("stateful", {"word": "new"})
    assert [one.closed for one in built] == [True, False]
    assert [one.runtime for one in built] == [runtime, runtime]
    assert list(host.triggers) == ["new"]


def test_swap_keeps_the_old_object_while_its_stream_runs() -> None:
    built: list[Stateful] = []
    host = stateful_host(built)
    content = host.file(file_request("x"))
    stream = content.body.open(0, -1)
    assert run_now(stream.__anext__()) == b"old"
    host.swap("stateful", {"word": "new"})
    del content
    assert not built[0].closed
    assert run_now(stream.__anext__()) == b"old"
    run_now(stream.aclose())
    del stream
    assert built[0].closed


def test_swap_closes_the_old_object_when_an_unopened_stream_is_dropped() -> None:
    built: list[Stateful] = []
    host = stateful_host(built)
    content = host.file(file_request("x"))
    host.swap("stateful", {})
    assert not built[0].closed
    del content
    assert built[0].closed


def test_swap_keeps_the_old_object_while_its_trigger_runs() -> None:
    built: list[Stateful] = []
    host = stateful_host(built)
    host.start(FakeRuntime())

    class Waits:
        def __await__(self) -> Any:
            yield

    built[0].runtime = type("Runtime", (), {"sleep": lambda _self, _seconds: Waits()})()
    running = host.triggers["old"].run(Event("x", 0.0)).__await__()
    next(running)
    host.swap("stateful", {"word": "new"})
    assert not built[0].closed
    with pytest.raises(StopIteration) as ended:
        next(running)
    assert ended.value.value == "old False"
    assert built[0].closed


def test_swap_with_wrong_settings_keeps_the_old_one() -> None:
    built: list[Stateful] = []
    host = stateful_host(built)
    with pytest.raises(PluginError, match=r"plugin stateful: plugins\.stateful: unknown key wrod; did you mean word"):
        host.swap("stateful", {"wrod": "new"})
    assert list(host.triggers) == ["old"]
    assert not built[0].closed


def test_swap_whose_registration_clashes_keeps_the_old_one() -> None:
    built: list[Stateful] = []

    def build(settings: WithData) -> Stateful:
        built.append(Stateful(settings))
        return built[-1]

    other = type("Other", (), {"provd_triggers": hookimpl(lambda self: [Trigger("taken", ("*",), 1.0, print)])})  # type: ignore[arg-type]
    host = host_of(made("stateful", build, WithData), ("other", other))
    with pytest.raises(PluginError, match="the name taken is already registered by plugin stateful"):
        host.swap("stateful", {"word": "taken"})
    assert list(host.triggers) == ["old", "taken"]
    assert [one.closed for one in built] == [False, True]


def test_close_closes_every_object_though_one_fails() -> None:
    closed: list[str] = []

    class Closing(Gate):
        def __init__(self, name: str) -> None:
            super().__init__(None)
            self.name = name

        def close(self) -> None:
            closed.append(self.name)
            if self.name == "b":
                raise RuntimeError("stuck")

    host = host_of(*[(name, lambda name=name: Closing(name)) for name in "abc"])
    host.close()
    assert closed == ["c", "b", "a"]


def test_operations_and_inventories_answer_through_the_wrapper() -> None:
    host = stateful_host([])
    assert host.operations["made.do"].run(WithData(word="w")) == "w"
    assert run_now(host.inventories["made"].load()) == [SYSTEM]


class OneLoader:
    def __init__(self, fails: bool) -> None:
        self.fails = fails

    def select(self, client: ClientFacts, plan: BootPlan) -> Any:
        return self.broken() if self.fails else "not a boot file"

    def broken(self, *args: Any) -> Any:
        raise RuntimeError("no")

    @hookimpl
    def provd_boot_loaders(self) -> Iterable[BootLoader]:
        return [BootLoader("l", self.select, self.broken, self.broken, self.broken, self.broken)]


@pytest.mark.parametrize("fails", [True, False])
def test_a_broken_boot_loader_is_isolated_and_counted(fails: bool) -> None:
    host = host_of(("loader", lambda: OneLoader(fails)))
    loader = host.boot_loaders["l"]
    assert loader.select(CLIENT, PLAN) is None
    assert loader.files() == {}
    assert loader.is_config("x") is False
    answer = loader.config(file_request("x"), PLAN)
    assert isinstance(answer, NotFound)
    assert answer.status == 500
    assert loader.local_boot(PLAN) == ""
    called = {(row.hook, row.failures) for row in host.stats() if row.calls}
    assert called == {(f"BootLoader.{name}", 1) for name in ("select", "files", "is_config", "config", "local_boot")}


class OneOfEach:
    """Registered callables whose answer a test chooses."""

    def __init__(self, answer: Callable[[], Any]) -> None:
        self.answer = answer

    @hookimpl
    def provd_boot_loaders(self) -> Iterable[BootLoader]:
        def ask(*_args: Any) -> Any:
            return self.answer()

        return [BootLoader("l", ask, dict, lambda _path: True, ask, lambda _plan: "local")]

    @hookimpl
    def provd_install_sources(self) -> Iterable[InstallSource]:
        return [InstallSource("s", ("x",), lambda _url, _plan: self.answer())]

    @hookimpl
    def provd_callbacks(self) -> Iterable[Callback]:
        return [Callback("c", 10, lambda _call: self.answer())]


CALL = CallbackCall("c", b"", PLAN, "10.0.0.5")


@pytest.mark.parametrize(
    ("kind", "good", "bad"),
    [
        ("select", BootFile("a"), BootFile("/a")),
        ("select", BootFile("a", "http"), BootFile("a", "carrier pigeon")),
        ("select", None, BootFile("a", options={0: b""})),
        ("resolve", Location("http", "h", "/"), "http://h/"),
        ("resolve", None, 7),
        ("run", CallbackResult("e"), None),
        ("run", CallbackResult("e", outcome="finished"), CallbackResult("e", outcome="exploded")),
    ],
)
def test_registered_callables_are_checked_like_hooks(kind: str, good: Any, bad: Any) -> None:
    instead = {
        "select": None,
        "resolve": None,
        "run": CallbackResult("callback.failed", {"name": "c"}, reply="error\n"),
    }

    def ask(answer: Callable[[], Any]) -> Any:
        host = host_of(("p", lambda: OneOfEach(answer)))
        calls: dict[str, Callable[[], Any]] = {
            "select": lambda: host.boot_loaders["l"].select(CLIENT, PLAN),
            "resolve": lambda: host.install_sources["s"].resolve("x:y", PLAN),
            "run": lambda: host.callbacks["c"].run(CALL),
        }
        return calls[kind]()

    assert ask(lambda: good) == good
    assert ask(lambda: bad) == instead[kind]
    assert ask(lambda: 1 / 0) == instead[kind]


def test_a_loader_without_such_a_configuration_answers_not_found() -> None:
    answer = host_of(("p", lambda: OneOfEach(lambda: None))).boot_loaders["l"].config(file_request("x"), PLAN)
    assert answer == NotFound("the boot loader has no such configuration")


def test_hooks_are_called_through_the_facade_only() -> None:
    root = Path(__file__).parents[2] / "provd"
    users = {path.name for path in root.rglob("*.py") if re.search(r"get_hookimpls|manager\.hook", path.read_text())}
    assert users == {"assembly.py"}
    importers = {path.name for path in root.rglob("*.py") if "import pluggy" in path.read_text()}
    assert importers == {"hookimpl.py", "assembly.py", "specs.py"}
