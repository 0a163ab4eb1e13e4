"""TFTP packets: octets to values and back (RFC 1350, 2347).

RRQ, WRQ   | 01, 02 | file name | 0 | mode | 0 | option | 0 | value | 0 | ...
DATA       | 03     | block (2) | octets, fewer than the block size ends the file
ACK        | 04     | block (2) |
ERROR      | 05     | code (2)  | text | 0 |
OACK       | 06     | option | 0 | value | 0 | ...
"""

from __future__ import annotations

import struct
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Final

from provd.wire.errors import WireError

RRQ: Final = 1
WRQ: Final = 2
DATA: Final = 3
ACK: Final = 4
ERROR: Final = 5
OACK: Final = 6

MAX_REQUEST_SIZE: Final = 512
"""Octets of a request (RFC 2347 section 2)."""

_TWO_NUMBERS: Final = struct.Struct("!HH")


class ErrorCode(IntEnum):
    """Codes of an ERROR packet (RFC 1350 appendix, RFC 2347 section 2)."""

    UNDEFINED = 0
    NOT_FOUND = 1
    ACCESS_VIOLATION = 2
    DISK_FULL = 3
    ILLEGAL_OPERATION = 4
    UNKNOWN_TID = 5
    FILE_EXISTS = 6
    NO_SUCH_USER = 7
    OPTION_REFUSED = 8


@dataclass(frozen=True, slots=True)
class Request:
    """A read or write request.

    Attributes:
        write: WRQ instead of RRQ.
        filename: as sent, ASCII.
        mode: lower case: ``octet`` or ``netascii``.
        options: value by name in lower case, in the client's order; of a repeated name the first value.
    """

    write: bool
    filename: str
    mode: str
    options: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Data:
    """One block of the file."""

    block: int
    octets: bytes


@dataclass(frozen=True, slots=True)
class Ack:
    """All blocks up to this one have arrived."""

    block: int


@dataclass(frozen=True, slots=True)
class Error:
    """The transfer is over; never acknowledged and never answered."""

    code: int
    text: str


@dataclass(frozen=True, slots=True)
class OptionAck:
    """The options the server accepted."""

    options: Mapping[str, str]


Packet = Request | Data | Ack | Error | OptionAck


def decode(data: bytes) -> Packet:
    """Read one UDP payload.

    Raises:
        WireError: too short, unknown opcode, a text that does not end in NUL, a name that is empty or not ASCII, a mode
            other than octet and netascii, an option without value, a request over 512 octets. Nothing else is raised.
    """
    if len(data) < 4:
        raise WireError("packet", f"{len(data)} octets, the shortest has 4 (RFC 1350 section 5)")
    opcode, number = _TWO_NUMBERS.unpack_from(data)
    if opcode == ACK:
        if len(data) != 4:
            raise WireError("ACK", f"{len(data)} octets, must be 4 (RFC 1350 section 5)")
        return Ack(number)
    if opcode == DATA:
        return Data(number, data[4:])
    if opcode in {RRQ, WRQ}:
        return _decode_request(data, write=opcode == WRQ)
    if opcode == ERROR:
        return Error(number, data[4:].partition(b"\0")[0].decode("ascii", "replace"))
    if opcode == OACK:
        return OptionAck(_decode_options(_texts(data, "OACK"), "OACK"))
    raise WireError("opcode", f"{opcode} is unknown (RFC 1350 section 5)", 0)


def _decode_request(data: bytes, *, write: bool) -> Request:
    name = "WRQ" if write else "RRQ"
    if len(data) > MAX_REQUEST_SIZE:
        raise WireError(name, f"{len(data)} octets, at most {MAX_REQUEST_SIZE} (RFC 2347 section 2)")
    texts = _texts(data, name)
    if len(texts) < 2:
        raise WireError(name, "has no transfer mode (RFC 1350 section 5)")
    filename, mode = texts[0], texts[1].lower()
    if not filename:
        raise WireError(name, "has an empty file name (RFC 1350 section 5)")
    if mode not in {"octet", "netascii"}:
        raise WireError(name, "asks for a mode that is neither octet nor netascii (RFC 1350 section 1)")
    return Request(write, filename, mode, _decode_options(texts[2:], name))


def _texts(data: bytes, name: str) -> list[str]:
    if data[-1] != 0:
        raise WireError(name, "does not end in NUL (RFC 1350 section 5)", len(data) - 1)
    try:
        return data[2:-1].decode("ascii").split("\0")
    except UnicodeDecodeError as error:
        raise WireError(name, "has a text that is not ASCII (RFC 1350 section 5)", 2 + error.start) from error


def _decode_options(texts: list[str], name: str) -> dict[str, str]:
    if len(texts) % 2:
        raise WireError(name, "has an option without a value (RFC 2347 section 2)")
    options: dict[str, str] = {}
    for option, value in zip(texts[::2], texts[1::2], strict=True):
        options.setdefault(option.lower(), value)
    return options


def encode_request(request: Request) -> bytes:
    """Octets of an RRQ or WRQ.

    Raises:
        WireError: a text that is not ASCII or has a NUL, or more than 512 octets.
    """
    name = "WRQ" if request.write else "RRQ"
    texts = [request.filename, request.mode]
    for option, value in request.options.items():
        texts += (option, value)
    data = _join(WRQ if request.write else RRQ, texts, name)
    if len(data) > MAX_REQUEST_SIZE:
        raise WireError(name, f"{len(data)} octets, at most {MAX_REQUEST_SIZE} (RFC 2347 section 2)")
    return data


def encode_data(block: int, octets: bytes) -> bytes:
    """Octets of a DATA packet; the block number is taken modulo 65536."""
    return _TWO_NUMBERS.pack(DATA, block & 0xFFFF) + octets


def encode_ack(block: int) -> bytes:
    """Octets of an ACK; the block number is taken modulo 65536."""
    return _TWO_NUMBERS.pack(ACK, block & 0xFFFF)


def encode_error(code: int, text: str) -> bytes:
    """Octets of an ERROR; what is not ASCII in the text becomes a question mark, NUL ends it."""
    return _TWO_NUMBERS.pack(ERROR, code) + text.partition("\0")[0].encode("ascii", "replace") + b"\0"


def encode_option_ack(options: Mapping[str, str]) -> bytes:
    """Octets of an OACK, without anything after the last NUL (rule T13).

    Raises:
        WireError: a text that is not ASCII or has a NUL.
    """
    return _join(OACK, [text for pair in options.items() for text in pair], "OACK")


def _join(opcode: int, texts: list[str], name: str) -> bytes:
    joined = "".join(f"{text}\0" for text in texts)
    if joined.count("\0") != len(texts) or not joined.isascii():
        raise WireError(name, "has a text that is not ASCII or has a NUL in it (RFC 1350 section 5)")
    return struct.pack("!H", opcode) + joined.encode("ascii")
