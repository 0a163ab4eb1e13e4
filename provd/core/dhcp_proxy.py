"""What one message means to a server that gives no addresses: proxyDHCP and the PXE boot service.

PXE 2.1 section 2.2: beside another DHCP server provd answers DISCOVER of network boot clients on port 67 with an offer
that has no address, and REQUEST of PXE clients on port 4011 with the boot file. Everything else on port 67 is a matter
between the client and the other server.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from typing import Final

from provd.core.dhcp_decide import Silent
from provd.model.client import ClientFacts
from provd.wire import codes
from provd.wire.codes import MessageType
from provd.wire.errors import WireError
from provd.wire.packet import DhcpPacket
from provd.wire.pxe import PXE_BOOT_ITEM, decode_pxe_options

_DISCOVER: Final = int(MessageType.DISCOVER)
_REQUEST: Final = int(MessageType.REQUEST)
_LAYER: Final = 0x7FFF


@dataclass(frozen=True, slots=True)
class ProxyOffer:
    """Offer a boot file and no address (PXE 2.1 section 2.2.2)."""


@dataclass(frozen=True, slots=True)
class ServiceAck:
    """Acknowledge with a boot file (PXE 2.1 section 2.2.3).

    Attributes:
        address: the client's, where the answer goes.
        item: boot server type and layer that the client chose from a menu, or None.
    """

    address: int
    item: tuple[int, int] | None = None


@dataclass(frozen=True, slots=True)
class Elsewhere:
    """The client takes this address of that server; it is only remembered, nothing is sent."""

    address: int
    server: int


ProxyOutcome = ProxyOffer | ServiceAck | Elsewhere | Silent


def decide_proxied(packet: DhcpPacket, client: ClientFacts, ours: Collection[int]) -> ProxyOutcome:
    """The outcome of a message at port 67 of a subnet whose addresses another server gives.

    Args:
        packet: the message.
        client: its facts.
        ours: addresses of this server.
    """
    kind = packet.message_type
    if kind == _DISCOVER:
        return ProxyOffer() if client.is_pxe or client.is_http else Silent("proxy: no network boot client")
    if kind == _REQUEST and packet.server_id and packet.requested_address and packet.server_id not in ours:
        # RFC 2131 section 4.3.2, SELECTING: broadcast, so that every server hears it.
        return Elsewhere(packet.requested_address, packet.server_id)
    return Silent("proxy: for the DHCP server")


def decide_service(packet: DhcpPacket, client: ClientFacts, ours: Collection[int], source: int) -> ProxyOutcome:
    """The outcome of a message at the PXE port.

    Args:
        packet: the message.
        client: its facts.
        ours: addresses of this server.
        source: IP source address.
    """
    if packet.message_type != _REQUEST:
        return Silent("PXE port: no request")
    if not client.is_pxe:
        return Silent("PXE port: no PXE client")
    if packet.server_id and packet.server_id not in ours:
        return Silent("PXE port: for another server")
    address = packet.ciaddr or source
    if not address:
        return Silent("PXE port: client without an address")
    return ServiceAck(address, _boot_item(packet))


def _boot_item(packet: DhcpPacket) -> tuple[int, int] | None:
    """Sub-option 71; its highest bit asks for security credentials, which provd has none of (PXE 2.1 section 2.2.3)."""
    try:
        octets = decode_pxe_options(packet.options.get(codes.VENDOR_SPECIFIC, b"")).get(PXE_BOOT_ITEM, b"")
    except WireError:
        return None
    if len(octets) != 4:
        return None
    return int.from_bytes(octets[:2]), int.from_bytes(octets[2:]) & _LAYER
