"""A real service and the standard library's client: logins, reads, writes by handles and in one step, faults."""

from __future__ import annotations

import http.client
import socket
import xmlrpc.client
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from provd.api.cobbler.methods import every_method
from provd.api.cobbler.registry import NOBODY
from provd.service.operations import ANONYMOUS_READ
from tests.cobbler.cobbler_server import CobblerServer, refused

MAC = "52:54:00:00:00:01"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[CobblerServer]:
    running = CobblerServer(tmp_path_factory.mktemp("cobbler"))
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
    token = server.login()
    yield token
    for name in server.proxy().get_item_names("system"):
        server.proxy().remove_system(name, token)


@pytest.mark.parametrize("path", ["/", "/RPC2", "/cobbler_api"])
def test_every_path_of_the_clients_answers(server: CobblerServer, path: str) -> None:
    assert server.proxy(path).ping() is True
    assert server.proxy(path).version() == 3.3


def test_other_paths_and_methods_are_not_there(server: CobblerServer) -> None:
    for method, path, status in [("POST", "/other", 404), ("GET", "/cobbler_api", 405)]:
        connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=5)
        connection.request(method, path, b"")
        assert connection.getresponse().status == status
        connection.close()


@pytest.mark.parametrize("secret", ["", "-1", "None", "False", "\x00", "x" * 64])
def test_C01_only_the_secret_itself_logs_in(remote: Any, secret: str) -> None:
    assert "XML" in refused(remote.login, "", secret) or "login failed" in refused(remote.login, "", secret)


@pytest.mark.parametrize("secret", [-1, 0, None, False, [], {}])
def test_C01_no_other_type_logs_in(remote: Any, secret: Any) -> None:
    assert "must be of type str" in refused(remote.login, "", secret)


def test_C01_the_secret_file_is_readable_by_its_owner_only(server: CobblerServer) -> None:
    assert (server.folder / "data" / "web.ss").stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("change", ["deleted", "emptied", "zeroed"])
def test_C01_a_secret_file_that_is_lost_opens_nothing(server: CobblerServer, change: str) -> None:
    path, kept = server.folder / "data" / "web.ss", server.secret
    try:
        path.unlink()
        if change != "deleted":
            path.write_text("" if change == "emptied" else "0")
        for secret in ("", "-1", "0"):
            assert "login failed" in refused(server.proxy().login, "", secret)
        assert server.proxy().login("", kept)
    finally:
        path.write_text(kept)


def test_a_session_from_login_to_logout(remote: Any, server: CobblerServer) -> None:
    token = server.login()
    assert remote.token_check(token) is True
    assert remote.get_user_from_token(token) == "<DIRECT>"
    assert remote.check_access(token, "new_system") == 1
    assert remote.logout(token) is True
    assert remote.logout(token) is False
    assert "invalid token" in refused(remote.token_check, token)
    assert "invalid token" in refused(remote.new_system, token)


def outcome(call: Any, arguments: list[Any]) -> str:
    """The text of the one fault, or that there was an answer."""
    try:
        call(*arguments)
    except xmlrpc.client.Fault as error:
        return str(error.faultString)
    return "answered"


def arguments_of(name: str, token: object) -> tuple[Any, ...]:
    """Arguments of the right number and type, so that only the token can be wrong."""
    values = {"dict": {}, "number": 1, "bool": True}
    some = []
    for one in every_method().methods[name].parameters():
        if one.name == "token":
            some.append(token)
            break
        some.append(values.get(str(one.annotation), "x"))
    return tuple(some)


GUARDED = sorted(name for name, one in every_method().methods.items() if one.permission not in {NOBODY, ANONYMOUS_READ})


@pytest.mark.parametrize("token", ["", "wrong", 0, None, False, [], {}], ids=repr)
def test_C02_every_guarded_method_refuses_every_wrong_token(remote: Any, token: Any) -> None:
    for name in GUARDED:
        assert "invalid token" in refused(getattr(remote, name), *arguments_of(name, token)), name


