"""Operations on users, tokens and the audit log; passwords are hashed off the reactor's thread."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any

import msgspec
from msgspec import UNSET

from provd.model.account import ROLES, ApiToken, Caller, User
from provd.plugin.contract import Operation
from provd.service import audit
from provd.service.access import Access
from provd.service.access_arguments import AddToken, AddUser, EditUser, ListAudit, RemoveUser, TokenKey
from provd.service.operations import NoArguments, OperationError
from provd.service.passwords import hash_password
from provd.store.interface import StoreError
from provd.store.interface_accounts import AccountStore, AuditStore

_NAME_LENGTH = 64
_LEAST_PASSWORD = 8
"""Characters of a password that somebody chose (NIST SP 800-63B section 5.1.1.1)."""


class AccessOperations:
    """Around accounts and the audit log.

    Args:
        accounts: users and tokens.
        log: the audit log.
        access: mints tokens.
        in_thread: runs what takes long.
    """

    def __init__(
        self,
        accounts: AccountStore,
        log: AuditStore,
        access: Access,
        in_thread: Callable[[Callable[[], Any]], Awaitable[Any]],
    ) -> None:
        self._accounts, self._log, self._access, self._in_thread = accounts, log, access, in_thread

    def operations(self) -> tuple[Operation, ...]:
        """``user.*``, ``token.*``, ``whoami`` and ``audit.list``."""
        return (
            Operation(
                "user.list",
                "List users.",
                "admin",
                NoArguments,
                self.users,
                "provd user list",
                result="One row per user; no password, no hash.",
            ),
            Operation(
                "user.add",
                "Add a user.",
                "admin",
                AddUser,
                self.add,
                "provd user add ann --role operate --password -",
                result="The user.",
            ),
            Operation(
                "user.edit",
                "Change a user.",
                "admin",
                EditUser,
                self.edit,
                "provd user edit ann --role admin",
                result="The user as it is now.",
            ),
            Operation(
                "user.remove",
                "Remove a user and the user's tokens.",
                "admin",
                RemoveUser,
                self.remove,
                "provd user remove ann",
                result="`removed`: the name.",
            ),
            Operation(
                "token.list",
                "List tokens, without their text.",
                "admin",
                NoArguments,
                self.tokens,
                "provd token list",
                result="One row per token: key, user, role, times, whether it has expired; never its text.",
            ),
            Operation(
                "token.add",
                "Make a token; its text is shown once.",
                "admin",
                AddToken,
                self.add_token,
                "provd token add ann --ttl-s 3600",
                result="`token`: its text, this once; and its row.",
            ),
            Operation(
                "token.revoke",
                "End a token.",
                "admin",
                TokenKey,
                self.revoke,
                "provd token revoke 1f2e3d4c",
                result="`revoked`: beginning of the key.",
            ),
            Operation(
                "whoami",
                "Show who you are.",
                "read",
                NoArguments,
                self.whoami,
                "provd whoami",
                result="`user`, `role`, `groups`, `via`.",
            ),
            Operation(
                "audit.list",
                "List changes: who, when, what, before and after.",
                "admin",
                ListAudit,
                self.audit,
                "provd audit list --limit 20",
                result="Entries, the newest first: who, when, which operation, `outcome`, `before` and `after`.",
            ),
        )

    def users(self, _arguments: object) -> object:
        """One row per user, without the hash."""
        return [_row(user) for _, user in sorted(self._accounts.users.items())]

    async def add(self, arguments: AddUser) -> object:
        """Add a user."""
        name = arguments.name
        if not 0 < len(name) <= _NAME_LENGTH or not name.isprintable() or name != name.strip():
            raise OperationError(
                f"a user's name has 1 to {_NAME_LENGTH} printable characters", field="name", kind="usage"
            )
        self._new(name)
        password = await self._hashed(arguments.password) if arguments.password else ""
        self._new(name)  # somebody else may have been quicker meanwhile
        user = User(
            name,
            password,
            arguments.role,
            arguments.groups,
            expires_at=arguments.expires_at,
            comment=arguments.comment,
        )
        return self._put(None, user, dry_run=arguments.dry_run)

    async def edit(self, arguments: EditUser) -> object:
        """Change what is named; nobody raises or lowers the own role (an administrator cannot lock everybody out)."""
        before = self._user(arguments.name)
        changes = {
            field: value
            for field, value in msgspec.structs.asdict(arguments).items()
            if field not in {"name", "dry_run"} and value is not UNSET
        }
        if not changes:
            raise OperationError("nothing to change was named", kind="usage")
        caller = audit.caller()
        own = caller is not None and caller.via != "socket" and caller.user == before.name
        for field in ("role", "groups", "disabled", "expires_at"):
            if own and field in changes and changes[field] != getattr(before, field):
                raise OperationError(f"nobody changes the own {field}", field=field, kind="denied")
        if "password" in changes:
            changes["password"] = await self._hashed(changes["password"]) if changes["password"] else ""
        return self._put(before, replace(self._user(before.name), **changes), dry_run=arguments.dry_run)

    def remove(self, arguments: RemoveUser) -> object:
        """Remove a user."""
        before = self._user(arguments.name)
        caller = audit.caller()
        if caller is not None and caller.via != "socket" and caller.user == before.name:
            raise OperationError("nobody removes the own user", field="name", kind="denied")
        if arguments.dry_run:
            return {"removed": before.name, "applied": False}
        _stored(lambda: self._accounts.remove_user(before.name))
        audit.changed(f"user {before.name}", _row(before), None)
        return {"removed": before.name}

    def tokens(self, _arguments: object) -> object:
        """One row per token; one that has expired is there until it is forgotten, and marked."""
        return [
            {**_token_row(token), "expired": self._access.expired(token)}
            for token in sorted(self._accounts.tokens.values(), key=lambda one: one.created_at)
        ]

    def add_token(self, arguments: AddToken) -> object:
        """A token with at most the user's role."""
        user = self._user(arguments.user)
        role = min(arguments.role or user.role, user.role, key=ROLES.index)
        if arguments.dry_run:
            return {"user": user.name, "role": role, "comment": arguments.comment, "applied": False}
        login = _stored(
            lambda: self._access.mint(
                user.name, role, groups=user.groups, ttl_s=arguments.ttl_s, comment=arguments.comment
            )
        )
        audit.changed(f"token {login.record.key[:16]}", None, _token_row(login.record))
        return {"token": login.token, **_token_row(login.record)}

    def revoke(self, arguments: TokenKey) -> object:
        """End the token whose key begins so."""
        found = [token for key, token in self._accounts.tokens.items() if key.startswith(arguments.key)]
        if len(found) != 1:
            what = "no token has" if not found else f"{len(found)} tokens have"
            raise OperationError(f"{what} a key that begins with {arguments.key}", field="key", kind="not-found")
        if arguments.dry_run:
            return {"revoked": found[0].key[:16], "applied": False}
        _stored(lambda: self._accounts.remove_tokens([found[0].key]))
        audit.changed(f"token {found[0].key[:16]}", _token_row(found[0]), None)
        return {"revoked": found[0].key[:16]}

    def whoami(self, _arguments: object) -> object:
        """The caller as provd sees it."""
        caller = audit.caller() or Caller("", "")
        return {"user": caller.user, "role": caller.role, "groups": list(caller.groups), "via": caller.via}

    def audit(self, arguments: ListAudit) -> object:
        """Entries, the newest first."""
        return [
            {
                "at": entry.at, "user": entry.user, "via": entry.via, "peer": entry.peer, "operation": entry.operation,
                "outcome": entry.outcome, "arguments": entry.arguments, "before": entry.before, "after": entry.after,
            }
            for entry in self._log.entries(user=arguments.user, limit=arguments.limit)
        ]  # fmt: skip

    def _user(self, name: str) -> User:
        user = self._accounts.users.get(name)
        if user is None:
            raise OperationError(f"there is no user {name!r}", field="name", kind="not-found")
        return user

    def _new(self, name: str) -> None:
        if name in self._accounts.users:
            raise OperationError(f"user {name} exists already", field="name")

    async def _hashed(self, password: str) -> str:
        if len(password) < _LEAST_PASSWORD:
            raise OperationError(f"a password has {_LEAST_PASSWORD} or more characters", field="password", kind="usage")
        try:
            return str(await self._in_thread(lambda: hash_password(password)))
        except ValueError as error:
            raise OperationError(str(error), field="password", kind="usage") from error

    def _put(self, before: User | None, after: User, *, dry_run: bool) -> object:
        if dry_run:
            return {**_row(after), "applied": False}
        _stored(lambda: self._accounts.put_user(after))
        audit.changed(f"user {after.name}", None if before is None else _row(before), _row(after))
        return _row(after)


def _stored(write: Callable[[], Any]) -> Any:
    try:
        return write()
    except StoreError as error:
        raise OperationError(f"could not be stored: {error}", kind="failed") from error


def _row(user: User) -> dict[str, object]:
    return {
        "name": user.name,
        "role": user.role,
        "groups": list(user.groups),
        "disabled": user.disabled,
        "login": bool(user.password),
        "expires_at": user.expires_at or None,
        "comment": user.comment,
    }


def _token_row(token: ApiToken) -> dict[str, object]:
    return {
        "key": token.key[:16],
        "user": token.user,
        "role": token.role,
        "created_at": token.created_at,
        "expires_at": token.expires_at,
        "origin": token.origin,
        "comment": token.comment,
    }
