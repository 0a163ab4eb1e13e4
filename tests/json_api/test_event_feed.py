"""Live events: who does not read is let go, who listens is heartened, secrets stay inside."""

# mypy: disable-error-code="no-untyped-call"

from __future__ import annotations

from dataclasses import replace
from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.task import Clock
from twisted.web.http_headers import Headers

from provd.api.json import events as module
from provd.api.json.events import BEAT_S, MOST_LISTENERS, MOST_WAITING, Feed
from provd.model.event import Event


class FakeRequest:
    """A request whose transport takes what it is told to take."""

    def __init__(self) -> None:
        self.responseHeaders = Headers()
        self.written: list[bytes] = []
        self.finished = False
        self.producer: Any = None
        self._ends: list[Deferred[None]] = []

    def registerProducer(self, producer: Any, streaming: bool) -> None:
        assert streaming
        self.producer = producer

    def unregisterProducer(self) -> None:
        self.producer = None

    def notifyFinish(self) -> Deferred[None]:
        self._ends.append(Deferred())
        return self._ends[-1]

    def write(self, raw: bytes) -> None:
        assert not self.finished
        self.written.append(raw)

    def finish(self) -> None:
        self.finished = True

    def vanish(self) -> None:
        for end in self._ends:
            end.errback(ConnectionError())


def event(kind: str = "install.finished", **fields: object) -> Event:
    return Event(kind, 1.0, "s1", "web1", fields=fields, id=7)


def opened(*patterns: str) -> tuple[Clock, Feed, FakeRequest]:
    clock, request = Clock(), FakeRequest()
    feed = Feed(clock)
    assert feed.open(request, patterns or ("*",))
    return clock, feed, request


def test_who_comes_again_gets_what_was_missed() -> None:
    asked: list[tuple[int, int]] = []

    def past(number: int, limit: int) -> list[Event]:
        asked.append((number, limit))
        return [event(), event("boot.started")]

    request = FakeRequest()
    feed = Feed(Clock(), past)
    assert feed.open(request, ("install.*",), last=3)
    assert asked == [(3, MOST_WAITING + 1)]
    assert len(request.written) == 2
    assert request.written[-1].startswith(b"id: 7\nevent: install.finished\n")


def test_an_event_on_its_way_to_the_listeners_is_not_told_twice_to_who_comes_again() -> None:
    """Events are kept when they happen, and reach the listeners on a later turn."""
    one, other = event(), replace(event("install.started"), id=8)
    request = FakeRequest()
    feed = Feed(Clock(), lambda _number, _limit: [one])
    assert feed.open(request, ("*",), last=3)
    for each in (one, other, replace(one, id=0)):
        feed.on_event(each)
    assert [raw.partition(b"\n")[0] for raw in request.written[1:]] == [b"id: 7", b"id: 8", b"event: install.finished"]


def test_who_missed_too_much_is_told_so() -> None:
    request = FakeRequest()
    feed = Feed(Clock(), lambda _number, limit: [event()] * limit)
    assert feed.open(request, ("boot.*",), last=0)
    assert request.written[1:] == [b"event: missed\ndata: {}\n\n"]


def test_a_revoked_token_hears_nothing_more() -> None:
    allowed = [True]
    clock, request = Clock(), FakeRequest()
    feed = Feed(clock)
    assert feed.open(request, ("*",), lambda: allowed[0])
    feed.on_event(event())
    allowed[0] = False
    feed.on_event(event())
    assert (len(request.written), request.finished, feed.listeners) == (2, True, 0)
    assert clock.getDelayedCalls() == []


def test_a_revoked_token_loses_a_silent_stream_within_a_beat() -> None:
    allowed = [True]
    clock, request = Clock(), FakeRequest()
    feed = Feed(clock)
    assert feed.open(request, ("*",), lambda: allowed[0])
    request.producer.pauseProducing()
    clock.advance(BEAT_S)
    assert (len(request.written), request.finished) == (1, False)
    allowed[0] = False
    clock.advance(BEAT_S)
    assert request.finished
    assert clock.getDelayedCalls() == []


def test_an_event_is_a_message_with_number_kind_and_data() -> None:
    _clock, feed, request = opened("install.*")
    feed.on_event(event("boot.started"))
    feed.on_event(event(text="ok", root_password="x"))
    number, kind, data, *_ = request.written[-1].decode().split("\n")
    assert (number, kind) == ("id: 7", "event: install.finished")
    assert '"root_password":"***"' in data
    assert len(request.written) == 2


def test_silence_is_broken_by_a_comment() -> None:
    clock, feed, request = opened()
    clock.advance(BEAT_S - 1)
    feed.on_event(event())
    clock.advance(BEAT_S - 1)
    assert request.written[-1] != b": beat\n\n"
    clock.advance(2)
    assert request.written[-1] == b": beat\n\n"


def test_who_does_not_read_gets_what_waited_or_is_let_go() -> None:
    _clock, feed, request = opened()
    request.producer.pauseProducing()
    feed.on_event(event())
    assert len(request.written) == 1
    request.producer.resumeProducing()
    assert len(request.written) == 2
    request.producer.pauseProducing()
    for _ in range(MOST_WAITING + 1):
        feed.on_event(event())
    assert request.finished
    assert feed.listeners == 0
    feed.on_event(event())


def test_a_client_that_vanishes_is_forgotten_with_its_timer() -> None:
    clock, feed, request = opened()
    request.vanish()
    assert feed.listeners == 0
    assert clock.getDelayedCalls() == []
    feed.on_event(event())
    assert len(request.written) == 1


def test_there_are_not_more_than_so_many() -> None:
    clock = Clock()
    feed = Feed(clock)
    for _ in range(MOST_LISTENERS):
        assert feed.open(FakeRequest(), ("*",))
    assert not feed.open(FakeRequest(), ("*",))
    feed.close()
    assert feed.listeners == 0
    assert module.BEAT_S < 30
