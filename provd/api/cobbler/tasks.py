"""Background tasks: provd has little to do in the background, so most are done when their number is told."""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from twisted.logger import Logger

_KEPT: Final = 1000
_LOG_OCTETS: Final = 4 * 1024 * 1024


@dataclass(slots=True)
class Task:
    """One task.

    Attributes:
        id: as clients ask for it.
        name: what it does.
        started: seconds since the epoch.
        state: ``running``, ``complete`` or ``failed``.
        lines: its log.
        read_by: users who were told of it.
    """

    id: str
    name: str
    started: float
    state: str = "running"
    lines: list[str] = field(default_factory=list)
    read_by: list[str] = field(default_factory=list)

    def row(self) -> list[object]:
        """The event as Cobbler tells it."""
        return [self.started, self.name, self.state, list(self.read_by)]


class Tasks:
    """Tasks of this run, the newest thousand.

    Args:
        wall: seconds since the epoch.
        log: file that Cobbler's command follows; None for none.
    """

    def __init__(self, wall: Callable[[], float], log: Path | None) -> None:
        self._wall, self._log = wall, log
        self._logger = Logger(namespace="provd.cobbler")
        self._begun = 0
        self.tasks: OrderedDict[str, Task] = OrderedDict()

    def begin(self, name: str) -> Task:
        """A new task."""
        now = self._wall()
        stamp = time.strftime("%Y-%m-%d_%H%M%S", time.localtime(now))
        self._begun += 1
        task = Task(f"{stamp}_{name.replace(' ', '_')}_{self._begun}", name, now)
        self.tasks[task.id] = task
        while len(self.tasks) > _KEPT:
            self.tasks.popitem(last=False)
        self._write(task, f"start_task({name}); event_id({task.id})")
        return task

    def say(self, task: Task, line: str) -> None:
        """A line of its log."""
        task.lines.append(line)
        self._write(task, line)

    def end(self, task: Task, *, failed: bool = False) -> None:
        """The task is over."""
        task.state = "failed" if failed else "complete"
        self._write(task, f"### TASK {'FAILED' if failed else 'COMPLETE'} ###")

    def _write(self, task: Task, line: str) -> None:
        """As Cobbler's command looks for it: the number first, the text behind a bar."""
        if self._log is None:
            return
        stamp = time.strftime("%Y-%m-%dT%H:%M:%S", time.localtime(self._wall()))
        try:
            long = self._log.exists() and self._log.stat().st_size > _LOG_OCTETS
            with self._log.open("w" if long else "a", encoding="utf-8") as file:
                file.writelines(f"[{task.id}] {stamp} - INFO | {part}\n" for part in line.splitlines() or [""])
        except OSError as error:
            self._logger.warn("task log {file}: {error}", file=str(self._log), error=error.strerror)
