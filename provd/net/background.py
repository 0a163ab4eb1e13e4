"""Coroutines that run for nobody in particular, and that any number may await."""

from __future__ import annotations

from collections.abc import Coroutine, Generator
from typing import Any, Generic, TypeVar

from twisted.internet.defer import Deferred
from twisted.python.failure import Failure

T = TypeVar("T")


class BackgroundTask(Generic[T]):
    """Implements :class:`provd.plugin.runtime.Task`: a Deferred has one result for one chain, this one for many."""

    def __init__(self, work: Coroutine[Any, Any, T]) -> None:
        self._waiters: list[Deferred[T]] = []
        self._outcome: T | Failure | None = None
        self._done = False
        self._work = Deferred.fromCoroutine(work)
        self._work.addBoth(self._ended)

    @property
    def done(self) -> bool:
        """It has ended."""
        return self._done

    def cancel(self) -> None:
        """Stop it; harmless where it has ended."""
        self._work.cancel()

    def __await__(self) -> Generator[Any, Any, T]:
        return self._result().__await__()

    async def _result(self) -> T:
        waiter: Deferred[T] = Deferred(self._waiters.remove)
        if self._done:
            self._tell(waiter)
        else:
            self._waiters.append(waiter)
        return await waiter

    def _ended(self, outcome: T | Failure) -> None:
        self._done, self._outcome = True, outcome
        waiters, self._waiters = self._waiters, []
        for waiter in waiters:
            if not waiter.called:  # one that was woken may have cancelled another
                self._tell(waiter)

    def _tell(self, waiter: Deferred[T]) -> None:
        outcome: Any = self._outcome
        if isinstance(outcome, Failure):
            waiter.errback(outcome)
        else:
            waiter.callback(outcome)
