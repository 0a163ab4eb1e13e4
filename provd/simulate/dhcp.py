"""One DHCP round of a simulated client (RFC 2131 section 3.1), with a proxy beside the server where one answers.

A network boot client takes its address from the server that offers one, and boot information from an offer without an
address that says PXEClient or HTTPClient (PXE 2.1 section 2.2). Where that offer names no file, the PXE port is asked.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from ipaddress import IPv4Address
from typing import Final

from provd.simulate.actions import BootError, DhcpSend, Stage
from provd.simulate.firmware import ClientStyle, Machine, discover, request, service_request
from provd.wire.dhcp import DhcpPacket, decode
from provd.wire.errors import WireError

OFFER: Final = 2
ACK: Final = 5
_VENDOR_CLASS: Final = 60
_TRIES: Final = 4


@dataclass(frozen=True, slots=True)
class Bound:
    """What a round came to.

    Attributes:
        address: the address (dotted quad).
        server: option 54 (dotted quad).
        next_server: siaddr, or option 54 where it is empty (dotted quad).
        file: boot file of the header, or of option 67 where that is empty.
        packet: the whole ACK; a proxy's reply where that names the file.
        ack_server: siaddr or option 54 of the ACK itself (dotted quad): all that GRUB looks at.
    """

    address: str
    server: str
    next_server: str
    file: str
    packet: DhcpPacket
    ack_server: str


def dora(style: ClientStyle, machine: Machine, xid: int) -> Stage[Bound]:
    """DISCOVER, OFFER, REQUEST, ACK; and a proxy's word on the boot file.

    Raises:
        BootError: no offer, or no acknowledgement.
    """
    step = f"DHCP of {style.name}"
    offers = yield from _offers(style, machine, xid)
    if not offers:
        raise BootError(step, "nobody offered an address")
    offer = next((one for one in offers if one.yiaddr), None)
    if offer is None:
        raise BootError(step, "the offer has no address")
    ack = yield from _ask(request(style, machine, xid, offer.yiaddr, offer.server_id), machine, xid, ACK)
    if ack is None:
        raise BootError(step, "the address that was offered was not acknowledged")
    if ack.yiaddr != offer.yiaddr:
        raise BootError(step, "the acknowledged address is not the one that was offered")
    proxy = next((one for one in offers if _is_proxy(style, one)), None)
    if proxy is None:
        return _bound(ack, ack)
    if not _file(proxy):
        proxy = yield from _service(style, machine, xid, ack.yiaddr, proxy.server_id)
    return _bound(ack, proxy)


def _offers(style: ClientStyle, machine: Machine, xid: int) -> Stage[list[DhcpPacket]]:
    """Every offer that came, as soon as one has an address."""
    offers: list[DhcpPacket] = []
    for attempt in range(_TRIES):
        replies: list[bytes] = yield DhcpSend(discover(style, machine, xid), wait_s=1.0 + attempt)
        offers += _meant(replies, machine, xid, OFFER)
        if any(offer.yiaddr for offer in offers):
            break
    return offers


def _is_proxy(style: ClientStyle, offer: DhcpPacket) -> bool:
    kind = style.values.get(_VENDOR_CLASS, b"").partition(b":")[0]
    return style.netboot and offer.yiaddr == 0 and offer.options.get(_VENDOR_CLASS) == kind


def _service(style: ClientStyle, machine: Machine, xid: int, address: int, server: int) -> Stage[DhcpPacket]:
    """The PXE port's answer.

    Raises:
        BootError: there is none.
    """
    asked = service_request(style, machine, xid, address)
    found = yield from _ask(asked, machine, xid, ACK, str(IPv4Address(server)))
    if found is None:
        raise BootError(f"PXE service of {style.name}", "the PXE port did not answer")
    return found


def _ask(data: bytes, machine: Machine, xid: int, kind: int, service: str = "") -> Stage[DhcpPacket | None]:
    for attempt in range(_TRIES):
        replies: list[bytes] = yield DhcpSend(data, wait_s=1.0 + attempt, service=service)
        for reply in _meant(replies, machine, xid, kind):
            return reply
    return None


def _meant(replies: list[bytes], machine: Machine, xid: int, kind: int) -> Iterator[DhcpPacket]:
    """Replies of this kind to this client."""
    for raw in replies:
        try:
            reply = decode(raw)
        except WireError:
            continue
        if reply.op == 2 and reply.xid == xid and reply.mac == machine.mac and reply.message_type == kind:
            yield reply


def _file(reply: DhcpPacket) -> str:
    # shim and old ROMs read only the header; option 67 is what stands there where 52 moved the field.
    return (reply.file or reply.options.get(67, b"")).rstrip(b"\0").decode("ascii", "replace")


def _bound(ack: DhcpPacket, boot: DhcpPacket) -> Bound:
    return Bound(
        address=str(IPv4Address(ack.yiaddr)),
        server=str(IPv4Address(ack.server_id)),
        next_server=str(IPv4Address(boot.siaddr or boot.server_id)),
        file=_file(boot),
        packet=boot,
        ack_server=str(IPv4Address(ack.siaddr or ack.server_id)),
    )
