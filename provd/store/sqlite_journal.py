"""SQLite's write-ahead log after a kill: whether a damaged frame made it drop commits that were acknowledged.

SQLite reads the log up to the first frame whose checksum fails and forgets the rest without a word. That is right for
the torn end of an interrupted write, and wrong for damage further up (file format: sqlite.org/fileformat2.html,
section 4).
"""

from __future__ import annotations

import struct
from typing import Final

from provd.store.sqlite_record import RecordError

_HEADER: Final = struct.Struct(">IIIIIIII")
_FRAME: Final = struct.Struct(">IIII")
_FRAME_SIZE: Final = 24
_MAGICS: Final = {0x377F0682: "<", 0x377F0683: ">"}


class JournalError(RecordError):
    """The log holds commits that SQLite did not read."""


def check_journal(journal: bytes, recovered: int) -> None:
    """Compare what lies in the log with what SQLite read of it.

    Args:
        journal: the log before SQLite opened it; empty where there was none.
        recovered: number of frames that SQLite read.

    Raises:
        JournalError: a commit lies behind the last frame that was read.
    """
    if len(journal) <= _HEADER.size:
        return
    magic, _, page_size, _, salt1, salt2, sum1, sum2 = _HEADER.unpack_from(journal)
    if magic not in _MAGICS or _checksum(journal[:24], _MAGICS[magic]) != (sum1, sum2):
        raise JournalError("the write-ahead log has a damaged header")
    step = _FRAME_SIZE + page_size
    end = _HEADER.size + max(recovered, 0) * step
    for at in range(end, len(journal) - step + 1, step):
        _, pages, frame_salt1, frame_salt2 = _FRAME.unpack_from(journal, at)
        # Frames of an earlier round have two other salts; one that fits is a frame of this round with a damaged head.
        if pages and (frame_salt1 == salt1 or frame_salt2 == salt2):
            raise JournalError("the write-ahead log has a damaged frame before a commit")
    if _moved_commit(journal, end, journal[16:24], step):
        raise JournalError("the write-ahead log has octets too many or too few before a commit")


def _moved_commit(journal: bytes, end: int, salts: bytes, step: int) -> bool:
    """Whether a whole frame that ends a transaction of this round lies anywhere behind ``end``."""
    at = journal.find(salts, end)
    while at >= 0:
        start = at - 8
        if end <= start <= len(journal) - step and journal[at - 4 : at] != bytes(4):
            return True
        at = journal.find(salts, at + 1)
    return False


def _checksum(octets: bytes, order: str) -> tuple[int, int]:
    """The running sum over pairs of 32-bit words."""
    first = second = 0
    for one, two in struct.iter_unpack(f"{order}II", octets):
        first = (first + one + second) & 0xFFFFFFFF
        second = (second + two + first) & 0xFFFFFFFF
    return first, second
