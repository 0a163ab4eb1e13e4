"""An awaited body of a plugin: what it comes to is checked, and keeps the plugin object open."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest
from twisted.internet.defer import Deferred

from provd.plugin.api import AwaitedBody, Content, FileRequest, NotFound, Settings, StreamBody, hookimpl
from provd.plugin.guard import WrongValueError
from provd.plugin.host import PluginHost
from provd.testing.runtime import run_now
from tests.fakes.plugin_world import file_request, host_of, made


class Word(Settings, frozen=True):
    """One setting, so that it can be swapped."""

    word: str = "old"


class Awaiting:
    """Answers with what it is told to."""

    def __init__(self, coming: Any) -> None:
        self.coming = coming
        self.closed = False

    @hookimpl
    def provd_file(self, request: FileRequest) -> Content | NotFound | None:
        return Content(AwaitedBody(self.answer), -1)

    async def answer(self) -> Any:
        return await self.coming if isinstance(self.coming, Deferred) else self.coming

    def close(self) -> None:
        self.closed = True


def world(coming: Any) -> tuple[PluginHost, list[Awaiting]]:
    built: list[Awaiting] = []

    def build(_settings: Word) -> Awaiting:
        built.append(Awaiting(coming))
        return built[-1]

    return host_of(made("awaiting", build, Word)), built


def promise(host: PluginHost) -> Any:
    content = host.file(file_request("x"))
    assert isinstance(content, Content)
    assert isinstance(content.body, AwaitedBody)
    return content.body.answer


async def octets(start: int, stop: int) -> AsyncIterator[bytes]:
    yield b"one"
    yield b"two"


@pytest.mark.parametrize("coming", [NotFound("no", status=502), Content(b"x", 1)])
def test_what_is_promised_comes(coming: Content | NotFound) -> None:
    host, _ = world(coming)
    assert run_now(promise(host)()) == coming


@pytest.mark.parametrize("coming", [None, "text", Content(b"x", 7), Content(AwaitedBody(lambda: None), -1)])  # type: ignore[arg-type,return-value]
def test_what_no_hook_may_return_does_not_come_later_either(coming: Any) -> None:
    host, _ = world(coming)
    with pytest.raises(WrongValueError):
        run_now(promise(host)())


def test_the_object_stays_open_until_the_answer_and_its_stream_have_ended() -> None:
    coming: Deferred[Any] = Deferred()
    host, built = world(coming)
    found: list[Content] = []
    answer = promise(host)

    async def wait() -> None:
        found.append(await answer())

    Deferred.fromCoroutine(wait())
    host.swap("awaiting", {"word": "new"})
    assert not built[0].closed
    coming.callback(Content(StreamBody(octets), 6))
    assert not built[0].closed
    body = found.pop().body
    assert isinstance(body, StreamBody)
    stream = body.open(0, 6)
    del body
    assert run_now(anext(stream)) == b"one"
    assert not built[0].closed
    run_now(stream.aclose())  # type: ignore[attr-defined]
    del stream
    assert built[0].closed
