"""Templates and snippets over the operations table: checked, kept while they are used, part of several changes."""

from __future__ import annotations

from pathlib import Path

import pytest

from provd.service.operations import OperationError
from provd.store.interface import StoreError
from tests.api.test_object_operations import allow
from tests.api.test_operations_real import Asked
from tests.api.test_system_operations import as_operator
from tests.api.test_transactions import state, step


@pytest.fixture
def ask(tmp_path: Path) -> Asked:
    asked = Asked(tmp_path)
    allow(asked)
    asked.server.add()
    return asked


def path_of(ask: Asked, name: str) -> Path:
    return ask.server.root / "site" / "templates" / name


def test_a_template_is_added_edited_copied_renamed_found_and_removed(ask: Asked) -> None:
    added = ask("template.add", name="own.j2", content="one {{ hostname }}\n")
    assert added["objects"]["template own.j2"] == ask("template.show", name="own.j2")["revision"]
    assert "+one {{ hostname }}" in added["files"][str(path_of(ask, "own.j2"))]
    ask("template.copy", name="own.j2", new="preseed/own.j2")
    assert path_of(ask, "preseed/own.j2").read_text() == "one {{ hostname }}\n"
    seen = ask("template.show", name="own.j2")["revision"]
    path_of(ask, "own.j2").write_text("an editor was here\n")
    with pytest.raises(OperationError, match="was changed meanwhile") as caught:
        ask("template.edit", name="own.j2", content="two", revision=seen)
    assert caught.value.field == "revision"
    ask("template.edit", name="own.j2", content="two", dry_run=True)
    assert path_of(ask, "own.j2").read_text() == "an editor was here\n"
    ask("template.edit", name="own.j2", content="two")
    ask("template.rename", name="own.j2", new="our.j2")
    assert [row["name"] for row in ask("template.list")] == ["our.j2", "preseed/own.j2"]
    assert [row["name"] for row in ask("template.find", where={"content": "*hostname*"})] == ["preseed/own.j2"]
    ask("template.remove", name="our.j2")
    assert not path_of(ask, "our.j2").exists()


@pytest.mark.parametrize(
    ("operation", "arguments", "field", "kind"),
    [
        ("template.add", {"name": "../x", "content": ""}, "name", "refused"),
        ("template.add", {"name": "a/b/c", "content": ""}, "name", "refused"),
        ("template.add", {"name": ".hidden", "content": ""}, "name", "refused"),
        ("template.add", {"name": "x", "content": "{% if %}"}, "content", "usage"),
        ("template.add", {"name": "x", "content": "x" * 600_000}, "content", "refused"),
        ("template.add", {"name": "there", "content": ""}, "name", "refused"),
        ("template.show", {"name": "../provd.toml"}, "name", "not-found"),
        ("template.edit", {"name": "none", "content": ""}, "name", "not-found"),
        ("template.remove", {"name": "none"}, "name", "not-found"),
        ("template.copy", {"name": "there", "new": "../x"}, "name", "refused"),
    ],
)
def test_what_is_refused_changes_nothing(
    ask: Asked, operation: str, arguments: dict[str, object], field: str, kind: str
) -> None:
    ask("template.add", name="there", content="")
    before = state(ask)
    with pytest.raises(OperationError) as caught:
        ask(operation, **arguments)
    assert (caught.value.field, caught.value.kind) == (field, kind)
    assert state(ask) == before


def test_a_template_that_is_used_stays(ask: Asked) -> None:
    ask("template.add", name="snippet.j2", content="disk")
    ask("template.add", name="own.j2", content="{% include 'snippet.j2' %}")
    ask("profile.edit", name="web", templates={"preseed.cfg": "own.j2"})
    ask("template.add", name="mine.j2", content="x")
    ask("system.edit", name="web1", templates={"preseed.cfg": "mine.j2"})
    for name, user in (("snippet.j2", "template own.j2"), ("own.j2", "profile web"), ("mine.j2", "system web1")):
        for operation, more in (("template.remove", {}), ("template.rename", {"new": "other.j2"})):
            with pytest.raises(OperationError, match=f"template {name} is used by {user}"):
                ask(operation, name=name, **more)


def test_only_an_administrator_writes_templates(ask: Asked) -> None:
    with pytest.raises(OperationError, match="needs the permission admin"):
        as_operator(ask, "bob", (), "template.add", name="x", content="")


def test_templates_are_part_of_several_changes(ask: Asked, monkeypatch: pytest.MonkeyPatch) -> None:
    ask("template.add", name="old.j2", content="old")
    before = state(ask)
    changes = [
        step("template.edit", name="old.j2", content="new"),
        step("template.add", name="own.j2", content="{{ hostname }}"),
        step("profile.edit", name="web", templates={"preseed.cfg": "own.j2"}),
        step("system.edit", name="web1", comment="x"),
    ]

    def full(_writes: object) -> object:
        assert path_of(ask, "old.j2").read_text() == "new"
        raise StoreError("the disk is full")

    monkeypatch.setattr(ask.server.services.store.systems, "change", full)
    with pytest.raises(OperationError, match="the disk is full"):
        ask("change", changes=changes)
    monkeypatch.undo()
    assert state(ask) == before
    ask("change", changes=changes)
    assert (path_of(ask, "old.j2").read_text(), path_of(ask, "own.j2").read_text()) == ("new", "{{ hostname }}")
    entry = next(iter(ask.server.services.store.audit.entries(user="", limit=1)))
    assert entry.before["template old.j2"] == {"content": "old"}
    assert entry.after["template own.j2"] == {"content": "{{ hostname }}"}
