"""The kinds of records: which value goes into which table under which key."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from typing import Any, Final

import msgspec

from provd.model.account import ApiToken, AuditEntry, User
from provd.model.event import Event
from provd.model.lease import Lease
from provd.model.session import BootSession
from provd.model.system import InstallState, System
from provd.model.token import InstallToken
from provd.model.trigger import TriggerRun
from provd.store.sqlite_record import Codec, codec


class Install(msgspec.Struct, frozen=True):
    """An install state with the name of its system."""

    system: str
    state: InstallState


class NumberedRun(msgspec.Struct, frozen=True):
    """A trigger run with its number."""

    id: int
    run: TriggerRun


def token_key(token: str) -> str:
    """What a token is found by; an ended token's text is its key already."""
    return token if token.startswith(ENDED) else ENDED + hashlib.sha256(token.encode()).hexdigest()


ENDED: Final = "sha256:"
"""Begins the text of a token that has ended; a minted token has no colon."""


def without_text(token: InstallToken) -> InstallToken:
    """An ended token as it is kept: its hash in place of its text."""
    return replace(token, token=token_key(token.token)) if token.ended_at else token


LEASES: Final = codec("leases", Lease, lambda lease: lease.address)
SYSTEMS: Final = codec("systems", System, lambda system: system.name)
INSTALLS: Final = codec("installs", Install, lambda install: install.system)
SESSIONS: Final = codec("sessions", BootSession, lambda session: session.id)
EVENTS: Final = codec("events", Event, lambda event: event.id)
TOKENS: Final = codec("tokens", InstallToken, lambda token: token_key(token.token))
RUNS: Final = codec("runs", NumberedRun, lambda run: run.id)
USERS: Final = codec("users", User, lambda user: user.name)
API_TOKENS: Final = codec("api_tokens", ApiToken, lambda token: token.key)
AUDIT: Final = codec("audit", AuditEntry, lambda entry: entry.id)

KINDS: Final[tuple[Codec[Any], ...]] = (
    LEASES,
    SYSTEMS,
    INSTALLS,
    SESSIONS,
    EVENTS,
    TOKENS,
    RUNS,
    USERS,
    API_TOKENS,
    AUDIT,
)
