"""Content of a file request as blocks: memory, a file on disk, or a stream that is read ahead."""

from __future__ import annotations

import errno
import os
from collections.abc import AsyncGenerator, Callable
from typing import Final, Protocol

from twisted.internet.defer import Deferred

from provd.core.tftp_source import BlockSource, MemorySource, NetasciiSource
from provd.model.content import Content, FileBody, StreamBody
from provd.net.tftp_recent import RecentFiles, key_of
from provd.plugin.beneath import is_replaced, open_body

_PIECE: Final = 1 << 14
_LARGEST_PIECE: Final = 1 << 17
_STREAM_AHEAD: Final = 1 << 20
_KEPT: Final = 1 << 16
"""Octets of files that are kept whole."""


class Source(BlockSource, Protocol):
    """A block source that holds something open.

    Attributes:
        steady: what was read may serve other requests whose content has the same validator.
    """

    steady: bool

    def close(self) -> None:
        """Free it; nothing is read any more."""


class OpenSource:
    """A source without anything to free, in the shape of one."""

    def __init__(self, source: BlockSource, closes: Callable[[], None] | None = None, *, steady: bool = False) -> None:
        self.read_at = source.read_at
        self.steady = steady
        self._closes = closes

    def close(self) -> None:
        """Free what was wrapped."""
        if self._closes is not None:
            self._closes()


