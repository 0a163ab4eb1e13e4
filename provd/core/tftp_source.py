"""Where the blocks of a transfer come from."""

from __future__ import annotations

from typing import Protocol


class BlockSource(Protocol):
    """Octets by position.

    A transfer reads forward; it goes back only as far as the oldest block that is not acknowledged.
    """

    def read_at(self, offset: int, count: int) -> bytes | None:
        """Octets from ``offset`` on: ``count`` of them, fewer only at the end; None where they are not there yet.

        Raises:
            OSError: the octets cannot be had; the transfer fails.
        """


class MemorySource:
    """Octets in memory."""

    __slots__ = ("_octets",)

    def __init__(self, octets: bytes) -> None:
        self._octets = octets

    def read_at(self, offset: int, count: int) -> bytes:
        """Octets from ``offset`` on, fewer than ``count`` at the end."""
        return self._octets[offset : offset + count]


class NetasciiSource:
    """Another source as netascii: LF becomes CR LF, CR becomes CR NUL (RFC 1350 section 1, RFC 764).

    Positions count converted octets, so what was converted stays in memory as long as it may be asked for again.
    """

    __slots__ = ("_base", "_converted", "_ended", "_position", "_retain", "_source")

    _CHUNK = 16384

    def __init__(self, source: BlockSource, *, retain: int) -> None:
        """Wrap a source.

        Args:
            source: the octets as they are.
            retain: octets behind the newest read that may be read again: one window.
        """
        self._source = source
        self._retain = retain
        self._converted = bytearray()
        self._base = 0
        self._position = 0
        self._ended = False

    def read_at(self, offset: int, count: int) -> bytes | None:
        """Converted octets from ``offset`` on.

        Raises:
            OSError: the wrapped source failed.
        """
        while not self._ended and self._base + len(self._converted) < offset + count:
            chunk = self._source.read_at(self._position, self._CHUNK)
            if chunk is None:
                return None
            self._ended = len(chunk) < self._CHUNK
            self._position += len(chunk)
            self._converted += chunk.replace(b"\r", b"\r\0").replace(b"\n", b"\r\n")
        stale = offset - self._retain - self._base
        if stale > self._CHUNK:
            del self._converted[:stale]
            self._base += stale
        at = offset - self._base
        return bytes(self._converted[at : at + count])
