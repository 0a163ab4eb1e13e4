"""A body that goes on where it broke off (RFC 9110 sections 13.1.5, 14.2 and 15.3.7)."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime, timedelta
from email.utils import parsedate_to_datetime

from provd.plugin.api import HttpStream, Runtime

from .upstream import MissingUpstreamError, UpstreamError

_PAUSES_S = (1.0, 2.0, 4.0, 8.0)
"""Before each try after one break; the transfer is given up after the last."""
_MOST_TRIES = 20
"""Tries of one transfer, so that an upstream that breaks off after every octet ends."""

Again = Callable[[Mapping[str, str]], Awaitable[HttpStream]]


class ResumingStream:
    """Implements ``HttpStream``: what breaks off is asked for again from there on.

    Only where upstream gave a strong validator and a length: else the rest could be that of another file.

    Args:
        runtime: waits.
        stream: upstream's first answer, status 200, its body not yet read.
        again: asks the same upstream with more headers.
    """

    def __init__(self, runtime: Runtime, stream: HttpStream, again: Again) -> None:
        self.status = stream.status
        self.headers = stream.headers
        self.length = stream.length
        self._runtime = runtime
        self._stream = stream
        self._again = again
        self._validator = strong_validator(stream.headers)
        self._size = 0
        self._tries = 0

    async def read(self) -> bytes:
        """The next octets; empty at the end.

        Raises:
            OSError: what first broke it, where it could not go on.
        """
        try:
            data = await self._piece()
        except OSError as error:
            data = await self._rest(error)
        self._size += len(data)
        return data

    def close(self) -> None:
        """End the connection."""
        self._stream.close()

    async def _piece(self) -> bytes:
        data = await self._stream.read()
        if not data and self._size < self.length:
            raise ConnectionError(f"{self._size} of {self.length} octets came")
        return data

    async def _rest(self, error: OSError) -> bytes:
        """The first octets after the break."""
        self._stream.close()
        if not self._validator or self.length < 0:
            raise error
        headers = {"Range": f"bytes={self._size}-", "If-Range": self._validator}
        for pause in _PAUSES_S:
            self._tries += 1
            if self._tries > _MOST_TRIES:
                break
            await self._runtime.sleep(pause)
            try:
                self._stream = await self._again(headers)
                self._must_continue(error)
                return await self._piece()
            except _AnotherFileError:
                break
            except (OSError, UpstreamError, MissingUpstreamError):
                self._stream.close()
        raise error

    def _must_continue(self, error: OSError) -> None:
        wanted = f"bytes {self._size}-{self.length - 1}/{self.length}"
        if self._stream.status != 206 or self._stream.headers.get("content-range", "").lower() != wanted:
            self._stream.close()
            raise _AnotherFileError from error


class _AnotherFileError(Exception):
    """Upstream has another file now, or cannot send a part of one."""


def strong_validator(headers: Mapping[str, str]) -> str:
    """What If-Range may name: a strong ETag, or a Last-Modified that is a second older than the answer; or empty."""
    etag = headers.get("etag", "")
    if etag:
        return etag if etag.startswith('"') else ""
    modified, sent = _moment(headers.get("last-modified", "")), _moment(headers.get("date", ""))
    old = modified is not None and sent is not None and sent - modified >= timedelta(seconds=1)
    return headers["last-modified"] if old else ""


def _moment(date: str) -> datetime | None:
    try:
        found = parsedate_to_datetime(date)
    except (ValueError, OverflowError):
        return None
    return found if found.tzinfo is not None else None
