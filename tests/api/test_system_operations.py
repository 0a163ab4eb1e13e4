"""Systems over the operations table of a real server: copied, renamed, found, exported; what is refused changes nothing."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from twisted.internet.defer import Deferred

from provd.config import toml
from provd.config.system_document import document_of, systems_of
from provd.model.account import Caller
from provd.model.mac import Mac
from provd.model.system import Interface, System
from provd.service.operations import OperationError
from provd.store.interface import StoreError
from provd.testing.world import MAC
from tests.api.test_operations_real import Asked

OTHER = "52:54:00:00:aa:02"


@pytest.fixture
def ask(tmp_path: Path) -> Asked:
    asked = Asked(tmp_path)
    asked.server.add()
    return asked


def as_operator(ask: Asked, user: str, groups: tuple[str, ...], operation: str, **arguments: object) -> Any:
    outcome: list[Any] = []
    caller = Caller(user, "operate", groups)
    Deferred.fromCoroutine(ask.table.call(operation, arguments, caller=caller)).addBoth(outcome.append)
    if hasattr(outcome[0], "raiseException"):
        outcome[0].raiseException()
    return outcome[0]


def add(ask: Asked, number: int, **more: object) -> Any:
    mac = f"52:54:00:00:bb:{number:02x}"
    return ask("system.add", name=f"n{number:02}", interfaces=[{"mac": mac}], **{"profile": "web", **more})


def test_a_copy_has_cards_of_its_own_and_no_identity_of_the_first(ask: Asked) -> None:
    ask("system.edit", name="web1", uuid="88880000-0000-4000-8000-525400880011", hostname="one", tags=["a"])
    copied = ask("system.copy", name="web1", new="web2", interfaces=[{"mac": OTHER}])
    assert (copied["uuid"], copied["hostname"], copied["tags"], copied["macs"]) == ("", "web2", ("a",), [OTHER])
    with pytest.raises(OperationError, match=r"MAC .* is already that of system web1"):
        ask("system.copy", name="web1", new="web3", interfaces=[{"mac": str(MAC)}])
    assert [row["name"] for row in ask("system.list")] == ["web1", "web2"]


def test_a_renamed_system_keeps_what_it_has_been_through(ask: Asked) -> None:
    assert ask.server.boot().outcome == "installed"
    before = ask("system.show", name="web1")
    after = ask("system.rename", name="web1", new="www1", revision=before["revision"])
    assert (after["name"], after["state"], after["installed_at"]) == ("www1", "installed", before["installed_at"])
    with pytest.raises(OperationError, match="there is no system 'web1'"):
        ask("system.show", name="web1")
    assert ask.server.services.store.systems.get("web1") is None
    assert ask.server.services.store.installs.get("web1").state == "new"
    assert ask.server.services.systems.of_mac(MAC.octets).name == "www1"  # type: ignore[union-attr]
    add(ask, 1)
    with pytest.raises(OperationError, match="exists already"):
        ask("system.rename", name="n01", new="www1")


@pytest.mark.parametrize(
    ("where", "names"),
    [
        ({}, ["n01", "n02", "n03", "web1"]),
        ({"name": "n*"}, ["n01", "n02", "n03"]),
        ({"name": "n0[12]", "tags": "db"}, ["n02"]),
        ({"name": ["n01", "web*"]}, ["n01", "web1"]),
        ({"name": "N01"}, []),
        ({"mac": "52:54:00:00:BB:02"}, ["n02"]),
        ({"mac": "*:bb:0?"}, ["n01", "n02", "n03"]),
        ({"profile": "none"}, []),
        ({"profile": "web", "vars.rack.row": "7"}, ["n03"]),
        ({"vars.rack.row": "[!7]"}, []),
        ({"netboot": False}, ["n01"]),
        ({"address": "10.88.0.*"}, ["n02"]),
        ({"tags": ""}, ["n01", "n03", "web1"]),
        ({"groups": "lab"}, ["n03"]),
    ],
)
def test_systems_are_found_by_patterns(ask: Asked, where: dict[str, object], names: list[str]) -> None:
    add(ask, 1, netboot=False)
    ask(
        "system.add", name="n02", profile="web", tags=["db"],
        interfaces=[{"mac": "52:54:00:00:bb:02", "address": "10.88.0.77"}],
    )  # fmt: skip
    add(ask, 3, vars={"rack": {"row": 7}}, groups=["lab"])
    assert [row["name"] for row in ask("system.find", where=where)] == names
    assert [row["name"] for row in ask("system.find", where=where, ignore_case=True, full=True)][-len(names) :] in (
        names,
        ["n01"],
    )


@pytest.mark.parametrize(
    ("where", "field", "sentence"),
    [
        ({"colour": "x"}, "where.colour", "there is no field 'colour'"),
        ({"name": {"a": 1}}, "where.name", "a pattern is a text"),
        ({"name": []}, "where.name", "a pattern is a text"),
        ({"name": "*" * 2000}, "where.name", "1024 characters at most"),
    ],
)
def test_a_wrong_condition_is_named(ask: Asked, where: dict[str, object], field: str, sentence: str) -> None:
    with pytest.raises(OperationError, match=sentence) as caught:
        ask("system.find", where=where)
    assert (caught.value.field, caught.value.kind) == (field, "usage")


def test_pages_follow_the_names_also_when_systems_come_and_go(ask: Asked) -> None:
    for number in range(1, 6):
        add(ask, number)
    first = ask("system.list", limit=2)
    assert [row["name"] for row in first] == ["n01", "n02"]
    ask("system.remove", name="n02")
    ask("system.remove", name="n03")
    second = ask("system.list", limit=2, cursor="n02")
    assert [row["name"] for row in second] == ["n04", "n05"]
    assert [row["name"] for row in ask("system.find", where={"name": "*"}, limit=2, cursor="n05")] == ["web1"]


def test_what_is_exported_is_imported_as_the_same(ask: Asked) -> None:
    add(
        ask, 1, netboot=False, owners=["ann"], answers={"root_password": "geheim", "disks": [{"size": 5}]},
        links=[{"name": "bond0", "kind": "bond", "members": ["eth0"], "options": {"mode": "802.3ad"}},
               {"name": "vlan7", "kind": "vlan", "members": ["bond0"], "vlan": 7, "address": "10.88.0.9"}],
    )  # fmt: skip
    before = {system.name: system for system in ask.server.services.systems.all()}
    told = ask("system.export")
    assert told["systems"] == ["n01", "web1"]
    assert toml.parse(told["toml"].encode(), "")["system"]["n01"]["answers"]["root_password"] == "geheim"
    with pytest.raises(OperationError, match="n01 exists already"):
        ask("system.import", toml=told["toml"])
    ask("system.remove", name="n01")
    ask("system.edit", name="web1", comment="changed")
    dry = ask("system.import", toml=told["toml"], replace=True, dry_run=True)
    assert dry == {"added": ["n01"], "replaced": ["web1"]}
    assert [row["name"] for row in ask("system.list")] == ["web1"]
    ask("system.import", toml=told["toml"], replace=True)
    assert {system.name: system for system in ask.server.services.systems.all()} == before


_words = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
_values = st.recursive(
    st.booleans() | st.integers(-(2**63), 2**63 - 1) | st.floats(allow_nan=False) | _words,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_words, inner, max_size=3),
    max_leaves=6,
)


@settings(max_examples=150, deadline=None)
@given(st.dictionaries(_words, _values, max_size=3), st.lists(_words, max_size=3), _words)
def test_any_system_round_trips(answers: dict[str, Any], words: list[str], comment: str) -> None:
    answers.pop("bind", None)
    card = Interface("eth0", Mac.parse(OTHER), vars=answers)
    system = System("a.b", interfaces=(card,), vars=answers, tags=tuple(words), comment=comment)
    (read,) = systems_of(document_of([system]))
    assert (read.interfaces, read.vars, read.tags, read.comment) == ((card,), answers, tuple(words), comment)


@pytest.mark.parametrize(
    ("text", "field"),
    [
        ("x = 1", "toml.x"),
        ("[system]\nx = 1", "toml.system.x"),
        ('[system.x]\ncolour = "red"', "toml.system.x.colour"),
        ('[system.x]\n[[system.x.interface]]\nmac = "no"', "toml.system.x.interface[0].mac"),
        ("[system.'../x']", "toml.system.../x"),
        ("[system.x", "toml"),
    ],
)
def test_a_document_that_is_wrong_is_named_and_nothing_of_it_is_kept(ask: Asked, text: str, field: str) -> None:
    good = '[system.n1]\nprofile = "web"\n[[system.n1.interface]]\nmac = "52:54:00:00:aa:aa"\n'
    with pytest.raises(OperationError) as caught:
        ask("system.import", toml=good + text if "[system." in text else text)
    assert (caught.value.field, caught.value.kind) == (field, "usage")
    assert [row["name"] for row in ask("system.list")] == ["web1"]


def test_of_several_edits_all_are_kept_or_none(ask: Asked, monkeypatch: pytest.MonkeyPatch) -> None:
    head = '[system.{0}]\nprofile = "web"\n[[system.{0}.interface]]\nmac = "{1}"\n'
    both = head.format("n1", OTHER) + head.format("n2", OTHER)
    with pytest.raises(OperationError, match="is already that of system n1"):
        ask("system.import", toml=both)
    assert ask.server.services.systems.of_mac(Mac.parse(OTHER).octets) is None
    two = head.format("n1", OTHER) + head.format("n2", "52:54:00:00:aa:03")

    def full(_writes: object) -> object:
        raise StoreError("the disk is full")

    monkeypatch.setattr(ask.server.services.store.systems, "change", full)
    with pytest.raises(OperationError, match="systems n1, n2 could not be stored: the disk is full"):
        ask("system.import", toml=two)
    assert [row["name"] for row in ask("system.list")] == ["web1"]
    monkeypatch.undo()
    ask("system.import", toml=two)
    assert [row["name"] for row in ask("system.list")] == ["n1", "n2", "web1"]


def test_dry_runs_change_nothing_and_tell_what_would_be(ask: Asked) -> None:
    before = ask("system.show", name="web1")
    assert ask("system.edit", name="web1", comment="x", netboot=False, dry_run=True)["comment"] == "x"
    assert ask("system.rename", name="web1", new="x", dry_run=True)["name"] == "x"
    assert ask("system.copy", name="web1", new="x", interfaces=[{"mac": OTHER}], dry_run=True)["macs"] == [OTHER]
    assert ask("system.remove", name="web1", dry_run=True) == {"removed": "web1", "applied": False}
    assert add(ask, 1, dry_run=True)["name"] == "n01"
    assert ask("system.list") == [{key: before[key] for key in ask("system.list")[0]}]
    assert ask("system.show", name="web1") == before


@pytest.mark.parametrize(
    ("operation", "more"),
    [("system.edit", {"comment": "x"}), ("system.rename", {"new": "x"}), ("system.remove", {})],
)
def test_a_stale_write_is_refused_and_says_so(ask: Asked, operation: str, more: dict[str, object]) -> None:
    seen = ask("system.show", name="web1")["revision"]
    ask("system.edit", name="web1", comment="somebody else")
    with pytest.raises(OperationError, match="web1 was changed meanwhile") as caught:
        ask(operation, name="web1", revision=seen, **more)
    assert caught.value.field == "revision"


def test_an_operator_changes_only_what_has_no_owner_or_is_owned(ask: Asked) -> None:
    add(ask, 1, owners=["ann", "dba"])
    for user, groups in (("ann", ()), ("bob", ("dba",))):
        as_operator(ask, user, groups, "system.edit", name="n01", comment=user)
    for operation, more in (
        ("system.edit", {"comment": "x"}), ("system.edit", {"netboot": False}), ("system.remove", {}),
        ("system.rename", {"new": "mine"}),
    ):  # fmt: skip
        with pytest.raises(OperationError, match=r"n01 may be changed by its owners only \(ann, dba\)") as caught:
            as_operator(ask, "eve", (), operation, name="n01", **more)
        assert caught.value.kind == "denied"
    as_operator(ask, "eve", (), "system.edit", name="web1", comment="nobody owns it")
    ask("system.edit", name="n01", comment="an administrator may")


@pytest.mark.parametrize(
    ("link", "sentence"),
    [
        ({"name": "eth0", "kind": "bond"}, "taken by another"),
        ({"name": "b", "kind": "bond", "members": ["x"]}, "there is no interface or link 'x'"),
        ({"name": "v", "kind": "vlan", "members": ["eth0"]}, "identifier from 1 to 4094"),
        ({"name": "b", "kind": "bridge", "members": ["b"]}, "made of itself"),
        ({"name": "b", "kind": "bond", "vlan": 3}, "has no VLAN"),
        (
            {"name": "b", "kind": "bond", "members": ["eth0", "eth0"]},
            r"link\[0\]\.members\[1\]: eth0 is a member of it already",
        ),
        ({"name": "b", "kind": "bond", "options": {"miimonn": 1}}, "link b: option 'miimonn' .* did you mean miimon"),
        ({"name": "b", "kind": "bridge", "options": {"mode": 1}}, "link b: option 'mode' of a bridge is not one of"),
    ],
)
def test_links_that_cannot_be_are_refused(ask: Asked, link: dict[str, object], sentence: str) -> None:
    with pytest.raises(OperationError, match=sentence):
        add(ask, 1, links=[link])


def test_a_member_is_in_one_bond_or_bridge_and_has_no_address(ask: Asked) -> None:
    bond = {"name": "bond0", "kind": "bond", "members": ["eth0"]}
    vlan = {"name": "lan7", "kind": "vlan", "vlan": 7, "members": ["bond0"], "address": "10.7.0.5"}
    bridge = {"name": "br0", "kind": "bridge", "members": ["eth0"]}
    with pytest.raises(
        OperationError, match=r"link br0: link\[2\]\.members\[0\]: eth0 is a member of bond0 already; it can"
    ):
        add(ask, 1, links=[bond, vlan, bridge])
    above = {"name": "br0", "kind": "bridge", "members": ["lan7"]}
    with pytest.raises(
        OperationError,
        match=r"link lan7: link\[1\]\.address: a member of br0 has no .*; 10\.7\.0\.5 belongs to link\[2\]",
    ):
        add(ask, 1, links=[bond, vlan, above])
    other = {"name": "lan8", "kind": "vlan", "vlan": 8, "members": ["bond0"]}
    add(ask, 1, links=[bond, vlan, other])


@pytest.mark.parametrize("value", [None, 2**64, "\ud800", [[[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]]]])
def test_values_that_cannot_be_kept_are_named(ask: Asked, value: object) -> None:
    with pytest.raises(OperationError, match=r"vars\.x") as caught:
        add(ask, 1, vars={"x": value})
    assert caught.value.field.startswith("vars.x")


@pytest.mark.parametrize(
    ("changes", "in_place", "left"),
    [
        ({"ks.cfg": None}, True, {"user-data": "u.j2"}),
        ({"ks.cfg": None, "x.cfg": "x.j2"}, True, {"user-data": "u.j2", "x.cfg": "x.j2"}),
        ({"ks.cfg": None, "x.cfg": "x.j2"}, False, {"x.cfg": "x.j2"}),
    ],
)
def test_null_takes_a_template_out_of_a_system(
    ask: Asked, changes: dict[str, object], in_place: bool, left: dict[str, str]
) -> None:
    ask("system.add", name="t1", interfaces=[], templates={"ks.cfg": "k.j2", "user-data": "u.j2"})
    shown = ask("system.edit", name="t1", templates=changes, in_place=in_place)
    assert shown["templates"] == left


def test_a_dry_run_tells_what_would_be_different(ask: Asked) -> None:
    ask("system.edit", name="web1", comment="old", vars={"rack": "r1"})
    told = ask("system.edit", name="web1", comment="new", vars={"rack": "r1"}, dry_run=True)
    assert told["changes"] == [{"key": "comment", "before": "old", "after": "new"}]
    assert told["applied"] is False
    assert ask("system.show", name="web1")["comment"] == "old"


def test_a_secret_that_would_change_is_told_without_its_value(ask: Asked) -> None:
    ask("system.edit", name="web1", vars={"api_key": "canary1"})
    told = ask("system.edit", name="web1", vars={"api_key": "canary2"}, dry_run=True)
    assert [one["key"] for one in told["changes"]] == ["vars"]
    assert "canary" not in repr(told)


def test_a_dry_run_of_a_removal_cannot_be_taken_for_one(ask: Asked) -> None:
    assert ask("system.remove", name="web1", dry_run=True) == {"removed": "web1", "applied": False}
    assert ask("system.show", name="web1")["name"] == "web1"
    assert ask("system.remove", name="web1") == {"removed": "web1"}


@pytest.mark.parametrize("mac", ["00:00:00:00:00:00", "ff:ff:ff:ff:ff:ff"])
def test_no_machine_has_the_mac_of_none_or_of_all(ask: Asked, mac: str) -> None:
    with pytest.raises(OperationError, match=f"MAC {mac} is "):
        ask("system.add", name="n1", interfaces=[{"mac": mac}], profile="web")


@pytest.mark.parametrize(
    ("more", "sentence"),
    [
        ({"installer": "preseeed"}, "installer: no enabled plugin brings the installer 'preseeed'; did you mean"),
        ({"boot_loaders": ["nosuch"]}, "boot_loaders: no enabled plugin brings the boot loader 'nosuch'; known: "),
    ],
)
def test_what_no_plugin_brings_is_refused(ask: Asked, more: dict[str, object], sentence: str) -> None:
    with pytest.raises(OperationError, match=sentence):
        ask("system.edit", name="web1", **more)


@pytest.mark.parametrize("field", ["installer", "source", "boot_loaders"])
def test_systems_are_found_by_what_they_say_themselves(ask: Asked, field: str) -> None:
    own: dict[str, Any] = {"installer": "preseed", "source": "http://192.0.2.1/x", "boot_loaders": ["pxelinux"]}
    add(ask, 1, **{field: own[field]})
    wanted = own[field] if isinstance(own[field], str) else own[field][0]
    assert [row["name"] for row in ask("system.find", where={field: wanted})] == ["n01"]


@pytest.mark.parametrize(
    ("more", "sentence"),
    [
        ({"source": "gopher://192.0.2.1/x"}, "source: no enabled plugin resolves 'gopher://192.0.2.1/x'"),
        ({"source": "/srv/tree"}, "source: '/srv/tree' has no scheme; known: "),
        (
            {"templates": {"preseed": "own.j2"}},
            "templates.preseed: installer preseed makes no document of this name; did",
        ),
        (
            {"templates": {"preseed.cfg": "own.j2"}},
            "templates.preseed.cfg: there is no template 'own.j2' for installer preseed",
        ),
        (
            {"answers": {"pakages": ["vim"], "!timezone": True}},
            "answers.pakages: the installer preseed reads no answer of this name; did you mean 'packages'?",
        ),
    ],
)
def test_check_tells_what_a_system_names_and_nobody_has(ask: Asked, more: dict[str, object], sentence: str) -> None:
    ask("system.edit", name="web1", **more)
    [told] = ask.server.services.problems.told()
    assert f"system web1: {sentence}" in told
    ask("system.edit", name="web1", source="", templates={}, answers={})
    assert ask.server.services.problems.told() == []


def test_a_template_that_comes_later_ends_the_remark(ask: Asked, tmp_path: Path) -> None:
    ask("system.edit", name="web1", templates={"preseed.cfg": "own.j2"})
    assert ask.server.services.problems.told()
    folder = Path(ask.server.services.current.config.site_dir) / "templates" / "preseed"
    folder.mkdir(parents=True)
    (folder / "own.j2").write_text("d-i debian-installer/locale string C\n")
    ask("system.edit", name="web1", comment="again")
    assert ask.server.services.problems.told() == []
