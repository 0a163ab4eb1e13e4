"""One HTTP request: from the target to the last octet of its answer."""

# mypy: disable-error-code="no-untyped-call"

from __future__ import annotations

import os
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace
from inspect import isawaitable
from io import BytesIO
from typing import Any, Final

from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.error import ConnectionAborted
from twisted.internet.interfaces import IReactorTime
from twisted.logger import Logger
from twisted.python.failure import Failure
from twisted.web.http import NO_BODY_CODES, HTTPChannel, Request

from provd.model.content import Content, FileBody, FileRequest, NotFound, settled
from provd.model.media_types import media_type
from provd.model.scrub import scrub_path
from provd.net import http_body, http_rules
from provd.net.http_channel import HttpLimits
from provd.net.http_senders import Senders
from provd.net.http_sendfile import LEAST, SendFile, socket_of
from provd.plugin.beneath import TICK_S, Opened, etag_of, is_replaced, open_body, status_without

CALLBACKS: Final = "callback/"
"""The only part of the tree that takes POST."""

_KINDS: Final = {
    206: "http.partial",
    304: "http.unchanged",
    412: "http.refused",
    416: "http.refused",
}
"""Events of answers that are not the whole file; everything else that left is ``http.sent``."""

OpenFile = Callable[[FileRequest], Content | NotFound | Awaitable[Content | NotFound]]
OnEvent = Callable[[str, FileRequest, Mapping[str, object]], None]


@dataclass(frozen=True, slots=True)
class Services:
    """What every request uses.

    Attributes:
        clock: timers.
        wall: seconds since the epoch.
        open_file: who answers.
        in_thread: runs a blocking call outside of the reactor's thread.
        on_event: told ``http.request``, then one of ``http.sent``, ``http.partial``, ``http.unchanged`` and
            ``http.refused`` (``bytes``, ``seconds``, ``status``), ``http.missed`` (``reason``, ``status``)
            or ``http.failed`` (the same).
        limits: caps and deadlines.
        log: logger; it never sees a token.
        senders: send large files.
    """

    clock: IReactorTime
    wall: Callable[[], float]
    open_file: OpenFile
    in_thread: Callable[[Callable[[], Any]], Awaitable[Any]]
    on_event: OnEvent
    limits: HttpLimits
    log: Logger
    senders: Senders


