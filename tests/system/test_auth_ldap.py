"""Logins against a real directory (OpenLDAP), first the plugin alone, then through a whole provd."""

from __future__ import annotations

import xmlrpc.client
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from provd.lab.payloads import lab_cache
from provd.plugin.api import Vouched
from provd.testing.runtime import FakeRuntime, run_now
from tests.cobbler.cobbler_server import CobblerServer
from tests.cobbler.test_cobbler_ansible import self_signed
from tests.fakes.shipped_plugins import shipped
from tests.system.ldap_directory import BASE, PEOPLE, READER, SECRET, Directory

pytestmark = pytest.mark.netns


@dataclass
class Place:
    directory: Directory
    folder: Path

    def table(self, **more: Any) -> dict[str, Any]:
        """Settings of the plugin."""
        (self.folder / "secret").write_text(more.pop("secret", SECRET))
        (self.folder / "secret").chmod(0o600)
        return {
            "url": f"ldaps://127.0.0.1:{self.directory.port}",
            "base": BASE,
            "bind_dn": READER,
            "bind_password_file": str(self.folder / "secret"),
            "group_base": f"ou=groups,{BASE}",
            "ca_file": str(self.folder / "cert.pem"),
            "roles": {"admin": ["provd-admins"], "operate": ["ops"]},
            **more,
        }

    def check(self, user: str, password: str, **more: Any) -> Vouched | None:
        """What the plugin says of a user."""
        host = shipped("auth_ldap", self.table(**more))
        host.start(FakeRuntime())
        answer: Vouched | None = run_now(host.authenticators["ldap"].check(user, password))
        return answer


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    folder = tmp_path_factory.mktemp("ldap")
    self_signed(folder)
    directory = Directory(lab_cache(), folder)
    try:
        yield Place(directory, folder)
    finally:
        directory.stop()


@pytest.mark.parametrize(
    ("user", "role", "groups"),
    [("ann", "admin", ("provd-admins", "ops")), ("bob", "operate", ("ops",)), ("eve", "", ())],
)
def test_groups_decide_the_role(place: Place, user: str, role: str, groups: tuple[str, ...]) -> None:
    found = place.check(user, PEOPLE[user])
    assert found is not None
    assert (found.role, tuple(sorted(found.groups, reverse=True))) == (role, groups)


def test_tls_may_begin_on_the_plain_port(place: Place) -> None:
    url = f"ldap://127.0.0.1:{place.directory.plain_port}"
    found = place.check("bob", PEOPLE["bob"], url=url, start_tls=True)
    assert found == Vouched("operate", ("ops",))
    assert place.check("bob", "wrong", url=url, start_tls=True) is None


def test_everybody_may_have_a_role(place: Place) -> None:
    assert place.check("eve", PEOPLE["eve"], roles={"read": ["*"]}) == Vouched("read")


@pytest.mark.parametrize(
    ("user", "password"),
    [
        ("ann", "wrong"),
        ("ann", ""),
        ("ann", "bob's password"),
        ("nobody", "x"),
        ("", "x"),
        ("*", "ann's password"),
        ("a*", "ann's password"),
        ("ann)(uid=*", "ann's password"),
        ("ann\0", "ann's password"),
        ("twin", "twin's password"),
        ("x" * 300, "x"),
    ],
)
def test_no_other_password_and_no_pattern_lets_anybody_in(place: Place, user: str, password: str) -> None:
    assert place.check(user, password) is None


def test_a_search_that_may_not_be_made_is_an_error_not_a_login(place: Place) -> None:
    with pytest.raises(PermissionError, match="the directory refused bind_dn: invalidCredentials"):
        place.check("ann", PEOPLE["ann"], secret="wrong")


def test_a_certificate_that_nobody_trusts_is_no_directory(place: Place) -> None:
    with pytest.raises(Exception, match=r"(?i)certificate"):
        place.check("ann", PEOPLE["ann"], ca_file="")


def test_a_whole_provd_lets_people_of_the_directory_in(place: Place, tmp_path: Path) -> None:
    table = place.table()
    roles = table.pop("roles")
    lines = [f'{key} = "{value}"' for key, value in table.items()]
    lists = [f"{role} = {names!r}".replace("'", '"') for role, names in roles.items()]
    settings = "\n".join(["[plugins.auth_ldap]", *lines, "[plugins.auth_ldap.roles]", *lists])
    server = CobblerServer(tmp_path, f"\n{settings}\n")
    server.config.write_text(
        server.config.read_text().replace('"install_callbacks",', '"install_callbacks", "auth_ldap",')
    )
    server.start()
    try:
        remote = server.proxy()
        token = remote.login("bob", PEOPLE["bob"])
        assert remote.get_user_from_token(token) == "bob"
        assert remote.xapi_object_edit("system", "web1", "add", {"profile": "web"}, token) is True
        with pytest.raises(xmlrpc.client.Fault, match="admin"):
            remote.xapi_object_edit("distro", "d", "add", {"kernel": "/k", "initrd": "/i"}, token)
        assert remote.check_access_no_fail(remote.login("ann", PEOPLE["ann"]), "new_distro") == 1
        for user, password in (("eve", PEOPLE["eve"]), ("bob", "wrong"), ("nobody", "x")):
            with pytest.raises(xmlrpc.client.Fault, match="login failed"):
                remote.login(user, password)
    finally:
        assert server.stop() == 0
    text = server.text()
    assert SECRET not in text
    assert "bob's password" not in text
    assert "login refused for 'eve'" in text
