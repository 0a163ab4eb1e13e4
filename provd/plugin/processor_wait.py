"""How long this thread was ready to run and got no processor: what a busy host takes from a plugin's call.

Linux tells it as the second figure of ``/proc/thread-self/schedstat`` (Documentation/scheduler/sched-stats.rst), in
nanoseconds. Sleep, input and output, and waiting for a lock are no part of it.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from threading import get_ident
from typing import Final

FRESH_S: Final = 0.025
"""Age in seconds that a mark may have; a call is forgiven so much at most that it did not wait itself."""

_SCHEDSTAT: Final = Path("/proc/thread-self/schedstat")


def thread_waited_s(file: Path = _SCHEDSTAT) -> float:
    """Seconds that the calling thread has waited for a processor since it began; 0 where the kernel does not tell."""
    try:
        return int(file.read_bytes().split()[1]) / 1e9
    except (OSError, ValueError, IndexError):
        return 0.0


class ProcessorWait:
    """Marks a point in time, and tells how long the thread has waited for a processor since.

    Attributes:
        marked_at: seconds, by the caller's clock.

    Args:
        waited: seconds that the calling thread has waited so far.
    """

    __slots__ = ("_before", "_thread", "_waited", "marked_at")

    def __init__(self, waited: Callable[[], float]) -> None:
        self._waited = waited
        self.marked_at = float("-inf")
        self._before, self._thread = 0.0, 0

    def mark(self, now: float) -> None:
        """Begin anew."""
        self.marked_at, self._before, self._thread = now, self._waited(), get_ident()

    def since(self) -> float:
        """Seconds since the mark; 0 where another thread made it."""
        return max(0.0, self._waited() - self._before) if self._thread == get_ident() else 0.0