class BootRequest(Request):
    """A request that is answered by ``Services.open_file``."""

    transport: Any
    content: Any

    def __init__(self, channel: HTTPChannel, queued: object, services: Services) -> None:
        super().__init__(channel, queued, parsePOSTFormSubmission=False)
        self._services = services
        self._work: Deferred[None] | None = None
        self._gone = False
        self._missed: Mapping[str, object] | None = None

    def gotLength(self, length: int | None) -> None:  # noqa: ARG002, N802 - Twisted's name
        """Keep the body in memory: the channel caps it."""
        self.content = BytesIO()

    def process(self) -> None:
        """Start answering; the connection's end cancels it."""
        self.notifyFinish().addErrback(self._lost)
        self._work = Deferred.fromCoroutine(self._answer())
        self._work.addErrback(self._broken)

    def _lost(self, _reason: Failure) -> None:
        self._gone = True
        if self._work is not None:
            self._work.cancel()

    def _broken(self, failure: Failure) -> None:
        if not failure.check(CancelledError, ConnectionAborted):
            self._services.log.failure("HTTP {method} failed", failure, method=self.method)
        if not self._gone and not self.finished:
            # The headers may have announced octets that never come: only a lost connection tells the client.
            self.transport.abortConnection()

    async def _answer(self) -> None:
        try:
            asked = self._file_request()
        except http_rules.BadTargetError as error:
            self._services.log.debug("HTTP request of {peer} refused: {error}", peer=self.client.host, error=error)
            self._plain(error.status)
            return
        if self.method not in {b"GET", b"HEAD"} and not (self.method == b"POST" and asked.path.startswith(CALLBACKS)):
            self.responseHeaders.setRawHeaders(b"Allow", [b"GET, HEAD"])
            if asked.path.startswith(CALLBACKS):
                self.responseHeaders.setRawHeaders(b"Allow", [b"GET, HEAD, POST"])
            self._plain(405)
            return
        await self._transfer(asked)

    async def _transfer(self, asked: FileRequest) -> None:
        started = self._services.clock.seconds()
        self._services.on_event("http.request", asked, {})
        try:
            sent = await self._respond(asked)
        except (CancelledError, ConnectionAborted):
            self._services.on_event(
                "http.failed", asked, {"reason": "the client closed the connection", "status": self.code}
            )
            raise
        except Exception as error:  # a body may come from a plugin: whatever it raises ends this transfer and no other
            reason = scrub_path(str(error) or type(error).__name__)
            self._services.log.error("HTTP {path}: {reason}", path=scrub_path(asked.path), reason=reason)
            self._services.on_event("http.failed", asked, {"reason": reason, "status": self.code})
            raise ConnectionAborted from error
        if self._missed is not None:
            self._services.on_event("http.missed", asked, {**self._missed, "status": self.code})
            return
        seconds = self._services.clock.seconds() - started
        kind = _KINDS.get(self.code, "http.sent" if self.code < 400 else "http.refused")
        self._services.on_event(kind, asked, {"bytes": sent, "seconds": seconds, "status": self.code})

    async def _respond(self, asked: FileRequest) -> int:
        try:
            answer = settled(self._services.open_file(asked))
            if isawaitable(answer):
                answer = await answer
        except (CancelledError, ConnectionAborted):
            raise
        except Exception:  # noqa: BLE001 - whatever the router did, this client gets an answer and the others are served
            self._services.log.failure("HTTP {path}: no answer", path=scrub_path(asked.path))
            self._missed = {"reason": "the answer could not be made; the log has the error"}
            return self._plain(500)
        if isinstance(answer, NotFound):
            level = self._services.log.debug if answer.expected else self._services.log.info
            level("HTTP {path}: {reason}", path=scrub_path(asked.path), reason=scrub_path(answer.reason))
            self._missed = {"reason": scrub_path(answer.reason), "expected": answer.expected}
            return self._plain(answer.status)
        if isinstance(answer.body, bytes) and answer.length < 0:
            answer = replace(answer, length=len(answer.body))
        if not isinstance(answer.body, FileBody):
            return await self._send(asked, answer, None)
        body = answer.body
        try:
            # The plugin looked at this very file a moment ago, so its directory is in memory.
            opened = open_body(body)
        except OSError as error:
            self._services.log.warn("HTTP {path}: {error}", path=scrub_path(asked.path), error=error)
            self._missed = {"reason": f"{body.path.name}: {error.strerror or error}"}
            return self._plain(status_without(error))
        try:
            if body.offset and is_replaced(answer, opened.status):
                self._missed = {"reason": f"{body.path.name}: it was replaced a moment ago"}
                return self._plain(503)
            return await self._send(asked, _with_file_facts(answer, body, opened), opened)
        finally:
            os.close(opened.descriptor)

    async def _send(self, asked: FileRequest, content: Content, opened: Opened | None) -> int:
        start, stop = self._negotiate(asked, content)
        if stop == start:
            return self._end(b"")
        if self.method == b"HEAD":
            return self._end(b"")
        sent = await self._body(content, opened, start, stop)
        if not self._gone:
            self.finish()
        if content.on_sent is not None and self.code == 200:
            content.on_sent(sent)
        return sent

    async def _body(self, content: Content, opened: Opened | None, start: int, stop: int) -> int:
        """Send the body; gives its octets."""
        services, big = self._services, stop - start >= LEAST
        if isinstance(content.body, bytes) and 0 <= stop - start < LEAST:
            # The connection's buffer takes it at once: there is nothing to wait for.
            self.write(content.body[start:stop])
            return stop - start
        connection = socket_of(services.clock, self.channel.transport) if opened and big else -1
        flow = http_body.Flow(self, services.clock, services.limits.stall_s)
        self.registerProducer(flow, streaming=True)
        try:
            if isinstance(content.body, bytes):
                self.write(content.body[start:stop])
                await flow.drained()
                return stop - start
            if opened is not None and connection >= 0:
                low = content.body.offset if isinstance(content.body, FileBody) else 0
                sending = SendFile(
                    services.senders,
                    connection,
                    opened.descriptor,
                    low + start,
                    low + stop,
                    in_thread=services.in_thread,
                    stall_s=services.limits.stall_s,
                )
                # What Twisted writes leaves first; then the kernel has the connection for itself.
                first = await sending.first()
                self.write(first)
                await flow.drained()
                return len(first) + await sending.run()
            chunks = self._chunks(content, opened, start, stop)
            return await http_body.pump(self, flow, chunks, stop - start if stop >= 0 else -1)
        finally:
            if not self._gone:
                self.unregisterProducer()

    def _chunks(self, content: Content, opened: Opened | None, start: int, stop: int) -> Any:
        body = content.body
        if isinstance(body, FileBody) and opened is not None:
            low = body.offset
            return http_body.file_chunks(self._services.in_thread, opened.descriptor, low + start, low + stop)
        return http_body.stream_chunks(body, start, stop)  # type: ignore[arg-type]

    def _negotiate(self, asked: FileRequest, content: Content) -> tuple[int, int]:
        """Set status and headers; the half-open range to send, empty where there is no body."""
        self._common(content, asked.path)
        length = content.length
        if content.status != 200 or self.method == b"POST":
            self.setResponseCode(content.status)
            return self._whole(length)
        status = http_rules.condition(asked.headers, content.etag, content.mtime)
        if status != 200:
            self.setResponseCode(status)
            if status == 412:
                self.responseHeaders.setRawHeaders(b"Content-Length", [b"0"])
            return (0, 0)
        if length < 0 or content.headers.get("Cache-Control") == "no-store":
            # A secret has no parts: who counts how often it left counts whole ones.
            return self._whole(length)
        self.responseHeaders.setRawHeaders(b"Accept-Ranges", [b"bytes"])
        if self.method != b"GET" or not http_rules.range_applies(asked.headers, content.etag, content.mtime):
            return self._whole(length)
        try:
            wanted = http_rules.parse_range(asked.headers.get("range"), length)
        except http_rules.UnsatisfiableError:
            self.setResponseCode(416)
            self._header("Content-Range", f"bytes */{length}")
            self._header("Content-Length", "0")
            return (0, 0)
        if wanted is None:
            return self._whole(length)
        self.setResponseCode(206)
        self._header("Content-Range", f"bytes {wanted.start}-{wanted.stop - 1}/{length}")
        self._header("Content-Length", str(wanted.stop - wanted.start))
        return (wanted.start, wanted.stop)

    def _whole(self, length: int) -> tuple[int, int]:
        if self.code in NO_BODY_CODES:
            return (0, 0)
        if length >= 0:
            self._header("Content-Length", str(length))
        return (0, length)

    def _common(self, content: Content | None, path: str) -> None:
        self._header("Date", http_rules.http_date(self._services.wall()))
        self._header("Server", "provd")
        self._header("X-Content-Type-Options", "nosniff")
        if self.clientproto == b"HTTP/1.0":
            self._header("Connection", "close")
        if content is None:
            return
        self._header("Content-Type", media_type(path, content.media_type))
        if content.etag:
            self._header("ETag", f'"{content.etag}"')
        if content.mtime is not None:
            self._header("Last-Modified", http_rules.http_date(content.mtime))
        for name, value in content.headers.items():
            self._header(name, value)

    def _plain(self, status: int) -> int:
        """A status with a fixed sentence. GRUB 2.06 executes the body of an error as a script, so it gets none."""
        self.setResponseCode(status)
        self._common(None, "")
        agent = self.getHeader("user-agent") or ""
        body = b"" if agent.startswith("GRUB") else self.code_message + b"\n"
        self._header("Content-Type", "text/plain; charset=utf-8")
        self._header("Content-Length", str(len(body)))
        return self._end(body)

    def _end(self, body: bytes) -> int:
        if body:
            self.write(body)
        self.finish()
        return 0 if self.method == b"HEAD" else len(body)

    def _header(self, name: str, value: str) -> None:
        self.responseHeaders.setRawHeaders(name, [value])

    def _file_request(self) -> FileRequest:
        path = http_rules.served_path(self.uri)
        headers = {
            name.decode("latin-1").lower(): b", ".join(values).decode("latin-1")
            for name, values in self.requestHeaders.getAllRawHeaders()
        }
        local = self.host
        return FileRequest(
            "http",
            path,
            self.client.host,
            local.host,
            headers,
            self.method.decode("ascii"),
            self.content.read(),
            local.port,
        )


def _with_file_facts(content: Content, body: FileBody, opened: Opened) -> Content:
    """Length, date and validator of the file where the content leaves them open, or tells those of an earlier file."""
    length = content.length if content.length >= 0 else max(0, opened.status.st_size - body.offset)
    mtime = content.mtime if content.mtime is not None else opened.status.st_mtime
    etag = content.etag or f"{etag_of(opened.status)}-{body.offset:x}"
    if is_replaced(content, opened.status):
        length = opened.status.st_size
    if abs(mtime - opened.status.st_mtime) >= TICK_S and content.etag:
        mtime, etag = opened.status.st_mtime, etag_of(opened.status)
    return replace(content, length=length, mtime=mtime, etag=etag)
