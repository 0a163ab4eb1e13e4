"""The prefetches of one mirror: one at a time, none where upstream must not be asked."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from provd.plugin.api import Runtime

from .cache import Cache, is_plain
from .freshness import Freshness
from .limit import SizeLimit
from .order import Item, Order
from .prefetch import Prefetch
from .survey import Survey


class Fetching(Protocol):
    """What the mirror itself does."""

    async def whole(self, path: str) -> str:
        """Fetch one file to its end; what went wrong, or empty."""
        ...

    async def newest(self, path: str) -> str:
        """The same, and upstream is asked even where the copy is young."""
        ...

    async def measured(self, path: str) -> int:
        """Octets of a file, -1 where nobody tells."""
        ...

    def moving(self, path: str) -> int:
        """Octets that came of a file that is being fetched; -1 where it is not."""
        ...


class Prefetcher:
    """Begins prefetches, and fetches for them.

    Attributes:
        newest: the one that runs, or ran last.

    Args:
        name: of the mirror.
        cache: where files are kept.
        fresh: what need not be asked for.
        limit: how much is kept.
        mirror: fetches.
        offline: upstream must not be asked.
    """

    def __init__(
        self, name: str, cache: Cache, fresh: Freshness, limit: SizeLimit, mirror: Fetching, *, offline: bool
    ) -> None:
        self.newest: Prefetch | None = None
        self._name, self._offline = name, offline
        self._cache, self._fresh, self._limit, self._mirror = cache, fresh, limit, mirror

    def begin(self, runtime: Runtime, order: Order, *, dry_run: bool) -> Prefetch:
        """Begin to fetch files.

        Raises:
            ValueError: upstream must not be asked, another list is under way, or nothing can be meant.
        """
        order.check()
        if self._offline:
            raise ValueError(f"mirror {self._name} is offline: it fetches nothing")
        if self.newest is not None and not self.newest.is_over:
            raise ValueError(
                f"mirror {self._name} prefetches already: mirror prefetched tells how far, mirror cancel stops it"
            )
        survey = Survey(runtime, self._mirror.newest, self._mirror.measured, self._cache.file)
        self.newest = Prefetch(runtime, self, lambda: survey.items(order), dry_run=dry_run)
        return self.newest

    def close(self) -> None:
        """Stop what runs."""
        if self.newest is not None:
            self.newest.close()

    def describe(self) -> str:
        """How far the newest one is, or empty."""
        return f"{self.newest.done} of {self.newest.total}" if self.newest is not None else ""

    async def fetch(self, item: Item) -> str:
        """Fetch one file to its end; what went wrong, or empty. That upstream lacks what is optional is not wrong."""
        why = await self._mirror.whole(item.path)
        return "" if item.optional and self._fresh.is_absent(item.path) else why

    def arrived(self, path: str) -> int:
        """Octets of a file that is on its way, or there; -1 where it is neither."""
        moving = self._mirror.moving(path)
        if moving >= 0:
            return moving
        cached = self._cache.find(path) if is_plain(path) else None
        return cached.facts.length if cached is not None else -1

    def there(self, items: Sequence[Item]) -> list[int]:
        """Octets of each file that need not be fetched, else -1; reads the disk, for a thread."""
        return [self.arrived(one.path) if is_plain(one.path) and self._fresh.usable(one.path) else -1 for one in items]

    def must_fit(self, missing: int, total: int) -> None:
        """See :meth:`.limit.SizeLimit.must_fit`."""
        self._limit.must_fit(missing, total)
