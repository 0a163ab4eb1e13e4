"""A spinner for calls that take longer than a moment."""

from __future__ import annotations

import sys
from threading import Lock, Timer
from typing import Any, Final, Self

AFTER_S: Final = 0.5
"""Seconds after which something is shown: most calls end before."""


class Waiting:
    """Shows on standard error what is waited for.

    Args:
        text: what is waited for.
    """

    def __init__(self, text: str) -> None:
        self._text = text
        self._lock = Lock()
        self._ended = False
        self._status: Any = None
        self._timer = Timer(AFTER_S, self._begin)
        self._timer.daemon = True

    def __enter__(self) -> Self:
        """Begin to wait."""
        self._timer.start()
        return self

    def __exit__(self, *_error: object) -> None:
        """Take away what is shown."""
        self._timer.cancel()
        with self._lock:
            self._ended = True
            if self._status is not None:
                self._status.stop()

    def say(self, text: str) -> None:
        """Change what is shown."""
        with self._lock:
            self._text = text
            if self._status is not None:
                self._status.update(text)

    def _begin(self) -> None:
        from provd.cli.tables import console

        # The import takes a while, and the text may have changed meanwhile.
        with self._lock:
            if not self._ended:
                self._status = console(sys.stderr).status(self._text)
                self._status.start()
