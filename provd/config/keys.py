"""How a key of ``provd.toml`` is declared: type, default, help, limits, and whether a reload applies it."""

from __future__ import annotations

from typing import Annotated, Final, Literal

import msgspec

APPLIES: Final = "x-applies"
"""Name in the JSON Schema of what brings a changed value into effect: ``reload`` or ``restart``."""

Port = Annotated[int, msgspec.Meta(ge=1, le=65535)]
"""A UDP or TCP port."""

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


class Table(msgspec.Struct, forbid_unknown_fields=True, frozen=True, kw_only=True):
    """Base of every table: unknown keys are refused."""
