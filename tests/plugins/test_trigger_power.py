"""trigger_power: machines are switched on events, by explicit rules, and not for ever."""

from __future__ import annotations

from typing import Any

import pytest

from provd.config.schema import DEFAULT_PLUGINS
from provd.plugin.api import Event, GiveUpError
from provd.plugin.errors import PluginError
from provd.testing.runtime import FakeRuntime, run_now
from tests.fakes.shipped_plugins import shipped

RULE: dict[str, Any] = {
    "name": "reinstall", "on": ["system.changed"], "when": {"change": "netboot on"}, "systems": ["web*"], "do": "cycle",
    "pxe": True,
}  # fmt: skip


class Rules:
    """The plugin with one rule and a runtime that remembers."""

    def __init__(self, runtime: FakeRuntime | None = None, **more: Any) -> None:
        self.runtime = runtime or FakeRuntime()
        host = shipped("trigger_power", {"rules": [{**RULE, **more}]})
        host.start(self.runtime)
        self.trigger = host.triggers["reinstall"]

    def on(self, at: float = 1.0, system: str = "web1", change: str = "netboot on") -> str:
        event = Event("system.changed", at, system=system, fields={"change": change})
        return str(run_now(self.trigger.run(event)))


def test_nothing_is_switched_by_default() -> None:
    assert {"power", "trigger_power"} & set(DEFAULT_PLUGINS) == set()
    assert dict(shipped("trigger_power").triggers) == {}


def test_a_machine_that_is_set_to_install_is_restarted_into_it() -> None:
    rules = Rules()
    assert rules.on() == "told web1"
    assert rules.runtime.powered == [("web1", "cycle", True)]
    assert (rules.trigger.durable, rules.trigger.attempts) == (False, 3)


@pytest.mark.parametrize(
    ("system", "change"), [("db1", "netboot on"), ("", "netboot on"), ("web1", "netboot off"), ("web1", "edited")]
)
def test_other_machines_and_other_changes_switch_nothing(system: str, change: str) -> None:
    rules = Rules()
    assert rules.on(system=system, change=change).startswith("nothing: ")
    assert rules.runtime.powered == []


def test_an_event_without_the_field_switches_nothing() -> None:
    rules = Rules()
    assert run_now(rules.trigger.run(Event("system.changed", 1.0, system="web1"))).startswith("nothing: ")
    assert rules.runtime.powered == []


def test_a_machine_is_not_switched_for_ever() -> None:
    rules = Rules(at_most=2, within_s=100)
    assert [rules.on(at) for at in (0.0, 50.0)] == ["told web1"] * 2
    with pytest.raises(GiveUpError, match="web1 was switched 2 times in 100 s; somebody must look"):
        rules.on(99.0)
    assert rules.on(99.0, system="web2") == "told web2"
    assert rules.on(100.0) == "told web1"
    assert len(rules.runtime.powered) == 4


def test_a_board_that_does_not_answer_is_asked_again_and_a_refusal_is_not() -> None:
    class Board(FakeRuntime):
        def __init__(self) -> None:
            super().__init__()
            self.errors: list[Exception] = []

        async def power(self, system: str, action: str, *, pxe: bool = False) -> str:
            await super().power(system, action, pxe=pxe)
            if self.errors:
                raise self.errors.pop(0)
            return "told"

    board = Board()
    board.errors = [ConnectionError("bmc1 does not answer"), ValueError("bmc1 refuses the login of op")]
    rules = Rules(board, at_most=1)
    with pytest.raises(ConnectionError):
        rules.on()
    with pytest.raises(GiveUpError, match="bmc1 refuses the login of op"):
        rules.on()
    assert rules.on() == "told"
    assert len(board.powered) == 3


@pytest.mark.parametrize(
    ("more", "sentence"),
    [
        ({"systems": []}, "systems names no machine; '*' is every one"),
        ({"do": "status"}, "do is 'status', must be one of on, off, shutdown, cycle, pxe"),
        ({"do": "explode"}, "do is 'explode'"),
        ({"on": ["*"]}, "on includes power.switched and power.failed"),
        ({"on": ["power.*"]}, "on includes power.switched and power.failed"),
        ({"do": "off"}, "pxe goes with do = 'on' or 'cycle'"),
        ({"at_most": 0}, "at_most, within_s, attempts and backoff_s must be positive"),
        ({"system": ["x"]}, "unknown"),
    ],
)
def test_wrong_settings_say_which(more: dict[str, Any], sentence: str) -> None:
    with pytest.raises(PluginError) as caught:
        Rules(**more)
    assert sentence in str(caught.value)


def test_a_rule_without_systems_is_refused() -> None:
    rule = {name: value for name, value in RULE.items() if name != "systems"}
    with pytest.raises(PluginError, match="systems"):
        shipped("trigger_power", {"rules": [rule]})
