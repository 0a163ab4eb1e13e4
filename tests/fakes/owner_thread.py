"""The thread that owns a store, as far as tests need it: delivered functions run when the test waits."""

from __future__ import annotations

from collections.abc import Callable
from queue import Queue

from provd.store.interface import Done


class OwnerThread:
    """Takes the place of ``reactor.callFromThread``."""

    def __init__(self) -> None:
        self._queue: Queue[Callable[[], None]] = Queue()

    def deliver(self, function: Callable[[], None]) -> None:
        """Run ``function`` when somebody waits; callable from any thread."""
        self._queue.put(function)

    def wait(self, start: Callable[[Done], None]) -> None:
        """Start something and run what is delivered until it is done; raises its error."""
        told: list[Exception | None] = []
        start(told.append)
        while not told:
            self._queue.get(timeout=20)()
        if told[0] is not None:
            raise told[0]

    def run_delivered(self) -> None:
        """Run what has been delivered so far."""
        while not self._queue.empty():
            self._queue.get()()
