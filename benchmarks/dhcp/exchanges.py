"""DHCP clients for the in-process benchmark: octets made before the clock runs, patched while it does."""

from __future__ import annotations

import struct
from typing import Final

from provd.wire import codes
from provd.wire.dhcp import encode
from provd.wire.packet import DhcpPacket

_U32: Final = struct.Struct("!I")
_XID_AT: Final = 4
_YIADDR: Final = slice(16, 20)
_REQUESTED: Final = bytes((codes.REQUESTED_ADDRESS, 4))

#: Parameter request list of perfdhcp: mask, broadcast, time offset, router, domain, name servers, host name.
_WANTED: Final = bytes((1, 28, 2, 3, 15, 6, 12))
_PXE: Final = {
    codes.VENDOR_CLASS: b"PXEClient:Arch:00007:UNDI:003016",
    codes.CLIENT_ARCHITECTURE: b"\0\7",
    codes.MAX_MESSAGE_SIZE: b"\5\xc0",
}


class Client:
    """One client's DISCOVER, and the REQUEST that takes an offer.

    Args:
        number: makes hardware address and transaction number.
        server: option 54 of its REQUEST, as an int.
        pxe: ask like UEFI firmware does.
    """

    __slots__ = ("_at", "_request", "discover", "mac")

    def __init__(self, number: int, server: int, *, pxe: bool) -> None:
        self.mac = b"\x02\0" + _U32.pack(number)
        options = {codes.PARAMETER_REQUEST_LIST: _WANTED + (bytes((43, 60, 66, 67)) if pxe else b"")}
        options |= _PXE if pxe else {}
        self.discover = _message(number, self.mac, {codes.MESSAGE_TYPE: b"\1", **options})
        naming = {codes.SERVER_ID: _U32.pack(server), codes.REQUESTED_ADDRESS: bytes(4)}
        self._request = bytearray(_message(number, self.mac, {codes.MESSAGE_TYPE: b"\3", **naming, **options}))
        self._at = self._request.index(_REQUESTED, 240) + 2

    def request(self, offer: bytes) -> bytes:
        """The REQUEST for the address of an offer."""
        self._request[self._at : self._at + 4] = offer[_YIADDR]
        return bytes(self._request)


def number_of(reply: bytes) -> int:
    """Which client a reply is for: its transaction number."""
    return int(_U32.unpack_from(reply, _XID_AT)[0])


def _message(xid: int, mac: bytes, options: dict[int, bytes]) -> bytes:
    chaddr = mac.ljust(16, b"\0")
    packet = DhcpPacket(codes.BOOTREQUEST, 1, 6, 0, xid, 0, 0, 0, 0, 0, 0, chaddr, b"", b"", options)
    return encode(packet).data
