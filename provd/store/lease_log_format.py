"""Octets of the lease log: what became durable together is one block, and a later block never hides an earlier one.

A file begins with a head (:data:`START` octets): magic, CRC-32, and a sequence number up to which everything in it is
in the database already. Blocks follow: magic, length, CRC-32, number of the round, and then leases as sealed records
(:mod:`provd.store.sqlite_record`) and removals in their order. A file is written again from its start; a block whose
round, or a record whose sequence number, is not above the head's number is of an earlier round.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator, Sequence
from typing import Final, TypeAlias

import msgspec

from provd.store.sqlite_record import HEAD as RECORD_HEAD
from provd.store.sqlite_record import MAGIC as RECORD
from provd.store.sqlite_record import RecordError

START: Final = 64
"""Octets before the first block."""
BLOCK: Final = b"pvdb"
"""Begins a block."""

_FILE: Final = struct.Struct("<4sIQ")
_FILE_MAGIC: Final = b"pvdl"
_HEAD: Final = struct.Struct("<4sIIQ")
HEAD: Final = _HEAD.size
"""Octets of a block before its entries."""
_REMOVED: Final = struct.Struct("<4sI")
_REMOVED_MAGIC: Final = b"pvdx"

Entry: TypeAlias = tuple[int, bytes]
"""Address and the lease's sealed record; without octets the lease of that address is gone."""


class _Address(msgspec.Struct):
    address: int


_address = msgspec.msgpack.Decoder(_Address)


def file_head(settled: int) -> bytes:
    """The first octets of a file.

    Args:
        settled: highest sequence number of what may be forgotten.
    """
    return _FILE.pack(_FILE_MAGIC, zlib.crc32(settled.to_bytes(8, "little")), settled).ljust(START, b"\0")


def settled_of(head: bytes) -> int:
    """The number of :func:`file_head`.

    Raises:
        RecordError: the head is damaged.
    """
    if len(head) < START:
        raise RecordError("its head is torn")
    magic, crc, settled = _FILE.unpack_from(head)
    if magic != _FILE_MAGIC or crc != zlib.crc32(settled.to_bytes(8, "little")):
        raise RecordError("its head is damaged")
    return int(settled)


def removal(address: int) -> bytes:
    """The entry that says that a lease is gone."""
    return _REMOVED.pack(_REMOVED_MAGIC, address)


def block(number: int, entries: Sequence[bytes]) -> bytes:
    """A block of sealed records and removals.

    Args:
        number: of the round.
        entries: in the order in which they happened.
    """
    body = b"".join(entries)
    return _HEAD.pack(BLOCK, len(body), _sum(number, body), number) + body


def block_length(head: bytes, number: int, settled: int) -> int:
    """Octets behind a block's head; -1 where no block of this round begins.

    Args:
        head: :data:`HEAD` octets.
        number: of the round; 0 before the first block of a file.
        settled: from :func:`settled_of`.
    """
    if len(head) < HEAD:
        return -1
    magic, length, _, found = _HEAD.unpack_from(head)
    if magic != BLOCK or found <= settled or (number and found != number):
        return -1
    return int(length)


def block_number(head: bytes) -> int:
    """Round of a block."""
    return int(_HEAD.unpack_from(head)[3])


def is_sound(head: bytes, body: bytes) -> bool:
    """The whole block was written."""
    if len(head) < HEAD:
        return False
    _, length, crc, number = _HEAD.unpack_from(head)
    return bool(length == len(body) and crc == _sum(number, body))


def _sum(number: int, body: bytes) -> int:
    return zlib.crc32(body, zlib.crc32(number.to_bytes(8, "little")))


def entries_of(body: bytes) -> Iterator[Entry]:
    """What a sound block says.

    Raises:
        RecordError: it was written by something else than :func:`block`.
    """
    at = 0
    while at < len(body):
        magic = body[at : at + 4]
        if magic == _REMOVED_MAGIC:
            yield _REMOVED.unpack_from(body, at)[1], b""
            at += _REMOVED.size
            continue
        if magic != RECORD:
            raise RecordError("it holds something that is neither a lease nor a removal")
        start = at + RECORD_HEAD.size
        end = start + RECORD_HEAD.unpack_from(body, at)[1]
        yield _address.decode(body[start:end]).address, body[at:end]
        at = end


def newest_of(body: bytes) -> int:
    """Highest sequence number in a sound block, 0 where it only removes."""
    at, newest = 0, 0
    while at < len(body):
        if body[at : at + 4] == _REMOVED_MAGIC:
            at += _REMOVED.size
            continue
        _, length, _, sequence = RECORD_HEAD.unpack_from(body, at)
        newest = max(newest, sequence)
        at += RECORD_HEAD.size + length
    return newest


def sequence_of(entry: bytes) -> int:
    """Sequence number of a sealed record; 0 of a removal."""
    return int(RECORD_HEAD.unpack_from(entry)[3]) if entry[:4] == RECORD else 0
