"""Free values (answers, template values, options): what can be kept, written as TOML and read again as the same."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from provd.config.merge import key_path

MOST_DEPTH: Final = 16
"""Levels of tables and lists."""

Fault = tuple[str, str]

_WHOLE: Final = range(-(2**63), 2**63)
"""TOML 1.0: integers are those of 64 bits."""


def value_faults(
    value: Any, path: str, depth: int = 0, *, most: int = MOST_DEPTH, none: bool = False
) -> Iterator[Fault]:
    """Key path and rule of everything that TOML or the store cannot hold.

    Args:
        value: plain values.
        path: their key path.
        depth: levels above.
        most: levels there may be.
        none: None is a value too.
    """
    if depth > most:
        yield path, f"is nested deeper than {most} levels"
    elif isinstance(value, Mapping):
        for key, inner in value.items():
            if not isinstance(key, str) or not _storable(key):
                yield path, f"{key!r} is not a key"
            else:
                yield from value_faults(inner, key_path(path, key), depth + 1, most=most, none=none)
    elif isinstance(value, list | tuple):
        for index, inner in enumerate(value):
            yield from value_faults(inner, f"{path}[{index}]", depth + 1, most=most, none=none)
    elif isinstance(value, str) and not _storable(value):
        yield path, "holds half a character (a lone surrogate)"
    elif isinstance(value, int) and not isinstance(value, bool) and value not in _WHOLE:
        yield path, f"{value} does not fit into 64 bits"
    elif not isinstance(value, str | int | float | bool) and not (none and value is None):
        yield path, "is nothing that TOML can say" if value is None else f"{type(value).__name__} is no value"


def _storable(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
