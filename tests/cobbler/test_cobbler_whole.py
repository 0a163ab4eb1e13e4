"""What is saved by Cobbler's clients is saved whole or not at all; searches and words mean what they mean to Cobbler."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.cobbler.cobbler_server import CobblerServer, refused

MAC = "52:54:00:00:00:01"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[CobblerServer]:
    running = CobblerServer(tmp_path_factory.mktemp("whole"))
    running.start()
    try:
        yield running
    finally:
        assert running.stop() == 0


@pytest.fixture
def remote(server: CobblerServer) -> Any:
    return server.proxy()


@pytest.fixture
def token(server: CobblerServer) -> Iterator[str]:
    token, remote = server.login(), server.proxy()
    for number, name in enumerate(("Web1", "web2"), 1):
        card = {"interface": "eth0", "mac_address": f"52:54:00:00:00:0{number}", "netmask": "255.0.0.0"}
        remote.xapi_object_edit("system", name, "add", {"profile": "web", "comment": "Old rack", **card}, token)
    yield token
    for name in remote.get_item_names("system"):
        remote.remove_system(name, token)
    if "sub" in remote.get_item_names("profile"):
        remote.remove_profile("sub", token)


@pytest.mark.parametrize(("name", "rule"), [("web2", "exists already"), ("bad name", "is not a name")])
def test_a_refused_new_name_keeps_the_other_changes_from_being_saved(
    remote: Any, token: str, name: str, rule: str
) -> None:
    handle = remote.get_system_handle("Web1", token)
    remote.modify_system(handle, "comment", "New rack", token)
    remote.modify_system(handle, "name", name, token)
    sentence = refused(remote.save_system, handle, token)
    assert rule in sentence
    assert "changes[" not in sentence
    assert remote.get_system("Web1")["comment"] == "Old rack"


def test_a_refused_new_name_of_a_profile_changes_no_file(server: CobblerServer, remote: Any, token: str) -> None:
    file = Path(server.folder) / "site" / "profiles" / "web.toml"
    before = file.read_bytes()
    handle = remote.get_profile_handle("web", token)
    remote.modify_profile(handle, "kernel_options", "quiet", token)
    remote.modify_profile(handle, "name", "no name", token)
    assert "is not a name" in refused(remote.save_profile, handle, token)
    assert file.read_bytes() == before


def test_a_new_name_and_other_changes_are_saved_together(remote: Any, token: str) -> None:
    handle = remote.get_system_handle("Web1", token)
    remote.modify_system(handle, "comment", "New rack", token)
    remote.modify_system(handle, "netboot_enabled", False, token)
    remote.modify_system(handle, "name", "web7", token)
    assert remote.save_system(handle, token) is True
    assert remote.get_item_names("system") == ["web2", "web7"]
    found = remote.get_system("web7")
    assert (found["comment"], found["netboot_enabled"]) == ("New rack", False)
    assert found["interfaces"]["eth0"]["netmask"] == "255.0.0.0"


def test_a_copy_waits_in_a_transaction_as_one(remote: Any, token: str) -> None:
    remote.transaction_begin(token)
    assert remote.copy_system(remote.get_system_handle("Web1", token), "web9", token) is True
    assert "web9" not in remote.get_item_names("system")
    remote.transaction_commit(token)
    card = remote.get_system("web9")["interfaces"]["eth0"]
    assert (card["mac_address"], card["netmask"]) == ("", "255.0.0.0")


def test_what_a_transaction_refuses_does_not_wait_in_it(remote: Any, token: str) -> None:
    remote.transaction_begin(token)
    attributes = {"newname": "web8", "comment": "a copy"}
    sentence = refused(remote.xapi_object_edit, "system", "web2", "copy", attributes, token)
    assert "transaction" in sentence
    handle = remote.get_system_handle("Web1", token)
    remote.modify_system(handle, "comment", "first", token)
    remote.save_system(handle, token)
    handle = remote.get_system_handle("Web1", token)
    remote.modify_system(handle, "hostname", "second", token)
    assert "waits in this transaction already" in refused(remote.save_system, handle, token)
    remote.transaction_commit(token)
    assert remote.get_item_names("system") == ["Web1", "web2"]
    assert remote.get_system("Web1")["comment"] == "first"


@pytest.mark.parametrize(
    ("criteria", "expected"),
    [
        ({"name": "web*"}, ["Web1", "web2"]),
        ({"name": "WEB1"}, ["Web1"]),
        ({"comment": "old*", "profile": "WEB"}, ["Web1", "web2"]),
        ({"name": "~web2"}, ["Web1"]),
        ({"comment": "~Old rack"}, []),
        ({"mac_address": f"~{MAC}"}, ["web2"]),
        ({"hostname": "~"}, []),
        ({"name": "web2", "comment": None}, ["web2"]),
        ({"interface": "eth0"}, ["Web1", "web2"]),
        ({"interface": ["eth0"]}, []),
        ({"interface": "~eth0"}, []),
    ],
)
def test_searches_mean_what_they_mean_to_cobbler(
    remote: Any, token: str, criteria: dict[str, Any], expected: list[str]
) -> None:
    assert token
    assert remote.find_system(criteria) == expected


def test_a_distro_has_no_interfaces(remote: Any) -> None:
    assert "interface is no attribute" in refused(remote.find_distro, {"interface": "eth0"})


@pytest.mark.parametrize("word", ["false", "0", "no", False, 0])
def test_words_for_no_make_no_removal_recursive(remote: Any, token: str, word: Any) -> None:
    for name, parent in (("sub", "web"), ("subsub", "sub")):
        remote.xapi_object_edit("profile", name, "add", {"parent": parent}, token)
    assert "is used by" in refused(remote.remove_profile, "sub", token, word)
    assert "is used by" in refused(remote.xapi_object_edit, "profile", "sub", "remove", {"recursive": word}, token)
    assert {"sub", "subsub"} <= set(remote.get_item_names("profile"))
    assert "recursive" in refused(remote.remove_profile, "sub", token, "perhaps")


def test_words_for_no_replace_a_dictionary(remote: Any, token: str) -> None:
    for options, more in (("a=1 b=2", {}), ("a=3", {"in_place": "0"})):
        remote.xapi_object_edit("system", "Web1", "edit", {"kernel_options": options, **more}, token)
    assert remote.get_system("Web1")["kernel_options"] == {"a": "3"}


@pytest.mark.parametrize(("page", "most", "names"), [("2", "1", ["web2"]), ("", 0, ["Web1", "web2"])])
def test_pages_may_be_named_by_texts(remote: Any, token: str, page: Any, most: Any, names: list[str]) -> None:
    assert token
    told = remote.find_items_paged("system", {}, "name", page, most)
    assert [one["name"] for one in told["items"]] == names
    assert len(remote.get_systems("1", "10")) == 2


def test_a_hardware_address_is_no_name(remote: Any, token: str) -> None:
    assert remote.has_item("system", MAC) is False
    assert "unknown system name" in refused(remote.get_system_handle, MAC, token)
    assert "not found" in refused(remote.remove_system, MAC, token)
    assert remote.get_item_names("system") == ["Web1", "web2"]


@pytest.mark.parametrize(
    ("name", "value"),
    [("name", "a*" * 1000), ("kernel_options", "a=1 " * 1000), ("owners", ["ann"] * 1000), ("vars", {"a": "b" * 2000})],
)
def test_a_criterion_is_short(remote: Any, name: str, value: Any) -> None:
    wanted = {"autoinstall_meta" if name == "vars" else name: value}
    assert "1024 characters at most" in refused(remote.find_system, wanted)


@pytest.mark.parametrize("attribute", ["owners", "kernel_options", "template_files"])
def test_a_text_that_is_split_is_no_book(remote: Any, token: str, attribute: str) -> None:
    handle = remote.new_system(token)
    sentence = refused(remote.modify_system, handle, attribute, "a" * 100_000, token)
    assert f"{attribute}: a text that is split into words has 65536 characters at most" in sentence
    assert remote.modify_system(handle, attribute, "a b=c", token) is True


@pytest.mark.parametrize("kind", ["profile", "distro"])
def test_owners_and_comment_are_those_that_provd_looks_at(
    server: CobblerServer, remote: Any, token: str, kind: str
) -> None:
    name = {"profile": "web", "distro": "el9"}[kind]
    file = Path(server.folder) / "site" / f"{kind}s" / f"{name}.toml"
    remote.xapi_object_edit(kind, name, "edit", {"owners": "ann bob", "comment": "mine"}, token)
    text = file.read_text()
    assert 'owners = ["ann", "bob"]\n' in text
    assert 'comment = "mine"\n' in text
    assert "cobbler" not in text
    found = remote.get_item(kind, name)
    assert (found["owners"], found["comment"]) == (["ann", "bob"], "mine")
    assert getattr(remote, f"find_{kind}")({"owners": "ann", "comment": "MINE"}) == [name]
    remote.xapi_object_edit(kind, name, "edit", {"owners": "<<inherit>>", "comment": ""}, token)
    assert "owners" not in file.read_text()
    assert remote.get_item(kind, name)["owners"] == "<<inherit>>"
