"""Several changes in one call: all are made, or files, store and memory are as they were."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from provd.config import draft
from provd.config.errors import ConfigError
from provd.service.operations import OperationError
from provd.store.interface import StoreError
from provd.testing.world import MAC
from tests.api.test_object_operations import allow, file_of
from tests.api.test_operations_real import Asked
from tests.api.test_system_operations import as_operator

CARD = [{"mac": "52:54:00:00:aa:02"}]


@pytest.fixture
def ask(tmp_path: Path) -> Asked:
    asked = Asked(tmp_path)
    allow(asked)
    asked.server.add()
    return asked


def step(operation: str, **arguments: object) -> dict[str, object]:
    return {"operation": operation, "arguments": arguments}


GOOD = [
    step("distro.copy", name="deb", new="deb13"),
    step("profile.add", name="db", distro="deb13"),
    step("system.add", name="db1", profile="db", interfaces=CARD),
    step("profile.rename", name="web", new="www"),
    step("system.edit", name="web1", comment="moved", netboot=False),
    step("system.rename", name="web1", new="www1"),
    step("profile.edit", name="db", kernel_args=["quiet"]),
]


def state(ask: Asked) -> Any:
    services = ask.server.services
    site = ask.server.root / "site"
    files = {str(path): path.read_bytes() for path in site.rglob("*") if path.is_file()}
    found = services.systems.of_mac(MAC.octets)
    return (
        files,
        list(services.store.systems.all()),
        services.systems.all(),
        found,
        services.current.catalogue.generation,
    )


def test_what_builds_on_each_other_is_made_in_one_call(ask: Asked) -> None:
    told = ask("change", changes=GOOD)
    assert (told["applied"], len(told["results"])) == (True, len(GOOD))
    shown = ask("system.show", name="www1")
    assert (shown["profile"], shown["comment"], shown["netboot"]) == ("www", "moved", False)
    assert ask("system.show", name="db1")["profile"] == "db"
    assert "quiet" in ask("profile.show", name="db")["kernel_args"]
    assert file_of(ask, "deb13", "distros").exists()
    assert not file_of(ask, "web").exists()
    assert {system.name for system in ask.server.services.store.systems.all()} == {"db1", "www1"}


def test_a_dry_run_of_several_does_nothing(ask: Asked) -> None:
    before = state(ask)
    assert ask("change", changes=GOOD, dry_run=True)["applied"] is False
    assert state(ask) == before


@pytest.mark.parametrize(
    ("wrong", "field", "kind"),
    [
        (step("system.remove", name="none"), "changes[7].arguments.name", "not-found"),
        (step("profile.remove", name="www"), "changes[7]", "refused"),
        (step("system.add", name="x", interfaces=CARD), "changes[7].arguments.interfaces", "refused"),
        (step("profile.edit", name="db", parent="none"), "changes[7].arguments.parent", "refused"),
        (step("profile.edit", name="db", parent=1), "changes[7].arguments.parent", "usage"),
        (step("system.edit", name="db1", comment="", revision="old"), "changes[7].arguments.revision", "refused"),
        (step("user.add", name="eve"), "changes[7].operation", "usage"),
        (step("system.show", name="db1"), "changes[7].operation", "usage"),
        (step("system.remove", name="db1", dry_run=True), "changes[7].arguments.dry_run", "usage"),
    ],
)
def test_one_that_is_refused_undoes_all(ask: Asked, wrong: dict[str, object], field: str, kind: str) -> None:
    before = state(ask)
    with pytest.raises(OperationError, match=r"changes\[7\]") as caught:
        ask("change", changes=[*GOOD, wrong])
    assert (caught.value.field, caught.value.kind) == (field, kind)
    assert state(ask) == before
    ask("change", changes=GOOD)


def test_each_needs_its_own_permission(ask: Asked) -> None:
    as_operator(ask, "bob", (), "change", changes=[step("system.edit", name="web1", comment="x")])
    with pytest.raises(OperationError, match=r"changes\[0\]: profile.add needs the permission admin"):
        as_operator(ask, "bob", (), "change", changes=[step("profile.add", name="x", parent="web")])


def test_a_store_that_refuses_brings_the_files_back(ask: Asked, monkeypatch: pytest.MonkeyPatch) -> None:
    before = state(ask)

    def full(_writes: object) -> object:
        assert file_of(ask, "www").exists()
        raise StoreError("the disk is full")

    monkeypatch.setattr(ask.server.services.store.systems, "change", full)
    with pytest.raises(OperationError, match="could not be stored: the disk is full") as caught:
        ask("change", changes=GOOD)
    assert caught.value.kind == "failed"
    monkeypatch.undo()
    assert state(ask) == before


def test_files_that_cannot_be_written_change_no_system(ask: Asked, monkeypatch: pytest.MonkeyPatch) -> None:
    before = state(ask)

    def broken(*_arguments: object) -> None:
        raise ConfigError("site", "", "cannot be written")

    monkeypatch.setattr(draft, "write_files", broken)
    with pytest.raises(OperationError, match="cannot be written"):
        ask("change", changes=GOOD)
    assert state(ask) == before


@pytest.mark.parametrize("changes", [[], [step("system.remove", name="web1")] * 1001])
def test_none_and_too_many_are_refused(ask: Asked, changes: list[object]) -> None:
    with pytest.raises(OperationError, match="1 to 1000 changes") as caught:
        ask("change", changes=changes)
    assert caught.value.field == "changes"
