"""What a store keeps of people: users, tokens, and the log of what they changed; asked as in ``interface``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

from provd.model.account import ApiToken, AuditEntry, User


class AccountStore(Protocol):
    """Users and their API tokens; changes block until they are durable, for somebody waits for them."""

    @property
    def users(self) -> Mapping[str, User]:
        """Every user by name."""
        ...

    @property
    def tokens(self) -> Mapping[str, ApiToken]:
        """Every token by key."""
        ...

    def put_user(self, user: User) -> None:
        """Insert or replace.

        Raises:
            StoreError: it could not be made durable; nothing changed. So it is with the methods below.
        """
        ...

    def remove_user(self, name: str) -> None:
        """Remove a user and the user's tokens."""
        ...

    def put_token(self, token: ApiToken) -> None:
        """Insert or replace."""
        ...

    def remove_tokens(self, keys: Sequence[str]) -> None:
        """Remove tokens."""
        ...


class AuditStore(Protocol):
    """What was changed through the API, by whom."""

    def record(self, entry: AuditEntry) -> None:
        """Keep one entry."""
        ...

    def entries(self, *, user: str = "", limit: int = 100) -> Sequence[AuditEntry]:
        """Entries of one user or of all, the newest first."""
        ...

    def prune(self, *, before: float) -> None:
        """Remove entries from before this time."""
        ...
