"""Client classes as data: which clients, and what they get beside their subnet's settings."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from provd.model.client import ClientFacts


@dataclass(frozen=True, slots=True)
class ClientClass:
    """One class; empty conditions are not looked at. A class without conditions is for labels that plugins give.

    Attributes:
        name: the label its clients get.
        archs: names of architectures (option 93).
        vendor_class: beginning of option 60.
        user_class: one of option 77.
        circuit_id: option 82 sub-option 1, exactly.
        remote_id: option 82 sub-option 2, exactly.
        mac_prefix: first octets of the hardware address.
        options: DHCP options by name or number.
        lease_s: lease time in seconds, 0 for the subnet's.
    """

    name: str
    archs: tuple[str, ...] = ()
    vendor_class: str = ""
    user_class: str = ""
    circuit_id: bytes = b""
    remote_id: bytes = b""
    mac_prefix: bytes = b""
    options: Mapping[str, object] = field(default_factory=dict)
    lease_s: int = 0

    def fits(self, client: ClientFacts) -> bool:
        """Whether it has conditions and the client meets all of them."""
        conditions = (
            (self.archs, client.arch is not None and client.arch.name in self.archs),
            (self.vendor_class, client.vendor_class.startswith(self.vendor_class)),
            (self.user_class, self.user_class in client.user_classes),
            (self.circuit_id, client.relay.circuit_id == self.circuit_id),
            (self.remote_id, client.relay.remote_id == self.remote_id),
            (self.mac_prefix, client.mac.octets.startswith(self.mac_prefix)),
        )
        named = [met for condition, met in conditions if condition]
        return bool(named) and all(named)
