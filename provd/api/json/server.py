"""The JSON API over TCP: who calls shows a token; every answer is JSON."""

# ruff: noqa: N802 - the names are Twisted's
# mypy: disable-error-code="no-untyped-call"

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, Final

import msgspec
from twisted.internet.interfaces import IAddress, IReactorTime
from twisted.web.http import HTTPChannel, Request

from provd.api.json.channel import Connections, JsonChannel
from provd.api.json.events import Feed
from provd.api.json.openapi import document
from provd.api.json.preconditions import etag, guarded
from provd.api.server import STATUS, ApiRequest, ApiSite, TooLongError
from provd.model.account import Caller
from provd.service.access import Access, AccessError
from provd.service.operations import OperationError, OperationTable, permitted
from provd.service.operations_events import MOST_KINDS

_BEARER: Final = re.compile(r"Bearer ([A-Za-z0-9._~+/=-]{1,512})")
_WAIT: Final = re.compile(r"try again in (\d+) s")
_PLACE: Final = re.compile(r"(.*) - at `\$\.([^`]*)`")
"""How msgspec ends a sentence about one field."""
_NUMBER: Final = re.compile(r"[0-9]{1,18}")
_CALL: Final = "/v1/call/"
_ALSO: Final = "/api/"
"""What means the same as ``/v1/``."""
IDLE_S: Final = 60.0


