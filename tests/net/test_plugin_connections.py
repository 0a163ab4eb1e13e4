"""Connections and secrets that the runtime lends to plugins, on loopback."""

# mypy: disable-error-code="untyped-decorator"

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import pytest_twisted
from twisted.internet import reactor as installed_reactor  # noqa: TID251  these tests are about the real one
from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.protocol import Factory, Protocol
from twisted.internet.task import Clock
from twisted.internet.testing import MemoryReactorClock

from provd.config.secrets import SecretReader
from provd.net.runtime import TwistedRuntime
from tests.app.running_server import free_ports

reactor: Any = installed_reactor


class Greeted(Protocol):
    """Keeps what it is told."""

    def __init__(self) -> None:
        self.heard: Deferred[bytes] = Deferred()

    def dataReceived(self, data: bytes) -> None:
        self.heard.callback(data)
        assert self.transport is not None
        self.transport.loseConnection()


class Greeter(Protocol):
    def connectionMade(self) -> None:
        assert self.transport is not None
        self.transport.write(b"hello")


def factory(kind: type[Protocol]) -> Any:
    return Factory.forProtocol(kind)


@pytest.fixture
def runtime() -> TwistedRuntime:
    return TwistedRuntime(reactor, secrets=SecretReader({"WORD": "geheim"}))


@pytest_twisted.ensureDeferred
async def test_a_protocol_talks_with_a_server(runtime: TwistedRuntime) -> None:
    port = reactor.listenTCP(0, factory(Greeter), interface="127.0.0.1")
    try:
        made = await runtime.connect_tcp("127.0.0.1", port.getHost().port, factory(Greeted))
        assert await made.heard == b"hello"
    finally:
        await port.stopListening()


@pytest_twisted.ensureDeferred
async def test_nobody_there_is_one_sentence(runtime: TwistedRuntime) -> None:
    (port,) = free_ports(1)
    with pytest.raises(ConnectionError, match=rf"^127\.0\.0\.1 port {port}: .*Connection refused$"):
        await runtime.connect_tcp("127.0.0.1", port, factory(Greeted))


def test_a_server_that_does_not_answer_is_left() -> None:
    # Of Twisted's own, connecting to nobody takes for ever here.
    memory: Any = MemoryReactorClock()  # type: ignore[no-untyped-call]
    found: list[Any] = []
    work = Deferred.fromCoroutine(TwistedRuntime(memory).connect_tcp("127.0.0.1", 25, factory(Greeted), timeout_s=5))
    work.addErrback(found.append)
    memory.advance(4.9)
    assert found == []
    memory.advance(0.2)
    assert found[0].check(TimeoutError)
    assert str(found[0].value) == "127.0.0.1 port 25 did not answer in 5 s"


def test_who_stops_waiting_ends_the_attempt() -> None:
    memory: Any = MemoryReactorClock()  # type: ignore[no-untyped-call]
    found: list[Any] = []
    work = Deferred.fromCoroutine(TwistedRuntime(memory).connect_tcp("127.0.0.1", 25, factory(Greeted), timeout_s=5))
    work.addErrback(found.append)
    work.cancel()
    assert found[0].check(CancelledError)
    assert memory.getDelayedCalls() == []


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (None, "cannot be read: No such file"),
        ("nothing", "holds no certificate in PEM form"),
        ("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", "holds a certificate that cannot be read"),
    ],
)
def test_authorities_that_cannot_be_read_are_told(
    runtime: TwistedRuntime, tmp_path: Path, content: str | None, sentence: str
) -> None:
    file = tmp_path / "ca.pem"
    if content is not None:
        file.write_text(content)
    with pytest.raises(ValueError, match=sentence):
        runtime.client_tls("localhost", str(file))


def test_a_secret_is_read_and_a_wrong_reference_is_told(runtime: TwistedRuntime) -> None:
    assert runtime.secret({"env": "WORD"}) == "geheim"
    assert type(runtime.secret({"env": "WORD"})) is str
    for reference, sentence in (
        ({"env": "GONE"}, "GONE is not set"),
        ({"plain": "geheim"}, "a secret is a table with one of the keys file, env, credential"),
        ({"env": "WORD", "file": "/x"}, "has one of the keys"),
        ({"file": "x"}, "must be an absolute path"),
    ):
        with pytest.raises(ValueError, match=sentence) as caught:
            runtime.secret(reference)
        assert "geheim" not in str(caught.value)


@pytest_twisted.ensureDeferred
async def test_without_a_service_nobody_switches() -> None:
    with pytest.raises(ValueError, match="nobody here switches the power of web1"):
        await TwistedRuntime(Clock()).power("web1", "on")
