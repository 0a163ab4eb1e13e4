"""How one level overrides another, and where each value of the result came from.

Tables merge key by key. A key written ``"!key"`` removes the inherited one, as in Cobbler. Everything else (texts,
numbers, lists) replaces. Only ``kernel_args`` append; there ``"!quiet"`` removes every inherited ``quiet`` or
``quiet=...``. A reference to a secret is one value, not a table.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Final, TypeGuard

from provd.config.secrets import is_reference
from provd.model.origin import Origin

REMOVE: Final = "!"

Place = Callable[[str], Origin]
"""Key path at this level to its origin."""

_BARE = re.compile(r"[A-Za-z0-9_-]+")


def key_path(path: str, name: str) -> str:
    """One step down, quoted as TOML quotes a key that is not bare."""
    part = name if _BARE.fullmatch(name) else f'"{name}"'
    return f"{path}.{part}" if path else part


def overlay(
    base: Mapping[str, Any], over: Mapping[str, Any], origins: dict[str, Origin], place: Place, path: str
) -> dict[str, Any]:
    """``base`` with ``over`` on top; neither is changed.

    Args:
        base: values so far.
        over: values of this level.
        origins: key path to origin of what ``base`` holds; kept up to date.
        place: origin of a key path at this level.
        path: key path of both tables.
    """
    result = dict(base)
    for name, value in over.items():
        if name.startswith(REMOVE):
            gone = name.removeprefix(REMOVE)
            result.pop(gone, None)
            _forget(origins, key_path(path, gone))
            continue
        where, old = key_path(path, name), result.get(name)
        if not _is_table(value):
            _forget(origins, where)
            result[name], origins[where] = value, place(where)
            continue
        if not _is_table(old):
            _forget(origins, where)
        result[name] = overlay(old if _is_table(old) else {}, value, origins, place, where)
        if result[name]:
            origins.pop(where, None)
        else:
            origins[where] = place(where)
    return result


def _is_table(value: object) -> TypeGuard[dict[str, Any]]:
    return isinstance(value, dict) and not is_reference(value)


def _forget(origins: dict[str, Origin], path: str) -> None:
    for known in [known for known in origins if known == path or known.startswith((f"{path}.", f"{path}["))]:
        del origins[known]


Argument = tuple[str, Origin]
"""A kernel argument and the place that added it."""


def append_arguments(base: Sequence[Argument], over: Iterable[str], place: Place) -> tuple[Argument, ...]:
    """Kernel arguments with those of one more level behind them."""
    result = list(base)
    for index, argument in enumerate(over):
        if argument.startswith(REMOVE):
            gone = argument.removeprefix(REMOVE)
            result = [known for known in result if known[0] != gone and not known[0].startswith(f"{gone}=")]
        else:
            result.append((argument, place(f"kernel_args[{index}]")))
    return tuple(result)
