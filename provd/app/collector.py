"""Python's search for reference cycles, set for a process that keeps much and makes few cycles."""

from __future__ import annotations

import gc
from collections.abc import Callable
from typing import Any, Final

from twisted.internet.task import LoopingCall

YOUNG: Final = 5_000
"""New objects that begin a search among the new ones: about a millisecond. With 100,000 one such pause was 30 ms,
in which every client waits."""

BEAT_S: Final = 1.0
FULL_S: Final = 3_600.0
"""Seconds after which everything is searched, in the next quiet second."""

FORCED_S: Final = 86_400.0
"""Seconds after which everything is searched, quiet or not."""

_NEVER: Final = 1_000_000


def wait() -> None:
    """Call at the beginning of the start: nearly everything that a start makes stays, so there is nothing to find."""
    gc.disable()


def settle() -> None:
    """What is there now stays and is not searched; from here on the search looks at what is new."""
    gc.freeze()
    gc.set_threshold(YOUNG, _NEVER, _NEVER)
    gc.enable()


class Collector:
    """Takes what lived through a search out of the next ones, and searches everything when nothing happens.

    The packet path makes no cycles, but its leases and bindings count as new objects: with Python's own thresholds
    (700, 10, 10) the search took a third of the time of an exchange, and the searches among older objects grow with the
    number of leases. Cycles of connections are found while they are new, or by the full search.

    Args:
        clock: schedules.
        packets: a number that changes with every packet.
    """

    def __init__(self, clock: Any, packets: Callable[[], int]) -> None:
        self._clock, self._packets = clock, packets
        self._beat = LoopingCall(self._settle)
        self._beat.clock = clock
        self._seen, self._searched = 0, 0.0

    def start(self) -> None:
        """Call once after the start: what is there now stays (modules, plugins, leases), and is not searched."""
        settle()
        self._seen, self._searched = self._packets(), self._clock.seconds()
        self._beat.start(BEAT_S, now=False)

    def stop(self) -> None:
        """End the timer."""
        if self._beat.running:
            self._beat.stop()

    def _settle(self) -> None:
        packets, age = self._packets(), self._clock.seconds() - self._searched
        quiet, self._seen = packets == self._seen, packets
        if age >= FORCED_S or (quiet and age >= FULL_S):
            self._searched = self._clock.seconds()
            gc.unfreeze()
            gc.collect()
        # Costs the same whatever there is: lists are joined, nothing is looked at.
        gc.freeze()
