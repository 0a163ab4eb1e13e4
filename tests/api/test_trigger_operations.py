"""Operations on triggers."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from twisted.internet.task import Clock

from provd.model.event import Event
from provd.plugin.contract import GiveUpError, Trigger
from provd.plugin.faults import PluginFault
from provd.service.operations import OperationError, OperationTable
from provd.service.operations_triggers import TriggerOperations
from provd.service.trigger_doubts import trigger_doubts
from provd.service.triggers import Triggers
from provd.store.memory import MemoryTriggerRuns
from provd.testing.runtime import run_now
from tests.fakes.plugin_world import SYSTEM


class World:
    def __init__(self) -> None:
        self.store, self.seen = MemoryTriggerRuns(), list[Event]()
        self.triggers = {
            "cmdb": Trigger("cmdb", ("install.*",), 5, self.run),
            "bad": Trigger("bad", ("boot.*",), 5, bad),
        }
        clock = Clock()
        self.engine = Triggers(
            lambda: self.triggers, clock=clock, wall=lambda: 1000.0, log=self.store, publish=lambda _event: None
        )
        self.table = OperationTable(dict)
        self.faults: list[PluginFault] = []
        operations = TriggerOperations(
            self.engine, lambda: self.triggers, self.store, lambda: 1000.0,
            find={"web1": SYSTEM}.get, faults=lambda: self.faults,
        )  # fmt: skip
        self.table.add(operations.operations())

    async def run(self, event: Event) -> str:
        self.seen.append(event)
        return "told http://10.0.0.1/answer/SECRETSECRETSECRETSECRET/x"

    def call(self, operation: str, /, **arguments: object) -> Any:
        found = next(one for one in self.table.all() if one.name == operation)
        result = found.run(msgspec.convert(arguments, found.arguments))
        return run_now(result) if hasattr(result, "__await__") else result


async def bad(_event: Event) -> str:
    raise GiveUpError("no such host")


@pytest.fixture
def world() -> World:
    return World()


def test_the_list_says_what_each_waits_for_and_how_it_fared(world: World) -> None:
    world.engine.on_event(Event("boot.local", 1.0, system="web1"))
    rows = {row["name"]: row for row in world.call("trigger.list")}
    assert rows["cmdb"]["on"] == ["install.*"]
    assert (rows["cmdb"]["ok"], rows["cmdb"]["waiting"]) == (None, 0)
    assert (rows["bad"]["ok"], rows["bad"]["output"]) == (False, "no such host")


def test_a_trigger_is_tried_with_a_made_up_event(world: World) -> None:
    told = world.call("trigger.test", name="cmdb", system="web1")
    assert told["ok"] is True
    assert "SECRET" not in told["output"]
    (event,) = world.seen
    assert (event.kind, event.system, event.fields) == ("install.finished", "web1", {"test": True})
    assert event.mac == str(SYSTEM.interfaces[0].mac)
    assert world.call("trigger.test", name="bad")["output"] == "no such host"


def test_a_run_is_made_again_for_its_event(world: World) -> None:
    world.engine.on_event(Event("install.failed", 1.0, system="web1"))
    (row,) = world.call("trigger.runs", trigger="cmdb")
    assert (row["system"], row["attempt"]) == ("web1", 1)
    again = world.call("trigger.replay", id=row["id"])
    assert again["ok"] is True
    assert world.seen[0] == world.seen[1]
    assert [row["id"] for row in world.call("trigger.runs")] == [again["id"], row["id"]]
    assert world.call("trigger.runs", failed=True) == []


def test_a_dry_run_shows_the_event_and_runs_nothing(world: World) -> None:
    told = world.call("trigger.test", name="cmdb", system="web1", dry_run=True)
    assert (told["of"]["kind"], told["of"]["system"]) == ("install.finished", "web1")
    world.engine.on_event(Event("install.failed", 1.0, system="web1"))
    assert world.call("trigger.replay", id=1, dry_run=True)["of"]["system"] == "web1"
    assert len(world.seen) == 1


def test_an_event_that_was_made_up_is_of_a_kind_that_there_is(world: World) -> None:
    told = world.call("trigger.test", name="bad", dry_run=True)["of"]
    assert (told["kind"], told["system"], told["mac"]) == ("boot.handed_over", "test", "")


def test_what_is_off_stands_in_the_list_with_its_fault(world: World) -> None:
    world.faults = [
        PluginFault("mail", "mails[1].to: wrong", ("ops",), whole=False),
        PluginFault("mail", "mails[1].on: wrong", ("ops",), whole=False),
        PluginFault("hooks", "url: wrong", ("a", "b")),
        PluginFault("loads", "it is taken", ("l",), kind="boot loader", whole=False),
    ]
    rows = [(row["name"], row["state"], row["fault"]) for row in world.call("trigger.list")]
    at = "plugin mail: mails[1]"
    assert rows[2:] == [
        ("ops", "off", f"{at}.to: wrong; trigger ops is off; {at}.on: wrong; trigger ops is off"),
        ("a", "off", "plugin hooks: url: wrong; the plugin is off"),
        ("b", "off", "plugin hooks: url: wrong; the plugin is off"),
    ]


def test_what_is_doubtful_about_a_trigger_is_told(world: World) -> None:
    async def run(_event: Event) -> str:
        return ""

    on = ("instal.finished", "trigger.failed", "xyzzy", "install.*", "*")
    world.triggers = {"odd": Trigger("odd", on, 5, run, doubts=lambda: ["argv: there is no program /bin/no"])}
    told = [
        "on: provd has no event of the kind 'instal.finished'; did you mean 'install.finished'?",
        "on: 'trigger.failed' starts nothing: results of triggers start no triggers",
        "on: provd has no event of the kind 'xyzzy'; docs/triggers.md lists them",
        "argv: there is no program /bin/no",
    ]
    (row,) = world.call("trigger.list")
    assert (row["state"], row["fault"]) == ("on", "; ".join(told))
    assert list(trigger_doubts(world.triggers)) == [f"trigger odd: {one}" for one in told]


@pytest.mark.parametrize(
    ("name", "arguments", "sentence"),
    [
        ("trigger.test", {"name": "cmdb", "system": "nosuch"}, "there is no system nosuch"),
        ("trigger.test", {"name": "nope"}, "there is no trigger nope; there are bad, cmdb"),
        ("trigger.runs", {"trigger": "nope"}, "there is no trigger nope"),
        ("trigger.replay", {"id": 99}, "there is no run 99"),
    ],
)
def test_what_is_not_there_is_one_sentence(
    world: World, name: str, arguments: dict[str, object], sentence: str
) -> None:
    with pytest.raises(OperationError, match=sentence):
        world.call(name, **arguments)
