"""The circuit breaker of one plugin: a plugin that keeps failing is left alone for a while."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Limits:
    """When a plugin is left alone.

    Attributes:
        slow_s: a synchronous call that takes longer opens the breaker at once; it cannot be interrupted.
        failures: failures within ``window_s`` that open the breaker.
        window_s: seconds over which failures are counted.
        open_s: seconds the breaker stays open; then one call is tried, and its failure opens it again.
    """

    slow_s: float = 0.25
    failures: int = 10
    window_s: float = 60.0
    open_s: float = 60.0


class Breaker:
    """Counts the failures of one plugin's request hooks; times are monotonic seconds given by the caller.

    States: ``closed`` (calls go through), ``open`` (calls are skipped), ``trial`` (open for long enough: the next call
    decides).
    """

    __slots__ = ("_failed_at", "_limits", "_trial", "opened", "tripped_until")

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._failed_at: deque[float] = deque(maxlen=limits.failures)
        self._trial = False
        self.tripped_until: float | None = None
        self.opened = 0

    def allows(self, now: float) -> bool:
        """Whether the plugin may be called at ``now``."""
        if self.tripped_until is None:
            return True
        if now < self.tripped_until:
            return False
        self._trial = True
        return True

    def succeeded(self) -> None:
        """A call came back in time; after a trial the breaker closes."""
        if self._trial:
            self._close()

    def failed(self, now: float) -> bool:
        """A call raised or returned a wrong value. True where this opened the breaker."""
        if self._trial:
            self._open(now)
            return True
        self._failed_at.append(now)
        full = len(self._failed_at) == self._limits.failures
        if full and now - self._failed_at[0] <= self._limits.window_s:
            self._open(now)
            return True
        return False

    def slow(self, now: float) -> None:
        """A call took longer than ``slow_s``."""
        self._open(now)

    def state(self, now: float) -> str:
        """``closed``, ``open`` or ``trial``."""
        if self.tripped_until is None:
            return "closed"
        return "open" if now < self.tripped_until else "trial"

    def _open(self, now: float) -> None:
        self._trial = False
        self._failed_at.clear()
        self.tripped_until = now + self._limits.open_s
        self.opened += 1

    def _close(self) -> None:
        self._trial = False
        self.tripped_until = None
