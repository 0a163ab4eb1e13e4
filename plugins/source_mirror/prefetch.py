"""Files fetched before a machine asks for them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import Protocol

from provd.plugin.api import Runtime, Task

from .order import Item
from .survey import SurveyError

_AT_ONCE = 4
_LOOK_S = 0.25
_MOST_FAILURES = 20
"""Sentences that are kept."""


class Files(Protocol):
    """Fetches for a prefetch, and tells what is there."""

    async def fetch(self, item: Item) -> str:
        """Fetch one file to its end; what went wrong, or empty."""
        ...

    def arrived(self, path: str) -> int:
        """Octets of a file that is on its way, or there; -1 where it is neither."""
        ...

    def there(self, items: Sequence[Item]) -> list[int]:
        """Octets of each file that need not be fetched, else -1; reads the disk, for a thread."""
        ...

    def must_fit(self, missing: int, total: int) -> None:
        """Raise OSError where a list cannot be kept; reads the disk, for a thread."""
        ...


class Prefetch:
    """A list of files on its way into the cache, a few at once.

    Attributes:
        phase: ``indexes`` while the list is made, ``files`` while they are fetched, ``done``, or ``stopped``.
        total: files.
        done: those that are there, or failed.
        failed: those that failed.
        failures: what went wrong with the first twenty of them.

    Args:
        runtime: runs it, whether or not anybody waits.
        files: fetches.
        survey: makes the list.
        dry_run: end when it is known how much it is.
    """

    def __init__(
        self, runtime: Runtime, files: Files, survey: Callable[[], Awaitable[list[Item]]], *, dry_run: bool
    ) -> None:
        self.phase = "indexes"
        self.total = self.done = self.failed = 0
        self.failures: list[str] = []
        self._runtime, self._files, self._survey, self._dry_run = runtime, files, survey, dry_run
        self._octets = self._octets_total = 0
        self._left: list[Item] = []
        self._moving: set[str] = set()
        self._workers: list[Task[None]] = []
        self._task = runtime.background(self._run())

    @property
    def is_over(self) -> bool:
        """Whether nothing more is fetched."""
        return self.phase in {"done", "stopped"}

    def state(self) -> dict[str, object]:
        """What is told of it; octets count where an index or the cache knows them."""
        moving = sum(max(self._files.arrived(path), 0) for path in self._moving)
        return {
            "phase": self.phase,
            "dry_run": self._dry_run,
            "total": self.total,
            "done": self.done,
            "failed": self.failed,
            "bytes_total": max(self._octets_total, self._octets + moving),
            "bytes_done": self._octets + moving,
            "failures": self.failures,
        }

    async def wait(self, most_s: float) -> None:
        """Until every file was tried, or ``most_s`` seconds have passed."""
        for _ in range(int(most_s / _LOOK_S)):
            if self.is_over:
                return
            await self._runtime.sleep(_LOOK_S)

    def close(self) -> None:
        """Stop it."""
        if not self.is_over:
            self.phase = "stopped"
        self._left.clear()
        for task in (*self._workers, self._task):
            task.cancel()

    async def _run(self) -> None:
        try:
            items = await self._survey()
            await self._begin(items)
        except (SurveyError, OSError) as error:
            self._fail(str(error))
            self._left.clear()
        if self._dry_run:
            self._left.clear()
        if self._left:
            self.phase = "files"
            self._workers = [self._runtime.background(self._work()) for _ in range(_AT_ONCE)]
            for worker in self._workers:
                await worker
        if not self.is_over:
            self.phase = "done"

    async def _begin(self, items: Sequence[Item]) -> None:
        """Leave out what is there; see that the rest can be kept."""
        sizes = await self._runtime.in_thread(lambda: self._files.there(items))
        self.total = len(items)
        self.done = sum(size >= 0 for size in sizes)
        self._octets = sum(size for size in sizes if size >= 0)
        self._left = [item for item, size in zip(items, sizes, strict=True) if size < 0]
        missing = sum(item.size for item in self._left if item.size > 0)
        self._octets_total = self._octets + missing
        await self._runtime.in_thread(lambda: self._files.must_fit(missing, self._octets_total))
        self._left.reverse()

    async def _work(self) -> None:
        while self._left:
            item = self._left.pop()
            self._moving.add(item.path)
            try:
                why = await self._files.fetch(item)
            finally:
                self._moving.discard(item.path)
            self.done += 1
            if why:
                self._fail(why)
            else:
                self._octets += max(self._files.arrived(item.path), 0)

    def _fail(self, why: str) -> None:
        self.failed += 1
        self.failures = [*self.failures, why][:_MOST_FAILURES]
