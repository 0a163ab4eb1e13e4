"""Datagrams of a transfer in lock-step that are made before the client asks for them."""

from __future__ import annotations

import struct
from typing import Final, Protocol

from provd.core.tftp_source import BlockSource
from provd.wire.tftp import ACK, DATA

LOOK_AHEAD: Final = 64
"""Blocks of a group; a source keeps so many behind the newest one."""

Steps = list[tuple[bytes, bytes]]
"""Acknowledgements that will come and the DATA datagrams that answer them, the next one last."""

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
        wrap: block numbers until they roll over: 65536, or 65535 where 1 follows the last.
        made: None where no other transfer has the same octets.
    """

    __slots__ = ("_blksize", "_made", "_source", "_wrap")

    def __init__(self, source: BlockSource, blksize: int, wrap: int, made: MadeBlocks | None) -> None:
        self._source, self._blksize, self._wrap, self._made = source, blksize, wrap, made

    def number(self, block: int) -> int:
        """A block's number on the wire."""
        return block % 65536 if self._wrap == 65536 else (block - 1) % 65535 + 1

    def after(self, sent: int) -> Steps:
        """From the acknowledgement of ``sent`` to the end of its group: groups begin alike in every transfer.

        Only full blocks are among them.

        Raises:
            OSError: the source failed.
        """
        over = sent % LOOK_AHEAD
        if self._made is None:
            return self._make(sent, LOOK_AHEAD - over)
        steps = self._made.get(sent - over)
        if steps is None:
            steps = self._make(sent - over, LOOK_AHEAD)
            self._made.keep(sent - over, steps)
        return steps[:-over] if over else steps

    def _make(self, sent: int, count: int) -> Steps:
        blksize, pack = self._blksize, _HEAD.pack
        octets = self._source.read_at(sent * blksize, count * blksize) or b""
        count = len(octets) // blksize
        numbers = [self.number(block) for block in range(sent, sent + count + 1)]
        return [
            (pack(ACK, numbers[at]), pack(DATA, numbers[at + 1]) + octets[at * blksize : (at + 1) * blksize])
            for at in range(count - 1, -1, -1)
        ]
