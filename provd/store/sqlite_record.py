"""A value as one sealed record: what was written can be told from what a failing disk made of it.

Layout (little endian): 4 octets ``pvd1``, length of the body, CRC-32 of kind, sequence number and body, sequence number
(8 octets), body in MessagePack with named fields. SQLite has no checksums of its own in the main file. A record
can also be found in a file that SQLite cannot open any more; of two with one key the larger sequence number counts.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from ipaddress import IPv4Address
from typing import Any, Final, Generic, TypeVar

import msgspec

T = TypeVar("T")

MAGIC: Final = b"pvd1"
HEAD: Final = struct.Struct("<4sIIQ")
"""Magic, length of the body, CRC-32, sequence number."""
MAX_BODY: Final = 1 << 24


class RecordError(ValueError):
    """A record is damaged; the sentence says how."""


def seal(kind: str, sequence: int, body: bytes) -> bytes:
    """A record around ``body``."""
    # As _sum does, without the call: this is done for each lease.
    crc = zlib.crc32(body, zlib.crc32(b"%d\0" % sequence, _sum_of_kind(kind)))
    return HEAD.pack(MAGIC, len(body), crc, sequence) + body


def unseal(kind: str, record: bytes) -> tuple[int, bytes]:
    """Sequence number and body of a record.

    Raises:
        RecordError: it is not a whole, sound record of this kind.
    """
    if not isinstance(record, bytes) or len(record) < HEAD.size:
        raise RecordError("too short")
    magic, length, crc, sequence = HEAD.unpack_from(record)
    body = record[HEAD.size :]
    if magic != MAGIC or length != len(body) or crc != _sum(kind, sequence, body):
        raise RecordError("the checksum does not fit")
    return sequence, body


def carve(kinds: Sequence[str], raw: bytes, *, above: int = -1) -> Iterator[tuple[str, int, bytes]]:
    """Every sound record anywhere in ``raw``, each once: kind, sequence number and body.

    Args:
        kinds: that are looked for.
        raw: octets.
        above: only records with a higher sequence number; the others cost no checksum.
    """
    seen: set[tuple[int, int]] = set()
    at = raw.find(MAGIC)
    while at >= 0:
        if at + HEAD.size <= len(raw):
            _, length, crc, sequence = HEAD.unpack_from(raw, at)
            start = at + HEAD.size
            if sequence > above and (sequence, crc) not in seen and length <= MAX_BODY:
                body = raw[start : start + length]
                kind = next((kind for kind in kinds if crc == _sum(kind, sequence, body)), "")
                if kind and length == len(body):
                    seen.add((sequence, crc))
                    yield kind, sequence, body
        at = raw.find(MAGIC, at + 1)


def _sum(kind: str, sequence: int, body: bytes) -> int:
    return zlib.crc32(body, zlib.crc32(b"%d\0" % sequence, _sum_of_kind(kind)))


@cache
def _sum_of_kind(kind: str) -> int:
    return zlib.crc32(f"{kind}\0".encode())


def _encode_hook(value: Any) -> Any:
    if isinstance(value, IPv4Address):
        return str(value)
    raise TypeError(f"{type(value).__name__} cannot be stored")


def decode_hook(type_: type, value: Any) -> Any:
    """Values that MessagePack does not know, as they were (msgspec's protocol)."""
    return IPv4Address(value) if type_ is IPv4Address else value


_encoder = msgspec.msgpack.Encoder(enc_hook=_encode_hook)
encode_body: Final = _encoder.encode
"""A value as the body of a record; TypeError and others where it cannot be stored."""


@dataclass(frozen=True, slots=True)
class Codec(Generic[T]):
    """Values of one type as records of one kind.

    Attributes:
        kind: name of the table.
        key: key of a value, as the table's first column holds it.
        decoder: made from the type.
    """

    kind: str
    key: Callable[[T], int | str]
    decoder: msgspec.msgpack.Decoder[T]

    def encode(self, value: T, sequence: int) -> bytes:
        """The record of a value."""
        return seal(self.kind, sequence, _encoder.encode(value))

    def decode(self, record: bytes) -> T:
        """The value of a record.

        Raises:
            RecordError: the record is damaged, or of a form that this version does not know.
        """
        return self.read(unseal(self.kind, record)[1])

    def read(self, body: bytes) -> T:
        """The value of a body.

        Raises:
            RecordError: it has a form that this version does not know.
        """
        try:
            return self.decoder.decode(body)
        except (msgspec.DecodeError, ValueError) as error:
            raise RecordError(f"the record is not one of {self.kind}: {error}") from error


def codec(kind: str, type_: type[T], key: Callable[[T], int | str]) -> Codec[T]:
    """A codec for a type of the model."""
    return Codec(kind, key, msgspec.msgpack.Decoder(type_, dec_hook=decode_hook))
