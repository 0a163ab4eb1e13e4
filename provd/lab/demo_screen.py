"""What the demo shows: a line for each step, and a progress bar where the output is a terminal."""

from __future__ import annotations

import time
from types import TracebackType
from typing import Self

from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

_STEP_PERCENT = 10
_QUIET_S = 15.0


class Screen:
    """Lines with the time since the start, and one progress bar. Plain lines where nobody watches a terminal."""

    def __init__(self, console: Console | None = None) -> None:
        self._console = console or Console(highlight=False, soft_wrap=True)
        self._started = time.monotonic()
        self._bar: Progress | None = None
        self._last = (-_STEP_PERCENT, self._started)
        if self._console.is_terminal:
            columns = (SpinnerColumn(), TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn())
            self._bar = Progress(*columns, console=self._console, transient=True)
            self._task = self._bar.add_task("", total=1.0)

    def __enter__(self) -> Self:
        if self._bar is not None:
            self._bar.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._bar is not None:
            self._bar.stop()

    def elapsed(self) -> float:
        """Seconds since the start or the last `restart`."""
        return time.monotonic() - self._started

    def restart(self) -> None:
        """Count from zero."""
        self._started = time.monotonic()
        self._last = (0, self._started)

    def say(self, text: str) -> None:
        """One line without a time."""
        self._console.print(text, markup=False)

    def step(self, title: str, seen: str = "") -> None:
        """Something happened."""
        detail = f"  ({seen})" if seen else ""
        self._console.print(f"{self.elapsed():7.1f} s  {title}{detail}", markup=False)

    def progress(self, text: str, share: float) -> None:
        """Something goes on; ``share`` is 0.0 to 1.0 of it."""
        if self._bar is not None:
            self._bar.update(self._task, description=text[:60], completed=share)
            return
        percent, at = self._last
        now = time.monotonic()
        if share * 100 < percent + _STEP_PERCENT and now - at < _QUIET_S:
            return
        self._last = (int(share * 100), now)
        self._console.print(f"{self.elapsed():7.1f} s  ... {text} {share:4.0%}", markup=False)
