"""AutoYaST's ``partitioning``: all of one disk by YaST's proposal, or drives of a site's own (AutoYaST guide)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from .elements import Typed

DISK: Final = "PROVD_DISK"
"""Stands for the disk until the pre-script has found it."""
_SYMBOLS: Final = frozenset({"type", "filesystem", "mountby", "crypt_method"})
"""What AutoYaST reads as a symbol, wherever it stands among the drives."""
_WHOLE: Final = {"device": DISK, "initialize": True, "use": "all"}


def partitioning(values: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The drives; one without ``device`` is the disk that ``disk`` finds.

    Raises:
        ValueError: ``partitioning`` is no list of tables.
    """
    own = values["partitioning"]
    if not isinstance(own, list | tuple) or not all(isinstance(drive, Mapping) for drive in own):
        raise ValueError("answers.partitioning must be a list of AutoYaST's drives, as tables")
    if not own:
        return [_WHOLE]
    return [_typed({"device": DISK, **drive}) for drive in own]


def _typed(table: Mapping[str, Any]) -> dict[str, Any]:
    return {key: _value(key, value) for key, value in table.items()}


def _value(key: str, value: Any) -> Any:
    if isinstance(value, Mapping):
        return _typed(value)
    if isinstance(value, list | tuple):
        return [_value("", one) for one in value]
    if isinstance(value, int) and not isinstance(value, bool):
        return Typed("integer", str(value))
    return Typed("symbol", str(value)) if key in _SYMBOLS else value
