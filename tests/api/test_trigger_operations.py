"""Operations on triggers."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from twisted.internet.task import Clock

from provd.model.event import Event
from provd.plugin.contract import GiveUpError, Trigger
from provd.service.operations import OperationError, OperationTable
from provd.service.operations_triggers import TriggerOperations
from provd.service.triggers import Triggers
from provd.store.memory import MemoryTriggerRuns
from provd.testing.runtime import run_now


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
        self.table.add(TriggerOperations(self.engine, lambda: self.triggers, self.store, lambda: 1000.0).operations())

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
    told = world.call("trigger.test", name="cmdb", system="web7")
    assert told["ok"] is True
    assert "SECRET" not in told["output"]
    (event,) = world.seen
    assert (event.kind, event.system, event.fields) == ("install.finished", "web7", {"test": True})
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
    told = world.call("trigger.test", name="cmdb", system="web7", dry_run=True)
    assert (told["of"]["kind"], told["of"]["system"]) == ("install.finished", "web7")
    world.engine.on_event(Event("install.failed", 1.0, system="web1"))
    assert world.call("trigger.replay", id=1, dry_run=True)["of"]["system"] == "web1"
    assert len(world.seen) == 1


@pytest.mark.parametrize(
    ("name", "arguments", "sentence"),
    [
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
