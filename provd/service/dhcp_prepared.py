"""Options of a reply with their octets, for the many replies that differ in nothing but the header."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Final

from provd.core.dhcp_address import reply_ciaddr, reply_size
from provd.model.boot import BootFile, BootPlan
from provd.model.dhcp import OptionSet, Reply
from provd.model.subnet import Subnet
from provd.wire import codes
from provd.wire.dhcp import Encoded, encode, readdress, reply_to
from provd.wire.packet import DhcpPacket

_TAILS: Final = 8
_WHOLE_HEADER: Final = (int(codes.MessageType.BOOTP), int(codes.MessageType.NAK))


@dataclass(slots=True, eq=False)
class Prepared:
    """Merged options and what they were merged for.

    Attributes:
        options: read-only, so that a plugin that changes them makes its own copy.
        plan: of the boot.
        boot: first file of the boot.
        plugins: what plugins added.
        lease_s: option 51.
        server: option 54.
        file: BOOTP field.
        told: what events are told.
        subnet: of the client.
        source: keeps the object alive whose identity the options are found by.
        tails: encoded replies by all that stands behind their header.
    """

    options: Mapping[int, bytes]
    plan: BootPlan | None
    boot: BootFile | None
    plugins: Sequence[tuple[str, OptionSet]]
    lease_s: int | None
    server: int
    subnet: Subnet
    file: bytes = b""
    told: Mapping[str, object] = field(default_factory=dict)
    source: object = None
    tails: dict[tuple[object, ...], Encoded] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.options = MappingProxyType(dict(self.options))

    def fits(
        self,
        plan: BootPlan | None,
        boot: BootFile | None,
        plugins: Sequence[tuple[str, OptionSet]],
        lease_s: int | None,
        server: int,
        subnet: Subnet,
    ) -> bool:
        """The same inputs again."""
        return (
            self.plan is plan
            and self.plugins is plugins
            and self.lease_s == lease_s
            and self.server == server
            and self.subnet is subnet
            and (self.boot is boot or self.boot == boot)
        )

    def encoded(self, packet: DhcpPacket, reply: Reply, mtu: int) -> Encoded:
        """The octets of a reply; the whole work is done only where options are new or a plugin changed them.

        Raises:
            WireError: a plugin gave something that cannot be encoded.
        """
        if reply.options is not self.options:
            return encoded(packet, reply, mtu)
        size = reply_size(packet, mtu)
        key = (reply.message_type, reply.server_id, size, reply.trailer, reply.file, reply.sname)
        found = self.tails.get(key)
        if found is None:
            if len(self.tails) >= _TAILS:
                self.tails.clear()
            found = self.tails[key] = encoded(packet, reply, mtu)
            return found
        ciaddr = reply_ciaddr(packet, reply.message_type)
        data = readdress(found.data, packet, reply.flags, ciaddr, reply.yiaddr, reply.siaddr)
        return Encoded(data, found.dropped)


def encoded(packet: DhcpPacket, reply: Reply, mtu: int) -> Encoded:
    """The octets of a reply.

    Raises:
        WireError: a plugin gave something that cannot be encoded.
    """
    options = dict(reply.options)
    if reply.message_type:
        options[codes.SERVER_ID] = reply.server_id.to_bytes(4)
        options[codes.MESSAGE_TYPE] = bytes((reply.message_type,))
    answer = reply_to(
        packet,
        options,
        ciaddr=reply_ciaddr(packet, reply.message_type),
        yiaddr=reply.yiaddr,
        siaddr=reply.siaddr,
        sname=reply.sname,
        file=reply.file,
        flags=reply.flags,
    )
    return encode(
        answer,
        max_size=reply_size(packet, mtu),
        trailer=None if reply.trailer is None else (codes.RELAY_INFORMATION, reply.trailer),
        requested=packet.requested_options,
        # RFC 2131 section 4.3.1, table 3: a NAK leaves file and sname alone; a BOOTP client does not know option 52.
        overload=reply.message_type not in _WHOLE_HEADER,
    )
