"""JSON over HTTP on a local socket: one POST per operation."""

# ruff: noqa: N802, N803, FBT001, FBT002 - the signatures are Twisted's
# mypy: disable-error-code="no-untyped-call"

from __future__ import annotations

import os
import pwd
import re
import socket
import struct
from collections.abc import Callable, Mapping
from io import BytesIO
from pathlib import Path
from typing import Any, Final, Protocol

import msgspec
from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IAddress, IListeningPort, IReactorTime
from twisted.internet.protocol import ServerFactory
from twisted.logger import Logger
from twisted.python.failure import Failure
from twisted.web.http import HTTPChannel, Request

from provd.model.account import Caller
from provd.service.operations import OperationError, OperationTable

MAX_BODY: Final = 1024 * 1024
"""Octets of one request."""

MAX_DEPTH: Final = 32
"""Levels of lists and objects in one request."""

STATUS: Final[Mapping[str, int]] = {"refused": 409, "not-found": 404, "usage": 400, "denied": 403, "failed": 500}
_NESTING: Final = re.compile(rb'"(?:[^"\\]|\\.)*"?|[\[{]|[\]}]', re.DOTALL)
_UCRED: Final = struct.Struct("3i")

CallerOf = Callable[[Any], Caller | None]


class TooLongError(OperationError):
    """The body of a request is longer than allowed."""

    def __init__(self) -> None:
        super().__init__(f"the request is longer than {MAX_BODY} octets", kind="usage")


class UnixReactor(Protocol):
    """The part of a reactor that binds local sockets."""

    def listenUNIX(
        self, address: str, factory: ServerFactory, backlog: int = 50, mode: int = 0o666, wantPID: bool = False
    ) -> IListeningPort:
        """Bind and listen."""
        ...


def local_caller(transport: Any) -> Caller | None:
    """Root, or the user the service runs as, without a password; nobody for everybody else (SO_PEERCRED, socket(7))."""
    credentials = transport.socket.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _UCRED.size)
    _pid, uid, _gid = _UCRED.unpack(credentials)
    if uid not in {0, os.geteuid()}:
        return None
    try:
        name = pwd.getpwuid(uid).pw_name
    except KeyError:
        name = str(uid)
    return Caller(name, "admin", via="socket")


def nesting(raw: bytes) -> int:
    """Deepest level of lists and objects in a JSON text, found without decoding it."""
    depth = deepest = 0
    for token in _NESTING.finditer(raw):
        first = token[0][:1]
        if first in {b"[", b"{"}:
            depth += 1
            deepest = max(deepest, depth)
        elif first in {b"]", b"}"}:
            depth -= 1
    return deepest


class ApiRequest(Request):
    """``POST /v1/call/NAME`` with a JSON object, or ``GET /v1/operations``."""

    transport: Any
    content: Any

    def __init__(self, channel: HTTPChannel, queued: object, site: ApiSite) -> None:
        super().__init__(channel, queued, parsePOSTFormSubmission=False)
        self._site = site
        self._octets = 0
        self._gone = False

    def gotLength(self, length: int | None) -> None:
        """Keep the body in memory, up to the cap."""
        self.content = BytesIO()
        self._octets = length or 0

    def handleContentChunk(self, data: bytes) -> None:
        """Drop what is over the cap: the answer will say so."""
        if self.content.tell() + len(data) <= MAX_BODY:
            self.content.write(data)
        else:
            self._octets = MAX_BODY + 1

    def process(self) -> None:
        """Answer; the connection's end does not stop an operation that began."""
        self.notifyFinish().addErrback(self._lost)
        Deferred.fromCoroutine(self._answer()).addErrback(self._broken)

    def _lost(self, _reason: Failure) -> None:
        self._gone = True

    def _broken(self, failure: Failure) -> None:
        self._site.log.failure("the answer could not be written", failure)
        self.transport.abortConnection()

    async def _answer(self) -> None:
        try:
            result = await self._run()
        except OperationError as error:
            self._refuse(STATUS.get(error.kind, 400), error)
            return
        self._send(200, {"result": result})

    def _refuse(self, status: int, error: OperationError) -> None:
        self._send(status, {"error": str(error), "field": error.field, "kind": error.kind})

    async def _run(self) -> object:
        caller = self._site.caller_of(self.channel.transport)
        if caller is None:
            raise OperationError("only root and the user of the service may use this socket", kind="denied")
        path = self.path.decode("ascii", "replace")
        if self.method == b"GET" and path == "/v1/operations":
            return self._site.describe()
        if self.method != b"POST" or not path.startswith("/v1/call/"):
            raise OperationError("POST /v1/call/NAME or GET /v1/operations is expected", kind="not-found")
        return await self._site.table.call(path.removeprefix("/v1/call/"), self.arguments(), caller=caller)

    def arguments(self) -> object:
        """The body as plain values.

        Raises:
            OperationError: too long, encoded, too deep, or no JSON.
        """
        if self._octets > MAX_BODY:
            raise TooLongError
        if self.requestHeaders.hasHeader(b"content-encoding"):
            raise OperationError("encoded requests are refused", kind="usage")
        raw = self.content.getvalue() or b"{}"
        if nesting(raw) > MAX_DEPTH:
            raise OperationError(f"the request is nested deeper than {MAX_DEPTH} levels", kind="usage")
        try:
            return msgspec.json.decode(raw)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise OperationError(f"the request is not JSON: {error}", kind="usage") from error

    def _send(self, status: int, answer: Mapping[str, object]) -> None:
        if self._gone:
            return
        raw = msgspec.json.encode(answer)
        self.setResponseCode(status)
        self.responseHeaders.setRawHeaders(b"Content-Type", [b"application/json"])
        self.responseHeaders.setRawHeaders(b"Cache-Control", [b"no-store"])
        self.responseHeaders.setRawHeaders(b"Content-Length", [str(len(raw)).encode()])
        self.write(raw)
        self.finish()


class ApiSite(ServerFactory):
    """Builds one channel per client of the local socket.

    Args:
        clock: timers.
        table: the operations.
        caller_of: who the peer of a transport is; None for nobody.
    """

    noisy = False

    def __init__(self, clock: IReactorTime, table: OperationTable, caller_of: CallerOf = local_caller) -> None:
        self.table = table
        self.caller_of = caller_of
        self.log = Logger(namespace="provd.api")
        self._clock = clock

    def buildProtocol(self, addr: IAddress | None) -> HTTPChannel:  # noqa: ARG002
        """One channel."""
        channel: Any = HTTPChannel()
        channel.callLater = self._clock.callLater
        channel.timeOut = 60
        channel.requestFactory = self._make_request
        return channel  # type: ignore[no-any-return]

    def _make_request(self, channel: HTTPChannel, queued: object) -> ApiRequest:
        return ApiRequest(channel, queued, self)

    def describe(self) -> list[dict[str, object]]:
        """Every operation with the JSON Schema of its arguments: what a command line needs to offer it."""
        return [
            {
                "name": operation.name,
                "summary": operation.summary,
                "permission": operation.permission,
                "example": operation.example,
                "arguments": msgspec.json.schema(operation.arguments),
            }
            for operation in self.table.all()
        ]


def listen(reactor: UnixReactor, path: str, site: ApiSite) -> IListeningPort:
    """Bind the local socket, mode 0660; a stale one of a crashed run is replaced, a live one is not.

    Raises:
        twisted.internet.error.CannotListenError: another service has it, or the directory cannot be written.
    """
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    return reactor.listenUNIX(path, site, mode=0o660, wantPID=True)
