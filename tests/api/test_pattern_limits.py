"""Patterns are short and few, since the service answers nobody else while it reads them; owners are asked in dry runs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from twisted.internet.defer import Deferred

from provd.model.account import Caller
from provd.model.system import InstallState
from provd.service.operations import OperationError
from tests.api.test_operations_real import Asked

MAC = "52:54:00:00:00:01"
BOB = Caller("bob", "operate", via="json")


@pytest.fixture
def ask(tmp_path: Path) -> Asked:
    asked = Asked(tmp_path)
    asked("system.add", name="web1", profile="web", interfaces=[{"mac": MAC}], owners=["ann"], netboot=False)
    return asked


def by_bob(ask: Asked, operation: str, /, **arguments: object) -> Any:
    outcome: list[Any] = []
    Deferred.fromCoroutine(ask.table.call(operation, arguments, caller=BOB)).addBoth(outcome.append)
    if hasattr(outcome[0], "raiseException"):
        outcome[0].raiseException()
    return outcome[0]


@pytest.mark.parametrize("kind", ["a*" * 513, "a," * 513])
def test_patterns_of_events_are_short(ask: Asked, kind: str) -> None:
    with pytest.raises(OperationError, match="kind") as caught:
        ask("events", kind=kind)
    assert (caught.value.field, caught.value.kind) == ("kind", "usage")


@pytest.mark.parametrize("operation", ["system.find", "profile.find", "template.find"])
def test_patterns_are_few_and_names_many(ask: Asked, operation: str) -> None:
    with pytest.raises(OperationError, match="together") as caught:
        ask(operation, where={"name": [f"a{number}*" for number in range(5000)]})
    assert (caught.value.field, caught.value.kind) == ("where.name", "usage")
    with pytest.raises(OperationError, match="together"):
        ask(operation, where={"name": ["*" * 1000] * 20})
    assert ask(operation, where={"name": [f"a{number}" for number in range(100_000)]}) == []


def test_many_names_and_a_pattern_are_found_together(ask: Asked) -> None:
    ask("system.add", name="db1", interfaces=[{"mac": "52:54:00:00:00:02"}])
    names = [f"n{number}" for number in range(10_000)]
    for wanted in (["web1", "d*"], ["WEB1", "D*"]):
        found = ask("system.find", where={"name": [*names, *wanted]}, ignore_case=True)
        assert [row["name"] for row in found] == ["db1", "web1"]
    assert ask("system.find", where={"name": [*names, "WEB1", "D*"]}) == []
    assert ask("system.find", where={"hostname": [*names, "web1"]})[0]["name"] == "web1"


@pytest.mark.parametrize("dry_run", [True, False])
@pytest.mark.parametrize(
    ("operation", "arguments"),
    [("system.edit", {"netboot": True}), ("system.wake", {}), ("held.release", {})],
)
def test_a_machine_is_its_owners_in_a_dry_run_too(
    ask: Asked, operation: str, arguments: dict[str, object], dry_run: bool
) -> None:
    held = InstallState(state="held", held_reason="a loop", attempts=3)
    ask.server.services.store.installs.put("web1", held)
    with pytest.raises(OperationError, match=r"owners only \(ann\)") as caught:
        by_bob(ask, operation, name="web1", dry_run=dry_run, **arguments)
    assert caught.value.kind == "denied"
