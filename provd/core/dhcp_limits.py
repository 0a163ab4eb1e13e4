"""How many new clients may come in a minute: at one port of a relay, and in one subnet.

Whoever makes up a new identity for each packet (by accident: RFC 7844 recommends it to mobile hosts) drains a pool. Who
has an address or is expected is no new client.
"""

from __future__ import annotations

from collections import OrderedDict, deque
from typing import Final

WINDOW_S: Final = 60.0
"""Seconds in which new clients are counted."""
_PLACES: Final = 4096
"""Ports and subnets that are remembered; the ones that were silent longest go first."""

Place = tuple[str, str]


class NewClients:
    """New clients of the last minute by place (kind and name), bounded."""

    def __init__(self) -> None:
        self._seen: OrderedDict[Place, deque[float]] = OrderedDict()

    def full(self, places: tuple[tuple[Place, int], ...], now: float) -> Place | None:
        """The place that takes no more new clients now; None where one more was counted at all of them.

        Args:
            places: each with its limit; 0 is no limit.
            now: monotonic seconds.
        """
        limited = [(place, most) for place, most in places if most]
        for place, most in limited:
            times = self._seen.get(place)
            while times and times[0] <= now - WINDOW_S:
                times.popleft()
            if times is not None and len(times) >= most:
                return place
        for place, _ in limited:
            self._seen.setdefault(place, deque()).append(now)
            self._seen.move_to_end(place)
        while len(self._seen) > _PLACES:
            self._seen.popitem(last=False)
        return None
