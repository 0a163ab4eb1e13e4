"""Users, tokens and the audit log over the operations table of a real server."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from twisted.internet.defer import Deferred

from provd.model.account import Caller
from provd.service.operations import OperationError
from tests.api.test_object_operations import allow
from tests.api.test_operations_real import Asked

ADMIN = Caller("root", "admin", via="socket")


@pytest.fixture
def ask(tmp_path: Path) -> Asked:
    return Asked(tmp_path)


def call(ask: Asked, caller: Caller, operation: str, /, **arguments: object) -> Any:
    outcome: list[Any] = []
    Deferred.fromCoroutine(ask.table.call(operation, arguments, caller=caller)).addBoth(outcome.append)
    if hasattr(outcome[0], "raiseException"):
        outcome[0].raiseException()
    return outcome[0]


def test_a_user_logs_in_and_does_what_the_role_allows(ask: Asked) -> None:
    call(ask, ADMIN, "user.add", name="ann", password="secret-1", role="operate")
    login: list[Any] = []
    Deferred.fromCoroutine(ask.server.services.access.login("ann", "secret-1", "")).addBoth(login.append)
    ann = ask.server.services.access.caller(login[0].token, via="json", peer="")
    card = [{"mac": "52:54:00:00:00:07"}]
    assert call(ask, ann, "system.add", name="web7", profile="web", interfaces=card)["name"] == "web7"
    with pytest.raises(OperationError, match=r"user\.add needs the permission admin") as error:
        call(ask, ann, "user.add", name="eve", role="admin")
    assert error.value.kind == "denied"
    assert call(ask, ann, "whoami") == {"user": "ann", "role": "operate", "groups": [], "via": "json"}


def test_C18_no_list_and_no_log_shows_a_password_or_a_token(ask: Asked) -> None:
    call(ask, ADMIN, "user.add", name="ann", password="canary-1", role="read")
    call(ask, ADMIN, "user.edit", name="ann", password="canary-2")
    token = call(ask, ADMIN, "token.add", user="ann", comment="backup")["token"]
    shown = repr([call(ask, ADMIN, name) for name in ("user.list", "token.list", "audit.list")])
    for secret in ("canary-1", "canary-2", token, "scrypt$"):
        assert secret not in shown


def test_the_audit_log_has_who_what_before_and_after_and_refusals(ask: Asked) -> None:
    allow(ask)
    ann = Caller("ann", "admin", via="json", peer="10.0.0.9")
    call(ask, ann, "profile.edit", name="web", source="http://x/")
    call(ask, ann, "profile.edit", name="web", source="http://y/", dry_run=True)
    with pytest.raises(OperationError):
        call(ask, ann, "profile.edit", name="nosuch", source="")
    with pytest.raises(OperationError):
        call(ask, Caller("bob", "read", via="json"), "profile.remove", name="web")
    call(ask, ann, "profile.list")
    bob, refused, dry, done = call(ask, ADMIN, "audit.list")
    assert (done["user"], done["peer"], done["operation"], done["outcome"]) == (
        "ann",
        "10.0.0.9",
        "profile.edit",
        "done",
    )
    assert done["before"]["profile web"]["source"] == ""
    assert done["after"]["profile web"]["source"] == "http://x/"
    assert dry["outcome"] == "dry run"
    assert refused["outcome"] == "there is no profile 'nosuch'"
    assert (bob["user"], bob["outcome"]) == ("bob", "profile.remove needs the permission operate")


def test_the_audit_log_has_changes_of_systems(ask: Asked) -> None:
    ask("system.add", name="web1", profile="web", interfaces=[{"mac": "52:54:00:00:00:07"}], vars={"api_key": "canary"})
    ask("system.edit", name="web1", comment="new", netboot=False)
    ask("system.remove", name="web1")
    removed, edited, added = call(ask, ADMIN, "audit.list")
    assert (added["before"], set(added["after"])) == ({}, {"system web1"})
    assert "canary" not in repr(added)
    assert (edited["before"]["system web1"]["comment"], edited["after"]["system web1"]["comment"]) == ("", "new")
    assert (edited["before"]["system web1"]["netboot"], edited["after"]["system web1"]["netboot"]) == (True, False)
    assert (set(removed["before"]), removed["after"]) == ({"system web1"}, {})


def test_the_audit_log_keeps_no_document_that_was_imported(ask: Asked) -> None:
    """Its lines are no keys, so nothing in it would be hidden; the systems themselves are in the log."""
    secrets = 'vars = {bmc_password = "canary1"}\nanswers.users = [{name = "a", password_hash = """\ncanary2"""}]\n'
    ask("system.import", toml=f"[system.n1]\n{secrets}")
    with pytest.raises(OperationError):
        ask("system.import", toml=f"[system.n2]\n{secrets}bogus = 1\n")
    refused, done = call(ask, ADMIN, "audit.list")
    assert "canary" not in repr([refused, done])
    assert done["arguments"]["toml"].startswith("4 lines, SHA-256 ")
    assert set(done["after"]) == {"system n1"}


@pytest.mark.parametrize("changes", [{"role": "read"}, {"groups": ["x"]}, {"disabled": True}, {"expires_at": 1.0}])
def test_C26_nobody_changes_the_own_role(ask: Asked, changes: dict[str, Any]) -> None:
    call(ask, ADMIN, "user.add", name="ann", password="secret-1", role="admin")
    ann = Caller("ann", "admin", via="json")
    with pytest.raises(OperationError, match="nobody changes the own"):
        call(ask, ann, "user.edit", name="ann", **changes)
    assert call(ask, ann, "user.edit", name="ann", comment="me", password="secret-2")["comment"] == "me"


def test_C26_a_token_cannot_have_more_than_its_user(ask: Asked) -> None:
    call(ask, ADMIN, "user.add", name="ann", role="read")
    assert call(ask, ADMIN, "token.add", user="ann", role="admin")["role"] == "read"


@pytest.mark.parametrize("field", ["password_hash", "is_admin", "groups_", "__class__", "key"])
def test_C26_fields_that_no_argument_has_are_refused(ask: Asked, field: str) -> None:
    with pytest.raises(OperationError, match="unknown field"):
        call(ask, ADMIN, "user.add", **{"name": "eve", field: "x"})


def test_tokens_are_listed_and_revoked_by_the_beginning_of_their_key(ask: Asked) -> None:
    call(ask, ADMIN, "user.add", name="ann", role="read")
    made = call(ask, ADMIN, "token.add", user="ann", ttl_s=60)
    assert [row["key"] for row in call(ask, ADMIN, "token.list")] == [made["key"]]
    with pytest.raises(OperationError, match="no token has a key that begins with 00000000"):
        call(ask, ADMIN, "token.revoke", key="00000000")
    call(ask, ADMIN, "token.revoke", key=made["key"][:8])
    assert call(ask, ADMIN, "token.list") == []


def test_a_token_that_has_ended_is_marked_until_it_is_forgotten(ask: Asked) -> None:
    call(ask, ADMIN, "user.add", name="ann", role="read")
    for seconds in (60, 6000):
        call(ask, ADMIN, "token.add", user="ann", ttl_s=seconds)
    assert [row["expired"] for row in call(ask, ADMIN, "token.list")] == [False, False]
    accounts = ask.server.store.accounts
    first = min(accounts.tokens.values(), key=lambda token: token.expires_at)
    accounts.put_token(replace(first, expires_at=first.created_at))
    assert [row["expired"] for row in call(ask, ADMIN, "token.list")] == [True, False]


@pytest.mark.parametrize("name", ["", " ann", "a\nb", "x" * 65])
def test_a_users_name_is_printable(ask: Asked, name: str) -> None:
    with pytest.raises(OperationError, match="1 to 64 printable characters"):
        call(ask, ADMIN, "user.add", name=name)


def test_C02_every_operation_needs_a_permission(ask: Asked) -> None:
    nobody = Caller("", "")
    assert len(ask.table.all()) > 20
    for operation in ask.table.all():
        with pytest.raises(OperationError) as error:
            call(ask, nobody, operation.name)
        assert error.value.kind == "denied", operation.name


def test_dry_runs_of_users_and_tokens_change_nothing(ask: Asked) -> None:
    def told(operation: str, **arguments: object) -> Any:
        return call(ask, ADMIN, operation, dry_run=True, **arguments)

    assert told("user.add", name="ann", password="secret-1", role="operate")["applied"] is False
    assert call(ask, ADMIN, "user.list") == []
    with pytest.raises(OperationError, match="printable"):
        told("user.add", name="")
    call(ask, ADMIN, "user.add", name="ann", password="secret-1", role="operate")
    before = call(ask, ADMIN, "user.list")
    assert told("user.edit", name="ann", role="admin", password="secret-2")["role"] == "admin"
    assert told("user.remove", name="ann") == {"removed": "ann", "applied": False}
    made = told("token.add", user="ann", role="admin")
    assert (made["role"], "token" in made) == ("operate", False)
    assert (call(ask, ADMIN, "user.list"), call(ask, ADMIN, "token.list")) == (before, [])
    key = call(ask, ADMIN, "token.add", user="ann")["key"]
    assert told("token.revoke", key=key)["applied"] is False
    assert [row["key"] for row in call(ask, ADMIN, "token.list")] == [key]
    with pytest.raises(OperationError, match="there is no user"):
        told("token.add", user="nobody")
    logins: list[Any] = []
    Deferred.fromCoroutine(ask.server.services.access.login("ann", "secret-1", "")).addBoth(logins.append)
    assert logins[0].record.role == "operate"


@pytest.mark.parametrize("operation", ["user.add", "user.edit"])
def test_a_short_password_is_refused(ask: Asked, operation: str) -> None:
    call(ask, ADMIN, "user.add", name="ann", password="secret-1")
    name = "bob" if operation == "user.add" else "ann"
    with pytest.raises(OperationError, match="a password has 8 or more characters"):
        call(ask, ADMIN, operation, name=name, password="short-1")
    assert [row["name"] for row in call(ask, ADMIN, "user.list")] == ["ann"]


def test_nobody_removes_the_own_user(ask: Asked) -> None:
    call(ask, ADMIN, "user.add", name="ann", password="secret-1", role="admin")
    ann = Caller("ann", "admin", (), via="json")
    with pytest.raises(OperationError, match="nobody removes the own user"):
        call(ask, ann, "user.remove", name="ann")
    with pytest.raises(OperationError, match="expires_at"):
        call(ask, ADMIN, "user.edit", name="ann", expires_at=-7)


def test_the_audit_log_writes_hardware_addresses_as_people_do(ask: Asked) -> None:
    card = [{"mac": "52:54:00:00:00:07"}]
    call(ask, ADMIN, "system.add", name="web7", profile="web", interfaces=card)
    entry = call(ask, ADMIN, "audit.list")[0]
    assert entry["after"]["system web7"]["interfaces"][0]["mac"] == "52:54:00:00:00:07"
