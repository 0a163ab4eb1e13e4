"""One HTTP connection: strict framing and deadlines on top of Twisted's parser (RFC 9112; rules H06, H07, H11)."""

# ruff: noqa: N802 - the method names are Twisted's
# mypy: disable-error-code="no-untyped-call"

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, Final

from twisted.internet.error import AlreadyCalled, AlreadyCancelled
from twisted.internet.interfaces import IDelayedCall, IReactorTime
from twisted.internet.protocol import connectionDone
from twisted.python.failure import Failure
from twisted.web import http

_REASONS: Final = {400: b"Bad Request", 413: b"Content Too Large"}


@dataclass(frozen=True, slots=True)
class HttpLimits:
    """What one client may cost.

    Attributes:
        header_s: seconds from the first octet of a request to the end of its headers.
        idle_s: seconds a connection may wait for its next request.
        stall_s: seconds a client may take no octet of a body, or send none of its own.
        max_body: octets of a posted body.
        max_headers: octets of all headers of one request.
        per_address: connections of one client address.
        total: connections of all clients.
    """

    header_s: float = 10.0
    idle_s: float = 60.0
    stall_s: float = 60.0
    max_body: int = 4 * 1024 * 1024
    max_headers: int = 16384
    per_address: int = 128
    total: int = 4096


class BootChannel(http.HTTPChannel):
    """A connection of a boot client.

    The parser of Twisted answers 400 to a malformed line and reads on; here the first refusal is the last thing that is
    read. Only GET, HEAD and POST carry meaning, and a body is only wanted with POST.
    """

    transport: Any

    def __init__(self, clock: IReactorTime, limits: HttpLimits) -> None:
        super().__init__()
        self._clock = clock
        self.limits = limits
        self.timeOut = int(limits.idle_s)
        self.totalHeadersSize = limits.max_headers
        self._refused = False
        self._body_octets = 0
        self._deadline: IDelayedCall | None = None
        self._headers_open = False

    def callLater(self, period: float, func: Callable[[], object]) -> IDelayedCall:
        """The clock of the base class's idle timer."""
        return self._clock.callLater(period, func)

    def connectionMade(self) -> None:
        """The first request has to come within the header time."""
        super().connectionMade()
        self._start_deadline(self.limits.header_s)

    def write(self, data: bytes) -> None:
        """Write so that the producer hears when the kernel has everything.

        A transport pauses its producer only once more than ``bufferSize`` octets wait; for one call that is none, so
        every write is reported when it has left, the smallest too. (The same number is the size of reads.)
        """
        usual = self.transport.bufferSize if hasattr(self.transport, "bufferSize") else 0
        self.transport.bufferSize = 0
        try:
            self.transport.write(data)
        finally:
            self.transport.bufferSize = usual

    def writeSequence(self, iovec: Iterable[bytes]) -> None:
        """The same for several pieces, which is how chunks are written."""
        self.write(b"".join(iovec))

    def dataReceived(self, data: bytes) -> None:
        """Read on, unless the connection was refused; a header that trickles in does not extend its deadline."""
        if self._refused:
            return
        if not self._headers_open and not self._handlingRequest and self._transferDecoder is None:
            self._headers_open = True
            if self._deadline is None:
                self._start_deadline(self.limits.header_s)
        super().dataReceived(data)

    def lineReceived(self, line: bytes) -> None:
        """Refuse folded headers and bare CR or LF before the parser joins them (RFC 9112 section 2.2 and 5.2)."""
        if self._refused:
            return
        if line[:1] in {b" ", b"\t"} or b"\r" in line or b"\n" in line:
            self.refuse(400)
            return
        super().lineReceived(line)

    def headerReceived(self, line: bytes) -> bool:
        """Note a refusal of the parser, which itself would read on."""
        accepted = bool(super().headerReceived(line))
        self._refused = self._refused or not accepted
        return accepted

    def allHeadersReceived(self) -> None:
        """Judge the headers as a whole: one Host (RFC 9112 section 3.2) and a body that may come."""
        if self._refused:
            return
        self._stop_deadline()
        self._headers_open = False
        self._body_octets = 0
        headers = self.requests[-1].requestHeaders
        hosts = headers.getRawHeaders(b"host") or []
        if len(hosts) > 1 or (not hosts and self._version == b"HTTP/1.1"):
            self.refuse(400)
            return
        if headers.hasHeader(b"content-length") and headers.hasHeader(b"transfer-encoding"):
            self.refuse(400)
            return
        allowed = self.limits.max_body if self._command == b"POST" else 0
        if self.length is not None and self.length > allowed:
            self.refuse(413)
            return
        super().allHeadersReceived()

    def rawDataReceived(self, data: bytes) -> None:
        """Count a body of unknown length while it arrives."""
        if self._refused:
            return
        if not self._handlingRequest:
            self._body_octets += len(data)
            if self._body_octets > self.limits.max_body + self.limits.max_headers:
                self.refuse(413)
                return
        super().rawDataReceived(data)

    def allContentReceived(self) -> None:
        """Hand the request over, unless it was refused meanwhile."""
        if not self._refused:
            super().allContentReceived()

    def requestDone(self, request: http.Request) -> None:
        """The next request may come, within the idle time."""
        super().requestDone(request)
        if not self._handlingRequest and not self._refused and self.persistent:
            self.setTimeout(self.limits.idle_s)

    def refuse(self, status: int) -> None:
        """Answer with ``status`` and no body, then close; nothing more is read."""
        self._refused = True
        self._stop_deadline()
        reason = _REASONS[status]
        head = b"HTTP/1.1 %d %s\r\nContent-Length: 0\r\nConnection: close\r\n\r\n" % (status, reason)
        self.transport.write(head)
        self.loseConnection()

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        """End every timer and request of this connection."""
        self._stop_deadline()
        super().connectionLost(reason)

    def _start_deadline(self, seconds: float) -> None:
        self._deadline = self._clock.callLater(seconds, self._too_late)

    def _stop_deadline(self) -> None:
        deadline, self._deadline = self._deadline, None
        if deadline is not None:
            try:
                deadline.cancel()
            except (AlreadyCalled, AlreadyCancelled):
                return

    def _too_late(self) -> None:
        self._deadline = None
        self._refused = True
        self.transport.abortConnection()
