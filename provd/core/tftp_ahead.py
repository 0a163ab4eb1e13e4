"""Datagrams of a transfer that are made before the client asks for them."""

from __future__ import annotations

import struct
from typing import Final, Protocol

from provd.core.tftp_source import BlockSource
from provd.wire.tftp import ACK, DATA

LOOK_AHEAD: Final = 64
"""Blocks of a group; a source keeps so many behind the newest one."""

Steps = list[tuple[bytes, bytes]]
"""Acknowledgements that will come and what answers each: a window's DATA datagrams, joined. The next one is last."""

_HEAD: Final = struct.Struct("!HH")


class MadeBlocks(Protocol):
    """Groups that other transfers of the same file made."""

    def get(self, first: int) -> Steps | None:
        """The group that begins with the acknowledgement of block ``first``."""

    def keep(self, first: int, steps: Steps) -> None:
        """It was made; nobody changes it any more."""


class StepMaker:
    """Makes the steps of one transfer.

    Args:
        source: of its octets.
        blksize: octets of a full block.
        window: blocks of a full window.
        wrap: block numbers until they roll over: 65536, or 65535 where 1 follows the last.
        made: None where no other transfer has the same octets.
    """

    __slots__ = ("_blksize", "_made", "_source", "_window", "_wrap")

    def __init__(self, source: BlockSource, blksize: int, window: int, wrap: int, made: MadeBlocks | None) -> None:
        self._source, self._blksize, self._window, self._wrap, self._made = source, blksize, window, wrap, made

    def number(self, block: int) -> int:
        """A block's number on the wire."""
        return block % 65536 if self._wrap == 65536 else (block - 1) % 65535 + 1

    def after(self, sent: int) -> Steps:
        """From the acknowledgement of ``sent`` to the end of its group: groups begin alike in every transfer.

        Only full windows of full blocks are among them, and none where a loss has moved the windows' borders.

        Raises:
            OSError: the source failed.
        """
        over = sent % LOOK_AHEAD
        if over % self._window or LOOK_AHEAD % self._window:
            return []
        if self._made is None:
            return self._make(sent, LOOK_AHEAD - over)
        steps = self._made.get(sent - over)
        if steps is None:
            steps = self._make(sent - over, LOOK_AHEAD)
            self._made.keep(sent - over, steps)
        return steps[: -(over // self._window)] if over else steps

    def _make(self, sent: int, count: int) -> Steps:
        blksize, window, pack = self._blksize, self._window, _HEAD.pack
        octets = self._source.read_at(sent * blksize, count * blksize) or b""
        count = len(octets) // blksize
        numbers = [self.number(block) for block in range(sent, sent + count + 1)]
        data = [pack(DATA, numbers[at + 1]) + octets[at * blksize : (at + 1) * blksize] for at in range(count)]
        if window > 1:
            data = [b"".join(data[at : at + window]) for at in range(0, count - window + 1, window)]
        return [(pack(ACK, numbers[at * window]), data[at]) for at in range(len(data) - 1, -1, -1)]
