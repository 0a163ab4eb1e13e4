"""Python's search for reference cycles, set for a process that keeps much and makes few cycles."""

from __future__ import annotations

import gc
from typing import Final

_YOUNG: Final = 100_000
_MIDDLE: Final = 50
_OLD: Final = 1_000


def wait() -> None:
    """Call at the beginning of the start: nearly everything that a start makes stays, so there is nothing to find."""
    gc.disable()


def settle() -> None:
    """Call once after the start: what is there now stays (modules, plugins, leases), and is not searched any more.

    The packet path makes no cycles, but its leases and bindings count as new objects: with Python's own thresholds
    (700, 10, 10) the search took a third of the time of an exchange. Cycles of connections are still found.
    """
    gc.freeze()
    gc.set_threshold(_YOUNG, _MIDDLE, _OLD)
    gc.enable()