def test_C02_a_role_that_is_too_low_is_refused(server: CobblerServer, remote: Any, token: str) -> None:
    from provd.api.client import LocalClient

    client = LocalClient(server.folder / "run" / "provd.sock")
    client.call("user.add", {"name": "reader", "password": "a long password", "role": "read"})
    low = remote.login("reader", "a long password")
    try:
        for name in GUARDED:
            if every_method().methods[name].permission != "read":
                assert "authorization failure" in refused(getattr(remote, name), *arguments_of(name, low)), name
        assert remote.check_access_no_fail(low, "new_system") == 0
    finally:
        client.call("user.remove", {"name": "reader"})
    assert "invalid token" in refused(remote.token_check, low)


def test_C26_nobody_gets_another_role_through_an_attribute(remote: Any, token: str) -> None:
    handle = remote.new_system(token)
    for name in ("role", "is_admin", "_role", "origin", "version", "__class__", "uid"):
        assert "no attribute" in refused(remote.modify_system, handle, name, "admin", token)


@pytest.mark.parametrize("wrong", [1, 1.5, True, [], {}, [["x"]], {"a": {"b": 1}}, b"\xff", "\u00e9\n"], ids=repr)
def test_every_method_given_any_type_gives_one_fault_or_an_answer(remote: Any, token: str, wrong: Any) -> None:
    before = remote.get_items("system"), remote.get_items("profile"), remote.get_items("distro")
    for name, method in every_method().methods.items():
        if name.startswith("transaction_"):
            continue
        for count in range(len(method.parameters()) + 2):
            some = [wrong] * count
            for index, one in enumerate(method.parameters()[:count]):
                some[index] = token if one.name == "token" and name != "logout" else wrong
            told = outcome(getattr(remote, name), some)
            assert told.startswith("<class '") or told == "answered", name
            assert "the log has the error" not in told, (name, some, told)
    assert (remote.get_items("system"), remote.get_items("profile"), remote.get_items("distro")) == before


def test_missing_objects_are_one_fault_each(remote: Any, token: str) -> None:
    assert remote.get_system("nosuch") == "~"
    assert remote.has_item("system", "nosuch") is False
    assert "unknown system name nosuch" in refused(remote.get_system_handle, "nosuch", token)
    assert "not found" in refused(remote.remove_system, "nosuch", token)
    assert "unknown" in refused(remote.xapi_object_edit, "system", "nosuch", "edit", {}, token)
    assert "handle" in refused(remote.modify_system, "nosuch", "comment", "x", token)
    assert "unknown item type" in refused(remote.get_items, "nosuch")
    assert "no items of the kind package" in refused(remote.new_item, "package", token)
    assert "not supported" in refused(remote._new_event, "x")


def add(remote: Any, token: str, name: str = "web1", mac: str = MAC) -> str:
    handle = remote.new_system(token)
    remote.modify_system(handle, "name", name, token)
    remote.modify_system(handle, "profile", "web", token)
    card = {"macaddress-eth0": mac, "ipaddress-eth0": "127.0.9.7", "netmask-eth0": "255.0.0.0", "static-eth0": True}
    remote.modify_system(handle, "modify_interface", card, token)
    assert remote.save_system(handle, token) is True
    return str(handle)


def test_a_system_by_handles(remote: Any, token: str) -> None:
    handle = add(remote, token)
    found = remote.get_system("web1")
    assert (found["profile"], found["netboot_enabled"], found["hostname"]) == ("web", True, "")
    card = found["interfaces"]["eth0"]
    assert (card["mac_address"], card["ip_address"], card["netmask"], card["static"]) == (
        MAC, "127.0.9.7", "255.0.0.0", True,
    )  # fmt: skip
    assert remote.find_system({"mac_address": MAC.upper()}) == ["web1"]
    assert remote.find_system({"name": "web*", "netmask": "255.0.0.0"}, token)[0]["uid"] == found["uid"]
    remote.modify_system(handle, "gateway", "127.0.0.9", token)
    assert remote.get_system("web1")["gateway"] == "", "a change is seen when it is saved"
    remote.save_system(handle, token)
    assert remote.get_system("web1")["gateway"] == "127.0.0.9"
    handle = remote.get_system_handle("web1", token)
    remote.modify_system(handle, "rename_interface", {"interface": "eth0", "rename_interface": "lan"}, token)
    remote.modify_system(handle, "comment", "moved", token)
    remote.save_system(handle, token)
    found = remote.get_system("web1")
    assert list(found["interfaces"]) == ["lan"]
    assert found["interfaces"]["lan"]["netmask"] == "255.0.0.0"
    assert found["comment"] == "moved"


