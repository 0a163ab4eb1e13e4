"""Every operation given whatever there is: one clear fault that names the field, and nothing half done."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from provd.plugin.contract import Operation
from provd.service.operations import OperationError, decode_arguments
from provd.testing.world import MAC
from tests.api.test_object_operations import allow
from tests.api.test_operations_real import Asked
from tests.api.test_transactions import state

WRONG: tuple[Any, ...] = (
    None, True, -1, 1.5, float("nan"), float("inf"), 2**70, "", "x", "\x00", "../x", "x" * 3_000, [], [1],
    [None], {}, {"a": 1}, {"": None}, {"a": {"b": [{"c": 2**80}]}}, [[[]]],
)  # fmt: skip
NEEDS_LISTENERS = {"reload", "rogue.check", "status", "check", "doctor"}
"""They take no arguments, and this server has no sockets to tell of."""


def deep(levels: int) -> Any:
    built: Any = 1
    for level in range(levels):
        built = [built] if level % 2 else {"a": built}
    return built


@pytest.fixture(scope="module")
def ask(tmp_path_factory: pytest.TempPathFactory) -> Asked:
    asked = Asked(tmp_path_factory.mktemp("bad"))
    allow(asked)
    asked.server.add()
    return asked


def names() -> list[str]:
    from provd.app.operations_page import table

    return [one.name for one in table().all() if not one.name.startswith("mirror.")]


NAMES = names()


def keys(operation: Operation) -> Iterator[tuple[str, bool]]:
    for one in msgspec.structs.fields(operation.arguments):
        yield one.encode_name, one.required


def top(field: str) -> str:
    """The argument that a field is in."""
    return field.replace("[", ".").partition(".")[0]


def fault_of(operation: Operation, arguments: Any) -> OperationError | None:
    try:
        decode_arguments(operation, arguments)
    except OperationError as error:
        return error
    return None


def least(operation: Operation) -> dict[str, Any]:
    """Arguments of right types, most of them naming nothing that is there."""
    filled: dict[str, Any] = {key: "none-such" for key, required in keys(operation) if required}
    for name in filled:
        fitting: Any
        for fitting in ("none-such", [], {}, 1, True):
            fault = fault_of(operation, {**filled, name: fitting})
            if fault is None or top(fault.field) != name:
                filled[name] = fitting
                break
    return filled


def tried(ask: Asked, name: str, arguments: Any) -> OperationError | None:
    """The fault of a call; one that fails for another reason than what it was given fails the test."""
    before = state(ask)
    outcome: list[OperationError] = []
    try:
        ask(name, **arguments)
    except OperationError as error:
        outcome.append(error)
    for fault in outcome:
        assert fault.kind in {"usage", "not-found", "refused", "denied"}, (name, arguments, str(fault))
        assert 0 < len(str(fault)) < 200_000
        assert state(ask) == before, (name, arguments)
    return outcome[0] if outcome else None


@pytest.mark.parametrize("name", NAMES)
def test_a_wrong_type_names_its_argument(ask: Asked, name: str) -> None:
    operation = ask.table.get(name)
    base = least(operation)
    for key, _ in keys(operation):
        for value in WRONG:
            fault = fault_of(operation, {**base, key: value})
            if fault is not None:
                assert (fault.kind, top(fault.field)) == ("usage", key), (name, key, value, str(fault))
    with pytest.raises(OperationError) as caught:
        decode_arguments(operation, {**base, "no_such_key": 1})
    assert (caught.value.field, caught.value.kind) == ("no_such_key", "usage")
    for missing in [key for key, required in keys(operation) if required]:
        with pytest.raises(OperationError) as caught:
            decode_arguments(operation, {key: value for key, value in base.items() if key != missing})
        assert (caught.value.field, caught.value.kind) == (missing, "usage")


@pytest.mark.parametrize("name", [name for name in NAMES if name not in NEEDS_LISTENERS])
def test_any_value_in_any_argument_is_one_fault_or_none(ask: Asked, name: str) -> None:
    operation = ask.table.get(name)
    base = least(operation)
    for key, _ in keys(operation):
        for value in (*WRONG, "\ud800", ["\ud800"], {"a": ["\ud800"]}, deep(40), {"a": deep(40)}, [deep(400)]):
            tried(ask, name, {**base, key: value})


@pytest.mark.parametrize(
    "name",
    [name for name in NAMES if name.partition(".")[2] in {"show", "edit", "copy", "rename", "remove"}],
)
def test_what_is_not_there_is_not_found(ask: Asked, name: str) -> None:
    absent = {"none-such": "10.88.0.250" if name.startswith("lease") else "absent"}
    base = {key: absent.get(str(value), value) for key, value in least(ask.table.get(name)).items()}
    more: dict[str, Any] = (
        {"comment": "x"} if name.endswith("edit") and "content" not in base else {"new": "y"} if "new" in base else {}
    )
    if name == "system.copy":
        more["interfaces"] = [{"mac": "52:54:00:00:ff:01"}]
    error = tried(ask, name, {**base, **more})
    assert error is not None
    assert (error.kind, error.field) == ("not-found", "address" if name.startswith("lease") else "name"), str(error)


_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20) | st.sampled_from(["web", "web1"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3),
    max_leaves=8,
)


@settings(max_examples=300, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_any_arguments_at_all(ask: Asked, data: st.DataObject) -> None:
    writing = [
        name for name in NAMES if name not in NEEDS_LISTENERS and name.partition(".")[0] not in {"user", "token"}
    ]
    name = data.draw(st.sampled_from(writing))
    operation = ask.table.get(name)
    known = [key for key, _ in keys(operation)]
    chosen = data.draw(st.lists(st.sampled_from(known), unique=True, max_size=4)) if known else []
    tried(ask, name, {**least(operation), **{key: data.draw(_values) for key in chosen}})


def test_a_pattern_that_would_take_for_ever_does_not(ask: Asked) -> None:
    ask("system.edit", name="web1", comment="a" * 5000)
    begun = time.process_time()
    tried(ask, "system.find", {"where": {"comment": "*a" * 500 + "b"}})
    assert time.process_time() - begun < 5


@pytest.fixture(autouse=True)
def _same_server(ask: Asked) -> Iterator[None]:
    """What a call may have changed rightly does not confuse the next test."""
    yield
    if ask.server.services.systems.get("web1") is None:
        ask.server.add()


def test_oversized_names_and_texts(ask: Asked, tmp_path: Path) -> None:
    assert tmp_path
    card = [{"mac": "52:54:00:00:ff:02"}]
    error = tried(ask, "system.add", {"name": "n" * 65, "interfaces": card})
    assert error is not None
    assert error.field == "name"
    many = [{"mac": f"52:54:00:00:{number >> 8:02x}:{number & 255:02x}"} for number in range(5000)]
    error = tried(ask, "system.add", {"name": "many", "interfaces": many})
    assert error is not None
    assert error.field == "interfaces"


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"name": "a/b"}, "name"),
        ({"name": "web1"}, "name"),
        ({"profile": "none"}, "profile"),
        ({"hostname": "a b"}, "hostname"),
        ({"client_id": "0xzz"}, "client_id"),
        ({"circuit_id": "0xzz"}, "circuit_id"),
        ({"remote_id": "0xzz"}, "remote_id"),
        ({"interfaces": [{"mac": str(MAC)}]}, "interfaces"),
        ({"interfaces": [{"mac": "52:54:00:00:ff:07", "address": "1.2.3.4"}]}, "interfaces"),
        ({"interfaces": [{"mac": "01:54:00:00:ff:07"}]}, "interfaces"),
        ({"interfaces": [{"mac": "52:54:00:00:ff:07", "vars": {"a": {"b": None}}}]}, "interfaces[0].vars.a.b"),
        ({"links": [{"name": "b", "kind": "bond", "members": ["x"]}]}, "links"),
        ({"answers": {"x": None}}, "answers.x"),
        ({"answers": {"bind": "x"}}, "answers.bind"),
        ({"options": {"no-such": 1}}, "options.no-such"),
        ({"kernel_args": ["a", "\n"]}, "kernel_args[1]"),
    ],
)
def test_a_rule_about_a_system_names_its_field(ask: Asked, change: dict[str, Any], field: str) -> None:
    good = {"name": "ruled", "interfaces": [{"mac": "52:54:00:00:ff:09"}], "profile": "web"}
    error = tried(ask, "system.add", {**good, **change})
    assert error is not None
    assert (error.field, error.kind) == (field, "refused")
