"""Recordings as pcapng (draft-ietf-opsawg-pcapng), which Wireshark and tcpdump read; of that, what provd writes.

One section, one block per interface with its name and a note, one enhanced packet block per packet with its direction
and a note. Packets begin with their IPv4 header (LINKTYPE_RAW).
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

from provd.wire.errors import WireError

_SECTION, _INTERFACE, _PACKET = 0x0A0D0D0A, 1, 6
_MAGIC: Final = 0x1A2B3C4D
_RAW: Final = 101
_COMMENT, _IF_NAME, _IF_DESCRIPTION, _FLAGS = 1, 2, 3, 2
_INBOUND, _OUTBOUND = 1, 2
_MOST: Final = 64 << 20
"""Octets of the longest recording that is read."""


@dataclass(frozen=True, slots=True)
class Frame:
    """One recorded packet.

    Attributes:
        at: seconds since the epoch; a microsecond is kept.
        interface: where it was seen.
        inbound: it arrived; else it was sent.
        packet: with its IPv4 header.
        note: what the recorder knows beside.
        place: what the recorder knows of the interface.
    """

    at: float
    interface: str
    inbound: bool
    packet: bytes
    note: str = ""
    place: str = ""


def encode(frames: Iterable[Frame], application: str) -> bytes:
    """A recording.

    Args:
        frames: in order of time.
        application: name of the program that made it.
    """
    head = struct.pack("<IHHq", _MAGIC, 1, 0, -1)
    blocks = [_block(_SECTION, head + _options((4, application.encode())))]
    known: dict[tuple[str, str], int] = {}
    for frame in frames:
        key = (frame.interface, frame.place)
        if key not in known:
            known[key] = len(known)
            told = _options((_IF_NAME, frame.interface.encode()), (_IF_DESCRIPTION, frame.place.encode()))
            blocks.append(_block(_INTERFACE, struct.pack("<HHI", _RAW, 0, 0) + told))
        high, low = divmod(round(frame.at * 1_000_000), 1 << 32)
        size = len(frame.packet)
        flags = struct.pack("<I", _INBOUND if frame.inbound else _OUTBOUND)
        told = _options((_FLAGS, flags), (_COMMENT, frame.note.encode()))
        body = struct.pack("<IIIII", known[key], high, low, size, size) + _padded(frame.packet) + told
        blocks.append(_block(_PACKET, body))
    return b"".join(blocks)


def _padded(data: bytes) -> bytes:
    return data + bytes(-len(data) % 4)


def _block(kind: int, body: bytes) -> bytes:
    size = struct.pack("<I", len(body) + 12)
    return struct.pack("<I", kind) + size + body + size


def _options(*options: tuple[int, bytes]) -> bytes:
    told = b"".join(struct.pack("<HH", code, len(data)) + _padded(data) for code, data in options if data)
    return told + bytes(4) if told else b""


def decode(data: bytes) -> list[Frame]:
    """The packets of a recording.

    Raises:
        WireError: it is no recording of provd's, or is damaged; the sentence says where. Nothing else is raised.
    """
    if len(data) > _MOST:
        raise WireError("recording", f"{len(data)} octets, at most {_MOST} are read")
    blocks = _blocks(data)
    first = next(blocks, None)
    if first is None or first[1] != _SECTION:
        raise WireError("recording", "is no pcapng file, as provd record writes them", 0)
    at, _, body = first
    if len(body) < 16 or int.from_bytes(body[:4], "little") != _MAGIC:
        raise WireError("recording", "is no pcapng file of this byte order", at)
    frames: list[Frame] = []
    places: list[tuple[str, str]] = []
    for at, kind, body in blocks:
        try:
            if kind == _INTERFACE:
                places.append(_place(body))
            elif kind == _PACKET:
                frames.append(_frame(body, places))
        except (struct.error, UnicodeDecodeError, IndexError, ValueError) as error:
            raise WireError("recording", f"is damaged: block {kind} cannot be read", at) from error
    return frames


def _blocks(data: bytes) -> Iterator[tuple[int, int, bytes]]:
    at = 0
    while at < len(data):
        if len(data) - at < 12:
            raise WireError("recording", "ends in the middle of a block", at)
        kind, size = struct.unpack_from("<II", data, at)
        if size < 12 or size % 4 or at + size > len(data):
            what = "is no pcapng file, as provd record writes them" if at == 0 else "ends in the middle of a block"
            raise WireError("recording", what, at)
        if data[at + size - 4 : at + size] != data[at + 4 : at + 8]:
            raise WireError("recording", "is damaged: a block's two lengths differ", at)
        yield at, kind, data[at + 8 : at + size - 4]
        at += size


def _place(body: bytes) -> tuple[str, str]:
    kind, _, _ = struct.unpack_from("<HHI", body)
    if kind != _RAW:
        raise ValueError(f"link type {kind}")
    told = _read_options(body[8:])
    return told.get(_IF_NAME, b"").decode(), told.get(_IF_DESCRIPTION, b"").decode()


def _frame(body: bytes, places: list[tuple[str, str]]) -> Frame:
    number, high, low, captured, whole = struct.unpack_from("<IIIII", body)
    if captured != whole or 20 + captured > len(body):
        raise ValueError("a packet that is not whole")
    told = _read_options(body[20 + captured + -captured % 4 :])
    flags = int.from_bytes(told.get(_FLAGS, b"\0\0\0\0"), "little") & 3
    if flags not in {_INBOUND, _OUTBOUND}:
        raise ValueError("a packet without a direction")
    name, place = places[number]
    seconds = ((high << 32) + low) / 1_000_000
    packet = body[20 : 20 + captured]
    return Frame(seconds, name, flags == _INBOUND, packet, told.get(_COMMENT, b"").decode(), place)


def _read_options(data: bytes) -> dict[int, bytes]:
    found: dict[int, bytes] = {}
    at = 0
    while at + 4 <= len(data):
        code, size = struct.unpack_from("<HH", data, at)
        if code == 0:
            break
        if at + 4 + size > len(data):
            raise ValueError("an option that is not whole")
        found.setdefault(code, data[at + 4 : at + 4 + size])
        at += 4 + size + -size % 4
    return found
