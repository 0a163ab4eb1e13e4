"""Messages of one kind of client: octets that are the same for all of them, and the places where they differ.

Machines of one make ask in the same words; only their hardware address, client identifier, host name, transaction
number and the address they ask for differ. A layout is learnt from one decoded message, and recognises the next ones
without decoding them.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from operator import itemgetter
from typing import Final

from provd.wire import codes
from provd.wire.packet import DhcpPacket

_OPTIONS_AT: Final = 240
_END: Final = 255
_PAD: Final = 0
_VARIABLE: Final = frozenset({codes.CLIENT_ID, codes.HOST_NAME, codes.REQUESTED_ADDRESS, codes.SERVER_ID})
_ADDRESSES: Final = frozenset({codes.REQUESTED_ADDRESS, codes.SERVER_ID})
_NOWHERE: Final = (0, 0)

Place = tuple[int, int]
"""From the first octet to behind the last."""

Key = tuple[bytes, ...]

key_of: Final[Callable[[bytes], Key]] = itemgetter(slice(0, 4), slice(10, 16), slice(24, 28), slice(34, 44))
"""What messages of one layout have in common at the first glance: op to hops, flags and ciaddr, giaddr, and what is
behind an Ethernet address. One call that takes all of them costs half of taking each."""


@dataclass(frozen=True, slots=True)
class Layout:
    """One kind of message.

    Attributes:
        fixed: places of the options field with the octets they must have; padding behind the end is not looked at.
        client_id: place of the value of option 61, empty where there is none. So it is with the following.
        hostname: option 12.
        requested: option 50.
        server: option 54.
    """

    fixed: tuple[tuple[int, int, bytes], ...]
    client_id: Place
    hostname: Place
    requested: Place
    server: Place

    def octets(self, data: bytes, place: Place) -> bytes:
        """What stands at a place."""
        return data[place[0] : place[1]]

    def fits(self, data: bytes) -> bool:
        """Whether a message with the same :func:`key_of` is one of these."""
        for start, stop, octets in self.fixed:  # noqa: SIM110  a generator takes twice as long, for every packet
            if data[start:stop] != octets:
                return False
        return True


def layout_of(data: bytes, packet: DhcpPacket) -> Layout | None:
    """The layout of a message, None where it has a form that is not worth remembering.

    Args:
        data: the octets of ``packet``.
        packet: what they say; they were decoded without a fault.
    """
    if codes.OVERLOAD in data[_OPTIONS_AT:] and _has_overload(data):
        return None
    places: dict[int, Place] = {}
    fixed: list[tuple[int, int, bytes]] = []
    at = start = _OPTIONS_AT - 4
    at = _OPTIONS_AT
    while at < len(data) and data[at] != _END:
        if data[at] == _PAD:
            at += 1
            continue
        code, stop = data[at], at + 2 + data[at + 1]
        if code in places or (code in _ADDRESSES and data[at + 1] != 4):
            return None
        places[code] = (at + 2, stop)
        if code in _VARIABLE:
            fixed.append((start, at + 2, data[start : at + 2]))
            start = stop
        at = stop
    if at >= len(data) or set(places) != set(packet.options):
        return None
    fixed.append((start, at + 1, data[start : at + 1]))
    found = [places.get(code, _NOWHERE) for code in (61, 12, 50, 54)]
    return Layout(tuple(fixed), found[0], found[1], found[2], found[3])


def _has_overload(data: bytes) -> bool:
    at = _OPTIONS_AT
    while at + 1 < len(data) and data[at] != _END:
        if data[at] == codes.OVERLOAD:
            return True
        at += 1 if data[at] == _PAD else 2 + data[at + 1]
    return False


@dataclass(frozen=True, slots=True)
class Pattern:
    """A reply to messages of one layout: everything behind the hardware address, and where the client-id is echoed.

    Attributes:
        head: op, htype, hlen, hops.
        tail: from ``sname`` on.
        echo: where the client-id stands in ``tail``, empty for a client that sent none.
    """

    head: bytes
    tail: bytes
    echo: Place

    def reply(self, data: bytes, yiaddr: bytes, client_id: bytes) -> bytes:
        """The reply to a request with ciaddr 0 (RFC 2131 section 4.3.1, table 3: xid, flags, giaddr and chaddr return).

        Args:
            data: the request.
            yiaddr: address that is given, 4 octets.
            client_id: option 61 of the request.
        """
        tail, (start, stop) = self.tail, self.echo
        if client_id:
            tail = tail[:start] + client_id + tail[stop:]
        return b"".join((self.head, data[4:8], b"\0\0", data[10:12], _ZEROS, yiaddr, _ZEROS, data[24:44], tail))


_ZEROS: Final = bytes(4)
_TAIL_AT: Final = 44


def pattern_of(reply: bytes, client_id: bytes) -> Pattern | None:
    """The pattern that a reply was made by, None where the client-id is not where it can be found again.

    Args:
        reply: octets of a reply with siaddr and ciaddr 0.
        client_id: option 61 of the request it answers.
    """
    if reply[12:16] != _ZEROS or reply[20:24] != _ZEROS:
        return None
    echo: Place = _NOWHERE
    at = _OPTIONS_AT
    while at + 1 < len(reply) and reply[at] != _END:
        if reply[at] == _PAD:
            at += 1
            continue
        stop = at + 2 + reply[at + 1]
        if reply[at] == codes.OVERLOAD or (reply[at] == codes.CLIENT_ID and echo != _NOWHERE):
            return None
        if reply[at] == codes.CLIENT_ID:
            echo = (at + 2 - _TAIL_AT, stop - _TAIL_AT)
        at = stop
    pattern = Pattern(reply[:4], reply[_TAIL_AT:], echo)
    return pattern if pattern.tail[echo[0] : echo[1]] == client_id else None
