"""Files fetched before a machine asks for them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence

from provd.plugin.api import Runtime, Task

_AT_ONCE = 4
_LOOK_S = 0.25
_MOST_FAILURES = 20
"""Sentences that are kept."""


class Prefetch:
    """One list of paths on its way into the cache, a few at once.

    Attributes:
        total: paths.
        done: those that are there, or failed.
        failures: what went wrong with the first twenty that failed.

    Args:
        runtime: runs it, whether or not anybody waits.
        paths: below the mirror.
        fetch: fetches one; returns what went wrong, or empty.
    """

    def __init__(self, runtime: Runtime, paths: Sequence[str], fetch: Callable[[str], Awaitable[str]]) -> None:
        self.total, self.done, self.failed = len(paths), 0, 0
        self.failures: list[str] = []
        self._left = list(reversed(paths))
        self._fetch, self._runtime = fetch, runtime
        self._tasks: list[Task[None]] = [runtime.background(self._work()) for _ in range(_AT_ONCE)]

    async def wait(self, most_s: float) -> None:
        """Until every path was tried, or ``most_s`` seconds have passed."""
        for _ in range(int(most_s / _LOOK_S)):
            if self.done >= self.total:
                return
            await self._runtime.sleep(_LOOK_S)

    def close(self) -> None:
        """Stop it."""
        self._left.clear()
        for task in self._tasks:
            task.cancel()

    async def _work(self) -> None:
        while self._left:
            path = self._left.pop()
            why = await self._fetch(path)
            self.done += 1
            if why:
                self.failed += 1
                self.failures = [*self.failures, why][:_MOST_FAILURES]