class FileSource:
    """Part of a file on disk, read in larger pieces so that a small block costs no system call.

    The first read opens the file: a client that asks and says no more costs a port and no second descriptor.

    Args:
        body: the file and where its content begins.
        size: octets that are served.
        piece: octets that are read at once.
        is_steady: judges the file that was opened.
        is_other: whether that is not the file that was asked for.
        whole: gets the octets of a steady file that was read at once.
    """

    def __init__(
        self,
        body: FileBody,
        size: int,
        piece: int = _PIECE,
        *,
        is_steady: Callable[[os.stat_result], bool] = lambda _: False,
        is_other: Callable[[os.stat_result], bool] = lambda _: False,
        whole: Callable[[bytes], None] = lambda _: None,
    ) -> None:
        self._body, self._size, self._piece = body, size, piece
        self._is_steady, self._is_other, self._whole = is_steady, is_other, whole
        self.steady = False
        self._descriptor = -1
        self._at = 0
        self._ahead = b""

    def read_at(self, offset: int, count: int) -> bytes:
        """Octets from ``offset`` on, fewer than ``count`` at the end.

        Raises:
            OSError: the file cannot be opened or read, is another one by now, or has become shorter.
        """
        start = offset - self._at
        stop = start + count
        if start < 0 or stop > len(self._ahead):
            if self._descriptor < 0:
                opened = open_body(self._body)
                self._descriptor = opened.descriptor
                if self._is_other(opened.status):
                    raise OSError(errno.ESTALE, "the file was replaced after it was asked for")
                self.steady = self._is_steady(opened.status)
            left = self._size - offset
            stop = min(count, left)
            wanted = min(max(count, self._piece), max(left, 0))
            self._ahead = os.pread(self._descriptor, wanted, self._body.offset + offset)
            self._at, start = offset, 0
            if len(self._ahead) < stop:
                raise OSError(errno.EIO, "the file became shorter while it was sent")
            if self.steady and len(self._ahead) == self._size:
                self._whole(self._ahead)
        return self._ahead[start:stop]

    def close(self) -> None:
        """Close the file."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1


class StreamSource:
    """A stream of known length, read ahead; ``ready`` is called when octets came that were asked for in vain."""

    def __init__(self, body: StreamBody, size: int, *, retain: int, ready: Callable[[], None]) -> None:
        """Begin to read.

        Args:
            body: the stream.
            size: octets it will give.
            retain: octets behind the newest read that may be asked for again: one window.
            ready: called when ``read_at`` would now give what it could not.
        """
        self._size = size
        self._retain = retain
        self._limit = max(_STREAM_AHEAD, 2 * retain)
        self._ready = ready
        self._base = 0
        self._octets = bytearray()
        self._wanted = 0
        self._error: OSError | None = None
        self.steady = False
        self._room: Deferred[None] | None = None
        self._pump = Deferred.fromCoroutine(self._read(body))
        self._pump.addErrback(lambda _: None)

    def read_at(self, offset: int, count: int) -> bytes | None:
        """Octets from ``offset`` on, or None where they have not come yet.

        Raises:
            OSError: the stream broke or ended early.
        """
        stop = min(offset + count, self._size)
        if stop > self._base + len(self._octets):
            if self._error is not None:
                raise self._error
            # What is made ahead asks for more than the block that is due.
            self._wanted = min(stop, self._wanted or stop)
            return None
        stale = offset - self._retain - self._base
        if stale > _PIECE:
            del self._octets[:stale]
            self._base += stale
            if self._room is not None and len(self._octets) < self._limit:
                room, self._room = self._room, None
                room.callback(None)
        return bytes(self._octets[offset - self._base : max(stop - self._base, 0)])

    def close(self) -> None:
        """Stop reading."""
        self._ready = lambda: None
        self._pump.cancel()

    async def _read(self, body: StreamBody) -> None:
        stream = None
        try:
            stream = body.open(0, self._size)
            async for chunk in stream:
                self._octets += chunk
                self._wake()
                if len(self._octets) >= self._limit:
                    self._room = Deferred()
                    await self._room
            self._error = OSError(errno.EIO, "the content ended before its announced length")
        except Exception as error:  # noqa: BLE001  a stream may break in any way; the transfer reports it
            self._error = OSError(errno.EIO, f"the content broke off: {error}")
        finally:
            if isinstance(stream, AsyncGenerator):
                await stream.aclose()
        self._wake(always=True)

    def _wake(self, *, always: bool = False) -> None:
        if self._wanted and (always or self._base + len(self._octets) >= self._wanted):
            self._wanted = 0
            self._ready()


def open_source(
    content: Content, *, netascii: bool, window: int, retain: int, ready: Callable[[], None], recent: RecentFiles
) -> Source:
    """Open the content of a request.

    Args:
        content: what the file request was answered with; its length is known.
        netascii: translate line ends.
        window: octets that are read at once, at least.
        retain: octets behind the newest that may be asked for again.
        ready: called when a stream has octets again.
        recent: files that were lately sent.

    Raises:
        OSError: the file is not there, is no regular file, or lies behind a link where none may be.
    """
    source = _open_plain(content, window, retain, ready, recent)
    return OpenSource(NetasciiSource(source, retain=retain), source.close) if netascii else source


def _open_plain(content: Content, window: int, retain: int, ready: Callable[[], None], recent: RecentFiles) -> Source:
    body = content.body
    if isinstance(body, bytes):
        return OpenSource(MemorySource(body))
    if isinstance(body, StreamBody):
        return StreamSource(body, content.length, retain=retain, ready=ready)
    if not isinstance(body, FileBody):
        raise OSError(errno.EINVAL, "the content is still awaited")
    return _open_file(body, content, window, recent)


def _open_file(body: FileBody, content: Content, window: int, recent: RecentFiles) -> Source:
    size, key = content.length, key_of(content)

    def is_other(status: os.stat_result) -> bool:
        return is_replaced(content, status)

    if key is not None and size <= _KEPT:
        octets = recent.get(key)
        if octets is not None:
            return OpenSource(MemorySource(octets), steady=True)
        source = FileSource(
            body,
            size,
            size,
            is_steady=lambda status: recent.is_steady(content, status),
            is_other=is_other,
            whole=lambda octets: recent.keep(key, octets, size),
        )
    else:
        piece = min(max(window, _PIECE), _LARGEST_PIECE)
        source = FileSource(
            body, size, piece, is_steady=lambda status: recent.is_steady(content, status), is_other=is_other
        )
    if size > _PIECE:
        return source
    try:
        return OpenSource(MemorySource(source.read_at(0, size)), steady=source.steady)
    finally:
        source.close()
