"""One DHCP round of a simulated client (RFC 2131 section 3.1)."""

from __future__ import annotations

from dataclasses import dataclass
from ipaddress import IPv4Address
from typing import Final

from provd.simulate.actions import BootError, DhcpSend, Stage
from provd.simulate.firmware import ClientStyle, Machine, discover, request
from provd.wire.dhcp import DhcpPacket, decode
from provd.wire.errors import WireError

OFFER: Final = 2
ACK: Final = 5
_TRIES: Final = 4


@dataclass(frozen=True, slots=True)
class Bound:
    """What a round came to.

    Attributes:
        address: the address (dotted quad).
        server: option 54 (dotted quad).
        next_server: siaddr, or option 54 where it is empty (dotted quad).
        file: boot file of the header, or of option 67 where that is empty.
        packet: the whole ACK.
    """

    address: str
    server: str
    next_server: str
    file: str
    packet: DhcpPacket


def dora(style: ClientStyle, machine: Machine, xid: int) -> Stage[Bound]:
    """DISCOVER, OFFER, REQUEST, ACK.

    Raises:
        BootError: no offer, or no acknowledgement.
    """
    step = f"DHCP of {style.name}"
    offer = yield from _ask(discover(style, machine, xid), machine, xid, OFFER)
    if offer is None:
        raise BootError(step, "nobody offered an address")
    if offer.yiaddr == 0:
        raise BootError(step, "the offer has no address")
    ack = yield from _ask(request(style, machine, xid, offer.yiaddr, offer.server_id), machine, xid, ACK)
    if ack is None:
        raise BootError(step, "the address that was offered was not acknowledged")
    if ack.yiaddr != offer.yiaddr:
        raise BootError(step, "the acknowledged address is not the one that was offered")
    return _bound(ack)


def _ask(data: bytes, machine: Machine, xid: int, kind: int) -> Stage[DhcpPacket | None]:
    for attempt in range(_TRIES):
        replies: list[bytes] = yield DhcpSend(data, wait_s=1.0 + attempt)
        for raw in replies:
            try:
                reply = decode(raw)
            except WireError:
                continue
            if reply.op == 2 and reply.xid == xid and reply.mac == machine.mac and reply.message_type == kind:
                return reply
    return None


def _bound(ack: DhcpPacket) -> Bound:
    server = str(IPv4Address(ack.server_id))
    # shim and old ROMs read only the header; option 67 is what stands there where 52 moved the field.
    file = (ack.file or ack.options.get(67, b"")).rstrip(b"\0").decode("ascii", "replace")
    next_server = str(IPv4Address(ack.siaddr)) if ack.siaddr else server
    return Bound(str(IPv4Address(ack.yiaddr)), server, next_server, file, ack)
