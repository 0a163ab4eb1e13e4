"""A store in SQLite whose writing thread waits where the test says so."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from pathlib import Path

from provd.store.sqlite import SqliteStore

NOW = 1_700_000_000.0


class Slow:
    """A store whose writing thread waits where the test says so."""

    def __init__(self, folder: Path) -> None:
        self.turns: deque[Callable[[], None]] = deque()
        self.path = folder / "provd.db"
        self.store = SqliteStore(self.path, deliver=self.turns.append, wall=lambda: NOW)
        self.writer = self.store.sessions._database.writer
        self.goes_on = threading.Event()
        self.open = True

    def hold(self) -> None:
        """The writing thread stands still from now on."""
        stands = threading.Event()

        def work(_connection: object) -> None:
            stands.set()
            assert self.goes_on.wait(10)

        self.writer.submit(work, lambda _error: None)
        assert stands.wait(10)

    def units(self) -> int:
        """Writes that wait."""
        return len(self.writer._waiting)

    def close(self) -> None:
        self.goes_on.set()
        if self.open:
            self.open = False
            self.store.close()
        while self.turns:
            self.turns.popleft()()
