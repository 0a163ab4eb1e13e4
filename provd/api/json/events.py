"""Live events for who listens (Server-Sent Events, HTML Living Standard section 9.2)."""

# ruff: noqa: N802 - the method names are Twisted's
# mypy: disable-error-code="no-untyped-call"

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from fnmatch import fnmatchcase
from typing import Any, Final

import msgspec
from twisted.internet.interfaces import IDelayedCall, IPushProducer, IReactorTime
from zope.interface import implementer

from provd.model.event import Event
from provd.plugin.scrub import scrub_value

MOST_LISTENERS: Final = 64
MOST_WAITING: Final = 2000
"""Events that wait for a client that does not read; with one more it is let go, and comes again."""
BEAT_S: Final = 15.0
"""Seconds of silence after which a comment shows that the connection lives."""
_MISSED: Final = b"event: missed\ndata: {}\n\n"
"""More happened since the client's last event than is kept for one: it has to look at everything again."""
Past = Callable[[int, int], Sequence[Event]]


class Feed:
    """Everybody who listens.

    Args:
        clock: for the beat.
        past: at most ``limit`` events with a larger number, the oldest first.
    """

    def __init__(self, clock: IReactorTime, past: Past = lambda _number, _limit: ()) -> None:
        self._clock, self._past = clock, past
        self._streams: dict[Stream, None] = {}

    def on_event(self, event: Event) -> None:
        """Hand an event to every stream that wants it."""
        raw = b""
        for stream in tuple(self._streams):
            # One that is on its way here when a stream begins was among what that had missed.
            if stream.wants(event) and not 0 < event.id <= stream.seen:
                # The same octets for all of them.
                raw = raw or encoded(event)
                stream.tell(raw)

    @property
    def listeners(self) -> int:
        """How many listen."""
        return len(self._streams)

    def open(
        self, request: Any, patterns: tuple[str, ...], still: Callable[[], bool] = lambda: True, last: int | None = None
    ) -> bool:
        """Begin a stream on ``request``; False where too many listen already.

        Args:
            request: a Twisted request, its headers not sent yet.
            patterns: kinds of events as in file name patterns.
            still: whether the client may go on listening.
            last: number of the last event that the client has seen (``Last-Event-ID``); what came later is sent first.
        """
        if len(self._streams) >= MOST_LISTENERS:
            return False
        missed = () if last is None else self._past(last, MOST_WAITING + 1)
        stream = Stream(request, patterns, self._clock, self._gone, still)
        self._streams[stream] = None
        stream.begin()
        if len(missed) > MOST_WAITING:
            stream.tell(_MISSED)
            return True
        for event in filter(stream.wants, missed):
            stream.tell(encoded(event))
        stream.seen = max((event.id for event in missed), default=0)
        return True

    def close(self) -> None:
        """End every stream."""
        for stream in tuple(self._streams):
            stream.end()

    def _gone(self, stream: Stream) -> None:
        self._streams.pop(stream, None)


@implementer(IPushProducer)
class Stream:
    """One client.

    Args:
        request: a Twisted request, its headers not sent yet.
        patterns: kinds of events as in file name patterns.
        clock: for the beat.
        gone: told when it has ended.
        still: whether the client may go on listening; asked before each event and at each beat.

    Attributes:
        seen: number of the last event that was sent as missed.
    """

    def __init__(
        self,
        request: Any,
        patterns: tuple[str, ...],
        clock: IReactorTime,
        gone: Callable[[Stream], None],
        still: Callable[[], bool],
    ) -> None:
        self._request, self._patterns, self._clock, self._told_gone = request, patterns, clock, gone
        self._still = still
        self._waiting: deque[bytes] = deque()
        self.seen = 0
        self._paused = self._over = False
        self._beat: IDelayedCall | None = None

    def begin(self) -> None:
        """Send the headers."""
        headers = self._request.responseHeaders
        headers.setRawHeaders(b"Content-Type", [b"text/event-stream; charset=utf-8"])
        headers.setRawHeaders(b"Cache-Control", [b"no-store"])
        self._request.registerProducer(self, streaming=True)
        self._request.notifyFinish().addBoth(self._lost)
        self._write(b": provd\n\n")

    def wants(self, event: Event) -> bool:
        """Whether the client asked for events of this kind."""
        return any(fnmatchcase(event.kind, pattern) for pattern in self._patterns)

    def tell(self, raw: bytes) -> None:
        """Send a message, now or when the client takes it."""
        if self._over:
            return
        if not self._still():
            self.end()
        elif not self._paused:
            self._write(raw)
        elif len(self._waiting) < MOST_WAITING:
            self._waiting.append(raw)
        else:
            self.end()

    def end(self) -> None:
        """End it; the client may come again."""
        if not self._over:
            self._over = True
            self._request.unregisterProducer()
            self._request.finish()
            self._ended()

    def pauseProducing(self) -> None:
        """The client does not read."""
        self._paused = True

    def resumeProducing(self) -> None:
        """It reads again."""
        self._paused = False
        while self._waiting and not self._paused:
            self._write(self._waiting.popleft())

    def stopProducing(self) -> None:
        """The connection is gone."""

    def _write(self, raw: bytes) -> None:
        self._request.write(raw)
        if self._beat is not None and self._beat.active():
            self._beat.reset(BEAT_S)
        else:
            self._beat = self._clock.callLater(BEAT_S, self._hearten)

    def _hearten(self) -> None:
        if not self._still():
            self.end()
        elif self._paused:
            # Nothing more for a client that does not read; but whether it may listen is asked again.
            self._beat = self._clock.callLater(BEAT_S, self._hearten)
        else:
            self._write(b": beat\n\n")

    def _lost(self, _reason: object) -> None:
        if not self._over:
            self._over = True
            self._ended()

    def _ended(self) -> None:
        if self._beat is not None and self._beat.active():
            self._beat.cancel()
        self._told_gone(self)


def encoded(event: Event) -> bytes:
    """A message of the stream, without secrets (HTML Living Standard, server-sent events)."""
    data = msgspec.json.encode(scrub_value(msgspec.to_builtins(event)), order="deterministic")
    number = f"id: {event.id}\n" if event.id else ""
    return f"{number}event: {event.kind}\n".encode() + b"data: " + data + b"\n\n"
