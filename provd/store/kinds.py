"""The kinds of records: which value goes into which table under which key."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
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
from provd.store.sqlite_record import Codec, codec, decode_hook, encode_body, seal


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

Block = tuple[str, str, str, list[tuple[int, str, float, Mapping[str, Any]]]]
"""Events of one boot that were written together: session, system, mac; and number, kind, time, fields of each."""


class Gathered(msgspec.Struct, gc=False, eq=False):
    """Events of one boot before they are a row: octets from the moment they are told.

    A tuple and a dictionary for each, kept until they are written, cost more than their encoding: the memory of a
    thousand boots does not stay in the processor's cache, and the search for reference cycles looks at each.

    Attributes:
        session: of all.
        system: of all.
        mac: of all.
        first: number of the first one.
        last: number of the last one.
        at: seconds since the epoch of the last one.
        count: how many.
        rows: number, kind, time, fields of each, encoded one after the other.
    """

    session: str
    system: str
    mac: str
    first: int
    last: int = 0
    at: float = 0.0
    count: int = 0
    rows: bytearray = msgspec.field(default_factory=bytearray)

    def add(self, number: int, at: float, row: bytes) -> None:
        """Take one more, encoded by :func:`event_row`."""
        self.rows += row
        self.last, self.at = number, at
        self.count += 1

    def body(self) -> bytes:
        """A :data:`Block` in MessagePack, joined from its parts: an array of four, the last one an array itself."""
        head = encode_body((self.session, self.system, self.mac))
        return b"".join((b"\x94", head[1:], b"\xdd", self.count.to_bytes(4), self.rows))


def event_row(number: int, kind: str, at: float, fields: Mapping[str, Any]) -> bytes:
    """One event of a block; details of it that cannot be stored are left out."""
    try:
        return encode_body((number, kind, at, fields))
    except Exception:  # noqa: BLE001  whatever a plugin put into it
        return encode_body(_storable((number, kind, at, fields)))


def block_events(value: Event | Block | Gathered) -> list[Event]:
    """The events of a row, in order."""
    if isinstance(value, Gathered):
        value = EVENTS.read(value.body())
    if isinstance(value, Event):
        return [value]
    assert isinstance(value, tuple)  # noqa: S101  what is read is never gathered
    session, system, mac, rows = value
    return [Event(kind, at, session, system, mac, fields, number) for number, kind, at, fields in rows]


def _event_key(value: Event | Block | Gathered) -> int:
    """Number of the last one, so that whatever came after a number is in a row after it."""
    if isinstance(value, Gathered):
        return value.last
    return value.id if isinstance(value, Event) else value[3][-1][0]


class _EventCodec(Codec[Event | Block | Gathered]):
    """What is gathered is encoded already; it is read as a block."""

    __slots__ = ()

    def encode(self, value: Event | Block | Gathered, sequence: int) -> bytes:
        """The record of a row."""
        if isinstance(value, Gathered):
            return seal(self.kind, sequence, value.body())
        return Codec.encode(self, value, sequence)


def _storable(row: tuple[int, str, float, Mapping[str, Any]]) -> tuple[int, str, float, Mapping[str, Any]]:
    kept = {name: value for name, value in row[3].items() if _encodes(name, value)}
    return row if len(kept) == len(row[3]) else (*row[:3], {**kept, "lost": "details that cannot be stored"})


def _encodes(name: str, value: object) -> bool:
    try:
        encode_body((name, value))
    except Exception:  # noqa: BLE001  whatever a plugin put into it
        return False
    return True


EVENTS: Final[Codec[Event | Block | Gathered]] = _EventCodec(
    "events",
    _event_key,
    msgspec.msgpack.Decoder(Event | Block, dec_hook=decode_hook),
)
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
