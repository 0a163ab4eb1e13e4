"""Distros and profiles over the operations table: files are written, systems follow, what would be wrong is refused."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from provd.plugin.contract import Veto
from provd.service.operations import OperationError
from tests.api.test_operations_real import Asked


@pytest.fixture
def ask(tmp_path: Path) -> Asked:
    asked = Asked(tmp_path)
    allow(asked)
    return asked


def allow(asked: Asked, *, writes: bool = True) -> None:
    current = asked.server.services.current
    current.config = replace(current.config, api_writes=writes)


def file_of(ask: Asked, name: str, kind: str = "profiles") -> Path:
    return ask.server.root / "site" / kind / f"{name}.toml"


def test_a_profile_is_added_edited_copied_renamed_and_removed(ask: Asked) -> None:
    added = ask("profile.add", name="db", parent="web", answers={"packages": ["postgresql"]}, kernel_args=["nosmt"])
    assert added["applied"] is True
    assert file_of(ask, "db").read_text().startswith('parent = "web"\nkernel_args = ["nosmt"]\n')
    shown = ask("profile.show", name="db")
    assert shown["kernel_args"][-1] == "nosmt"
    assert shown["revision"] == added["objects"]["profile db"]
    ask(
        "profile.edit",
        name="db",
        revision=shown["revision"],
        in_place=True,
        answers={"ntp": "10.0.0.1"},
        kernel_args=None,
    )
    shown = ask("profile.show", name="db")
    assert shown["answers"]["packages"] == ["postgresql"]
    assert shown["answers"]["ntp"] == "10.0.0.1"
    assert "nosmt" not in shown["kernel_args"]
    ask("profile.copy", name="db", new="db2")
    ask("profile.rename", name="db2", new="db3")
    assert [row["name"] for row in ask("profile.list") if row["name"].startswith("db")] == ["db", "db3"]
    ask("profile.remove", name="db3")
    assert not file_of(ask, "db3").exists()
    assert ask.server.services.current.catalogue.problems == ()


def test_the_next_boot_follows_a_change(ask: Asked) -> None:
    ask.server.add()
    ask("profile.edit", name="web", kernel_args=["changed=yes"])
    boot = ask.server.boot()
    assert boot.started is not None
    assert "changed=yes" in boot.started.command_line


def test_systems_follow_a_renamed_profile(ask: Asked) -> None:
    ask.server.add()
    changed = ask("profile.rename", name="web", new="www")
    assert changed["systems"] == ("web1",)
    assert ask("system.show", name="web1")["profile"] == "www"
    assert ask.server.boot().outcome == "installed"


def test_a_profile_that_a_system_uses_goes_only_with_it(ask: Asked) -> None:
    ask.server.add()
    with pytest.raises(OperationError, match="profile web is used by system web1"):
        ask("profile.remove", name="web")
    changed = ask("distro.remove", name="deb", recursive=True)
    assert (changed["systems_removed"], set(changed["objects"])) == (("web1",), {"distro deb", "profile web"})
    assert ask("system.list") == []
    assert not file_of(ask, "deb", "distros").exists()


def test_a_dry_run_tells_everything_and_does_nothing(ask: Asked) -> None:
    allow(ask, writes=False)
    ask.server.add()
    before = ask.server.services.current.catalogue
    told = ask("profile.rename", name="web", new="www", dry_run=True)
    assert (told["applied"], told["systems"]) == (False, ("web1",))
    assert "+++ " + str(file_of(ask, "www")) in told["files"][str(file_of(ask, "www"))]
    assert ask.server.services.current.catalogue is before
    assert file_of(ask, "web").exists()


def test_a_difference_shows_no_secret(ask: Asked) -> None:
    told = ask("profile.edit", name="ks", answers={"root_password_hash": "$6$secret", "x": 1}, dry_run=True)
    (difference,) = told["files"].values()
    assert "secret" not in difference
    assert "+x = 1" in difference


def test_nothing_is_written_where_the_configuration_does_not_allow_it(ask: Asked) -> None:
    allow(ask, writes=False)
    with pytest.raises(OperationError, match=r"in their files only: api_writes = true in provd\.toml"):
        ask("profile.add", name="db", parent="web")
    assert not file_of(ask, "db").exists()


@pytest.mark.parametrize(
    ("operation", "arguments", "sentence", "kind", "field"),
    [
        ("profile.add", {"name": "web", "parent": "ks"}, "profile web exists already", "refused", "name"),
        ("profile.add", {"name": "x", "parent": "none"}, "no profile has the name 'none'", "refused", "parent"),
        ("profile.add", {"name": "x", "kernel_args": "quiet"}, "Expected `array`", "usage", "kernel_args"),
        ("profile.add", {"name": "x", "wrong": 1}, "unknown field `wrong`", "usage", "wrong"),
        (
            "profile.add",
            {"name": "x", "boot": {"max_attempts": 0}},
            "boot.max_attempts",
            "refused",
            "boot.max_attempts",
        ),
        ("profile.edit", {"name": "none", "source": ""}, "there is no profile 'none'", "not-found", "name"),
        ("profile.edit", {"name": "web"}, "nothing to change was named", "usage", ""),
        (
            "profile.edit",
            {"name": "web", "source": "", "revision": "old"},
            "was changed meanwhile",
            "refused",
            "revision",
        ),
        ("distro.remove", {"name": "deb"}, "distro deb is used by profile web", "refused", ""),
    ],
)
def test_what_is_refused(
    ask: Asked, operation: str, arguments: dict[str, Any], sentence: str, kind: str, field: str
) -> None:
    before = ask.server.services.current.catalogue
    with pytest.raises(OperationError, match=sentence) as error:
        ask(operation, **arguments)
    assert (error.value.kind, error.value.field) == (kind, field)
    assert ask.server.services.current.catalogue is before


def test_a_plugin_may_refuse(ask: Asked, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []

    def veto(change: Any) -> Veto:
        asked.append(change.kind)
        return Veto("not on a Friday")

    monkeypatch.setattr(ask.server.services.changes, "_host", type("Host", (), {"change": staticmethod(veto)})())
    with pytest.raises(OperationError, match="not on a Friday"):
        ask("profile.edit", name="web", source="http://x/")
    assert asked == ["profile.edit"]
    assert "source" not in file_of(ask, "web").read_text()


def test_a_disk_that_refuses_changes_nothing(ask: Asked) -> None:
    before = ask.server.services.current.catalogue
    folder = file_of(ask, "web").parent
    folder.rename(folder.with_name("moved"))
    folder.write_text("a file where the folder was")
    with pytest.raises(OperationError, match="cannot be written") as error:
        ask("profile.edit", name="web", source="http://x/")
    assert error.value.kind == "failed"
    assert ask.server.services.current.catalogue is before


def test_a_profile_that_can_only_be_inherited_shows_what_its_file_says(ask: Asked) -> None:
    added = ask("profile.add", name="common", answers={"timezone": "UTC"})
    shown = ask("profile.show", name="common")
    assert (shown["name"], shown["distro"], shown["answers"]) == ("common", "", {"timezone": "UTC"})
    assert shown["revision"] == added["objects"]["profile common"]
    ask("profile.edit", name="common", revision=shown["revision"], comment="for all")
    with pytest.raises(OperationError, match="was changed meanwhile"):
        ask("profile.edit", name="common", revision=shown["revision"], comment="late")


def test_an_edit_that_changes_nothing_is_no_change(ask: Asked) -> None:
    before = ask("profile.edit", name="web", kernel_args=["quiet"])
    heard: list[str] = []
    ask.server.services.bus.listen(lambda event: heard.append(event.kind))
    told = ask("profile.edit", name="web", kernel_args=["quiet"])
    assert told["files"] == {str(file_of(ask, "web")): ""}
    assert told["objects"] == before["objects"]
    assert "profile.changed" not in heard


def test_a_file_that_is_emptied_is_not_told_as_gone(ask: Asked) -> None:
    ask("profile.add", name="common", comment="one")
    (difference,) = ask("profile.edit", name="common", comment=None)["files"].values()
    assert "/dev/null" not in difference
    (difference,) = ask("profile.remove", name="common")["files"].values()
    assert "+++ /dev/null" in difference


def test_what_somebody_wrote_meanwhile_is_not_lost(ask: Asked) -> None:
    ask("profile.add", name="hand", parent="web", comment="one")
    by_hand = '# mine\nparent = "web"  # keep\nkernel_args = ["hand"]\n'
    file_of(ask, "hand").write_text(by_hand)
    for dry_run in (True, False):
        with pytest.raises(OperationError, match=r"hand\.toml was changed on disk since provd read it; provd reload"):
            ask("profile.edit", name="hand", tags=["t1"], dry_run=dry_run)
    with pytest.raises(OperationError, match="was changed on disk"):
        ask("profile.remove", name="hand")
    file_of(ask, "new").write_text('parent = "web"\n')
    with pytest.raises(OperationError, match=r"new\.toml was changed on disk"):
        ask("profile.add", name="new", parent="web")
    assert file_of(ask, "hand").read_text() == by_hand
    assert ask("profile.own", name="hand")["comment"] == "one"


def test_a_recursive_removal_tells_which_machines_go(ask: Asked) -> None:
    ask.server.add()
    for dry_run in (True, False):
        told = ask("profile.remove", name="web", recursive=True, dry_run=dry_run)
        assert (told["systems"], told["systems_removed"]) == ((), ("web1",))
    assert ask("system.list") == []


@pytest.mark.parametrize(
    ("operation", "arguments", "rule"),
    [
        ("repo.add", {"url": "not a url"}, "url: 'not a url' is neither a URL nor an absolute path"),
        ("repo.add", {"url": "notaurl"}, "url: 'notaurl' is neither"),
    ],
)
def test_places_that_are_none_are_refused(ask: Asked, operation: str, arguments: dict[str, Any], rule: str) -> None:
    with pytest.raises(OperationError, match=rule):
        ask(operation, name="x", **arguments)


def test_C18_what_is_masked_cannot_be_found_letter_by_letter(ask: Asked) -> None:
    ask.server.add()
    ask(
        "profile.edit",
        name="web",
        in_place=True,
        answers={"root_password": "canary", "users": [{"name": "ann", "password": "canary"}]},
    )
    ask("system.edit", name="web1", vars={"cobbler": {"power_pass": "canary"}, "rack": "r7"})
    for field in ("answers.root_password", "answers.users.password", "answers.users"):
        assert ask("profile.find", where={field: "*canar*"}) == []
    assert ask("system.find", where={"vars.cobbler.power_pass": "c*"}) == []
    assert ask("system.find", where={"vars.cobbler": "*canary*"}) == []
    assert [row["name"] for row in ask("system.find", where={"vars.cobbler.power_pass": "?*"})] == ["web1"]
    assert [row["name"] for row in ask("system.find", where={"vars.rack": "r7"})] == ["web1"]
