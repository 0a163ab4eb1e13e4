"""Addresses of a pool that nobody ever had: the next one without a scan."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable

from provd.model.subnet import Pool


class FreeAddresses:
    """A cursor over the pool and a queue of addresses given back behind it; each address is looked at once.

    Args:
        pool: both ends included, or None for a subnet of reservations only.
        excluded: addresses never given.
    """

    def __init__(self, pool: Pool | None, excluded: Iterable[int] = ()) -> None:
        self._first = self._next = int(pool.first) if pool else 1
        self._last = int(pool.last) if pool else 0
        self._excluded = frozenset(excluded)
        self._back: deque[int] = deque()
        self._waiting: set[int] = set()

    @property
    def size(self) -> int:
        """Addresses of the pool, the excluded ones included."""
        return self._last - self._first + 1

    def __contains__(self, address: int) -> bool:
        return self._first <= address <= self._last and address not in self._excluded

    def next(self, taken: Callable[[int], bool]) -> int:
        """The next free address, or 0; what is ``taken`` now comes back by ``give_back``.

        The address stays next until it is taken, so that an unused answer loses nothing.
        """
        while self._next <= self._last:
            if self._next not in self._excluded and not taken(self._next):
                return self._next
            self._next += 1
        while self._back:
            if not taken(self._back[0]):
                return self._back[0]
            self._waiting.discard(self._back.popleft())
        return 0

    def give_back(self, address: int) -> None:
        """The address is nobody's again; before the cursor it waits for its turn in order."""
        if address in self and address < self._next and address not in self._waiting:
            self._waiting.add(address)
            self._back.append(address)
