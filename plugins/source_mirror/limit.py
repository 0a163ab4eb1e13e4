"""The size of one mirror's cache: counted once, then followed; what is too much leaves."""

from __future__ import annotations

from collections.abc import Callable, Collection

from provd.plugin.api import Runtime, Task

from .cache import Cache


class SizeLimit:
    """Evicts the least recently used files.

    Args:
        cache: what is bounded.
        most: octets; 0 for no limit.
        busy: paths that are being fetched or given out.
    """

    def __init__(self, cache: Cache, most: int, busy: Callable[[], Collection[str]]) -> None:
        self.evicted = 0
        self._cache = cache
        self._most = most
        self._busy = busy
        self._size: int | None = None
        self._work: Task[None] | None = None

    def kept(self, runtime: Runtime, path: str, size: int) -> None:
        """A file was put into the cache."""
        if not self._most:
            return
        if self._size is not None:
            self._size += size
        running = self._work is not None and not self._work.done
        if not running and (self._size is None or self._size > self._most):
            self._work = runtime.background(self._shrink(runtime, path))

    def must_fit(self, missing: int, total: int) -> None:
        """Refuse a list of files that cannot all be kept; reads the disk, for a thread.

        Args:
            missing: octets that are not there yet.
            total: octets of the whole list.

        Raises:
            OSError: one sentence on it.
        """
        if self._most and total > self._most:
            raise OSError(f"it is {total / 10**6:,.0f} MB, but max_mb of the mirror is {self._most // 10**6:,}")
        free = self._cache.free()
        if missing > free:
            raise OSError(f"{missing / 10**6:,.0f} MB are missing, but the disk has {free / 10**6:,.0f} MB left")

    def close(self) -> None:
        """Stop what runs."""
        if self._work is not None:
            self._work.cancel()

    async def _shrink(self, runtime: Runtime, path: str) -> None:
        if self._size is None:
            self._size = (await self._cache.count(runtime))[1]
            if self._size <= self._most:
                return
        spared = {path, *self._busy()}
        evicted, self._size = await runtime.in_thread(lambda: self._cache.shrink(self._most, spared))
        self.evicted += evicted
