"""auth_pam and auth_ldap: settings that cannot be meant, roles by groups, and logins through the real libpam.

Logins against a real directory are in tests/system/test_auth_ldap.py.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from provd.plugin.errors import PluginError
from provd.plugin.roles import RoleGroups
from provd.testing.runtime import FakeRuntime, run_now
from tests.fakes.shipped_plugins import shipped

ROOT = Path(__file__).parents[2]
LDAP: dict[str, Any] = {"url": "ldaps://ldap.example.org", "base": "dc=example,dc=org", "roles": {"read": ["*"]}}


@pytest.mark.parametrize(
    ("groups", "role"), [((), "read"), (("ops",), "operate"), (("ops", "wheel"), "admin"), (("users",), "read")]
)
def test_the_strongest_role_counts(groups: tuple[str, ...], role: str) -> None:
    assert RoleGroups(read=("*",), operate=("ops",), admin=("wheel",)).role_of(groups) == role


def test_without_a_group_there_is_no_role() -> None:
    assert RoleGroups(admin=("wheel",)).role_of(("users",)) == ""


@pytest.mark.parametrize(
    ("name", "table", "sentence"),
    [
        ("auth_ldap", {"url": "ldap://ldap.example.org"}, "sends passwords in the clear"),
        ("auth_ldap", {"url": "http://ldap.example.org"}, "must be ldaps://HOST or ldap://HOST"),
        ("auth_ldap", {"url": "ldaps://user:x@ldap.example.org"}, "must be ldaps://HOST"),
        ("auth_ldap", {"filter": "(uid=ann)"}, "filter has no {user}"),
        ("auth_ldap", {"group_filter": "(member={dm})"}, "group_filter may have {user} and {dn}"),
        ("auth_ldap", {"filter": "(uid={user}){"}, "no other braces"),
        ("auth_ldap", {"bind_dn": "cn=x"}, "go together"),
        ("auth_ldap", {"timeout_s": 0}, "timeout_s must be above 0"),
        ("auth_ldap", {"roles": {}}, "roles names no group"),
        ("auth_ldap", {"roles": {"admin": ["*"]}}, "roles.admin must name groups"),
        ("auth_ldap", {"roles": {"root": ["x"]}}, "unknown key"),
        ("auth_ldap", {"bind_dn": "cn=x", "bind_password_file": "/nowhere/x"}, "bind_password_file"),
        ("auth_pam", {"service": "../login", "roles": {"read": ["*"]}}, "is no name of a file in /etc/pam.d"),
        ("auth_pam", {}, "roles"),
    ],
)
def test_settings_that_cannot_be_meant_are_refused(name: str, table: dict[str, Any], sentence: str) -> None:
    with pytest.raises(PluginError) as caught:
        shipped(name, {**LDAP, **table} if name == "auth_ldap" else table)
    assert sentence in str(caught.value)


def test_a_password_file_that_others_may_read_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "secret"
    file.write_text("x")
    file.chmod(0o644)
    with pytest.raises(PluginError, match="may be read by others"):
        shipped("auth_ldap", {**LDAP, "bind_dn": "cn=x", "bind_password_file": str(file)})
    file.chmod(0o600)
    file.write_text("\n")
    with pytest.raises(PluginError, match="is empty"):
        shipped("auth_ldap", {**LDAP, "bind_dn": "cn=x", "bind_password_file": str(file)})


@pytest.mark.parametrize("library", ["ldap3", "pam"])
def test_a_missing_library_is_one_sentence(library: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, library, None)
    name, table = ("auth_ldap", LDAP) if library == "ldap3" else ("auth_pam", {"roles": {"read": ["*"]}})
    with pytest.raises(PluginError, match=f"it needs the library .*pip install 'provd.{name[5:]}.'"):
        shipped(name, table)


@pytest.mark.parametrize(("user", "password"), [("", "x"), ("ann", ""), ("x" * 300, "x")])
def test_nothing_is_no_password_and_no_directory_is_asked(user: str, password: str) -> None:
    """A bind without a password succeeds in a directory, as anonymous; ldap.example.org is never asked here."""
    host = shipped("auth_ldap", LDAP)
    host.start(FakeRuntime())
    assert run_now(host.authenticators["ldap"].check(user, password)) is None


CASES: list[tuple[str, str, str, dict[str, Any], Any]] = [
    ("provd", "daemon", "letmein", {}, ["admin", ["daemon"]]),
    ("provd", "daemon", "wrong", {}, None),
    ("provd", "daemon", "", {}, None),
    ("provd", "daemon\0x", "letmein", {}, None),
    ("provd", "mail", "letmein", {}, ["operate", ["mail"]]),
    ("provd", "bin", "letmein", {}, ["read", ["bin"]]),
    ("provd", "bin", "letmein", {"admin": ["daemon"]}, ["", ["bin"]]),
    ("provd", "nobody-of-this-system", "letmein", {}, ["read", []]),
    ("open", "daemon", "anything", {}, ["admin", ["daemon"]]),
    ("closed", "daemon", "letmein", {}, None),
    ("ended", "daemon", "letmein", {}, None),
    ("no-such-service", "daemon", "letmein", {}, None),
]


@pytest.mark.netns
def test_pam_judges_password_and_account() -> None:
    command = [
        "unshare",
        "--mount",
        sys.executable,
        "-m",
        "tests.plugins.pam_logins",
        json.dumps([one[:4] for one in CASES]),
    ]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, cwd=ROOT, check=False)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == [one[4] for one in CASES]
