"""Who may use the API: users, their tokens, and what they did."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

ROLES: Final = ("read", "operate", "admin")
"""From the weakest; a role may do what its own and the weaker ones may."""


@dataclass(frozen=True, slots=True)
class User:
    """A user whom provd knows by a password of its own.

    Attributes:
        name: unique.
        password: scrypt hash, see :mod:`provd.service.passwords`; empty for one who can not log in by password.
        role: one of :data:`ROLES`.
        groups: further names under which the user owns objects.
        disabled: can not log in, and the user's tokens count for nothing.
        expires_at: seconds since the epoch from when on the account counts for nothing, 0 for never.
        comment: free text.
    """

    name: str
    password: str = ""
    role: str = "read"
    groups: tuple[str, ...] = ()
    disabled: bool = False
    expires_at: float = 0.0
    comment: str = ""


@dataclass(frozen=True, slots=True)
class ApiToken:
    """A token of a user. Its text is never kept, only its hash.

    Attributes:
        key: SHA-256 of the text, in hex.
        user: whose.
        role: at most this one, and never more than the user's own.
        groups: names under which its bearer owns objects.
        created_at: seconds since the epoch.
        expires_at: likewise.
        comment: what it is for.
        origin: ``local`` for a user of provd's own, or the name of the authenticator that vouched for the user.
    """

    key: str
    user: str
    role: str
    groups: tuple[str, ...] = ()
    created_at: float = 0.0
    expires_at: float = 0.0
    comment: str = ""
    origin: str = "local"


@dataclass(frozen=True, slots=True)
class Caller:
    """Who asks for an operation.

    Attributes:
        user: name, as the audit log shows it.
        role: one of :data:`ROLES`, ``anonymous-read`` for one who did not log in and may read, or empty for nobody.
        groups: further names under which the caller owns objects.
        via: ``socket``, ``json`` or ``xmlrpc``.
        peer: address the request came from, empty for the local socket.
    """

    user: str
    role: str
    groups: tuple[str, ...] = ()
    via: str = ""
    peer: str = ""

    def owns(self, owners: tuple[str, ...]) -> bool:
        """May change an object with these owners: an administrator may always, everybody where nobody is named."""
        return self.role == "admin" or not owners or self.user in owners or not set(self.groups).isdisjoint(owners)


@dataclass(frozen=True, slots=True)
class AuditEntry:
    """One attempt to change something.

    Attributes:
        at: seconds since the epoch.
        user: who.
        via: ``socket``, ``json`` or ``xmlrpc``.
        peer: address, empty for the local socket.
        operation: name of the operation.
        arguments: plain values, secrets hidden.
        outcome: ``done``, ``dry run`` or the sentence of the refusal.
        before: objects as they were, by ``KIND NAME``, secrets hidden; None for one that is new.
        after: objects as they are now, likewise; None for one that is gone.
        id: number, given by the store.
    """

    at: float
    user: str
    via: str
    peer: str
    operation: str
    arguments: Mapping[str, object] = field(default_factory=dict)
    outcome: str = "done"
    before: Mapping[str, object] = field(default_factory=dict)
    after: Mapping[str, object] = field(default_factory=dict)
    id: int = 0
