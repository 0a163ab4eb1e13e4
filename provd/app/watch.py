"""Notices changed TOML files and templates (inotify), and asks for one reload when the writing has calmed down."""

# mypy: disable-error-code="no-untyped-call"
from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path
from typing import Final

from twisted.internet import inotify
from twisted.internet.interfaces import IDelayedCall, IReactorFDSet, IReactorTime
from twisted.logger import Logger
from twisted.python.filepath import FilePath

_CHANGES: Final = (
    inotify.IN_CLOSE_WRITE | inotify.IN_CREATE | inotify.IN_DELETE | inotify.IN_MOVED_FROM | inotify.IN_MOVED_TO
)
_GONE: Final = inotify.IN_DELETE | inotify.IN_MOVED_FROM
CALM_S: Final = 0.2
"""Seconds without a further change before the reload: editors write, rename and delete in one go."""


class _Notifier(inotify.INotify):
    """Twisted's gives up altogether when one of its directories goes; this one goes on with the others."""

    def loseConnection(self) -> None:  # noqa: N802
        """One directory is gone."""

    def end(self) -> None:
        """Stop reading."""
        super().loseConnection()


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
        self._directories: frozenset[Path] = frozenset()
        self._notifier = _Notifier(reactor=reactor)
        self._logger = Logger(namespace="provd.watch")

    def start(self, directories: Iterable[Path]) -> None:
        """Watch every directory; one that is not there yet as soon as its parent, if that is watched, has it."""
        self._notifier.startReading()
        self._directories = frozenset(directories)
        for directory in sorted(self._directories):
            self._look_into(directory)

    def _look_into(self, directory: Path) -> None:
        if directory.is_dir():
            self._notifier.watch(FilePath(str(directory)), mask=_CHANGES, callbacks=[self._event])

    def _event(self, _watch: object, found: FilePath[str], mask: int) -> None:
        path = Path(os.fsdecode(found.path))
        if path in self._directories:
            if mask & _GONE:
                with suppress(KeyError):  # one that was removed is not watched any more, one that was renamed is
                    self._notifier.ignore(found)
            for directory in sorted(one for one in self._directories if one == path or path in one.parents):
                self._look_into(directory)
        if not self._wanted(path):
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
            self._notifier.end()
