"""Another DHCP server on the same link: it gives addresses and knows nothing of booting."""

from __future__ import annotations

from dataclasses import dataclass, field
from ipaddress import IPv4Address

from provd.wire.dhcp import decode, encode, reply_to

ADDRESS = int(IPv4Address("10.88.0.254"))
FIRST = int(IPv4Address("10.88.0.50"))


@dataclass
class ForeignDhcp:
    """Answers with the same address to the same hardware address.

    Attributes:
        leases: hardware address to address.
        next_server: siaddr of its replies.
        by_client_id: clients with another option 61 get another address, as strict servers do.
    """

    leases: dict[bytes, int] = field(default_factory=dict)
    by_client_id: bool = False
    requests: int = 0
    next_server: int = 0

    def handle(self, data: bytes) -> list[bytes]:
        """Replies to one broadcast."""
        packet = decode(data)
        kind = packet.message_type
        if kind == 3 and packet.server_id != ADDRESS:
            return []
        self.requests += kind == 3
        who = packet.mac + (packet.options.get(61, b"") if self.by_client_id else b"")
        address = self.leases.setdefault(who, FIRST + len(self.leases))
        options = {53: bytes((2 if kind == 1 else 5,)), 54: ADDRESS.to_bytes(4), 51: (600).to_bytes(4)}
        reply = reply_to(
            packet, options, yiaddr=address, siaddr=self.next_server, ciaddr=0, sname=b"", file=b"", flags=packet.flags
        )
        return [encode(reply).data]
