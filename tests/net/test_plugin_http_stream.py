"""HTTP streams and background tasks of the plugin runtime, on loopback and on Deferreds."""

from __future__ import annotations

from typing import Any

import pytest
import pytest_twisted
from twisted.internet import reactor as installed_reactor  # noqa: TID251  these tests are about the real one
from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.protocol import Factory, Protocol

from provd.net.background import BackgroundTask
from provd.net.runtime import TwistedRuntime

reactor: Any = installed_reactor
_factory: Any = Factory


class _Raw(Protocol):
    """Answers every connection with the same octets."""

    transport: Any

    def dataReceived(self, data: bytes) -> None:
        self.factory.asked.append(data)
        octets, close = self.factory.answer
        self.transport.write(octets)
        if close:
            self.transport.loseConnection()

    def connectionLost(self, reason: Any = None) -> None:
        self.factory.gone.callback(None)


class Upstream:
    """A server on loopback that sends raw octets."""

    def __init__(self, octets: bytes, *, close: bool = True) -> None:
        factory = _factory.forProtocol(_Raw)
        factory.answer, factory.asked, factory.gone = (octets, close), [], Deferred()
        self.asked: list[bytes] = factory.asked
        self.gone: Deferred[None] = factory.gone
        self._port = reactor.listenTCP(0, factory, interface="127.0.0.1")
        self.url = f"http://127.0.0.1:{self._port.getHost().port}/a"

    async def close(self) -> None:
        await self._port.stopListening()


@pytest.fixture
def runtime() -> TwistedRuntime:
    return TwistedRuntime(reactor)


async def read_all(stream: Any) -> bytes:
    parts = []
    while part := await stream.read():
        parts.append(part)
    return b"".join(parts)


@pytest_twisted.ensureDeferred
async def test_a_body_of_known_length(runtime: TwistedRuntime) -> None:
    server = Upstream(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nX-A: 1\r\nX-A: 2\r\n\r\nhello")
    stream = await runtime.http_stream("GET", server.url, headers={"X-Asked": "yes"})
    assert (stream.status, stream.length, stream.headers["x-a"]) == (200, 5, "1, 2")
    assert await read_all(stream) == b"hello"
    assert await stream.read() == b""
    assert b"x-asked: yes" in server.asked[0].lower()
    await server.gone
    await server.close()


@pytest_twisted.ensureDeferred
async def test_head_tells_the_length_that_get_would_send(runtime: TwistedRuntime) -> None:
    server = Upstream(b"HTTP/1.1 200 OK\r\nContent-Length: 700\r\n\r\n")
    stream = await runtime.http_stream("HEAD", server.url)
    assert (stream.length, await stream.read()) == (700, b"")
    await server.close()


@pytest_twisted.ensureDeferred
async def test_a_chunked_body_has_no_length_and_an_end(runtime: TwistedRuntime) -> None:
    server = Upstream(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n")
    stream = await runtime.http_stream("GET", server.url)
    assert (stream.length, await read_all(stream)) == (-1, b"abc")
    await server.close()


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n",
        b"HTTP/1.1 200 OK\r\n\r\nabc",
    ],
    ids=["short", "chunked", "no end"],
)
@pytest_twisted.ensureDeferred
async def test_a_body_without_its_end_is_broken(runtime: TwistedRuntime, answer: bytes) -> None:
    server = Upstream(answer)
    stream = await runtime.http_stream("GET", server.url)
    assert await stream.read() == b"abc"
    for _ in range(2):
        with pytest.raises(ConnectionError, match="broke off"):
            await stream.read()
    await server.close()


@pytest_twisted.ensureDeferred
async def test_a_large_body_arrives_whole_through_a_small_buffer(runtime: TwistedRuntime) -> None:
    body = bytes(range(256)) * 16384
    server = Upstream(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(body) + body)
    stream = await runtime.http_stream("GET", server.url)
    largest, found = 0, b""
    while part := await stream.read():
        largest, found = max(largest, len(part)), found + part
        await runtime.sleep(0.001)
    assert found == body
    assert largest <= 512 * 1024
    await server.close()


