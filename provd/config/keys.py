"""How a key of ``provd.toml`` is declared: type, default, help, limits, and whether a reload applies it."""

from __future__ import annotations

from typing import Annotated, Final, Literal

import msgspec

APPLIES: Final = "x-applies"
"""Name in the JSON Schema of what brings a changed value into effect: ``reload`` or ``restart``."""

Port = Annotated[int, msgspec.Meta(ge=1, le=65535)]
"""A UDP or TCP port."""

SHORTEST_LEASE_S: Final = 30
"""With less, the time to renew is over before a client has asked three times (RFC 2131 section 4.1: 4 s, 8 s)."""

Applies = Literal["reload", "restart"]


def key(text: str, *, applies: Applies = "reload", ge: int | None = None, le: int | None = None) -> msgspec.Meta:
    """Annotation of one key.

    Args:
        text: help, as ``docs/config.md`` shows it.
        applies: ``reload`` or ``restart``.
        ge: smallest number.
        le: largest number.
    """
    return msgspec.Meta(description=text, extra_json_schema={APPLIES: applies}, ge=ge, le=le)


def lease_fault(lease_s: int) -> str:
    """What is wrong with the lease time of a class or profile, where 0 is the subnet's; empty for nothing."""
    return f"{lease_s} is shorter than {SHORTEST_LEASE_S}" if 0 < lease_s < SHORTEST_LEASE_S else ""


class Table(msgspec.Struct, forbid_unknown_fields=True, frozen=True, kw_only=True):
    """Base of every table: unknown keys are refused."""
