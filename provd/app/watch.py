"""Notices changed TOML files and templates (inotify), and asks for one reload when the writing has calmed down."""

# mypy: disable-error-code="no-untyped-call"
from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Final

from twisted.internet import inotify
from twisted.internet.interfaces import IDelayedCall, IReactorFDSet, IReactorTime
from twisted.logger import Logger
from twisted.python.filepath import FilePath

_CHANGES: Final = (
    inotify.IN_CLOSE_WRITE | inotify.IN_CREATE | inotify.IN_DELETE | inotify.IN_MOVED_FROM | inotify.IN_MOVED_TO
)
CALM_S: Final = 0.2
"""Seconds without a further change before the reload: editors write, rename and delete in one go."""


class Watch:
    """Watches directories, not files, because editors replace files.

    Args:
        reactor: descriptors for inotify.
        clock: the timer for the calm.
        changed: called once after a burst of changes.
        wanted: whether a changed file matters.
    """

    def __init__(
        self,
        reactor: IReactorFDSet,
        clock: IReactorTime,
        changed: Callable[[], object],
        wanted: Callable[[Path], bool],
    ) -> None:
        self._clock = clock
        self._changed = changed
        self._wanted = wanted
        self._timer: IDelayedCall | None = None
        self._notifier = inotify.INotify(reactor=reactor)
        self._logger = Logger(namespace="provd.watch")

    def start(self, directories: Iterable[Path]) -> None:
        """Watch every directory that exists; the others are read again at the next reload all the same."""
        self._notifier.startReading()
        for directory in directories:
            if directory.is_dir():
                self._notifier.watch(FilePath(str(directory)), mask=_CHANGES, callbacks=[self._event])

    def _event(self, _watch: object, path: FilePath[str], _mask: int) -> None:
        if not self._wanted(Path(os.fsdecode(path.path))):
            return
        if self._timer is not None and self._timer.active():
            self._timer.reset(CALM_S)
        else:
            self._timer = self._clock.callLater(CALM_S, self._calm)

    def _calm(self) -> None:
        self._logger.debug("files changed")
        self._changed()

    def stop(self) -> None:
        """Stop watching; a reload that waits for calm is forgotten."""
        if self._timer is not None and self._timer.active():
            self._timer.cancel()
        if self._notifier.connected:
            self._notifier.loseConnection()