def test_a_secret_is_masked_and_not_lost_by_other_edits(server: CobblerServer, remote: Any, token: str) -> None:
    handle = add(remote, token)
    remote.modify_system(handle, "power_pass", "geheim", token)
    remote.modify_system(handle, "autoinstall_meta", {"db_password": "geheim", "colour": "red"}, token)
    remote.save_system(handle, token)
    assert "geheim" not in str(remote.get_systems()) + str(remote.get_blended_data("", "web1"))
    shown = remote.get_system("web1")
    assert (shown["power_pass"], shown["autoinstall_meta"]["db_password"]) == ("***", "***")
    shown["autoinstall_meta"]["colour"] = "blue"
    remote.modify_system(handle, "autoinstall_meta", shown["autoinstall_meta"], token)
    remote.save_system(handle, token)
    from provd.api.client import LocalClient

    toml = LocalClient(server.folder / "run" / "provd.sock").call("system.export", {})["toml"]
    assert toml.count("geheim") == 2
    assert 'colour = "blue"' in toml


def test_no_read_shows_the_secret_of_a_profile_or_an_install_token(remote: Any, token: str) -> None:
    add(remote, token)
    told = str(remote.get_profile("web")) + str(remote.get_system_as_rendered("web1"))
    told += str(remote.generate_system_autoinstall("web1")) + str(remote.generate_autoinstall("web"))
    assert "hunter2" not in told
    assert "$6$hidden" not in told
    assert "url --url=http://192.0.2.1/el9" in told
    assert "/TOKEN" in told


def test_inheritance_is_blended(remote: Any, token: str) -> None:
    add(remote, token)
    remote.xapi_object_edit("system", "web1", "edit", {"kernel_options": "console=tty0", "interface": "eth0"}, token)
    told = remote.get_system_as_rendered("web1")
    assert (told["system_name"], told["profile_name"], told["distro_name"]) == ("web1", "web", "el9")
    assert told["kernel_options"] == "quiet console=tty0"
    assert told["role"] == "web"
    assert told["mac_address_eth0"] == MAC
    uid = remote.get_system("web1")["uid"]
    assert remote.get_item_resolved_value(uid, "profile") == "web"


def test_objects_in_one_step(remote: Any, token: str) -> None:
    edit = remote.xapi_object_edit
    assert edit("distro", "d1", "add", {"kernel": "/k", "initrd": "/i", "breed": "redhat", "arch": "x86_64"}, token)
    assert edit("profile", "p1", "add", {"distro": "d1", "kernel_options": "a=1 b"}, token)
    assert edit("profile", "p2", "add", {"parent": "p1", "comment": "child"}, token)
    assert edit("system", "s1", "add", {"profile": "p2"}, token)
    assert "unwise to overwrite" in refused(edit, "system", "s1", "add", {"profile": "p2"}, token)
    edit("profile", "p1", "edit", {"kernel_options": "c=3", "in_place": True}, token)
    assert remote.get_profile("p1")["kernel_options"] == {"a": "1", "b": "~", "c": "3"}
    edit("system", "s1", "edit", {"mac_address": MAC, "interface": "eth0", "ip_address": "127.0.9.9"}, token)
    edit("system", "s1", "copy", {"name": "s1", "newname": "s2"}, token)
    assert remote.get_system("s2")["interfaces"]["eth0"]["mac_address"] == ""
    edit("system", "s2", "rename", {"name": "s2", "newname": "s3"}, token)
    assert sorted(remote.get_item_names("system")) == ["s1", "s3"]
    assert "p2" in refused(edit, "profile", "p1", "remove", {"name": "p1"}, token)
    edit("profile", "p1", "remove", {"name": "p1", "recursive": True}, token)
    assert remote.get_item_names("system") == []
    edit("distro", "d1", "remove", {"name": "d1"}, token)
    assert not remote.has_item("distro", "d1")


REPO = {
    "mirror": "http://192.0.2.1/tools", "breed": "yum", "arch": "x86_64", "rpm_list": "a b", "keep_updated": False,
    "yumopts": "gpgcheck=0", "priority": 7, "comment": "tools",
}  # fmt: skip