@pytest_twisted.ensureDeferred
async def test_no_headers_and_no_octets_are_timeouts(runtime: TwistedRuntime) -> None:
    silent = Upstream(b"", close=False)
    with pytest.raises(TimeoutError, match=r"no answer in 0\.05 s"):
        await runtime.http_stream("GET", silent.url, timeout_s=0.05)
    await silent.gone
    await silent.close()
    stalled = Upstream(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc", close=False)
    stream = await runtime.http_stream("GET", stalled.url, stall_s=0.05)
    assert await stream.read() == b"abc"
    with pytest.raises(TimeoutError, match=r"nothing came for 0\.05 s"):
        await stream.read()
    await stalled.gone
    await stalled.close()


@pytest_twisted.ensureDeferred
async def test_nobody_there(runtime: TwistedRuntime) -> None:
    server = Upstream(b"")
    await server.close()
    with pytest.raises(ConnectionError):
        await runtime.http_stream("GET", server.url)


@pytest_twisted.ensureDeferred
async def test_what_is_no_http_is_told_in_words(runtime: TwistedRuntime) -> None:
    server = Upstream(b"SSH-2.0-x\r\n")
    with pytest.raises(ConnectionError) as caught:
        await runtime.http_stream("GET", server.url)
    assert "object at 0x" not in str(caught.value)
    await server.close()


@pytest_twisted.ensureDeferred
async def test_closing_ends_the_connection(runtime: TwistedRuntime) -> None:
    server = Upstream(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc", close=False)
    stream = await runtime.http_stream("GET", server.url)
    stream.close()
    await server.gone
    await server.close()


class Work:
    """A coroutine that waits until it is told."""

    def __init__(self) -> None:
        self.gate: Deferred[str] = Deferred()

    async def run(self) -> str:
        return await self.gate


def outcomes(task: BackgroundTask[str], count: int) -> tuple[list[str], list[Deferred[None]]]:
    """What ``count`` waiters get."""
    found: list[str] = []

    async def wait() -> None:
        try:
            found.append(await task)
        except Exception as error:  # noqa: BLE001 - the test looks at it
            found.append(type(error).__name__)

    return found, [Deferred.fromCoroutine(wait()) for _ in range(count)]


def test_everybody_gets_the_value_before_and_after_the_end() -> None:
    work = Work()
    task = BackgroundTask(work.run())
    found, _ = outcomes(task, 2)
    assert (found, task.done) == ([], False)
    work.gate.callback("x")
    assert (found, task.done) == (["x", "x"], True)
    assert outcomes(task, 1)[0] == ["x"]


def test_everybody_gets_the_exception() -> None:
    work = Work()
    task = BackgroundTask(work.run())
    found, _ = outcomes(task, 2)
    work.gate.errback(OSError("no"))
    assert (found, outcomes(task, 1)[0]) == (["OSError", "OSError"], ["OSError"])


def test_who_stops_waiting_does_not_stop_the_work() -> None:
    work = Work()
    task = BackgroundTask(work.run())
    found, waiters = outcomes(task, 2)
    waiters[0].cancel()
    assert found == [CancelledError.__name__]
    work.gate.callback("x")
    assert found == [CancelledError.__name__, "x"]


def test_cancelling_the_work_tells_everybody() -> None:
    task = BackgroundTask(Work().run())
    found, _ = outcomes(task, 2)
    task.cancel()
    assert (found, task.done) == ([CancelledError.__name__] * 2, True)
    task.cancel()


def test_a_failure_that_nobody_awaits_is_nobodys() -> None:
    work = Work()
    task = BackgroundTask(work.run())
    work.gate.errback(OSError("no"))
    assert task.done


@pytest_twisted.ensureDeferred
async def test_a_proxy_is_asked_with_the_whole_url(runtime: TwistedRuntime) -> None:
    proxy = Upstream(b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabc")
    try:
        stream = await runtime.http_stream("GET", "http://mirror.invalid/a.deb", proxy=proxy.url)
        assert await read_all(stream) == b"abc"
        assert proxy.asked[0].startswith(b"GET http://mirror.invalid/a.deb HTTP/1.1\r\n")
        assert b"\r\nHost: mirror.invalid\r\n" in proxy.asked[0]
        with pytest.raises(ConnectionError, match="only http goes through a proxy"):
            await runtime.http_stream("GET", "https://mirror.invalid/a.deb", proxy=proxy.url)
        assert len(proxy.asked) == 1
    finally:
        await proxy.close()
