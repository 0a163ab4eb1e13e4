"""Differences of files show no secret, wherever in the file it stands; two who add one user are two."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from twisted.internet.defer import Deferred

from provd.model.account import User
from provd.service.access_arguments import AddUser
from provd.service.operations import OperationError
from provd.service.operations_access import AccessOperations
from provd.store.memory_accounts import MemoryAccounts, MemoryAudit
from tests.api.test_object_operations import allow
from tests.api.test_operations_real import Asked

FILE = '''\
parent = "web"

[vars]
rack = "r1"
ssh_private_key = """
-----BEGIN OPENSSH PRIVATE KEY-----
b3BlbnNzaC1rZXktcanary
-----END OPENSSH PRIVATE KEY-----
"""
passwords = [
  "canary",
]

[vars.secret]
word = "canary-1"
x = "r"
'''


@pytest.fixture
def ask(tmp_path: Path) -> Asked:
    file = tmp_path / "site" / "profiles" / "keys.toml"
    file.parent.mkdir(parents=True)
    file.write_text(FILE)
    asked = Asked(tmp_path)
    allow(asked)
    return asked


@pytest.mark.parametrize(
    ("operation", "arguments"),
    [
        ("profile.edit", {"vars": {"rack": "r2"}, "in_place": True}),
        ("profile.edit", {"vars": None}),
        ("profile.edit", {"vars": {"secret": {"word": "canary-2"}}, "in_place": True}),
        ("profile.remove", {}),
        ("profile.copy", {"new": "more"}),
        ("profile.rename", {"new": "more"}),
    ],
)
def test_C18_no_difference_shows_a_secret(ask: Asked, operation: str, arguments: dict[str, Any]) -> None:
    told = ask(operation, name="keys", dry_run=True, **arguments)
    text = "".join(told["files"].values())
    assert "canary" not in text
    assert "***" in text
    assert ('rack = "r1"' in text) == ("secret" not in str(arguments))


def test_two_who_add_one_user_at_once_are_not_one() -> None:
    accounts, waiting = MemoryAccounts(), list[tuple[Deferred[Any], Callable[[], Any]]]()

    def in_thread(work: Callable[[], Any]) -> Deferred[Any]:
        waiting.append((Deferred(), work))
        return waiting[-1][0]

    made: Any = AccessOperations(accounts, MemoryAudit(), None, in_thread)  # type: ignore[arg-type]
    ended: list[Any] = []
    for role in ("read", "admin"):
        arguments = AddUser(name="ann", password="secret-1", role=role)
        Deferred.fromCoroutine(made.add(arguments)).addBoth(ended.append)
    for done, work in waiting:
        done.callback(work())
    assert ended[0]["role"] == "read"
    assert ended[1].check(OperationError)
    assert "exists already" in str(ended[1].value)
    user: User = accounts.users["ann"]
    assert user.role == "read"


@pytest.mark.parametrize("word", ['a"canary', "a\\canary", "a\tcanary", "a\x7fcanary", "\U0001f511canary"])
def test_C18_a_secret_that_TOML_writes_with_escapes_is_hidden_too(tmp_path: Path, word: str) -> None:
    file = tmp_path / "site" / "profiles" / "keys.toml"
    file.parent.mkdir(parents=True)
    escaped = "".join(one if one.isascii() and one.isalpha() else f"\\U{ord(one):08X}" for one in word)
    file.write_text(f'parent = "web"\n\n[vars.secret]\nrack = "r1"\nword = "{escaped}"\n')
    ask = Asked(tmp_path)
    allow(ask)
    for changes in ({"vars": None}, {"vars": {"secret": {"word": f"{word}2"}}, "in_place": True}):
        told = ask("profile.edit", name="keys", dry_run=True, **changes)
        text = "".join(told["files"].values())
        assert "canary" not in text
        assert text.count("***") >= 1
