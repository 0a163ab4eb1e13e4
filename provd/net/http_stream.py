"""HTTP answers that are read piece by piece: at most one buffer of a body is in memory."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import urlsplit

from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.interfaces import IReactorTime
from twisted.internet.protocol import Protocol
from twisted.web.client import ResponseDone
from twisted.web.http_headers import Headers
from twisted.web.iweb import UNKNOWN_LENGTH, IAgent

from provd.net.reasons import reason

_MOST_BUFFERED: Final = 256 * 1024
"""Octets after which the server has to wait."""


async def open_stream(
    time: IReactorTime,
    agent: IAgent,
    method: str,
    url: str,
    headers: Mapping[str, str],
    timeout_s: float,
    stall_s: float,
) -> ResponseStream:
    """Send a request and wait for the answer's headers; see :meth:`provd.plugin.runtime.Runtime.http_stream`."""
    sent = Headers({name: [value] for name, value in headers.items()})
    exchange: Any = agent.request(method.encode(), url.encode(), sent, None)
    timer = time.callLater(timeout_s, exchange.cancel)
    try:
        response: Any = await exchange
    except OSError:
        raise
    except Exception as error:
        if not timer.active():
            raise TimeoutError(f"no answer in {timeout_s:g} s") from error
        if isinstance(error, CancelledError):
            raise
        raise ConnectionError(f"{urlsplit(url).netloc}: {reason(error)}") from error
    finally:
        if timer.active():
            timer.cancel()
    return ResponseStream(time, response, stall_s)


class ResponseStream:
    """Implements :class:`provd.plugin.runtime.HttpStream`.

    Args:
        time: for the stall.
        response: Twisted's response, its body not yet delivered.
        stall_s: seconds between two pieces of the body.
    """

    def __init__(self, time: IReactorTime, response: Any, stall_s: float) -> None:
        self.status = int(response.code)
        self.headers: Mapping[str, str] = {
            name.decode("latin-1").lower(): ", ".join(value.decode("latin-1") for value in values)
            for name, values in response.headers.getAllRawHeaders()
        }
        self.length = _length(response, self.headers)
        self._time = time
        self._stall_s = stall_s
        self._receiver = _Receiver()
        response.deliverBody(self._receiver)

    async def read(self) -> bytes:
        """The next octets; empty at the end."""
        receiver = self._receiver
        if not receiver.parts and not receiver.ended:
            receiver.wanted = Deferred()
            timer = self._time.callLater(self._stall_s, receiver.stall, self._stall_s)
            try:
                await receiver.wanted
            finally:
                receiver.wanted = None
                if timer.active():
                    timer.cancel()
        if receiver.parts:
            return receiver.take()
        if receiver.error is not None:
            raise receiver.error
        return b""

    def close(self) -> None:
        """End the connection."""
        self._receiver.close()


def _length(response: Any, headers: Mapping[str, str]) -> int:
    if response.length is UNKNOWN_LENGTH:
        return -1
    # Twisted keeps the header of an answer to HEAD, and counts its body as empty
    told = headers.get("content-length", "")
    return int(told) if told.isascii() and told.isdigit() else int(response.length)


class _Receiver(Protocol):
    """Holds what came and was not read yet."""

    transport: Any

    def __init__(self) -> None:
        self.parts: list[bytes] = []
        self.ended = False
        self.error: OSError | None = None
        self.wanted: Deferred[None] | None = None
        self._size = 0
        self._paused = False

    def take(self) -> bytes:
        data = b"".join(self.parts)
        self.parts, self._size = [], 0
        if self._paused and not self.ended:
            self._paused = False
            self.transport.resumeProducing()
        return data

    def dataReceived(self, data: bytes) -> None:  # noqa: N802  Twisted's naming
        self.parts.append(data)
        self._size += len(data)
        if self._size >= _MOST_BUFFERED and not self._paused:
            self._paused = True
            self.transport.pauseProducing()
        self._wake()

    def connectionLost(self, reason: Any = None) -> None:  # noqa: N802
        if self.ended:
            return
        self.ended = True
        if not reason.check(ResponseDone):
            # PotentialDataLoss too: the connection's end alone does not tell a whole body from half of one
            self.error = ConnectionError(f"the answer broke off: {reason.getErrorMessage()}")
        self._wake()

    def stall(self, seconds: float) -> None:
        self.error = TimeoutError(f"nothing came for {seconds:g} s")
        self.close()
        self._wake()

    def close(self) -> None:
        self.ended = True
        if self.transport is not None:
            self.transport.stopProducing()

    def _wake(self) -> None:
        wanted = self.wanted
        if wanted is not None and not wanted.called:
            wanted.callback(None)
