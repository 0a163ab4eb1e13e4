"""How often a password may be tried: failures count by user and by address, and each further one costs more time."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass
from typing import Final

FREE: Final = 5
"""Failures that cost nothing: people mistype."""
WINDOW_S: Final = 900.0
"""Seconds after the last failure in which failures are remembered."""
LONGEST_S: Final = 300.0
"""Longest wait."""
_REMEMBERED: Final = 4096


@dataclass(slots=True)
class _Failures:
    count: int
    last: float


class LoginLimits:
    """Failures by key (``user NAME``, ``peer ADDRESS``), bounded; the ones least recently seen go first."""

    def __init__(self) -> None:
        self._failures: OrderedDict[str, _Failures] = OrderedDict()

    def wait_s(self, keys: tuple[str, ...], now: float) -> float:
        """Seconds until the next try is weighed at all; 0 for now.

        Args:
            keys: what the try is counted under.
            now: monotonic seconds.
        """
        return max((self._wait(key, now) for key in keys), default=0.0)

    def _wait(self, key: str, now: float) -> float:
        seen = self._failures.get(key)
        if seen is None or seen.count <= FREE or now - seen.last > WINDOW_S:
            return 0.0
        pause = min(LONGEST_S, 2.0 ** min(seen.count - FREE, 16))
        return max(0.0, seen.last + pause - now)

    def failed(self, keys: tuple[str, ...], now: float) -> None:
        """A try with a wrong password, or for an unknown user."""
        for key in keys:
            seen = self._failures.get(key)
            if seen is None or now - seen.last > WINDOW_S:
                seen = self._failures[key] = _Failures(0, now)
            seen.count += 1
            seen.last = now
            self._failures.move_to_end(key)
        while len(self._failures) > _REMEMBERED:
            self._failures.popitem(last=False)

    def succeeded(self, user: str, peer: str = "") -> None:
        """A right password: the user's failures are forgotten, the address's are not; this try was none of them."""
        self._failures.pop(user, None)
        seen = self._failures.get(peer)
        if seen is not None:
            seen.count -= 1
            if seen.count <= 0:
                del self._failures[peer]