@pytest.fixture
def further(remote: Any, token: str) -> Iterator[Any]:
    """``xapi_object_edit`` whose repos, images and menus go away."""
    yield lambda kind, name, what, attributes: remote.xapi_object_edit(kind, name, what, attributes, token)
    remote.xapi_object_edit("profile", "web", "edit", {"repos": [], "menu": ""}, token)
    for kind in ("repo", "image", "menu"):
        for name in remote.get_item_names(kind):
            if remote.has_item(kind, name):
                remote.xapi_object_edit(kind, name, "remove", {"recursive": True}, token)


def test_repos_from_add_to_remove(server: CobblerServer, remote: Any, further: Any, token: str) -> None:
    assert further("repo", "tools", "add", REPO) is True
    wanted = {**REPO, "rpm_list": ["a", "b"], "yumopts": {"gpgcheck": "0"}, "mirror_type": "baseurl"}
    told = remote.get_repo("tools")
    assert {key: told[key] for key in wanted} == wanted
    text = (server.folder / "site" / "repos" / "tools.toml").read_text()
    assert 'url = "http://192.0.2.1/tools"' in text
    assert 'kind = "yum"' in text
    further("repo", "tools", "edit", {"breed": "rsync"})
    assert remote.get_repo("tools")["breed"] == "rsync"
    further("repo", "tools", "edit", {"breed": "apt", "apt_dists": "bookworm", "apt_components": "main contrib"})
    told = remote.get_repo("tools")
    assert (told["breed"], told["apt_components"], told["yumopts"]) == ("apt", ["main", "contrib"], {"gpgcheck": "0"})
    assert "rsync" not in (server.folder / "site" / "repos" / "tools.toml").read_text()
    assert remote.find_repo({"breed": "apt"}) == ["tools"]
    assert [one["name"] for one in remote.get_repos_compatible_with_profile("web", token)] == ["tools"]
    further("repo", "tools", "copy", {"newname": "more"})
    further("repo", "more", "rename", {"newname": "others"})
    assert remote.get_item_names("repo") == ["others", "tools"]
    further("profile", "web", "edit", {"repos": "tools others"})
    assert remote.get_profile("web")["repos"] == ["tools", "others"]
    assert "is used by profile web" in refused(further, "repo", "tools", "remove", {})
    assert "nosuch" in refused(further, "profile", "web", "edit", {"repos": "nosuch"})


def test_the_yum_configuration_of_a_profile(remote: Any, further: Any, token: str) -> None:
    further("repo", "tools", "add", REPO)
    further("repo", "debs", "add", {"mirror": "http://192.0.2.1/d", "breed": "apt"})
    further("repo", "plain", "add", {"mirror": "http://192.0.2.1/p"})
    further("profile", "web", "edit", {"repos": "tools debs plain"})
    wanted = (
        "[tools]\nname=tools\nbaseurl=http://192.0.2.1/tools\nenabled=1\npriority=7\ngpgcheck=0\n\n"
        "[plain]\nname=plain\nbaseurl=http://192.0.2.1/p\nenabled=1\ngpgcheck=0\n"
    )
    assert remote.get_repo_config_for_profile("web") == wanted
    add(remote, token)
    assert remote.get_repo_config_for_system("web1") == wanted
    assert "profile not found" in refused(remote.get_repo_config_for_profile, "nosuch")
    assert "system not found" in refused(remote.get_repo_config_for_system, "nosuch")
    further("profile", "web", "edit", {"repos": []})
    assert remote.get_repo_config_for_profile("web") == ""


def test_repos_by_handles(remote: Any, further: Any, token: str) -> None:
    handle = remote.new_repo(token)
    remote.modify_repo(handle, "name", "r2", token)
    remote.modify_repo(handle, "mirror", "http://192.0.2.1/r2", token)
    assert remote.save_repo(handle, token) is True
    assert remote.get_repo_handle("r2", token) == "repo::r2"
    assert remote.get_repo("r2")["breed"] == "none"
    remote.remove_repo("r2", token)
    assert remote.get_repos() == []


