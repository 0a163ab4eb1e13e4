"""A DHCP request with everything known about its arrival, and the reply that plugins may change."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import msgspec

from provd.model.client import ClientFacts
from provd.wire.dhcp import DhcpPacket


@dataclass(frozen=True, slots=True)
class DhcpRequest:
    """One packet from a client.

    Attributes:
        packet: the decoded packet.
        client: facts taken from it, labels included once the label hooks ran.
        interface: name of the receiving interface.
        local: address of the receiving interface as an int; it becomes option 54 (RFC 2131 section 4.1).
        source: IP source address as an int.
        source_port: UDP source port.
        now: seconds since the epoch when it was received.
    """

    packet: DhcpPacket
    client: ClientFacts
    interface: str
    local: int
    source: int = 0
    source_port: int = 68
    now: float = 0.0


class Destination(msgspec.Struct, frozen=True, gc=False):
    """Where a reply goes (RFC 2131 section 4.1).

    Attributes:
        address: IPv4 address as an int; 0xffffffff for the broadcast.
        port: UDP port: 67 for a relay, 68 for a client.
        mac: hardware address for a client that cannot be ARPed for yet; empty where the kernel finds the way.
    """

    address: int
    port: int
    mac: bytes = b""


@dataclass(frozen=True, slots=True)
class Reply:
    """A reply before it is encoded; plugins return a changed copy (``dataclasses.replace``).

    Attributes:
        message_type: 2 OFFER, 5 ACK, 6 NAK.
        yiaddr: address given, as an int.
        siaddr: next server, as an int.
        file: BOOTP ``file`` field, without the final NUL.
        sname: BOOTP ``sname`` field.
        options: option code to octets, without 53, 54 and 82.
        server_id: option 54, as an int.
        destination: where it is sent.
        trailer: option 82, sent last and dropped first; None where the request had none (RFC 3046 section 2.2).
        flags: BOOTP flags of the reply; the request's, but a relayed NAK sets the broadcast flag (RFC 2131 section
            4.3.2).
    """

    message_type: int
    yiaddr: int
    siaddr: int
    file: bytes
    sname: bytes
    options: Mapping[int, bytes]
    server_id: int
    destination: Destination
    trailer: bytes | None = None
    flags: int = 0


@dataclass(frozen=True, slots=True)
class Allow:
    """The gate lets this client in."""


@dataclass(frozen=True, slots=True)
class Ignore:
    """The gate drops this request silently; counted with the reason."""

    reason: str


@dataclass(frozen=True, slots=True)
class Refuse:
    """The gate refuses this client: a REQUEST gets a NAK, a DISCOVER gets silence; an event says why."""

    reason: str


GateVerdict = Allow | Ignore | Refuse


@dataclass(frozen=True, slots=True)
class OptionSet:
    """Options one plugin asks for.

    Attributes:
        options: option code to octets.
        force: sent even where the client's parameter request list lacks them (RFC 2132 section 9.8).
    """

    options: Mapping[int, bytes] = field(default_factory=dict)
    force: bool = False
