"""Repos, images and menus over the operations table, what names them, and who may change them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from provd.config.kinds import KINDS
from provd.service.operations import OperationError
from tests.api.test_object_operations import allow, file_of
from tests.api.test_operations_real import Asked
from tests.api.test_system_operations import as_operator

NEW: dict[str, dict[str, Any]] = {
    "distro": {"family": "debian", "tree": "http://x/"},
    "profile": {"parent": "web"},
    "repo": {"url": "http://10.88.0.9/tools", "kind": "apt", "suites": ["stable"]},
    "image": {"file": "/srv/rescue.iso", "kind": "iso"},
    "menu": {"title": "Servers"},
}


@pytest.fixture
def ask(tmp_path: Path) -> Asked:
    asked = Asked(tmp_path)
    allow(asked)
    return asked


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_has_every_operation(ask: Asked, kind: str) -> None:
    folder = KINDS[kind].folder
    assert ask(f"{kind}.add", name="one", **NEW[kind], dry_run=True)["applied"] is False
    assert not file_of(ask, "one", folder).exists()
    added = ask(f"{kind}.add", name="one", comment="first", tags=["t1"], **NEW[kind])
    revision = added["objects"][f"{kind} one"]
    shown = ask(f"{kind}.show", name="one")
    assert (shown["name"], shown["revision"]) == ("one", revision)
    ask(f"{kind}.edit", name="one", comment="second", revision=revision)
    with pytest.raises(OperationError, match="was changed meanwhile") as caught:
        ask(f"{kind}.edit", name="one", comment="third", revision=revision)
    assert caught.value.field == "revision"
    ask(f"{kind}.edit", name="one", comment=None)
    assert "comment" not in file_of(ask, "one", folder).read_text()
    ask(f"{kind}.copy", name="one", new="two")
    ask(f"{kind}.rename", name="two", new="three")
    assert [row["name"] for row in ask(f"{kind}.find", where={"tags": "t?"})] == ["one", "three"]
    assert [row["name"] for row in ask(f"{kind}.find", where={"name": "th*"})] == ["three"]
    everyone = [row["name"] for row in ask(f"{kind}.list")]
    assert [row["name"] for row in ask(f"{kind}.list", limit=1, cursor=everyone[0])] == everyone[1:2]
    ask(f"{kind}.remove", name="three")
    ask(f"{kind}.remove", name="one")
    assert not list(file_of(ask, "x", folder).parent.glob("one*"))
    with pytest.raises(OperationError, match=f"there is no {kind} 'one'"):
        ask(f"{kind}.show", name="one")


def test_a_profile_names_repos_and_a_menu(ask: Asked) -> None:
    for kind in ("repo", "menu"):
        ask(f"{kind}.add", name="one", **NEW[kind])
    ask("repo.copy", name="one", new="two")
    ask("profile.edit", name="web", repos=["two", "one"], menu="one")
    ask("profile.add", name="below", parent="web")
    catalogue = ask.server.services.current.catalogue
    assert [repo.url for repo in catalogue.profiles["below"].repos] == ["http://10.88.0.9/tools"] * 2
    ask("repo.edit", name="one", url="http://10.88.0.9/new")
    catalogue = ask.server.services.current.catalogue
    assert catalogue.profiles["below"].repos[1].url == "http://10.88.0.9/new"
    assert str(catalogue.profiles["below"].origins["repos"]).startswith("profile web (")
    ask("repo.rename", name="one", new="tools")
    ask("menu.rename", name="one", new="servers")
    shown = ask("profile.show", name="below")
    assert (shown["repos"], shown["menu"]) == (["two", "tools"], "servers")
    for kind, name in (("repo", "tools"), ("menu", "servers")):
        with pytest.raises(OperationError, match=f"{kind} {name} is used by profiles below, web|by profile"):
            ask(f"{kind}.remove", name=name)
    removed = ask("menu.remove", name="servers", recursive=True, dry_run=True)
    assert set(removed["objects"]) == {"menu servers", "profile web", "profile below"}
    with pytest.raises(OperationError, match="no repo has the name 'none'") as caught:
        ask("profile.edit", name="web", repos=["none"])
    assert caught.value.field == "repos"
    with pytest.raises(OperationError, match="no menu has the name 'none'"):
        ask("profile.edit", name="web", menu="none")


def test_menus_stand_in_menus_and_never_in_themselves(ask: Asked) -> None:
    ask("menu.add", name="top")
    ask("menu.add", name="inner", parent="top")
    with pytest.raises(OperationError, match="menus in a circle: "):
        ask("menu.edit", name="top", parent="inner")
    with pytest.raises(OperationError, match="no menu has the name 'none'"):
        ask("menu.add", name="x", parent="none")
    with pytest.raises(OperationError, match="no menu has the name 'none'"):
        ask("image.add", name="x", file="/x", menu="none")
    with pytest.raises(OperationError, match="menu top is used by menu inner"):
        ask("menu.remove", name="top")


def test_a_file_on_the_disk_appears(ask: Asked) -> None:
    path = file_of(ask, "disk", "repos")
    path.parent.mkdir(exist_ok=True)
    path.write_text('# kept\nurl = "http://x/"\n')
    services = ask.server.services
    services.current.catalogue = type(services.current.catalogue).load(
        services.current.catalogue.sources.layers, services.current.catalogue
    )
    assert ask("repo.show", name="disk")["url"] == "http://x/"
    ask("repo.edit", name="disk", priority=5)
    assert path.read_text() == '# kept\nurl = "http://x/"\npriority = 5\n'


def test_owners_change_files_with_the_role_operate_and_nobody_else(ask: Asked) -> None:
    ask("profile.edit", name="web", owners=["ann"])
    ask("profile.add", name="below", parent="web")
    ask("repo.add", name="ours", url="http://x/", owners=["dba"])
    as_operator(ask, "ann", (), "profile.edit", name="web", source="http://ann/")
    as_operator(ask, "ann", (), "profile.edit", name="below", source="http://inherited/")
    as_operator(ask, "bob", ("dba",), "repo.edit", name="ours", priority=1)
    for operation, arguments in (
        ("profile.edit", {"name": "web", "source": ""}),
        ("profile.rename", {"name": "web", "new": "mine"}),
        ("profile.remove", {"name": "below"}),
        ("profile.edit", {"name": "ks", "source": ""}),
        ("repo.remove", {"name": "ours"}),
    ):
        with pytest.raises(OperationError, match="administrators and its owners only") as caught:
            as_operator(ask, "eve", (), operation, **arguments)
        assert caught.value.kind == "denied"
    with pytest.raises(OperationError, match=r"profile\.add needs the permission admin"):
        as_operator(ask, "ann", (), "profile.add", name="x", parent="web")


def test_templates_get_repos_and_links(ask: Asked) -> None:
    ask("repo.add", name="ours", url="http://10.88.0.9/ours")
    ask("profile.edit", name="web", repos=["ours"], templates={"preseed.cfg": "own.j2"})
    folder = ask.server.root / "site" / "templates"
    folder.mkdir(exist_ok=True)
    (folder / "own.j2").write_text(
        "{% for repo in repos %}{{ repo.url }} {% endfor %}"
        "{% for link in links %}{{ link.name }} over {{ link.members | join('+') }} {{ link.options.mode }} {% endfor %}"
        "{{ interfaces[0].vars.mtu }}"
    )
    ask.server.add()
    card = {**ask("system.show", name="web1")["interfaces"][0], "vars": {"mtu": 9000}}
    bond = {"name": "bond0", "kind": "bond", "members": [card["name"]], "options": {"mode": "802.3ad"}}
    ask("system.edit", name="web1", interfaces=[card], links=[bond])
    services = ask.server.services
    rendered: list[str] = []
    render = services.answers._render
    services.answers._render = lambda *given: rendered.append(render(*given)) or rendered[-1]  # type: ignore[func-returns-value]
    assert ask.server.boot().outcome == "installed"
    assert f"http://10.88.0.9/ours bond0 over {card['name']} 802.3ad 9000" in rendered
