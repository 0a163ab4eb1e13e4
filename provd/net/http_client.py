"""HTTP requests whose answers are short: the beginning of the body in one piece."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from io import BytesIO
from typing import Any
from urllib.parse import urlsplit

from twisted.internet.defer import Deferred
from twisted.internet.endpoints import HostnameEndpoint
from twisted.internet.protocol import Protocol
from twisted.web.client import Agent, FileBodyProducer, HTTPConnectionPool, ProxyAgent, ResponseDone
from twisted.web.http_headers import Headers
from twisted.web.iweb import IAgent

from provd.plugin.runtime import MOST_OUTPUT

# Twisted's client classes carry no annotations
_agent: Any = Agent
_proxy_agent: Any = ProxyAgent
_endpoint: Any = HostnameEndpoint
_pool: Any = HTTPConnectionPool
_producer: Any = FileBodyProducer


def agent_on(reactor: Any) -> IAgent:
    """A client that verifies certificates.

    Connections are not kept: triggers are rare, and nothing is left to close when provd stops.
    """
    agent: IAgent = _agent(reactor, connectTimeout=10.0, pool=_pool(reactor, persistent=False))
    return agent


def agent_through(reactor: Any, proxy: str) -> IAgent:
    """A client that asks an HTTP proxy for ``http`` URLs.

    Args:
        reactor: connects.
        proxy: URL as in ``http://PROXY:3128``; port 80 where it names none.
    """
    parts = urlsplit(proxy)
    endpoint = _endpoint(reactor, parts.hostname or "", parts.port or 80, timeout=10.0)
    agent: IAgent = _proxy_agent(endpoint, reactor, pool=_pool(reactor, persistent=False))
    return agent


async def exchange_of(
    agent: IAgent, method: str, url: str, body: bytes, headers: Mapping[str, str]
) -> tuple[int, bytes]:
    """One request; its status and at most ``MOST_OUTPUT`` octets of the answer.

    Raises:
        OSError: the answer broke off, or there was no connection.
    """
    sent = Headers({name: [value] for name, value in headers.items()})
    producer = _producer(BytesIO(body)) if body else None
    response: Any = await agent.request(method.encode(), url.encode(), sent, producer)
    receiver = _FirstOctets()
    response.deliverBody(receiver)
    return int(response.code), await receiver.ended


class _FirstOctets(Protocol):
    """Collects the beginning of a body and ends the connection when it has enough."""

    def __init__(self) -> None:
        self._parts: list[bytes] = []
        self._size = 0
        self.ended: Deferred[bytes] = Deferred(lambda _: self._abort())

    def dataReceived(self, data: bytes) -> None:  # noqa: N802  Twisted's naming
        self._parts.append(data[: MOST_OUTPUT - self._size])
        self._size += len(self._parts[-1])
        if self._size >= MOST_OUTPUT and not self.ended.called:
            self.ended.callback(b"".join(self._parts))
            self._abort()

    def connectionLost(self, reason: Any = None) -> None:  # noqa: N802
        if self.ended.called:
            return
        if reason.check(ResponseDone):
            self.ended.callback(b"".join(self._parts))
        else:
            self.ended.errback(ConnectionError(f"the answer broke off: {reason.getErrorMessage()}"))

    def _abort(self) -> None:
        abort: Callable[[], None] | None = getattr(self.transport, "abortConnection", None)
        if abort is not None:
            abort()
