"""Users, API tokens and the audit log in SQLite."""

from __future__ import annotations

import itertools
import sqlite3
from collections.abc import Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType

from provd.model.account import ApiToken, AuditEntry, User
from provd.store.kinds import API_TOKENS, AUDIT, USERS
from provd.store.sqlite_database import Database, WriteBehind
from provd.store.sqlite_schema import upsert


class SqliteAccounts:
    """:class:`provd.store.interface.AccountStore` in SQLite, with users and tokens in memory."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._users = {user.name: user for user in database.select(USERS)}
        self._tokens = {token.key: token for token in database.select(API_TOKENS)}

    @property
    def users(self) -> Mapping[str, User]:
        """Every user by name."""
        return MappingProxyType(self._users)

    @property
    def tokens(self) -> Mapping[str, ApiToken]:
        """Every token by key."""
        return MappingProxyType(self._tokens)

    def put_user(self, user: User) -> None:
        """Insert or replace, and wait until it is durable."""
        self._run(lambda connection: connection.execute(upsert("users"), self._database.row(USERS, user)))
        self._users[user.name] = user

    def remove_user(self, name: str) -> None:
        """Remove a user and the user's tokens, and wait until that is durable."""
        doomed = [key for key, token in self._tokens.items() if token.user == name and token.origin == "local"]

        def work(connection: sqlite3.Connection) -> None:
            connection.execute("DELETE FROM users WHERE name = ?", (name,))
            connection.executemany("DELETE FROM api_tokens WHERE key = ?", [(key,) for key in doomed])

        self._run(work)
        self._users.pop(name, None)
        for key in doomed:
            del self._tokens[key]

    def put_token(self, token: ApiToken) -> None:
        """Insert or replace, and wait until it is durable."""
        self._run(lambda connection: connection.execute(upsert("api_tokens"), self._database.row(API_TOKENS, token)))
        self._tokens[token.key] = token

    def remove_tokens(self, keys: Sequence[str]) -> None:
        """Remove tokens, and wait until that is durable."""
        rows = [(key,) for key in keys]
        self._run(lambda connection: connection.executemany("DELETE FROM api_tokens WHERE key = ?", rows))
        for key in keys:
            self._tokens.pop(key, None)

    def _run(self, work: object) -> None:
        self._database.writer.run(work)  # type: ignore[arg-type]


class SqliteAudit:
    """:class:`provd.store.interface.AuditStore` in SQLite."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._numbers = itertools.count(database.number("audit") + 1)
        self._behind = WriteBehind(database, AUDIT)

    def record(self, entry: AuditEntry) -> None:
        """Keep one entry."""
        self._behind.save(replace(entry, id=next(self._numbers)))

    def entries(self, *, user: str = "", limit: int = 100) -> Sequence[AuditEntry]:
        """Entries of one user or of all, the newest first."""
        clause = "WHERE user = ? OR ? = '' ORDER BY id DESC LIMIT ?"
        found = {entry.id: entry for entry in self._database.select(AUDIT, clause, (user, user, limit))}
        found |= {entry.id: entry for entry in self._behind.pending() if user in {"", entry.user}}
        return [found[number] for number in sorted(found, reverse=True)][:limit]

    def prune(self, *, before: float) -> None:
        """Remove entries from before this time."""
        self._database.change("DELETE FROM audit WHERE at < ?", (before,))
