"""What a file request asks and what it is answered with; the same for TFTP, HTTP and every later protocol."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True, slots=True)
class FileRequest:
    """One request for a file, before it is decided who answers.

    Attributes:
        protocol: ``"tftp"`` or ``"http"``.
        path: decoded once, no leading slash, ``/`` as separator, never ``..``, never NUL (the listener refused those).
        peer: address of the client (dotted quad), the only proof of who asks.
        local: address that was asked (dotted quad); URLs in the answer carry it.
        headers: HTTP headers in lower case, or TFTP options in lower case.
        method: ``GET``, ``HEAD`` or ``POST``; TFTP reads are ``GET``.
        body: what was posted, size-capped by the listener.
        local_port: port that was asked; a URL needs it when it is not the protocol's own.
    """

    protocol: str
    path: str
    peer: str
    local: str
    headers: Mapping[str, str] = field(default_factory=dict)
    method: str = "GET"
    body: bytes = b""
    local_port: int = 80


@dataclass(frozen=True, slots=True)
class FileBody:
    """A file on disk; the net floor opens it (once, and what it opened is what it sends) and sends it the cheapest way.

    Attributes:
        path: absolute path.
        offset: first octet that is served.
        beneath: directory that the file has to lie in at the moment it is opened: no component below it is followed
            through a link. None where the operator named this very file, through links or not.
    """

    path: Path
    offset: int = 0
    beneath: Path | None = None


@dataclass(frozen=True, slots=True)
class StreamBody:
    """Bytes that are not on this disk (yet): the net floor awaits them.

    ``open(start, stop)`` returns an async iterator of ``bytes`` for the half-open range; ``stop`` is -1 where the
    length is not known.
    """

    open: Callable[[int, int], AsyncIterator[bytes]]


@dataclass(frozen=True, slots=True)
class AwaitedBody:
    """The answer itself takes waiting: whether there is a file, and how long it is, is not known yet.

    The net floor awaits ``answer()`` once and sends what comes in place of the content that carries this body: its
    other fields mean nothing, and its length is -1. What comes carries no ``AwaitedBody`` again.
    """

    answer: Callable[[], Awaitable[Content | NotFound]]


@dataclass(frozen=True, slots=True)
class Content:
    """The answer to a file request.

    Attributes:
        body: bytes in memory, a file, a stream, or the promise of another answer.
        length: octets, or -1 where only the end of the stream tells (TFTP refuses those, HTTP/1.1 chunks them).
        media_type: HTTP Content-Type.
        headers: further HTTP headers (``Cache-Control: no-store`` for secrets).
        status: HTTP status; TFTP maps anything from 400 on to an ERROR packet.
        mtime: seconds since the epoch, for Last-Modified; None for generated content.
        etag: strong validator without quotes, or empty.
        on_sent: called once with the octets that left when the whole body has left, never on a broken transfer.
    """

    body: bytes | FileBody | StreamBody | AwaitedBody
    length: int
    media_type: str = "application/octet-stream"
    headers: Mapping[str, str] = field(default_factory=dict)
    status: int = 200
    mtime: float | None = None
    etag: str = ""
    on_sent: Callable[[int], None] | None = None

    @staticmethod
    def text(text: str, *, media_type: str = "text/plain; charset=utf-8", secret: bool = False) -> Content:
        """Content from a rendered text; a secret one must not be stored by any cache (RFC 9111 section 5.2.2.5)."""
        raw = text.encode()
        headers = {"Cache-Control": "no-store"} if secret else {}
        return Content(body=raw, length=len(raw), media_type=media_type, headers=headers)


@dataclass(frozen=True, slots=True)
class NotFound:
    """The path belongs to the one who answers this, and there is nothing: nobody else is asked.

    Attributes:
        reason: one sentence for the log and the timeline, never sent to the client in full.
        status: HTTP status, 404 unless the request is refused (403) or held (409, 410).
        expected: a miss that healthy boots make (search orders of loaders); it is not logged as a failure.
    """

    reason: str
    status: int = 404
    expected: bool = False


def settled(
    answer: Content | NotFound | Awaitable[Content | NotFound],
) -> Content | NotFound | Awaitable[Content | NotFound]:
    """The answer as it is, or what is to be awaited for it."""
    if isinstance(answer, Content) and isinstance(answer.body, AwaitedBody):
        return answer.body.answer()
    return answer
