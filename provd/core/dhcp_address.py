"""Where a reply goes (RFC 2131 section 4.1)."""

from __future__ import annotations

from ipaddress import IPv4Network
from typing import Final

from provd.model.dhcp import Destination
from provd.wire import codes
from provd.wire.codes import MessageType
from provd.wire.packet import DhcpPacket

BROADCAST: Final = 0xFFFFFFFF
BROADCAST_FLAG: Final = 0x8000
SERVER_PORT: Final = 67
CLIENT_PORT: Final = 68
_FIRST_HOST: Final = 0x01000000
_MULTICAST: Final = 0xE0000000
_BOOTP_SIZE: Final = 300
_IP_UDP_HEADERS: Final = 28
_ACK: Final = int(MessageType.ACK)
_NAK: Final = int(MessageType.NAK)
_INFORM: Final = int(MessageType.INFORM)


def destination(
    packet: DhcpPacket,
    reply_type: int,
    yiaddr: int,
    source: int = 0,
    *,
    server_port: int = SERVER_PORT,
    client_port: int = CLIENT_PORT,
    broadcast: bool = False,
) -> Destination:
    """The receiver of one reply.

    Args:
        packet: the request.
        reply_type: OFFER, ACK, NAK, or 0 for a BOOTP reply.
        yiaddr: address the reply gives.
        source: IP source address of the request, used for an INFORM without ciaddr (rule A08).
        server_port: port of relays, 67 but for servers without root rights.
        client_port: port of clients, 68 but for servers without root rights.
        broadcast: the client hears nothing else before it has its address, whatever its flag says.
    """
    if packet.giaddr:
        # RFC 2131 section 4.1: through the relay, whatever else the packet says.
        return Destination(packet.giaddr, server_port)
    if reply_type == _NAK:
        # RFC 2131 section 4.1: the client may have a wrong address, so only the broadcast is sure to reach it.
        return Destination(BROADCAST, client_port)
    if packet.message_type == _INFORM:
        # RFC 2131 section 4.3.5: to ciaddr, never to the hardware address.
        return Destination(packet.ciaddr or source or BROADCAST, client_port)
    if packet.ciaddr:
        return Destination(packet.ciaddr, client_port)
    if packet.broadcast or not yiaddr or packet.htype != 1 or packet.hlen != 6 or broadcast:
        return Destination(BROADCAST, client_port)
    return Destination(yiaddr, client_port, packet.chaddr[:6])


def is_host(address: int) -> bool:
    """A host may have it: not of 0.0.0.0/8, no group, not reserved (RFC 1122 section 3.2.1.3)."""
    return _FIRST_HOST <= address < _MULTICAST


def is_broadcast(network: IPv4Network, address: int) -> bool:
    """It is every host's of the network, so no relay's and no client's (RFC 1122 section 3.2.1.3, RFC 3021)."""
    return network.prefixlen < 31 and address == int(network.broadcast_address)


def reply_flags(packet: DhcpPacket, yiaddr: int, *, broadcast: bool = False) -> int:
    """BOOTP flags of a reply.

    A relay sends to yiaddr or, where the flag says so, by broadcast (RFC 1542 section 4.1.2). So the flag is set in a
    reply that gives no address: a NAK (RFC 2131 section 4.3.2), the ACK of an INFORM, the OFFER of a proxy.

    Args:
        packet: the request.
        yiaddr: address the reply gives.
        broadcast: the client hears nothing else before it has its address, whatever its flag says.
    """
    if packet.giaddr and (broadcast or not yiaddr):
        return packet.flags | BROADCAST_FLAG
    return packet.flags


def reply_ciaddr(packet: DhcpPacket, reply_type: int) -> int:
    """The ciaddr of a reply: the request's in an ACK, else 0 (RFC 2131 section 4.3.1, table 3)."""
    return packet.ciaddr if reply_type == _ACK else 0


def reply_size(packet: DhcpPacket, mtu: int) -> int:
    """Octets of the largest IP datagram for this client (RFC 2132 section 9.10).

    Firmware names sizes that its own link cannot carry (65280), so the interface's MTU is the upper bound.
    """
    if codes.MAX_MESSAGE_SIZE not in packet.options:
        return min(576, mtu)
    return min(packet.max_size, mtu)


def bootp_mtu(request_octets: int, mtu: int) -> int:
    """The largest IP datagram for a BOOTP client: 300 octets of payload, or as many as it sent (RFC 951 section 3)."""
    return min(mtu, _IP_UDP_HEADERS + max(_BOOTP_SIZE, request_octets))
