"""Who is calling: users and their passwords, tokens, roles; and how often a password may be tried."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Final, Protocol, TypeVar

from twisted.logger import Logger

from provd.core.login_limits import LoginLimits
from provd.model.account import ROLES, ApiToken, Caller, User
from provd.service.passwords import NOBODY, PasswordHashError, verify_password
from provd.store.interface_accounts import AccountStore

T = TypeVar("T")
InThread = Callable[[Callable[[], bool]], Awaitable[bool]]
"""Runs what takes long off the reactor's thread."""


async def at_once(work: Callable[[], T]) -> T:
    """An :data:`InThread`, of any result, that runs it on this thread, where nobody waits meanwhile."""
    return work()


TOKEN_S: Final = 8 * 3600.0
"""Seconds that a login lasts."""


class AccessError(Exception):
    """Not let in; the sentence says as much as a stranger may know."""


class AuthenticatorView(Protocol):
    """A plugin that knows users provd does not (:class:`provd.plugin.contract.Authenticator`)."""

    @property
    def check(self) -> Callable[[str, str], Awaitable[object]]:
        """User and password to what the user may do, or None."""
        ...


@dataclass(frozen=True, slots=True)
class Login:
    """A login.

    Attributes:
        token: the text that its bearer shows.
        record: what is kept of it.
    """

    token: str
    record: ApiToken


class Access:
    """Lets callers in.

    Args:
        accounts: users and tokens.
        authenticators: further judges of passwords, by name; asked in order for users that provd does not have.
        in_thread: runs what takes long.
        wall: seconds since the epoch.
        monotonic: seconds for the limits.
    """

    def __init__(
        self,
        *,
        accounts: AccountStore,
        authenticators: Callable[[], Mapping[str, AuthenticatorView]],
        in_thread: InThread,
        wall: Callable[[], float],
        monotonic: Callable[[], float],
    ) -> None:
        self._accounts, self._authenticators = accounts, authenticators
        self._in_thread, self._wall, self._monotonic = in_thread, wall, monotonic
        self._limits = LoginLimits()
        self._log = Logger(namespace="provd.access")

    async def login(self, user: str, password: str, peer: str) -> Login:
        """A token for a user with the right password.

        Args:
            user: name.
            password: as it was typed.
            peer: address that asks; failures count by it and by user.

        Raises:
            AccessError: refused; the sentence is the same for an unknown user and a wrong password.
        """
        keys = (f"user {user}", f"peer {peer}")
        wait = self._limits.wait_s(keys, self._monotonic())
        if wait:
            raise AccessError(f"too many failed logins; try again in {wait:.0f} s")
        # Counted before the answer is known, so that many tries at once are many tries.
        self._limits.failed(keys, self._monotonic())
        found = await self._judged(user, password)
        if found is None:
            self._log.warn("login refused for {user!r} from {peer}", user=user[:64], peer=peer or "the local socket")
            raise AccessError("login failed")
        self._limits.succeeded(*keys)
        role, groups, origin = found
        return self.mint(user, role, groups=groups, origin=origin)

    async def _judged(self, user: str, password: str) -> tuple[str, tuple[str, ...], str] | None:
        own = self._accounts.users.get(user)
        if own is not None or not self._authenticators():
            right = await self._in_thread(lambda: _verified(own, password))
            own = self._accounts.users.get(user)
            if right and own is not None and not self._ended(own):
                return own.role, own.groups, "local"
            return None
        for name, authenticator in self._authenticators().items():
            try:
                answer = await authenticator.check(user, password)
            except Exception:  # noqa: BLE001  a plugin that fails lets nobody in, and stops nobody else
                self._log.failure("authenticator {name} failed", name=name)
                continue
            role = getattr(answer, "role", "")
            if role in ROLES:
                return role, tuple(getattr(answer, "groups", ())), name
        return None

    def mint(
        self, user: str, role: str, *, groups: tuple[str, ...] = (), ttl_s: float = TOKEN_S, comment: str = "",
        origin: str = "local",
    ) -> Login:  # fmt: skip
        """A new token; its text is shown once and never kept."""
        text = secrets.token_urlsafe(32)
        now = self._wall()
        record = ApiToken(key_of(text), user, role, groups, now, now + ttl_s, comment, origin)
        self._accounts.put_token(record)
        return Login(text, record)

    def caller(self, token: str, *, via: str, peer: str) -> Caller:
        """Whose token this is.

        Raises:
            AccessError: unknown, expired, or its user is gone, disabled or expired.
        """
        record = self._accounts.tokens.get(key_of(token)) if token else None
        if record is None or self.expired(record):
            raise AccessError("invalid token")
        role, groups = record.role, record.groups
        if record.origin == "local":
            user = self._accounts.users.get(record.user)
            if user is None or self._ended(user):
                raise AccessError("invalid token")
            role, groups = min(record.role, user.role, key=ROLES.index), user.groups
        return Caller(record.user, role, groups, via, peer)

    def logout(self, token: str) -> bool:
        """End a token; whether there was one."""
        key = key_of(token)
        known = key in self._accounts.tokens
        if known:
            self._accounts.remove_tokens([key])
        return known

    def expired(self, token: ApiToken) -> bool:
        """Whether the time of a token is over: it lets nobody in, though it is kept until :meth:`tidy`."""
        return token.expires_at <= self._wall()

    def tidy(self) -> None:
        """Forget tokens that have expired."""
        ended = [key for key, token in self._accounts.tokens.items() if self.expired(token)]
        if ended:
            self._accounts.remove_tokens(ended)

    def _ended(self, user: User) -> bool:
        return user.disabled or 0 < user.expires_at <= self._wall()


def key_of(token: str) -> str:
    """What a token is found by: its hash, so that a copy of the store lets nobody in."""
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).hexdigest()


def _verified(user: User | None, password: str) -> bool:
    """An unknown user costs the same time as a known one."""
    try:
        right = verify_password(password, user.password if user is not None and user.password else NOBODY)
    except PasswordHashError:
        return False
    return right and user is not None and bool(user.password)
