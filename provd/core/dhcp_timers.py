"""When offers, leases and quarantines end: a heap with at most one live entry per binding."""

from __future__ import annotations

import heapq
import math
from collections.abc import Iterator
from typing import Any, Final

from provd.core.dhcp_binding import Binding

_SWEEP: Final = 1024


class Timers:
    """Ends of bindings by monotonic time; a renewal costs no new entry, the old one is moved when it comes up."""

    def __init__(self) -> None:
        self._heap: list[tuple[float, Binding]] = []
        self._dead = 0

    def schedule(self, binding: Binding, until: float) -> None:
        """The binding's state ends at ``until``; infinity for never."""
        # Compiled, a number is made anew for each place that keeps it; as an object it is one for all three.
        kept: Any = until
        binding.until = kept
        if until < binding.due:
            self.cancel(binding)
            binding.due = kept
            heapq.heappush(self._heap, (kept, binding))

    def cancel(self, binding: Binding) -> None:
        """The binding's entry is void, because it left the table or ends sooner."""
        if binding.due == math.inf:
            return
        binding.due = math.inf
        self._dead += 1
        # Clients that ask and never take would leave an entry each; more void entries than live ones are swept out.
        if self._dead > _SWEEP and self._dead * 2 > len(self._heap):
            self._heap = [entry for entry in self._heap if entry[1].due == entry[0]]
            heapq.heapify(self._heap)
            self._dead = 0

    def over(self, now: float) -> Iterator[Binding]:
        """Bindings whose state has ended."""
        while self._heap and self._heap[0][0] <= now:
            due, binding = heapq.heappop(self._heap)
            if binding.due != due:
                self._dead -= 1
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
