"""Fixtures of the service floor."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from twisted.logger import ILogObserver, LogEvent, globalLogPublisher
from zope.interface import implementer


@pytest.fixture
def logged_failures() -> Iterator[list[object]]:
    """Failures that were logged during the test."""
    found: list[object] = []

    @implementer(ILogObserver)
    class Observer:
        def __call__(self, event: LogEvent) -> None:
            if "log_failure" in event:
                found.append(event["log_failure"])

    observer = Observer()
    globalLogPublisher.addObserver(observer)
    yield found
    globalLogPublisher.removeObserver(observer)


@implementer(ILogObserver)
class Sentences:
    """Remembers the sentences that were logged."""

    def __init__(self) -> None:
        self.found: list[str] = []

    def __call__(self, event: LogEvent) -> None:
        if "sentence" in event:
            self.found.append(str(event["sentence"]))


@pytest.fixture
def logged_sentences() -> Iterator[list[str]]:
    observer = Sentences()
    globalLogPublisher.addObserver(observer)
    yield observer.found
    globalLogPublisher.removeObserver(observer)
