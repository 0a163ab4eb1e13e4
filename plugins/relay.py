"""Clients behind DHCP relays: which subnet they are on, and the echo of what the relay added.

A relay (a router's ``ip helper-address``, ``dhcrelay``) forwards a client's packet from another network and writes its
own address there into ``giaddr``, often with option 82, relay agent information. From these the subnet is found:

1. link selection, option 82 sub-option 5 (RFC 3527);
2. subnet selection, option 118 (RFC 3011), only with ``subnet_selection = true``, because any client can send it; also
   of a client on provd's own link, where it names one of provd's subnets;
3. ``giaddr``: the subnet that lists it under ``relays``, else the subnet it lies in.

A relay that fits no subnet is not answered; the packet is counted as ``unknown relay``. Renewals come without a relay;
the lease remembers what the relay said, so the client is still recognised.

Every reply, NAK too, carries option 82 back as it came (RFC 3046 section 2.2); option 54 becomes the address that the
relay asks for in sub-option 11 (RFC 5107). Replies go to ``giaddr``, port 67, whatever subnet was chosen (RFC 2131
section 4.1).

In ``provd.toml``::

    enabled = ["relay", "pxelinux", "grub_efi"]

    [plugins.relay]
    link_selection = true       # honour option 82 sub-option 5
    server_override = true      # honour option 82 sub-option 11
    subnet_selection = false    # honour option 118 of the client

    [[subnets]]
    name = "floor-2"
    network = "10.2.0.0/24"
    pool = "10.2.0.100-10.2.0.199"
    routers = ["10.2.0.1"]
    relays = ["10.2.255.1"]          # only where giaddr lies outside the subnet
    server_address = "10.0.0.72"     # provd as these clients reach it
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from provd.plugin.api import DhcpRequest, Plugin, Reply, Settings, Subnet, hookimpl

RELAY_INFORMATION = 82
SUBNET_SELECTION = 118


class RelaySettings(Settings, frozen=True):
    """``[plugins.relay]``.

    Attributes:
        link_selection: honour option 82 sub-option 5 (RFC 3527).
        server_override: honour option 82 sub-option 11 (RFC 5107).
        subnet_selection: honour option 118 (RFC 3011); any client can send it.
    """

    link_selection: bool = True
    server_override: bool = True
    subnet_selection: bool = False


class Relay:
    """Relay handling."""

    def __init__(self, settings: RelaySettings) -> None:
        self._settings = settings
        self._known: Sequence[Subnet] = ()
        self._by_relay: dict[int, Subnet] = {}
        self._ranges: list[tuple[int, int, Subnet]] = []

    @hookimpl(shared="always")
    def provd_dhcp_subnet(self, request: DhcpRequest, subnets: Sequence[Subnet]) -> Subnet | None:
        """The subnet of a client; None where its link decides, and for an unknown relay."""
        relay, selected = request.client.relay, self._selected(request)
        if not relay.giaddr and not selected:
            return None
        if subnets is not self._known:
            self._learn(subnets)
        if self._settings.link_selection and relay.link_selection:
            return self._containing(relay.link_selection)
        if selected:
            return self._containing(selected)
        return self._by_relay.get(relay.giaddr) or self._containing(relay.giaddr)

    @hookimpl(per_packet=True, only_with=(RELAY_INFORMATION, SUBNET_SELECTION))
    def provd_dhcp_reply(self, request: DhcpRequest, reply: Reply) -> Reply | None:
        """Echo option 82, use the relay's server identifier, return an honoured option 118 (RFC 3011 section 3)."""
        relay = request.client.relay
        information = request.packet.options.get(RELAY_INFORMATION)
        server_id = relay.server_override if self._settings.server_override else 0
        selected = self._selected(request)
        if selected and not relay.giaddr and self._containing(selected) is None:
            selected = 0  # the link decided, and the client must see that
        if information is None and not server_id and not selected:
            return None
        options = {**reply.options, SUBNET_SELECTION: selected.to_bytes(4)} if selected else reply.options
        return replace(reply, trailer=information, server_id=server_id or reply.server_id, options=options)

    def _selected(self, request: DhcpRequest) -> int:
        if not self._settings.subnet_selection:
            return 0
        octets = request.packet.options.get(SUBNET_SELECTION, b"")
        return int.from_bytes(octets) if len(octets) == 4 else 0

    def _learn(self, subnets: Sequence[Subnet]) -> None:
        self._known = subnets
        self._by_relay = {int(relay): subnet for subnet in subnets for relay in subnet.relays}
        self._ranges = [
            (int(subnet.network.network_address), int(subnet.network.broadcast_address), subnet) for subnet in subnets
        ]

    def _containing(self, address: int) -> Subnet | None:
        return next((subnet for first, last, subnet in self._ranges if first <= address <= last), None)


PLUGIN = Plugin(name="relay", settings=RelaySettings, build=Relay)
