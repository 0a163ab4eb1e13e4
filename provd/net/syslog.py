"""The syslog listeners: UDP (RFC 5426) and TCP (RFC 6587). They take messages and never answer."""

from __future__ import annotations

from collections import Counter
from typing import Any, Final, Protocol

from twisted.internet.defer import maybeDeferred
from twisted.internet.error import CannotListenError
from twisted.internet.interfaces import IAddress, IListeningPort
from twisted.internet.protocol import DatagramProtocol, Factory
from twisted.internet.protocol import Protocol as StreamProtocol
from twisted.logger import Logger
from twisted.protocols.policies import TimeoutMixin

from provd.wire.syslog import FRAME_MAX, FrameError, Frames

CONNECTIONS: Final = 512
CONNECTIONS_OF_ONE: Final = 4
IDLE_S: Final = 3600
"""Seconds without a message after which a connection is closed; an installer may be silent for long."""
AT_ONCE: Final = 65_536
"""Octets of datagrams that are read before other sockets have their turn."""


class Sink(Protocol):
    """What takes the messages."""

    def expects(self, peer: str) -> bool:
        """Whether an address belongs to a machine that may have something to say."""
        ...

    def received(self, peer: str, data: bytes, *, stream: bool) -> None:
        """One message of an address."""
        ...


class _Datagrams(DatagramProtocol):
    noisy = False

    def __init__(self, sink: Sink) -> None:
        self._sink = sink

    def datagramReceived(self, datagram: bytes, addr: tuple[str, int]) -> None:  # noqa: N802  Twisted's name
        self._sink.received(addr[0], datagram, stream=False)


class _Stream(StreamProtocol, TimeoutMixin):
    def __init__(self, factory: _Streams, peer: str) -> None:
        self._streams, self._peer, self._frames = factory, peer, Frames()

    def connectionMade(self) -> None:  # noqa: N802
        self.setTimeout(IDLE_S)  # type: ignore[no-untyped-call]

    def dataReceived(self, data: bytes) -> None:  # noqa: N802
        self.resetTimeout()  # type: ignore[no-untyped-call]
        try:
            for message in self._frames.feed(data):
                self._streams.sink.received(self._peer, message, stream=True)
        except FrameError as error:
            self._streams.log.warn("syslog connection of {peer} closed: {error}", peer=self._peer, error=error)
            self.transport.abortConnection()  # type: ignore[union-attr]

    def connectionLost(self, reason: Any = None) -> None:  # noqa: ARG002, N802
        self.setTimeout(None)  # type: ignore[no-untyped-call]
        self._streams.release(self._peer)
        if rest := self._frames.rest():
            self._streams.sink.received(self._peer, rest, stream=True)


class _Streams(Factory):
    noisy = False

    def __init__(self, sink: Sink, log: Logger) -> None:
        self.sink, self.log = sink, log
        self._open: Counter[str] = Counter()

    def buildProtocol(self, addr: IAddress | None) -> _Stream | None:  # noqa: N802
        """A connection, or None: of nobody we boot, or one too many."""
        peer = str(getattr(addr, "host", ""))
        if self._open[peer] >= CONNECTIONS_OF_ONE or self._open.total() >= CONNECTIONS or not self.sink.expects(peer):
            return None
        self._open[peer] += 1
        return _Stream(self, peer)

    def release(self, peer: str) -> None:
        """A connection of this address ended."""
        self._open[peer] -= 1
        self._open += Counter()

    @property
    def connections(self) -> int:
        return self._open.total()


class SyslogListener:
    """The bound ports.

    Args:
        reactor: the reactor.
        sink: gets the messages.
    """

    def __init__(self, reactor: Any, sink: Sink) -> None:
        self._reactor, self._sink = reactor, sink
        self._log = Logger(namespace="provd.syslog")
        self._streams = _Streams(sink, self._log)
        self._ports: list[IListeningPort] = []
        self.port = 0
        self.fault = ""

    def listen(self, addresses: list[str], port: int) -> None:
        """Bind UDP and TCP on every address; where one is taken nothing is bound, and :attr:`fault` says why.

        A machine that runs a syslog daemon of its own keeps it: machines are then not pointed here.
        """
        try:
            for address in addresses:
                udp = self._reactor.listenUDP(port, _Datagrams(self._sink), address, FRAME_MAX)
                udp.maxThroughput = AT_ONCE
                self._ports += [udp, self._reactor.listenTCP(port, self._streams, 128, address)]
        except CannotListenError as error:
            reason = getattr(error.socketError, "strerror", None) or str(error.socketError)
            self.fault = f"syslog port {port} on {error.interface or 'every address'}: {reason}"
            self._log.warn("installers send no logs here: {fault}; see [syslog]", fault=self.fault)
            for bound in self._ports:
                bound.stopListening()
            self._ports.clear()
        else:
            self.port = port

    @property
    def connections(self) -> int:
        """Open connections."""
        return self._streams.connections

    async def close(self) -> None:
        """Stop listening."""
        self.port = 0
        while self._ports:
            await maybeDeferred(self._ports.pop().stopListening)