def test_images_and_menus_from_add_to_remove(remote: Any, further: Any) -> None:
    further("menu", "top", "add", {"display_name": "Top"})
    further("menu", "sub", "add", {"parent": "top"})
    further("image", "rescue", "add", {"file": "/srv/r.iso", "image_type": "iso", "menu": "sub", "virt_ram": "1024"})
    told = remote.get_image("rescue")
    assert (told["image_type"], told["menu"], told["virt_ram"], told["file"]) == ("iso", "sub", 1024, "/srv/r.iso")
    assert (remote.get_menu("sub")["parent"], remote.get_menu("top")["display_name"]) == ("top", "Top")
    further("image", "rescue", "edit", {"image_type": "direct"})
    assert remote.find_image({"image_type": "direct"}) == ["rescue"]
    further("menu", "sub", "rename", {"newname": "below"})
    assert remote.get_image("rescue")["menu"] == "below"
    further("profile", "web", "edit", {"menu": "top"})
    assert remote.get_profile("web")["menu"] == "top"
    assert "not one of direct" in refused(further, "image", "x", "add", {"file": "/a", "image_type": "floppy"})
    assert "no attribute that can be set" in refused(further, "menu", "m", "add", {"kernel_options": "a"})


def test_C03_templates_are_written_as_jinja_below_their_folder_only(
    server: CobblerServer, remote: Any, further: Any, token: str
) -> None:
    folder = server.folder / "site" / "templates"
    assert remote.write_autoinstall_template("own.ks", "# {{ system.name }}\n", token) is True
    assert (folder / "own.ks").read_text() == "# {{ system.name }}\n"
    assert remote.write_autoinstall_snippet("own.ks", "# changed {{ system.name }}\n", token) is True
    assert remote.get_autoinstall_templates(token) == remote.get_autoinstall_snippets(token) == ["own.ks"]
    assert remote.read_autoinstall_template("own.ks", token) == "# changed {{ system.name }}\n"
    assert remote.is_autoinstall_in_use("own.ks", token) is False
    assert remote.is_autoinstall_in_use("nosuch.ks", token) is False
    for name in ("../../etc/cron.d/x", "/etc/passwd", "a/../b", "a\nb", ""):
        assert "template" in refused(remote.write_autoinstall_template, name, "x", token)
        assert "no template has the name" in refused(remote.read_autoinstall_template, name, token)
    assert "line 1" in refused(remote.write_autoinstall_template, "own.ks", "{% if %}", token)
    assert "invalid token" in refused(remote.write_autoinstall_template, "own.ks", "x", "")
    assert remote.read_autoinstall_template("own.ks", token) == "# changed {{ system.name }}\n"
    assert remote.write_autoinstall_template("user.ks", "{% include 'own.ks' %}\n", token) is True
    assert remote.is_autoinstall_in_use("own.ks", token) is True
    assert "is used by template user.ks" in refused(remote.remove_autoinstall_template, "own.ks", token)
    for name in ("user.ks", "own.ks"):
        assert remote.remove_autoinstall_snippet(name, token) is True
    assert "no template has the name" in refused(remote.remove_autoinstall_template, "own.ks", token)
    assert remote.get_autoinstall_templates() == []


def test_autoinstall_is_the_template_that_machines_get(
    server: CobblerServer, remote: Any, further: Any, token: str
) -> None:
    assert remote.write_autoinstall_template("own.ks", "# own {{ system.name }}\n", token) is True
    further("profile", "web", "edit", {"autoinstall": "/var/lib/cobbler/templates/own.ks"})
    assert remote.get_profile("web")["autoinstall"] == "own.ks"
    assert '"ks.cfg" = "own.ks"' in (server.folder / "site" / "profiles" / "web.toml").read_text()
    assert remote.is_autoinstall_in_use("own.ks", token) is True
    add(remote, token)
    assert remote.generate_system_autoinstall("web1") == "# own web1\n"
    further("profile", "web", "edit", {"autoinstall": "<<inherit>>"})
    assert remote.get_profile("web")["autoinstall"] == "<<inherit>>"
    assert "# own" not in remote.generate_system_autoinstall("web1")
    further("system", "web1", "edit", {"autoinstall": "own.ks"})
    assert remote.get_system("web1")["autoinstall"] == "own.ks"
    assert remote.generate_system_autoinstall("web1") == "# own web1\n"
    further("system", "web1", "edit", {"autoinstall": ""})
    assert "# own" not in remote.generate_system_autoinstall("web1")
    # What is no template here is kept as it was given, and does nothing.
    further("profile", "web", "edit", {"autoinstall": "sample.ks"})
    assert remote.get_profile("web")["autoinstall"] == "sample.ks"
    further("profile", "web", "edit", {"autoinstall": "<<inherit>>"})
    further("profile", "made", "add", {"distro": "el9", "autoinstall": "own.ks"})
    assert remote.generate_profile_autoinstall("made").startswith("# own")
    further("profile", "made", "remove", {})
    remote.remove_autoinstall_template("own.ks", token)


