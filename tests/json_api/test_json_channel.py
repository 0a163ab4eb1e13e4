"""Connections of the JSON listener are counted and do not wait for ever."""

# mypy: disable-error-code="no-untyped-call"

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from twisted.internet.address import IPv4Address
from twisted.internet.defer import Deferred
from twisted.internet.error import ConnectionDone
from twisted.internet.task import Clock
from twisted.internet.testing import StringTransportWithDisconnection
from twisted.python.failure import Failure

from provd.api.json.channel import ARRIVE_S, MOST, MOST_OF_ONE
from provd.api.json.events import Feed
from provd.api.json.server import Backend, JsonSite
from provd.service.operations import OperationTable


class Transport(StringTransportWithDisconnection):
    """Knows when it was cut off."""

    aborted = False

    def abortConnection(self) -> None:
        self.aborted = True
        self.protocol.connectionLost(Failure(ConnectionDone()))

    def loseConnection(self) -> None:
        self.aborted = True


def site_of(clock: Clock, access: Any = None) -> JsonSite:
    return JsonSite(clock, Backend(OperationTable(), access, Feed(clock), lambda: "", lambda: (b"", ""), "0"))


def connect(site: JsonSite, host: str = "10.0.0.9") -> Any:
    channel: Any = site.buildProtocol(IPv4Address("TCP", host, 1))
    if channel is not None:
        transport = Transport()
        transport.protocol = channel
        channel.makeConnection(transport)
    return channel


def test_who_sends_octet_by_octet_is_cut_off() -> None:
    clock = Clock()
    site = site_of(clock)
    channel = connect(site)
    transport = channel.transport
    channel.dataReceived(b"GET /healthz HTTP/1.1\r\nX: ")
    for _ in range(int(ARRIVE_S) - 1):
        clock.advance(1)
        channel.dataReceived(b"x")
    assert (transport.aborted, site.connections.open) == (False, 1)
    clock.advance(1.5)
    assert (transport.aborted, site.connections.open) == (True, 0)


def test_a_connection_that_says_nothing_is_cut_off() -> None:
    clock = Clock()
    site = site_of(clock)
    transport = connect(site).transport
    clock.advance(ARRIVE_S + 1)
    assert transport.aborted


def test_one_request_after_another_has_its_own_time() -> None:
    clock = Clock()
    site = site_of(clock)
    channel = connect(site)
    transport = channel.transport
    for _ in range(5):
        clock.advance(ARRIVE_S / 2)
        channel.dataReceived(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
    assert transport.value().count(b"200 OK") == 5
    assert not transport.aborted
    channel.connectionLost(Failure(ConnectionDone()))
    assert site.connections.open == 0
    assert not [call for call in clock.getDelayedCalls() if call.active()]


def test_an_answer_that_takes_long_is_not_cut_off_also_behind_another_request() -> None:
    clock = Clock()
    first: Deferred[Any] = Deferred()
    second: Deferred[Any] = Deferred()
    answers = iter((first, second))
    channel = connect(site_of(clock, SimpleNamespace(login=lambda *_: next(answers))))
    transport = channel.transport
    body = b'{"user": "a", "password": "b"}'
    login = b"POST /v1/login HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body)
    channel.dataReceived(login + login)
    done = SimpleNamespace(token="t", record=SimpleNamespace(role="read", expires_at=1.0))
    clock.advance(ARRIVE_S * 3)
    first.callback(done)
    clock.advance(ARRIVE_S * 3)
    assert not transport.aborted
    second.callback(done)
    assert transport.value().count(b"200 OK") == 2
    clock.advance(ARRIVE_S + 1)
    assert transport.aborted


def test_there_are_so_many_connections_of_one_and_of_all() -> None:
    site = site_of(Clock())
    first = [connect(site) for _ in range(MOST_OF_ONE)]
    assert all(first)
    assert connect(site) is None
    for number in range(MOST - MOST_OF_ONE):
        assert connect(site, f"10.0.{1 + number // 100}.{number % 100}")
    assert connect(site, "10.9.9.9") is None
    first[0].connectionLost(Failure(ConnectionDone()))
    assert connect(site, "10.9.9.9")
