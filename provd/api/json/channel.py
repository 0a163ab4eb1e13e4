"""Connections of the JSON listener: so many at once, and a request has to arrive within a time."""

# ruff: noqa: N802 - the names are Twisted's
# mypy: disable-error-code="no-untyped-call,no-untyped-def"

from __future__ import annotations

from collections import Counter
from typing import Any, Final

from twisted.internet.interfaces import IDelayedCall
from twisted.python.failure import Failure
from twisted.web.http import HTTPChannel, Request

MOST: Final = 512
MOST_OF_ONE: Final = 128
"""Connections of one address."""
ARRIVE_S: Final = 60.0
"""Seconds from the connection, or from the end of the last answer, until the next request is there as a whole; octet by
octet nobody holds a connection longer."""


class Connections:
    """How many there are, by address."""

    def __init__(self) -> None:
        self._of: Counter[str] = Counter()

    def enter(self, host: str) -> bool:
        """Count one more; False where there are too many already."""
        if self._of.total() >= MOST or self._of[host] >= MOST_OF_ONE:
            return False
        self._of[host] += 1
        return True

    def leave(self, host: str) -> None:
        """Count one less."""
        self._of[host] -= 1
        if self._of[host] <= 0:
            del self._of[host]

    @property
    def open(self) -> int:
        """How many there are."""
        return self._of.total()


class JsonChannel(HTTPChannel):
    """One connection.

    Args:
        connections: where it counts; it has been counted already.
        host: address of the client.
    """

    def __init__(self, connections: Connections, host: str) -> None:
        super().__init__()
        self._connections, self._host = connections, host
        self._deadline: IDelayedCall | None = None

    def connectionMade(self) -> None:
        """From now on a request is waited for."""
        super().connectionMade()
        self._wait()

    def allContentReceived(self) -> None:
        """The request is there; its answer may take its time."""
        self._stop()
        super().allContentReceived()

    def requestDone(self, request: Request) -> None:
        """The next one is waited for."""
        # Before: what has arrived already is answered within.
        self._wait()
        super().requestDone(request)

    def connectionLost(self, reason: Failure) -> None:  # type: ignore[override]
        """Count it no more."""
        self._stop()
        self._connections.leave(self._host)
        super().connectionLost(reason)

    def _wait(self) -> None:
        self._stop()
        transport: Any = self.transport
        self._deadline = self.callLater(ARRIVE_S, transport.abortConnection)

    def _stop(self) -> None:
        if self._deadline is not None and self._deadline.active():
            self._deadline.cancel()
        self._deadline = None
