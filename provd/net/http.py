"""The HTTP listener: every request becomes a :class:`FileRequest` and is answered by one function."""

# ruff: noqa: N802 - the method names are Twisted's
# mypy: disable-error-code="no-untyped-call"

from __future__ import annotations

from collections import Counter
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Protocol, cast

from twisted.internet.defer import Deferred, maybeDeferred
from twisted.internet.interfaces import IAddress, IListeningPort, IReactorFromThreads, IReactorTime
from twisted.internet.protocol import ServerFactory, connectionDone
from twisted.logger import Logger
from twisted.python.failure import Failure
from twisted.web.http import HTTPChannel

from provd.model.content import FileRequest
from provd.net.http_channel import BootChannel, HttpLimits
from provd.net.http_request import BootRequest, OnEvent, OpenFile, Services
from provd.net.http_senders import Senders

__all__ = ["HttpLimits", "HttpListener", "HttpSite", "OnEvent", "OpenFile"]


class TcpReactor(Protocol):
    """The part of a reactor that binds TCP ports."""

    def listenTCP(self, port: int, factory: ServerFactory, backlog: int = 50, interface: str = "") -> IListeningPort:
        """Bind and listen."""
        ...


def no_event(_kind: str, _request: FileRequest, _fields: Mapping[str, object]) -> None:
    """Nobody keeps a timeline."""


class _CountedChannel(BootChannel):
    """A connection that gives its place back when it ends."""

    def __init__(self, site: HttpSite, host: str) -> None:
        super().__init__(site.services.clock, site.services.limits)
        self._site = site
        self._host = host
        self.requestFactory = site.make_request  # type: ignore[assignment]

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        super().connectionLost(reason)
        self._site.release(self._host)


class HttpSite(ServerFactory):
    """Builds one channel per connection and holds the caps per client address (rule T24 for HTTP).

    Args:
        clock: timers and durations.
        wall: seconds since the epoch, for Date.
        open_file: who answers; it may be a coroutine function.
        in_thread: runs a blocking read, as ``functools.partial(deferToThreadPool, reactor, pool)``.
        on_event: told of requests and their ends; the request it gets still holds the token in its path.
        limits: caps and deadlines.
    """

    noisy = False

    def __init__(
        self,
        clock: IReactorTime,
        wall: Callable[[], float],
        open_file: OpenFile,
        in_thread: Callable[[Callable[[], Any]], Awaitable[Any]],
        on_event: OnEvent = no_event,
        limits: HttpLimits | None = None,
    ) -> None:
        log = Logger(namespace="provd.http")
        # Only a real reactor has connections that files are sent into; it is the clock there.
        senders = Senders(cast("IReactorFromThreads", clock))
        self.services = Services(clock, wall, open_file, in_thread, on_event, limits or HttpLimits(), log, senders)
        self._connections: Counter[str] = Counter()

    def buildProtocol(self, addr: IAddress | None) -> BootChannel | None:
        """A channel, or None where the client's address or the server has too many connections."""
        host = str(getattr(addr, "host", ""))
        limits = self.services.limits
        if self._connections[host] >= limits.per_address or self._connections.total() >= limits.total:
            self.services.log.debug("HTTP connection of {host} refused: too many", host=host)
            return None
        self._connections[host] += 1
        return _CountedChannel(self, host)

    def make_request(self, channel: HTTPChannel, queued: object) -> BootRequest:
        """The request factory of every channel."""
        return BootRequest(channel, queued, self.services)

    def release(self, host: str) -> None:
        """A connection of this address ended."""
        self._connections[host] -= 1
        if self._connections[host] <= 0:
            del self._connections[host]

    @property
    def connections(self) -> int:
        """Open connections."""
        return self._connections.total()


class HttpListener:
    """The bound ports of one site; addresses may be added and removed while it runs."""

    def __init__(self, reactor: TcpReactor, site: HttpSite) -> None:
        self._reactor = reactor
        self._site = site
        self._ports: dict[tuple[str, int], IListeningPort] = {}

    def listen(self, address: str, port: int) -> int:
        """Bind one address ("" for every one) and return the port, which differs from ``port`` only where that is 0.

        Raises:
            twisted.internet.error.CannotListenError: the address is not ours or the port is taken.
        """
        bound = self._reactor.listenTCP(port, self._site, 512, address)
        actual = int(bound.getHost().port)  # type: ignore[attr-defined]
        self._ports[address, actual] = bound
        return actual

    @property
    def connections(self) -> int:
        """Open connections."""
        return self._site.connections

    @property
    def bound(self) -> tuple[tuple[str, int], ...]:
        """Addresses and ports that are bound."""
        return tuple(self._ports)

    async def unlisten(self, address: str, port: int) -> None:
        """Stop listening on one address; its connections go on."""
        bound = self._ports.pop((address, port), None)
        if bound is not None:
            await maybeDeferred(bound.stopListening)

    async def close(self) -> None:
        """Stop listening everywhere."""
        for address, port in tuple(self._ports):
            await self.unlisten(address, port)

    def close_deferred(self) -> Deferred[None]:
        """:meth:`close` for callers without a coroutine."""
        return Deferred.fromCoroutine(self.close())
