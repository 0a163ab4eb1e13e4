"""IPv4 packets with one UDP datagram (RFC 791, RFC 768): made, and taken apart."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import Final

from provd.wire.errors import WireError

_IP: Final = struct.Struct("!BBHHHBBHII")
_UDP: Final = struct.Struct("!HHHH")
_HEADERS: Final = struct.Struct("!BBHHHBBHIIHHHH")
_UDP_PROTOCOL: Final = 17
_TTL: Final = 64
_VERSION_IHL: Final = 0x45
"""Version 4, and a header of five words of 32 bits: no options (RFC 791 section 3.1)."""
_DSCP_CS6: Final = 0xC0
"""Network control, in the octet of RFC 791's type of service (RFC 2474 section 4.2.2.2)."""
_DONT_FRAGMENT: Final = 0x4000
"""The flag DF, with a fragment offset of 0 (RFC 791 section 3.1)."""
_IS_FRAGMENT: Final = 0x3FFF
"""The flag MF and the fragment offset; both are 0 in a whole packet (RFC 791 section 3.1)."""
_MAX_PAYLOAD: Final = 65535 - 28
_FIRST_WORDS: Final = (_VERSION_IHL << 8 | _DSCP_CS6) + _DONT_FRAGMENT + (_TTL << 8 | _UDP_PROTOCOL)
"""The words of 16 bits that are the same in every header of ours, added up for its checksum (RFC 1071 section 1)."""


@dataclass(frozen=True, slots=True)
class Datagram:
    """A UDP datagram with its addresses (IPv4, as ints)."""

    source: int
    source_port: int
    destination: int
    port: int
    data: bytes


def read_packet(packet: bytes) -> Datagram:
    """Take an IPv4 packet apart.

    Raises:
        WireError: it is no whole IPv4 packet with one whole UDP datagram.
    """
    if len(packet) < _IP.size + _UDP.size or packet[0] >> 4 != 4:
        raise WireError("packet", "is no IPv4 packet with a UDP datagram (RFC 791 section 3.1)")
    header = (packet[0] & 15) * 4
    total, fragment = int.from_bytes(packet[2:4]), int.from_bytes(packet[6:8])
    if header < _IP.size or not header + _UDP.size <= total <= len(packet) or fragment & _IS_FRAGMENT:
        raise WireError("packet", f"{len(packet)} octets are not the whole packet that its header tells of")
    source_port, port, length, _ = _UDP.unpack_from(packet, header)
    if packet[9] != _UDP_PROTOCOL or not _UDP.size <= length <= total - header:
        raise WireError("packet", "holds no whole UDP datagram (RFC 768)")
    source, destination = int.from_bytes(packet[12:16]), int.from_bytes(packet[16:20])
    return Datagram(source, source_port, destination, port, packet[header + _UDP.size : header + length])


def checksum(octets: bytes) -> int:
    """Internet checksum: the complement of the ones' complement sum of words of 16 bits (RFC 1071 section 1)."""
    if len(octets) % 2:
        octets += b"\0"
    # 2**16 is 1 modulo 2**16 - 1, so one division adds all words and every carry; a sum that is not 0 stays not 0.
    number = int.from_bytes(octets)
    total = number % 0xFFFF or (0xFFFF if number else 0)
    return ~total & 0xFFFF


def ip_udp_packet(data: bytes, source: int, source_port: int, destination: int, port: int) -> bytes:
    """An IPv4 packet with a UDP datagram (RFC 791 section 3.1, RFC 768).

    Args:
        data: payload.
        source: our address.
        source_port: our UDP port.
        destination: the client's new address.
        port: the client's UDP port.

    Raises:
        ValueError: a payload that no IPv4 packet can hold.
    """
    if len(data) > _MAX_PAYLOAD:
        raise ValueError(f"{len(data)} octets do not fit into an IPv4 packet")
    length = _UDP.size + len(data)
    # A checksum is a sum in any order (RFC 1071 section 2), so what stands in no octets yet is added as numbers: this
    # is done for every direct answer. That of UDP covers a pseudo header, which has the length once more (RFC 768).
    addresses = (source >> 16) + (source & 0xFFFF) + (destination >> 16) + (destination & 0xFFFF)
    total = int.from_bytes(data if length % 2 == 0 else data + b"\0") % 0xFFFF
    total += addresses + _UDP_PROTOCOL + source_port + port + 2 * length
    head = _FIRST_WORDS + _IP.size + length + addresses
    # RFC 768: a checksum of zero means none was made, so zero is sent as its complement.
    sums = 0xFFFF - (head % 0xFFFF or 0xFFFF), 0xFFFF - total % 0xFFFF
    first = _HEADERS.pack(
        _VERSION_IHL, _DSCP_CS6, _IP.size + length, 0, _DONT_FRAGMENT, _TTL, _UDP_PROTOCOL,
        sums[0], source, destination, source_port, port, length, sums[1],
    )  # fmt: skip
    return first + data
