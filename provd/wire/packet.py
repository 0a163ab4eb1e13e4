"""The DHCP and BOOTP message as a value (RFC 951, 2131, 2132)."""

from __future__ import annotations

import struct
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from provd.wire import codes

_U16: Final = struct.Struct("!H")
_U32: Final = struct.Struct("!I")
_BROADCAST_FLAG: Final = 0x8000

MIN_MESSAGE_SIZE: Final = 576
"""Octets of the IP datagram that every client takes (RFC 2132 section 9.10): 312 of them are the options field."""


# The message (RFC 2131 section 2, figure 1), one line per four octets:
#
#    0                   1                   2                   3
#    0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
#   +---------------+---------------+---------------+---------------+
#   |     op (1)    |   htype (1)   |   hlen (1)    |   hops (1)    |    0
#   +---------------+---------------+---------------+---------------+
#   |                            xid (4)                            |    4
#   +-------------------------------+-------------------------------+
#   |           secs (2)            |B|         flags (2)           |    8
#   +-------------------------------+-------------------------------+
#   |                          ciaddr  (4)                          |   12
#   |                          yiaddr  (4)                          |   16
#   |                          siaddr  (4)                          |   20
#   |                          giaddr  (4)                          |   24
#   +---------------------------------------------------------------+
#   |                          chaddr  (16)                         |   28
#   |                          sname   (64)                         |   44
#   |                          file    (128)                        |  108
#   +---------------------------------------------------------------+
#   |              magic cookie 99.130.83.99  (4)                   |  236
#   |    options: code (1), length (1), value ... END (255)         |  240
#   +---------------------------------------------------------------+
@dataclass(frozen=True, slots=True)
class DhcpPacket:
    """One message, decoded.

    Attributes:
        op: 1 request, 2 reply.
        htype: hardware type, 1 is Ethernet.
        hlen: octets of ``chaddr`` that count, at most 16.
        hops: relays passed.
        xid: transaction number chosen by the client.
        secs: seconds since the client began, as the client says.
        flags: bit 15 asks for a broadcast reply.
        ciaddr: address the client has and can answer for; addresses are numbers, 0 is none.
        yiaddr: address the client gets.
        siaddr: address of the next server (TFTP).
        giaddr: address of the relay.
        chaddr: 16 octets, hardware address first.
        sname: server name up to its first NUL; empty where the field held options.
        file: boot file up to its first NUL; empty where the field held options.
        options: value by code in order of first appearance, instances joined (RFC 3396); never PAD, END or overload.
    """

    op: int
    htype: int
    hlen: int
    hops: int
    xid: int
    secs: int
    flags: int
    ciaddr: int
    yiaddr: int
    siaddr: int
    giaddr: int
    chaddr: bytes
    sname: bytes
    file: bytes
    options: Mapping[int, bytes]

    @property
    def mac(self) -> bytes:
        """Hardware address, ``hlen`` octets."""
        return self.chaddr[: self.hlen]

    @property
    def message_type(self) -> int:
        """Option 53, or 0 for a BOOTP packet."""
        value = self.options.get(codes.MESSAGE_TYPE)
        return value[0] if value else 0

    @property
    def broadcast(self) -> bool:
        """The client cannot take unicast before it has an address (RFC 2131 section 4.1)."""
        return self.flags & _BROADCAST_FLAG != 0

    @property
    def requested_address(self) -> int:
        """Option 50, or 0."""
        return self.u32(codes.REQUESTED_ADDRESS)

    @property
    def server_id(self) -> int:
        """Option 54, or 0."""
        return self.u32(codes.SERVER_ID)

    @property
    def requested_lease_s(self) -> int | None:
        """Option 51 in seconds (0xffffffff is for ever), or None."""
        return self.u32(codes.LEASE_TIME) if len(self.options.get(codes.LEASE_TIME, b"")) == 4 else None

    @property
    def max_size(self) -> int:
        """Option 57: octets of the largest IP datagram the client takes, never below 576 (rule D008)."""
        return max(MIN_MESSAGE_SIZE, self.u16(codes.MAX_MESSAGE_SIZE))

    @property
    def requested_options(self) -> bytes:
        """Option 55: one code per octet, in the order of the client's preference."""
        return self.options.get(codes.PARAMETER_REQUEST_LIST, b"")

    @property
    def client_id(self) -> bytes:
        """Option 61, opaque (RFC 4361 section 6.3)."""
        return self.options.get(codes.CLIENT_ID, b"")

    @property
    def vendor_class(self) -> bytes:
        """Option 60."""
        return self.options.get(codes.VENDOR_CLASS, b"")

    @property
    def relay_information(self) -> bytes:
        """Option 82, opaque (RFC 3046 section 2)."""
        return self.options.get(codes.RELAY_INFORMATION, b"")

    def u16(self, code: int) -> int:
        """The option as a 16-bit number; 0 where it is absent or not two octets long."""
        value = self.options.get(code)
        return int(_U16.unpack(value)[0]) if value is not None and len(value) == 2 else 0

    def u32(self, code: int) -> int:
        """The option as a 32-bit number or address; 0 where it is absent or not four octets long."""
        value = self.options.get(code)
        return int(_U32.unpack(value)[0]) if value is not None and len(value) == 4 else 0


def reply_to(
    request: DhcpPacket,
    options: Mapping[int, bytes],
    *,
    ciaddr: int = 0,
    yiaddr: int = 0,
    siaddr: int = 0,
    sname: bytes = b"",
    file: bytes = b"",
    flags: int | None = None,
) -> DhcpPacket:
    """A reply with the fields that RFC 2131 section 4.3.1, table 3, copies from the request; secs and hops are 0.

    ``flags`` replaces the client's where a rule asks for it (a NAK through a relay sets the broadcast bit).
    """
    return DhcpPacket(
        codes.BOOTREPLY, request.htype, request.hlen, 0, request.xid, 0, request.flags if flags is None else flags,
        ciaddr, yiaddr, siaddr, request.giaddr, request.chaddr, sname, file, options,
    )  # fmt: skip
