"""When the lease log goes into the database: it waits while many leases come, who would share interpreter and disk."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Final

from provd.store.lease_log_format import Entry

FULL: Final = 1 << 24
"""Octets of a file at which the other one takes over though leases keep coming."""
OVERFULL: Final = 1 << 26
"""Octets at which it does so in a storm as well: some 300,000 leases, which a start reads in a second."""
STORM: Final = 1000
"""Commits within a second that make a storm; each grant of a lease is one."""
_SECOND: Final = 1.0
_BREATH: Final = 64
"""Entries between two pauses: reading so many takes some 0.2 ms, for which whoever answers packets waits."""
_PAUSE_S: Final = 0.0003


class Pace:
    """Counts commits of leases, second by second.

    Args:
        pause: waits so many seconds.
    """

    def __init__(self, pause: Callable[[float], None] = time.sleep) -> None:
        self._pause = pause
        self._since, self._count, self._before = float("-inf"), 0, 0

    def wrote(self, count: int, now: float) -> None:
        """So many commits have just become durable, at ``now`` in monotonic seconds."""
        if now >= self._since + _SECOND:
            self._before = self._count if now < self._since + 2 * _SECOND else 0
            self._since, self._count = now, 0
        self._count += count

    def due(self, size: int) -> bool:
        """Whether a file of ``size`` octets is to be carried into the database though leases keep coming."""
        return size >= OVERFULL or (size >= FULL and max(self._count, self._before) < STORM)

    def unhurried(self, blocks: Iterator[list[Entry]]) -> Iterator[Entry]:
        """Entries of blocks, with pauses in which others run."""
        taken = 0
        for block in blocks:
            yield from block
            taken += len(block)
            if taken >= _BREATH:
                taken = 0
                self._pause(_PAUSE_S)