def test_a_refused_edit_changes_nothing(remote: Any, token: str) -> None:
    add(remote, token)
    before = remote.get_system("web1")
    for attributes in ({"comment": "x", "profile": "nosuch"}, {"comment": "x", "serial_baud_rate": "fast"},
                       {"comment": "x", "mac_address": "nonsense"}, {"comment": "x", "nosuch": 1}):  # fmt: skip
        refused(remote.xapi_object_edit, "system", "web1", "edit", attributes, token)
        assert remote.get_system("web1") == before


def test_C04_settings_are_read_only(remote: Any, token: str) -> None:
    before = remote.get_settings()
    assert "provd.toml" in refused(remote.modify_setting, "server", "192.0.2.66", token)
    assert remote.get_settings() == before


def test_C03_uploads_write_nothing(server: CobblerServer, remote: Any, token: str) -> None:
    def files() -> set[Path]:
        return {path for path in server.folder.rglob("*") if path.name not in {"log", "cobbler.log"}}

    before = files()
    for name in ("../../site/profiles/x.toml", "anaconda.log"):
        data = xmlrpc.client.Binary(b"{{ 7 * 7 }}")
        assert remote.upload_log_data("web", name, 11, 0, data, token) is False
    assert files() == before


def test_a_transaction_is_all_or_nothing(remote: Any, token: str) -> None:
    remote.transaction_begin(token)
    add(remote, token)
    assert remote.get_item_names("system") == []
    remote.transaction_commit(token)
    assert remote.get_item_names("system") == ["web1"]
    remote.transaction_begin(token)
    handle = remote.get_system_handle("web1", token)
    remote.modify_system(handle, "comment", "x", token)
    remote.save_system(handle, token)
    add(remote, token, "web2", MAC)
    assert "already that of system web1" in refused(remote.transaction_commit, token)
    assert remote.get_system("web1")["comment"] == ""
    assert "no transaction" in refused(remote.transaction_abort, token)


def test_tasks_tell_what_they_did(remote: Any, token: str) -> None:
    done = remote.background_sync({}, token)
    assert remote.get_task_status(done)[1:3] == ["Sync", "complete"]
    assert "nothing to synchronise" in remote.get_event_log(done)
    failed = remote.background_import({"path": "/x"}, token)
    assert remote.get_task_status(failed)[2] == "failed"
    assert "provd distro add" in remote.get_event_log(failed)
    assert remote.get_event_log("../../etc/passwd") == "?"
    assert done in remote.get_events()
    assert remote.sync(token) is True


def test_C27_compressed_bodies_are_refused(server: CobblerServer) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=5)
    connection.request("POST", "/cobbler_api", b"\x1f\x8b", {"Content-Encoding": "gzip"})
    assert b"encoded requests are refused" in connection.getresponse().read()
    connection.close()


def test_C27_a_body_over_the_cap_is_one_fault(server: CobblerServer) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=5)
    connection.request("POST", "/cobbler_api", b"<" * (2 << 20))
    assert b"longer than" in connection.getresponse().read()
    connection.close()


def test_a_client_that_goes_away_stops_nothing(server: CobblerServer, remote: Any) -> None:
    raw = xmlrpc.client.dumps((), "get_profiles").encode()
    for _ in range(5):
        with socket.create_connection(("127.0.0.1", server.port), timeout=5) as one:
            one.sendall(b"POST /RPC2 HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n%s" % (len(raw), raw))
    assert remote.ping() is True
