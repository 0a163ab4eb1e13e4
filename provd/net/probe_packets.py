"""Probes for addresses that may be in use: ICMP echo (RFC 792) and ARP probe (RFC 5227 section 2.1.1)."""

from __future__ import annotations

import struct
from typing import Final

from provd.wire.ipv4_udp import checksum

_ARP: Final = struct.Struct("!HHBBH6sI6sI")
_ECHO: Final = struct.Struct("!BBHHH")
_ETHERNET, _IPV4 = 1, 0x0800
_ARP_REQUEST: Final = 1
_ECHO_REQUEST, _ECHO_REPLY = 8, 0


def arp_probe(mac: bytes, address: int) -> bytes:
    """An ARP request from nobody for ``address``: it changes no other host's table (RFC 5227 section 2.1.1).

    Args:
        mac: of the sending interface, 6 octets.
        address: that is asked for.
    """
    return _ARP.pack(_ETHERNET, _IPV4, 6, 4, _ARP_REQUEST, mac, 0, bytes(6), address)


def arp_sender(packet: bytes) -> tuple[int, bytes] | None:
    """Address and hardware address that an ARP packet speaks for, None for anything else."""
    if len(packet) < _ARP.size:
        return None
    hardware, protocol, hlen, plen, _, mac, sender, _, _ = _ARP.unpack_from(packet)
    if (hardware, protocol, hlen, plen) != (_ETHERNET, _IPV4, 6, 4) or not sender:
        return None
    return sender, mac


def echo_request(identifier: int, sequence: int) -> bytes:
    """An ICMP echo request without data (RFC 792)."""
    empty = _ECHO.pack(_ECHO_REQUEST, 0, 0, identifier, sequence)
    return _ECHO.pack(_ECHO_REQUEST, 0, checksum(empty), identifier, sequence)


def echo_sender(packet: bytes, identifier: int) -> int:
    """Source address of an IPv4 packet that is an echo reply to ``identifier``, else 0."""
    if len(packet) < 20 or packet[0] >> 4 != 4:
        return 0
    header = (packet[0] & 15) * 4
    if header < 20 or len(packet) < header + _ECHO.size:
        return 0
    kind, _, _, ident, _ = _ECHO.unpack_from(packet, header)
    return int.from_bytes(packet[12:16]) if (kind, ident) == (_ECHO_REPLY, identifier) else 0
