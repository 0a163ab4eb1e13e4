"""When offers, leases and quarantines end: a heap with at most one live entry per binding."""

from __future__ import annotations

import heapq
import math
from collections.abc import Iterator
from itertools import count

from provd.core.dhcp_binding import Binding


class Timers:
    """Ends of bindings by monotonic time; a renewal costs no new entry, the old one is moved when it comes up."""

    def __init__(self) -> None:
        self._heap: list[tuple[float, int, Binding]] = []
        self._number = count()

    def schedule(self, binding: Binding, until: float) -> None:
        """The binding's state ends at ``until``; infinity for never."""
        binding.until = until
        if until < binding.due:
            binding.due = until
            heapq.heappush(self._heap, (until, next(self._number), binding))

    def cancel(self, binding: Binding) -> None:
        """The binding left the table."""
        binding.due = math.inf

    def over(self, now: float) -> Iterator[Binding]:
        """Bindings whose state has ended."""
        heap = self._heap
        while heap and heap[0][0] <= now:
            due, _, binding = heapq.heappop(heap)
            if binding.due != due:
                continue
            binding.due = math.inf
            if binding.until > now:
                self.schedule(binding, binding.until)
            else:
                yield binding

    @property
    def next(self) -> float:
        """Time of the first entry, infinity where there is none."""
        return self._heap[0][0] if self._heap else math.inf