class Credentials(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """Body of a login."""

    user: str
    password: str


@dataclass(frozen=True, slots=True)
class Backend:
    """What the API stands on.

    Attributes:
        table: the operations.
        access: who may call.
        feed: live events.
        ready: one sentence that says why machines are not served yet, or empty.
        metrics: the metrics page (Prometheus text format) and its media type.
        version: of provd.
    """

    table: OperationTable
    access: Access
    feed: Feed
    ready: Callable[[], str]
    metrics: Callable[[], tuple[bytes, str]]
    version: str


class JsonRequest(ApiRequest):
    """One request: a call, a login, the document, events, metrics, health."""

    _site: JsonSite

    async def _answer(self) -> None:
        path = self.path.decode("ascii", "replace")
        if path.startswith(_ALSO):
            path = f"/v1/{path.removeprefix(_ALSO)}"
        self.responseHeaders.setRawHeaders(b"X-Content-Type-Options", [b"nosniff"])
        self.responseHeaders.setRawHeaders(b"Content-Security-Policy", [b"default-src 'none'"])
        try:
            if self.method in {b"GET", b"HEAD"} and path in _OPEN:
                self._health(path)
                return
            if self.method == b"POST" and path == "/v1/login":
                await self._login()
                return
            await self._asked(path, self._caller())
        except OperationError as error:
            self._refuse(self._status(error), error)
        except AccessError as error:
            self.responseHeaders.setRawHeaders(b"WWW-Authenticate", [b'Bearer realm="provd"'])
            self._refuse(401, OperationError(str(error), kind="denied"))

    async def _asked(self, path: str, caller: Caller) -> None:
        backend = self._site.backend
        if self.method == b"POST" and path.startswith(_CALL):
            await self._call(path.removeprefix(_CALL), caller)
        elif self.method == b"POST" and path == "/v1/logout":
            self._send(200, {"result": backend.access.logout(self._token())})
        elif self.method == b"GET" and path in _READ:
            if not permitted(caller.role, "read"):
                raise OperationError(f"{path} needs the permission read", kind="denied")
            getattr(self, _READ[path])()
        else:
            known = path in {*_READ, *_OPEN, "/v1/login", "/v1/logout"} or path.startswith(_CALL)
            if known:
                allowed = b"GET" if path in {*_READ, *_OPEN} else b"POST"
                self.responseHeaders.setRawHeaders(b"Allow", [allowed])
                self._refuse(405, OperationError(f"{path} takes {allowed.decode()}", kind="usage"))
                return
            raise OperationError(f"there is nothing at {path[:100]}; see /v1/openapi.json", kind="not-found")

    async def _call(self, name: str, caller: Caller) -> None:
        table = self._site.backend.table
        given = guarded(table.get(name), self.arguments(), self.getHeader("if-match"))
        result = await table.call(name, given, caller=caller)
        if tag := etag(result):
            self.responseHeaders.setRawHeaders(b"ETag", [tag.encode()])
        self._send(200, {"result": result})

    def _status(self, error: OperationError) -> int:
        if isinstance(error, TooLongError):
            return 413
        if error.kind == "refused" and error.field == "revision" and self.getHeader("if-match"):
            return 412
        return STATUS.get(error.kind, 400)

    def _token(self) -> str:
        header = self.getHeader("authorization") or ""
        match = _BEARER.fullmatch(header)
        return match[1] if match else ""

    def _caller(self) -> Caller:
        token = self._token()
        if not token:
            raise AccessError("a token is needed: Authorization: Bearer TOKEN (see POST /v1/login)")
        return self._site.backend.access.caller(token, via="json", peer=str(self.getClientAddress().host))

    async def _login(self) -> None:
        try:
            given = msgspec.convert(self.arguments(), Credentials)
        except msgspec.ValidationError as error:
            place = _PLACE.search(str(error))
            rule = f"login: {place[1] if place else error}"
            raise OperationError(rule, field=place[2] if place else "", kind="usage") from error
        try:
            login = await self._site.backend.access.login(given.user, given.password, str(self.getClientAddress().host))
        except AccessError as error:
            wait = _WAIT.search(str(error))
            if wait is None:
                raise
            self.responseHeaders.setRawHeaders(b"Retry-After", [wait[1].encode()])
            self._refuse(429, OperationError(str(error), kind="denied"))
            return
        record = login.record
        self._send(200, {"result": {"token": login.token, "role": record.role, "expires_at": record.expires_at}})

    def _openapi(self) -> None:
        backend = self._site.backend
        self._send(200, document(backend.table.all(), backend.version))

    def _operations(self) -> None:
        self._send(200, {"result": self._site.describe()})

    def _events(self) -> None:
        patterns = tuple(
            one.decode("utf-8", "replace") for raw in self.args.get(b"kind", [b"*"]) for one in raw.split(b",") if one
        )
        if sum(len(one) + 1 for one in patterns) > MOST_KINDS:
            raise OperationError(f"kind: {MOST_KINDS} characters at most", field="kind", kind="usage")
        last = self.getHeader("last-event-id") or ""
        if last and not _NUMBER.fullmatch(last):
            raise OperationError("Last-Event-ID is the number of an event", field="Last-Event-ID", kind="usage")
        if not self._site.backend.feed.open(self, patterns, self._still, int(last) if last else None):
            self.responseHeaders.setRawHeaders(b"Retry-After", [b"30"])
            self._refuse(503, OperationError("too many listen to events already", kind="refused"))

    def _still(self) -> bool:
        """Whether the token may go on reading: it may have been revoked, or its user may be gone."""
        try:
            return permitted(self._caller().role, "read")
        except AccessError:
            return False

    def _metrics(self) -> None:
        page, kind = self._site.backend.metrics()
        self._text(200, page, kind)

    def _health(self, path: str) -> None:
        why = self._site.backend.ready() if path == "/readyz" else ""
        self._text(503 if why else 200, f"{why or 'ok'}\n".encode(), "text/plain; charset=utf-8")

    def _text(self, status: int, body: bytes, kind: str) -> None:
        self.setResponseCode(status, HTTPStatus(status).phrase.encode())
        self.responseHeaders.setRawHeaders(b"Content-Type", [kind.encode()])
        self.responseHeaders.setRawHeaders(b"Cache-Control", [b"no-store"])
        self.responseHeaders.setRawHeaders(b"Content-Length", [str(len(body)).encode()])
        if self.method != b"HEAD":
            self.write(body)
        self.finish()


_OPEN: Final = frozenset({"/healthz", "/readyz"})
"""What needs no token: they say nothing but whether provd works."""
_READ: Final[Mapping[str, str]] = {
    "/v1/openapi.json": "_openapi",
    "/v1/operations": "_operations",
    "/v1/events": "_events",
    "/metrics": "_metrics",
}
"""Pages for the permission ``read``, and what writes them."""


class JsonSite(ApiSite):
    """Builds one channel per client.

    Args:
        clock: timers.
        backend: what it stands on.
    """

    def __init__(self, clock: IReactorTime, backend: Backend) -> None:
        super().__init__(clock, backend.table, lambda _transport: None)
        self.backend = backend
        self.connections = Connections()

    def buildProtocol(self, addr: IAddress | None) -> HTTPChannel | None:  # type: ignore[override]
        """One channel, or None where the client's address or the server has too many connections."""
        host = str(getattr(addr, "host", ""))
        if not self.connections.enter(host):
            return None
        channel: Any = JsonChannel(self.connections, host)
        channel.callLater = self._clock.callLater
        channel.timeOut = IDLE_S
        channel.requestFactory = self._make_request
        return channel  # type: ignore[no-any-return]

    def _make_request(self, channel: HTTPChannel, queued: object) -> Request:  # type: ignore[override]
        return JsonRequest(channel, queued, self)
