"""Logins, tokens and roles; what each refusal tells a stranger."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from dataclasses import dataclass, replace
from functools import partial
from types import SimpleNamespace
from typing import Any

import pytest
from twisted.internet.defer import Deferred

from provd.model.account import User
from provd.service.access import Access, AccessError, Login, key_of
from provd.service.passwords import PasswordHashError, hash_password, verify_password
from provd.store.memory_accounts import MemoryAccounts

HASHED = hash_password("correct horse")
ANN = User("ann", HASHED, "operate", groups=("ops",))


def now(work: Coroutine[Any, Any, Any]) -> Any:
    """The result of a coroutine that waits for nothing."""
    outcome: list[Any] = []
    Deferred.fromCoroutine(work).addBoth(outcome.append)
    if hasattr(outcome[0], "raiseException"):
        outcome[0].raiseException()
    return outcome[0]


@dataclass
class Theirs:
    """An authenticator that knows one user."""

    answer: Callable[[str, str], object]

    async def check(self, user: str, password: str) -> object:
        return self.answer(user, password)


def _answering(answer: object, _user: str, _password: str) -> object:
    return answer


class World:
    def __init__(self) -> None:
        self.time = 1000.0
        self.accounts = MemoryAccounts()
        self.accounts.put_user(ANN)
        self.theirs: dict[str, Theirs] = {}

        async def at_once(work: Callable[[], bool]) -> bool:
            return work()

        self.access = Access(
            accounts=self.accounts,
            authenticators=lambda: self.theirs,
            in_thread=at_once,
            wall=lambda: self.time,
            monotonic=lambda: self.time,
        )

    def login(self, user: str = "ann", password: str = "correct horse", peer: str = "10.0.0.1") -> Login:
        return now(self.access.login(user, password, peer))  # type: ignore[no-any-return]

    def role(self, token: str) -> str:
        return self.access.caller(token, via="json", peer="").role


@pytest.fixture
def world() -> World:
    return World()


def test_the_right_password_gives_a_token_that_is_nowhere_kept(world: World) -> None:
    login = world.login()
    caller = world.access.caller(login.token, via="json", peer="10.0.0.1")
    assert (caller.user, caller.role, caller.groups) == ("ann", "operate", ("ops",))
    assert login.token not in repr(world.accounts.tokens)
    assert list(world.accounts.tokens) == [key_of(login.token)]


@pytest.mark.parametrize(
    "password", ["", "wrong", "-1", "0", "None", "False", "[]", "correct horse\0", "x" * 5000, "\ud800"]
)
def test_C01_nothing_but_the_password_is_the_password(world: World, password: str) -> None:
    with pytest.raises(AccessError, match=r"^login failed$"):
        world.login(password=password)


@pytest.mark.parametrize("user", ["", "nobody", "ann ", "ANN", "ann\0"])
def test_an_unknown_user_is_told_the_same(world: World, user: str) -> None:
    with pytest.raises(AccessError, match=r"^login failed$"):
        world.login(user=user)


@pytest.mark.parametrize(
    "changes",
    [{"disabled": True}, {"expires_at": 1000.0}, {"password": ""}, {"password": "scrypt$x"}, {"password": "-1"}],
)
def test_C06_disabled_expired_and_passwordless_users_stay_outside(world: World, changes: dict[str, Any]) -> None:
    world.accounts.put_user(replace(ANN, **changes))
    for password in ("correct horse", "", "-1"):
        with pytest.raises(AccessError, match=r"^login failed$"):
            world.login(password=password)


@pytest.mark.parametrize("changes", [{"disabled": True}, {"expires_at": 999.0}])
def test_C06_their_tokens_count_for_nothing_at_once(world: World, changes: dict[str, Any]) -> None:
    token = world.login().token
    world.accounts.put_user(replace(ANN, **changes))
    with pytest.raises(AccessError, match="invalid token"):
        world.role(token)


def test_a_token_has_never_more_than_its_users_role(world: World) -> None:
    token = world.login().token
    world.accounts.put_user(replace(ANN, role="read"))
    assert world.role(token) == "read"
    world.accounts.put_user(replace(ANN, role="admin"))
    assert world.role(token) == "operate"


def test_a_token_ends_with_its_time_its_logout_or_its_user(world: World) -> None:
    first, second, third = (world.login().token for _ in range(3))
    assert world.access.logout(first) is True
    assert world.access.logout(first) is False
    world.time += 9 * 3600
    for token in (first, second, "", "x", "\ud800"):
        with pytest.raises(AccessError, match="invalid token"):
            world.role(token)
    world.access.tidy()
    assert list(world.accounts.tokens) == []
    fourth = world.login().token
    world.accounts.remove_user("ann")
    for token in (third, fourth):
        with pytest.raises(AccessError, match="invalid token"):
            world.role(token)


def test_C06_failures_are_limited_and_a_right_password_does_not_pass_while_one_waits(world: World) -> None:
    for _ in range(6):
        with pytest.raises(AccessError, match="login failed"):
            world.login(password="wrong")
    with pytest.raises(AccessError, match="too many failed logins; try again in 2 s"):
        world.login()
    world.time += 2
    assert world.login().token


def test_an_authenticator_is_asked_for_users_that_are_not_ours(world: World) -> None:
    def judge(user: str, password: str) -> object:
        return SimpleNamespace(role="read", groups=("x",)) if password == "theirs" else None

    world.theirs["broken"] = Theirs(lambda _user, _password: 1 / 0)
    world.theirs["pam"] = Theirs(judge)
    login = world.login("bob", "theirs")
    assert (login.record.origin, world.role(login.token)) == ("pam", "read")
    with pytest.raises(AccessError, match="login failed"):
        world.login("ann", "theirs")
    with pytest.raises(AccessError, match="login failed"):
        world.login("bob", "wrong")


def test_an_authenticator_that_names_no_role_lets_nobody_in(world: World) -> None:
    for answer in (True, "admin", SimpleNamespace(role="root"), SimpleNamespace(), -1):
        world.theirs["odd"] = Theirs(partial(_answering, answer))
        with pytest.raises(AccessError, match="login failed"):
            world.login("bob", "x")


def test_hashes_have_a_salt_and_damaged_ones_are_named() -> None:
    assert hash_password("a") != hash_password("a")
    assert verify_password("a", hash_password("a"))
    for kept in (
        "",
        "x",
        "scrypt$99$8$1$AAAA$AAAA",
        "scrypt$14$8$1$AAAA$",
        "md5$14$8$1$AAAA$AAAA",
        "scrypt$a$8$1$AA$AA",
    ):
        with pytest.raises(PasswordHashError):
            verify_password("a", kept)
    for password in ("", "x" * 1025, "a\0"):
        with pytest.raises(ValueError, match="1 to 1024 octets"):
            hash_password(password)
