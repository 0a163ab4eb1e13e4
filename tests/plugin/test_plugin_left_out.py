"""What is wrong with a plugin is off and told, and the rest works: triggers, settings, objects, starts, guards."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import partial
from typing import Any

import msgspec
import pytest

from provd.plugin.api import BootLoader, Change, Event, NotFound, Plugin, Settings, Trigger, hookimpl
from provd.plugin.errors import PluginError
from provd.plugin.faults import PluginFault
from provd.plugin.host import PluginHost
from provd.testing.runtime import FakeRuntime
from tests.fakes.plugin_world import SYSTEM, FakeClock, MadePlugin, NoSettings

CHANGE = Change("system", SYSTEM.name, SYSTEM, SYSTEM)


class Call(Settings, frozen=True):
    name: str
    on: tuple[str, ...]
    limit: int = 1

    def __post_init__(self) -> None:
        if self.limit > 9:
            raise ValueError(f"limit of {self.name!r} must be 9 at most")


class CallSettings(Settings, frozen=True):
    host: str = ""
    calls: tuple[Call, ...] = ()
    books: dict[str, Call] = msgspec.field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.host == "nowhere":
            raise ValueError("host must be somewhere")


class Caller:
    def __init__(self, settings: CallSettings) -> None:
        self.settings, self.closed = settings, False
        if settings.host == "unbuildable":
            raise OSError("no such thing")

    def start(self, runtime: object) -> None:
        if self.settings.host == "unstartable":
            raise OSError("the port is taken")

    def close(self) -> None:
        self.closed = True

    @hookimpl
    def provd_triggers(self) -> Iterable[Trigger]:
        return [Trigger(one.name, one.on, float(one.limit), partial(self.run, one)) for one in self.settings.calls]

    async def run(self, call: Call, event: Event) -> str:
        return call.name


class Listens:
    def __init__(self, settings: object) -> None: ...

    @hookimpl
    def provd_event(self, event: Event) -> None: ...


def caller(name: str = "caller") -> MadePlugin:
    return MadePlugin(Plugin(name, CallSettings, Caller, triggers="calls"))


def lenient(
    *plugins: MadePlugin, tables: Mapping[str, Mapping[str, object]], critical: Iterable[str] = ()
) -> PluginHost:
    return PluginHost(
        [*plugins, MadePlugin(Plugin("listens", NoSettings, Listens))], tables, clock=FakeClock(), file="provd.toml",
        faults=(), critical=tuple(critical),
    )  # fmt: skip


def told(host: PluginHost) -> list[str]:
    return [str(fault) for fault in host.faults]


GOOD = {"name": "good", "on": ["x"]}


def test_every_wrong_trigger_is_off_with_its_own_keys_and_the_others_work() -> None:
    table = {
        "calls": [
            {"name": "typo", "on": ["x"], "limt": 1},
            {"name": "unsure", "on": "x", "limit": "many"},
            GOOD,
            {"name": "large", "on": ["x"], "limit": 10},
            {"on": ["x"]},
        ]
    }
    host = lenient(caller(), tables={"caller": table})
    assert list(host.triggers) == ["good"]
    at = "plugin caller: provd.toml: plugins.caller.calls"
    assert told(host) == [
        f"{at}[0]: unknown key limt; did you mean limit?; trigger typo is off",
        f"{at}[1].on: Expected `array`, got `str`; trigger unsure is off",
        f"{at}[1].limit: Expected `int`, got `str`; trigger unsure is off",
        f"{at}[3]: limit of 'large' must be 9 at most; trigger large is off",
        f"{at}[4]: the key name is missing; trigger calls[4] is off",
    ]
    assert host.is_on("caller")


def test_the_known_keys_of_a_wrong_trigger_are_its_own() -> None:
    host = lenient(caller(), tables={"caller": {"calls": [{**GOOD, "zzz": 1}]}})
    assert told(host)[0].startswith(
        "plugin caller: provd.toml: plugins.caller.calls[0]: unknown key zzz; known are name, on, limit;"
    )


def test_faults_of_named_tables_say_in_which_one() -> None:
    host = lenient(caller(), tables={"caller": {"books": {"right": GOOD, "wrong": {**GOOD, "limt": 1}}}})
    assert told(host) == [
        "plugin caller: provd.toml: plugins.caller.books.wrong: unknown key limt; did you mean limit?; the plugin is off"
    ]


def test_all_but_the_first_of_one_name_are_off() -> None:
    second, third = {"name": "good", "on": ["y"]}, {"name": "good", "on": ["z"]}
    host = lenient(
        caller(), caller("other"),
        tables={"caller": {"calls": [GOOD, second]}, "other": {"calls": [{"name": "own", "on": ["x"]}, third]}},
    )  # fmt: skip
    off, taken = "; trigger good is off", "the name good is already registered by plugin caller"
    assert {name: trigger.on for name, trigger in host.triggers.items()} == {"good": ("x",), "own": ("x",)}
    assert told(host) == [
        f"plugin caller: provd.toml: plugins.caller.calls[1].name: calls[0] is called 'good' already{off}",
        f"plugin other: provd.toml: plugins.other.calls[1]: provd_triggers: {taken}{off}",
    ]


def test_a_trigger_whose_value_breaks_a_rule_is_off_alone() -> None:
    host = lenient(caller(), tables={"caller": {"calls": [GOOD, {"name": "never", "on": ["x"], "limit": 0}]}})
    assert list(host.triggers) == ["good"]
    place = "plugin caller: provd.toml: plugins.caller.calls[1]"
    rule = "provd_triggers: Trigger 'never': timeout_s must be above 0"
    assert told(host) == [f"{place}: {rule}; trigger never is off"]


@pytest.mark.parametrize(
    ("table", "sentences"),
    [
        (
            {"hst": "x", "host": 7},
            ["provd.toml: plugins.caller: unknown key hst; did you mean host?",
             "provd.toml: plugins.caller.host: Expected `str`, got `int`"],
        ),
        ({"host": "nowhere"}, ["provd.toml: plugins.caller: host must be somewhere"]),
        ({"host": "unbuildable"}, ["it cannot be built: OSError: no such thing"]),
    ],
)  # fmt: skip
def test_a_plugin_with_wrong_settings_is_off_with_all_its_faults(
    table: dict[str, object], sentences: list[str]
) -> None:
    host = lenient(caller(), tables={"caller": {**table, "calls": [GOOD]}})
    assert told(host) == [f"plugin caller: {rule}; the plugin is off" for rule in sentences]
    assert all(fault.items == ("good",) for fault in host.faults)
    assert (host.is_on("caller"), host.is_on("listens"), host.names) == (False, True, ("caller", "listens"))
    assert (dict(host.triggers), host.hooks_of("caller")) == ({}, ())


def test_a_wrong_trigger_does_not_hide_what_is_wrong_with_the_whole() -> None:
    host = lenient(caller(), tables={"caller": {"host": "nowhere", "calls": [{"name": "typo", "on": 1}, GOOD]}})
    assert [fault.rule.rpartition(": ")[2] for fault in host.faults] == [
        "Expected `array`, got `int`",
        "host must be somewhere",
    ]
    assert not host.is_on("caller")


def test_a_plugin_that_cannot_start_is_off_and_closed_and_the_others_start() -> None:
    made: list[Caller] = []

    def build(settings: CallSettings) -> Caller:
        made.append(Caller(settings))
        return made[-1]

    plugin = MadePlugin(Plugin("caller", CallSettings, build, triggers="calls"))
    host = lenient(plugin, tables={"caller": {"host": "unstartable", "calls": [GOOD]}})
    assert list(host.triggers) == ["good"]
    host.start(FakeRuntime())
    assert told(host) == ["plugin caller: it cannot start: OSError: the port is taken; the plugin is off"]
    assert (dict(host.triggers), made[0].closed) == ({}, True)


def test_a_plugin_that_registers_nonsense_is_off() -> None:
    class Nonsense(Listens):
        @hookimpl
        def provd_triggers(self) -> Iterable[Trigger]:
            raise RuntimeError("no")

    host = lenient(MadePlugin(Plugin("nonsense", NoSettings, Nonsense)), tables={})
    assert told(host) == ["plugin nonsense: provd_triggers: RuntimeError: no; the plugin is off"]
    assert host.is_on("listens")


def test_another_thing_of_a_taken_name_is_off_and_named_as_what_it_is() -> None:
    def nothing(*_args: Any) -> Any:
        return NotFound("no")

    class Loads(Listens):
        @hookimpl
        def provd_boot_loaders(self) -> Iterable[BootLoader]:
            return [BootLoader("l", nothing, dict, nothing, nothing, nothing)]

    host = lenient(*[MadePlugin(Plugin(name, NoSettings, Loads)) for name in ("one", "two")], tables={})
    assert told(host) == [
        "plugin two: provd_boot_loaders: the name l is already registered by plugin one; boot loader l is off"
    ]


def test_a_swap_mends_one_trigger_though_another_stays_wrong() -> None:
    bad, worse = {"name": "bad", "on": 1}, {"name": "worse", "on": 2}
    host = lenient(caller(), tables={"caller": {"calls": [bad, worse, GOOD]}})
    host.swap("caller", {"calls": [{**bad, "on": ["x"]}, GOOD, worse]})
    assert sorted(host.triggers) == ["bad", "good"]
    assert [fault.items for fault in host.faults] == [("worse",)]


def test_a_swap_that_breaks_what_works_is_refused_and_the_old_one_stays() -> None:
    host = lenient(caller(), tables={"caller": {"calls": [GOOD]}})
    for table in ({"calls": [{**GOOD, "on": 1}]}, {"calls": [GOOD, GOOD]}, {"host": "nowhere"}):
        with pytest.raises(PluginError, match=r"provd\.toml: plugins\.caller"):
            host.swap("caller", table)
    assert (list(host.triggers), told(host)) == (["good"], [])


def test_a_swap_to_a_name_of_another_plugin_is_refused_and_back_is_always_possible() -> None:
    host = lenient(caller(), caller("other"), tables={"caller": {"calls": [GOOD]}, "other": {"calls": [GOOD]}})
    assert [fault.plugin for fault in host.faults] == ["other"]
    host.swap("other", {"calls": [{"name": "own", "on": ["x"]}]})
    assert (sorted(host.triggers), told(host)) == (["good", "own"], [])
    with pytest.raises(PluginError, match="the name good is already registered by plugin caller"):
        host.swap("other", {"calls": [GOOD]})
    host.swap("other", {"calls": [GOOD]}, back=True)
    assert [fault.plugin for fault in host.faults] == ["other"]


def test_a_plugin_that_was_off_may_be_off_for_another_reason() -> None:
    host = lenient(caller(), tables={"caller": {"host": 1}})
    host.start(FakeRuntime())
    for name, why in (("nowhere", "somewhere"), ("unbuildable", "cannot be built"), ("unstartable", "port is taken")):
        host.swap("caller", {"host": name, "calls": [GOOD]})
        assert why in told(host)[0]
        assert not host.is_on("caller")
    host.swap("caller", {"calls": [GOOD]})
    assert (list(host.triggers), told(host)) == (["good"], [])


def test_one_fault_is_the_same_at_another_place_of_its_list() -> None:
    first = PluginFault("p", "f: plugins.p.calls[3].on: wrong", ("a",), whole=False)
    assert first.same(PluginFault("p", "f: plugins.p.calls[0].on: wrong", ("a",), whole=False))
    assert not first.same(PluginFault("p", "f: plugins.p.calls[3].on: other", ("a",), whole=False))
