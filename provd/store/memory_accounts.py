"""Users, API tokens and the audit log in memory."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType

from provd.model.account import ApiToken, AuditEntry, User


class MemoryAccounts:
    """:class:`provd.store.interface.AccountStore` in memory."""

    def __init__(self) -> None:
        self._users: dict[str, User] = {}
        self._tokens: dict[str, ApiToken] = {}

    @property
    def users(self) -> Mapping[str, User]:
        """Every user by name."""
        return MappingProxyType(self._users)

    @property
    def tokens(self) -> Mapping[str, ApiToken]:
        """Every token by key."""
        return MappingProxyType(self._tokens)

    def put_user(self, user: User) -> None:
        """Insert or replace."""
        self._users[user.name] = user

    def remove_user(self, name: str) -> None:
        """Remove a user and the user's tokens."""
        self._users.pop(name, None)
        self.remove_tokens([key for key, one in self._tokens.items() if one.user == name and one.origin == "local"])

    def put_token(self, token: ApiToken) -> None:
        """Insert or replace."""
        self._tokens[token.key] = token

    def remove_tokens(self, keys: Sequence[str]) -> None:
        """Remove tokens."""
        for key in keys:
            self._tokens.pop(key, None)


class MemoryAudit:
    """:class:`provd.store.interface.AuditStore` in memory."""

    def __init__(self) -> None:
        self._entries: list[AuditEntry] = []

    def record(self, entry: AuditEntry) -> None:
        """Keep one entry."""
        self._entries.append(replace(entry, id=len(self._entries) + 1))

    def entries(self, *, user: str = "", limit: int = 100) -> Sequence[AuditEntry]:
        """Entries of one user or of all, the newest first."""
        return [entry for entry in reversed(self._entries) if user in {"", entry.user}][:limit]

    def prune(self, *, before: float) -> None:
        """Remove entries from before this time."""
        self._entries = [entry for entry in self._entries if entry.at >= before]
