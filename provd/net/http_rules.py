"""Rules of HTTP that need no connection: targets, ranges, conditions, media types (RFC 9110, RFC 9112)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC
from email.utils import formatdate, parsedate_to_datetime
from typing import Final
from urllib.parse import unquote_to_bytes, urlsplit

from provd.wire.errors import WireError
from provd.wire.path import clean_path

_RANGE: Final = re.compile(r"bytes=\s*(\d*)\s*-\s*(\d*)\s*\Z")


class BadTargetError(ValueError):
    """A request target that names no served path; ``status`` is what it is answered with."""

    def __init__(self, status: int, reason: str) -> None:
        super().__init__(reason)
        self.status = status


@dataclass(frozen=True, slots=True)
class ByteRange:
    """The half-open range ``start`` to ``stop`` of a representation."""

    start: int
    stop: int


class UnsatisfiableError(ValueError):
    """No octet of the range exists (RFC 9110 section 15.5.17)."""


def served_path(target: bytes) -> str:
    """The served path of a request target: decoded once, then under the path rules shared with TFTP (rule H09).

    Raises:
        BadTargetError: 400 for a target that is malformed or leaves the tree, 404 for the root.
    """
    if not target.startswith(b"/"):
        # RFC 9112 section 3.2.2: a server takes the absolute form as well.
        if not target.lower().startswith((b"http://", b"https://")):
            raise BadTargetError(400, "the request target is not a path")
        try:
            target = urlsplit(target).path or b"/"
        except ValueError as error:
            raise BadTargetError(400, "the request target is not a URL") from error
    raw = unquote_to_bytes(target.partition(b"?")[0].partition(b"#")[0])
    try:
        text = raw.decode()
    except UnicodeDecodeError as error:
        raise BadTargetError(400, "the path is not UTF-8") from error
    if not text.replace("\\", "/").strip("/"):
        raise BadTargetError(404, "the root is not served")
    try:
        return clean_path(text)
    except WireError as error:
        raise BadTargetError(400, str(error)) from error


def parse_range(header: str | None, length: int) -> ByteRange | None:
    """The single range asked for; None where the whole is sent.

    Malformed headers, other units and several ranges at once are ignored, as RFC 9110 section 14.2 allows: nothing that
    boots needs them, and a flood of overlapping ranges costs nothing.

    Raises:
        UnsatisfiableError: the range begins behind the end.
    """
    found = _RANGE.match(header) if header and len(header) <= 100 else None
    if found is None or found.groups() == ("", ""):
        return None
    first, last = found.groups()
    if not first:
        suffix = min(int(last), length)
        if suffix == 0:
            raise UnsatisfiableError
        return ByteRange(length - suffix, length)
    if last and int(last) < int(first):
        return None
    if int(first) >= length:
        raise UnsatisfiableError
    return ByteRange(int(first), min(int(last) + 1, length) if last else length)


def condition(headers: Mapping[str, str], etag: str, mtime: float | None) -> int:
    """Evaluate the preconditions of a GET or HEAD in the order of RFC 9110 section 13.2.2.

    Args:
        headers: request headers in lower case.
        etag: strong validator without quotes, or empty.
        mtime: seconds since the epoch, or None.

    Returns:
        200, 304 or 412.
    """
    if "if-match" in headers:
        if not _matches(headers["if-match"], etag, weak=False):
            return 412
    elif (
        mtime is not None and (limit := _seconds(headers.get("if-unmodified-since"))) is not None and mtime >= limit + 1
    ):
        return 412
    if "if-none-match" in headers:
        return 304 if _matches(headers["if-none-match"], etag, weak=True) else 200
    if mtime is not None and (since := _seconds(headers.get("if-modified-since"))) is not None and mtime < since + 1:
        return 304
    return 200


def range_applies(headers: Mapping[str, str], etag: str, mtime: float | None) -> bool:
    """Whether If-Range lets the Range header count (RFC 9110 section 13.1.5: strong comparison, exact date)."""
    validator = headers.get("if-range")
    if validator is None:
        return True
    if validator.startswith(('"', "W/")):
        return bool(etag) and validator == f'"{etag}"'
    when = _seconds(validator)
    return when is not None and mtime is not None and int(mtime) == when


def http_date(seconds: float) -> str:
    """An IMF-fixdate (RFC 9110 section 5.6.7)."""
    return formatdate(int(seconds), usegmt=True)


def _matches(header: str, etag: str, *, weak: bool) -> bool:
    if header.strip() == "*":
        return True
    if not etag:
        return False
    tags = [tag.strip() for tag in header.split(",")]
    if weak:
        tags = [tag.removeprefix("W/") for tag in tags]
    return f'"{etag}"' in tags


def _seconds(date: str | None) -> float | None:
    if not date:
        return None
    try:
        found = parsedate_to_datetime(date)
        # Of the three forms, that of asctime names no zone: all are UTC (RFC 9110 section 5.6.7).
        return (found if found.tzinfo else found.replace(tzinfo=UTC)).timestamp()
    except (ValueError, TypeError, OverflowError):
        return None
