"""DHCP and BOOTP messages: octets to values and back (RFC 951, 2131, 2132, 3396)."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from provd.wire import codes
from provd.wire.errors import WireError
from provd.wire.overload import place
from provd.wire.packet import MIN_MESSAGE_SIZE, DhcpPacket, reply_to

__all__ = [
    "KEEP",
    "MIN_MESSAGE_SIZE",
    "DhcpPacket",
    "Encoded",
    "decode",
    "decode_request",
    "encode",
    "readdress",
    "reply_to",
]

_HEADER: Final = struct.Struct("!BBBBIHHIIII16s64s128s4s")
_UP_TO_SNAME: Final = struct.Struct("!BBBBIHHIIII16s")
_COOKIE: Final = b"\x63\x82\x53\x63"
_IP_UDP_HEADERS: Final = 28
_MAX_MESSAGE_SIZE: Final = 16384
_SNAME_AT: Final = 44
_FILE_AT: Final = 108

KEEP: Final = (
    codes.MESSAGE_TYPE,
    codes.SERVER_ID,
    codes.LEASE_TIME,
    codes.SUBNET_MASK,
    codes.ROUTER,
    codes.DNS_SERVERS,
    codes.CLIENT_ID,
)
"""What a reply loses last when the client takes only a small one; most important first."""

_LEADING: Final = (codes.MESSAGE_TYPE, codes.SERVER_ID, codes.LEASE_TIME)
_NEVER_IN_REPLIES: Final = (codes.REQUESTED_ADDRESS, codes.PARAMETER_REQUEST_LIST, codes.MAX_MESSAGE_SIZE)


@dataclass(frozen=True, slots=True)
class Encoded:
    """A message ready to leave.

    Attributes:
        data: the UDP payload.
        dropped: option codes that found no room, most important first.
    """

    data: bytes
    dropped: tuple[int, ...] = ()


def decode(data: bytes) -> DhcpPacket:
    """Read one UDP payload, request or reply.

    Raises:
        WireError: shorter than 240 octets or longer than 16384, unknown op, hlen over 16, no magic cookie, an option
            that runs past its field, or a message type that is not one octet. Nothing else is ever raised.
    """
    size = len(data)
    if not _HEADER.size <= size <= _MAX_MESSAGE_SIZE:
        raise WireError("message", f"{size} octets, a message has at least 240 (RFC 2131 section 2) and at most 16384")
    op, htype, hlen, hops, xid, secs, flags, ciaddr, yiaddr, siaddr, giaddr, chaddr, sname, file, cookie = (
        _HEADER.unpack_from(data)
    )
    if cookie != _COOKIE:
        raise WireError("magic cookie", "is not 99.130.83.99 (RFC 2131 section 3)", 236)
    if op not in {codes.BOOTREQUEST, codes.BOOTREPLY}:
        raise WireError("op", f"{op} is neither 1 (request) nor 2 (reply) (RFC 2131 section 2)", 0)
    if hlen > 16:
        raise WireError("hlen", f"{hlen} is longer than chaddr, 16 octets (RFC 2131 section 2)", 2)
    options, overload = _read_all_options(data)
    return DhcpPacket(
        op, htype, hlen, hops, xid, secs, flags, ciaddr, yiaddr, siaddr, giaddr, chaddr,
        b"" if overload & 2 else sname.partition(b"\0")[0], b"" if overload & 1 else file.partition(b"\0")[0], options,
    )  # fmt: skip


def _read_all_options(data: bytes) -> tuple[dict[int, bytes], int]:
    """Options of the options, file and sname fields in this order (RFC 3396 section 5), and the overload bits."""
    options: dict[int, bytes] = {}
    again: dict[int, list[bytes]] = {}
    _read_options(data, _HEADER.size, len(data), "options", options, again)
    value = options.pop(codes.OVERLOAD, b"")
    overload = value[0] if len(value) == 1 and value[0] <= 3 else 0
    if overload & 1:
        _read_options(data, _FILE_AT, _FILE_AT + 128, "file", options, again)
    if overload & 2:
        _read_options(data, _SNAME_AT, _SNAME_AT + 64, "sname", options, again)
    for code, instances in again.items():
        options[code] = b"".join(instances)
    options.pop(codes.OVERLOAD, None)
    message_type = options.get(codes.MESSAGE_TYPE)
    if message_type is not None and len(message_type) != 1:
        raise WireError("option 53", f"is {len(message_type)} octets long, must be 1 (RFC 2132 section 9.6)")
    return options, overload


def decode_request(data: bytes) -> DhcpPacket:
    """Read what a client or relay sent.

    Raises:
        WireError: as ``decode``, and for a reply (rule D001).
    """
    packet = decode(data)
    if packet.op != codes.BOOTREQUEST:
        raise WireError("op", "2 is a reply, only requests are answered (RFC 2131 section 2)", 0)
    return packet


def _read_options(
    data: bytes, at: int, end: int, where: str, options: dict[int, bytes], again: dict[int, list[bytes]]
) -> None:
    while at < end:
        code = data[at]
        if code == 255:
            return
        if code == 0:
            at += 1
            continue
        if at + 2 > end:
            raise WireError(where, f"option {code} has no length octet (RFC 2132 section 2)", at)
        value_at = at + 2
        stop = value_at + data[at + 1]
        if stop > end:
            problem = f"option {code} says {data[at + 1]} octets, {end - value_at} are left (RFC 2132 section 2)"
            raise WireError(where, problem, at)
        if code not in options:
            options[code] = data[value_at:stop]
        else:
            again.setdefault(code, [options[code]]).append(data[value_at:stop])
        at = stop


def encode(
    packet: DhcpPacket,
    *,
    max_size: int = MIN_MESSAGE_SIZE,
    min_size: int = 300,
    overload: bool = True,
    trailer: tuple[int, bytes] | None = None,
    requested: bytes = b"",
    keep: Sequence[int] = KEEP,
) -> Encoded:
    """Write one UDP payload.

    Replies begin with options 53, 54 and 51, then follow ``requested``, then the order of ``packet.options``; the mask
    stands before the router; 50, 55 and 57 are left out (rules D003, D013 to D015). Requests keep their order.

    Args:
        packet: the message; options 0, 52 and 255 may not be in it, 82 may and is then the trailer.
        max_size: octets of the IP datagram, as option 57 counts them; below 576 is taken as 576, over 16384 as 16384.
            What is no DHCP but BOOTP may be as small as ``min_size``.
        min_size: octets of the UDP payload, padded after END (RFC 1542 section 2.1).
        overload: ``file`` and ``sname`` may hold options where they are empty and room lacks (RFC 2131 section 4.1).
        trailer: (82, octets as received): last, and the first to go once only ``keep`` is left (rules L01 to L03).
        requested: option 55 of the client.
        keep: codes that are dropped last.

    Raises WireError for a value that does not fit into its field.
    """
    if trailer is None and codes.RELAY_INFORMATION in packet.options:
        trailer = (codes.RELAY_INFORMATION, packet.options[codes.RELAY_INFORMATION])
    tail = None if trailer is None else (trailer[0], _option(*trailer))
    parts = _parts(packet, requested, -1 if trailer is None else trailer[0])
    body = b"".join([octets for _, octets in parts])
    if tail is not None:
        body += tail[1]
    least = MIN_MESSAGE_SIZE if codes.MESSAGE_TYPE in packet.options else _IP_UDP_HEADERS + min_size
    room = min(max(max_size, least), _MAX_MESSAGE_SIZE) - _IP_UDP_HEADERS - _HEADER.size - 1
    if len(body) <= room:
        return Encoded(_assemble(packet, packet.file, packet.sname, body, min_size))
    spare_file, spare_sname = overload and not packet.file, overload and not packet.sname
    placed = place(parts, room=room, trailer=tail, keep=keep, spare_file=spare_file, spare_sname=spare_sname)
    file, sname = placed.file or packet.file, placed.sname or packet.sname
    return Encoded(_assemble(packet, file, sname, placed.options, min_size), placed.dropped)


def readdress(reply: bytes, request: DhcpPacket, flags: int, ciaddr: int, yiaddr: int, siaddr: int) -> bytes:
    """A reply to another request: sname, file and options stay, the header is as ``reply_to`` would make it.

    Raises WireError for a number that does not fit into its field.
    """
    try:
        header = _UP_TO_SNAME.pack(
            codes.BOOTREPLY, request.htype, request.hlen, 0, request.xid, 0, flags,
            ciaddr, yiaddr, siaddr, request.giaddr, request.chaddr,
        )  # fmt: skip
    except struct.error as error:
        raise WireError("header", f"a number does not fit into its field ({error})") from error
    return header + reply[_SNAME_AT:]


def _parts(packet: DhcpPacket, requested: bytes, trailer: int) -> list[tuple[int, bytes]]:
    options = packet.options
    if packet.op == codes.BOOTREQUEST:
        return [(code, _option(code, value)) for code, value in options.items() if code != trailer]
    return [(code, _option(code, options[code])) for code in _reply_order(tuple(options), requested) if code != trailer]


# The same few clients ask in the same few ways, thousands of times.
@lru_cache(maxsize=512)
def _reply_order(present: tuple[int, ...], requested: bytes) -> tuple[int, ...]:
    wanted = [code for code in (*_LEADING, *requested) if code in present]
    order = [code for code in dict.fromkeys((*wanted, *present)) if code not in _NEVER_IN_REPLIES]
    if codes.SUBNET_MASK in order and codes.ROUTER in order:
        mask, router = order.index(codes.SUBNET_MASK), order.index(codes.ROUTER)
        if router < mask:
            order.insert(router, order.pop(mask))
    return tuple(order)


def _option(code: int, value: bytes) -> bytes:
    size = len(value)
    if not 0 < code < 255 or code == codes.OVERLOAD:
        raise WireError(f"option {code}", "is made by the encoder and no option that a message may carry")
    if size < 256:
        return bytes((code, size)) + value
    # RFC 3396 section 6: one option, several instances.
    chunks = [value[at : at + 255] for at in range(0, size, 255)]
    return b"".join([bytes((code, len(chunk))) + chunk for chunk in chunks])


def _assemble(packet: DhcpPacket, file: bytes, sname: bytes, options: bytes, min_size: int) -> bytes:
    if len(packet.chaddr) != 16:
        raise WireError("chaddr", f"is {len(packet.chaddr)} octets long, must be 16 (RFC 2131 section 2)")
    if len(file) > 128:
        raise WireError("file", f"is {len(file)} octets long, at most 128 (RFC 2131 section 2)")
    if len(sname) > 64:
        raise WireError("sname", f"is {len(sname)} octets long, at most 64 (RFC 2131 section 2)")
    try:
        header = _HEADER.pack(
            packet.op, packet.htype, packet.hlen, packet.hops, packet.xid, packet.secs, packet.flags,
            packet.ciaddr, packet.yiaddr, packet.siaddr, packet.giaddr, packet.chaddr, sname, file, _COOKIE,
        )  # fmt: skip
    except struct.error as error:
        raise WireError("header", f"a number does not fit into its field ({error})") from error
    message = header + options + b"\xff"
    return message if len(message) >= min_size else message.ljust(min_size, b"\0")
