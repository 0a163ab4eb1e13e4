"""From a decision to the octets of a reply: boot file, options, echoes, plugins, size."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import msgspec

from provd.core.dhcp_address import bootp_mtu, destination, reply_flags
from provd.core.dhcp_binding import Who
from provd.core.dhcp_leases import AddressTable
from provd.core.dhcp_options import Level, merge, wanted
from provd.core.dhcp_times import time_options
from provd.model.boot import BootFile, BootPlan
from provd.model.client import ClientFacts
from provd.model.dhcp import Destination, DhcpRequest, OptionSet, Reply
from provd.model.lease import Lease
from provd.model.profile import Profile
from provd.model.system import System
from provd.service.boot_fields import boot_fields, dotted
from provd.service.dhcp_counters import DhcpCounters, Throttle
from provd.service.dhcp_levels import OptionLevels
from provd.service.dhcp_memory import ClientMemory, Known
from provd.service.dhcp_ports import Arrival, BootDirector, DhcpHooks
from provd.service.dhcp_prepared import Prepared, encoded
from provd.wire import codes
from provd.wire.codes import MessageType
from provd.wire.pxe import HTTP_CLIENT

_KINDS: Final[Mapping[int, str]] = {2: "offer", 5: "ack", 6: "nak", 0: "bootp-reply"}
_SHARED: Final = 4096
_DISCOVER: Final = int(MessageType.DISCOVER)
_INFORM: Final = int(MessageType.INFORM)
_TIMES: Final[tuple[int, ...]] = (codes.RENEWAL_TIME, codes.REBINDING_TIME)
_ECHOED: Final = (codes.CLIENT_ID,)
_ECHOED_TO_BOOT_CLIENTS: Final = (codes.CLIENT_ID, codes.CLIENT_UUID)


@dataclass(slots=True)
class Exchange:
    """One request with all that was found out about its client.

    Attributes:
        request: the packet and its arrival as plugins see it.
        arrival: how it came in.
        table: addresses of the client's subnet.
        who: the client as the table tells it apart.
        system: the known system, or None.
        profile: its profile, or None.
        server: this server's address as the client reaches it (option 54, siaddr, URLs).
        now: monotonic seconds.
        known: what is remembered of the client.
        data: the octets of the request; empty where they are not worth remembering.
        epoch: of the plugins when the request came; what was answered while it changed is not remembered.
    """

    request: DhcpRequest
    arrival: Arrival
    table: AddressTable
    who: Who
    system: System | None
    profile: Profile | None
    server: int
    now: float
    known: Known
    data: bytes = b""
    epoch: object = None

    @property
    def ours(self) -> set[int]:
        """What option 54 names this server by on the client's link (RFC 2131 section 4.1, RFC 5107 section 4)."""
        return {self.server, self.arrival.local, self.request.client.relay.server_override, *self.arrival.addresses}


@dataclass(frozen=True, slots=True)
class Ports:
    """UDP ports of relays and clients; other than 67 and 68 only without root rights."""

    server: int = 67
    client: int = 68


class Message(msgspec.Struct, gc=False):
    """A reply ready to be sent; ``kind`` and ``fields`` are for counters and events."""

    kind: str
    data: bytes
    destination: Destination
    interface: str
    local: int
    fields: dict[str, object] = msgspec.field(default_factory=dict)


class ReplyBuilder:
    """Builds replies.

    Args:
        hooks: the plugin host.
        director: boot decisions.
        levels: configured options.
        counters: counts trimmed options.
        throttle: reports conflicts between plugins.
        ports: where clients and relays listen.
    """

    def __init__(
        self,
        *,
        hooks: DhcpHooks,
        memory: ClientMemory,
        director: BootDirector,
        levels: OptionLevels,
        counters: DhcpCounters,
        throttle: Throttle,
        ports: Ports,
    ) -> None:
        self._hooks, self._memory = hooks, memory
        self._shared: dict[tuple[object, ...], Prepared] = {}
        self._director = director
        self._levels = levels
        self._counters = counters
        self._throttle = throttle
        self._ports = ports

    def grant(self, exchange: Exchange, kind: int, address: int, lease_s: int | None, lease: Lease | None) -> Message:
        """An OFFER, an ACK or a BOOTP reply with all its parameters (RFC 2131 section 4.3.1, table 3).

        Args:
            exchange: the request.
            kind: OFFER, ACK, or 0 for BOOTP.
            address: yiaddr; for an INFORM the client's own address, which is not repeated in yiaddr.
            lease_s: option 51, None for INFORM and BOOTP (RFC 2131 section 4.3.5, RFC 1534 section 2).
            lease: the binding as plugins see it.
        """
        packet = exchange.request.packet
        plan, boot = self._boot(exchange, address)
        prepared = self._prepare(exchange, kind, address, lease_s, lease, plan, boot)
        yiaddr = 0 if packet.message_type == _INFORM else address
        deaf = self._memory.quirks.broadcast(exchange.request.client)
        reply = Reply(
            message_type=kind,
            yiaddr=yiaddr,
            siaddr=exchange.server if boot is not None else 0,
            file=prepared.file,
            sname=b"",
            options=prepared.options,
            server_id=exchange.server,
            destination=self._destination(exchange, kind, yiaddr, broadcast=deaf),
            flags=reply_flags(packet, yiaddr, broadcast=deaf),
        )
        message = self._finish(exchange, reply, prepared)
        message.fields.update(prepared.told)
        return message

    def lease_s(self, client: ClientFacts) -> int:
        """Lease time of the client's classes, 0 where none has one."""
        return self._levels.lease_s(client.labels)

    def clear(self) -> None:
        """Forget what was prepared, after a reload."""
        self._shared.clear()

    def _prepare(
        self,
        exchange: Exchange,
        kind: int,
        address: int,
        lease_s: int | None,
        lease: Lease | None,
        plan: BootPlan | None,
        boot: BootFile | None,
    ) -> Prepared:
        """The options of a reply; the last ones of this client where nothing has changed."""
        known, request, server = exchange.known, exchange.request, exchange.server
        if known.system is not exchange.system or known.profile is not exchange.profile:
            # The system was changed while a probe ran; what this reply is made of must not outlive it.
            known = Known(known.about, known.facts)
        subnet = exchange.table.subnet
        plugins = self._memory.options(known, request, kind, address, lease, plan)
        last = known.prepared
        if last is not None and last.fits(plan, boot, plugins, lease_s, server, subnet):
            return last
        levels = self._levels.of(
            subnet, server, exchange.profile, exchange.system, request.client.mac.octets, request.client.labels
        )
        if plan is None and not plugins:
            known.prepared = self._plain(exchange, levels, lease_s)
            return known.prepared
        fields = boot_fields(server, subnet, request.client, plan, boot, levels)
        options = self._merged(levels, plugins, request.packet.requested_options)
        _complete(exchange, options, lease_s)
        self._memory.quirks.amend(request.client, options)
        known.prepared = Prepared(options, plan, boot, plugins, lease_s, server, subnet, fields.file, fields.told)
        return known.prepared

    def _plain(self, exchange: Exchange, levels: list[Level], lease_s: int | None) -> Prepared:
        """Options of a client that boots nothing; the same object for all clients that get the same."""
        packet = exchange.request.packet
        merged = self._levels.wanted(levels, packet.requested_options)
        echoed = tuple(packet.options.get(code) for code in _ECHOED_TO_BOOT_CLIENTS)
        key = (
            id(merged),
            lease_s,
            exchange.server,
            packet.requested_options,
            exchange.request.client.is_netboot,
            echoed,
            is_rapid(exchange),
        )
        prepared = self._shared.get(key)
        if prepared is None:
            options = dict(merged)
            _complete(exchange, options, lease_s)
            if len(self._shared) >= _SHARED:
                self._shared.clear()
            prepared = Prepared(options, None, None, (), lease_s, exchange.server, exchange.table.subnet, source=merged)
            self._shared[key] = prepared
        return prepared

    def refuse(self, exchange: Exchange, reason: str) -> Message:
        """A NAK: options 53, 54, 56, 61 and 82 only (RFC 2131 section 4.3.1, table 3; rules R10 to R12)."""
        packet = exchange.request.packet
        options = {codes.MESSAGE: reason.encode("ascii", "replace")[:255]}
        if codes.CLIENT_ID in packet.options:
            options[codes.CLIENT_ID] = packet.options[codes.CLIENT_ID]
        reply = Reply(
            message_type=MessageType.NAK,
            yiaddr=0,
            siaddr=0,
            file=b"",
            sname=b"",
            options=options,
            server_id=exchange.server,
            destination=self._destination(exchange, MessageType.NAK, 0, broadcast=True),
            flags=reply_flags(packet, 0),
        )
        message = self._finish(exchange, reply, None)
        message.fields["reason"] = reason
        return message

    def _merged(
        self, levels: list[Level], plugins: Sequence[tuple[str, OptionSet]], requested: bytes
    ) -> dict[int, bytes]:
        merged = merge(levels, plugins)
        for conflict in merged.conflicts:
            self._throttle.warn("conflict " + conflict, conflict)
        return wanted(merged, requested)

    def _boot(self, exchange: Exchange, address: int) -> tuple[BootPlan | None, BootFile | None]:
        request = exchange.request
        # A plain client and the installer's own DHCP get no boot file (PXE 2.1 section 2.2.1: option 60 asks for one).
        if not request.client.is_netboot:
            return None, None
        return self._director.offer(request, exchange.system, exchange.table.subnet, address, dotted(exchange.server))

    def _destination(self, exchange: Exchange, kind: int, yiaddr: int, *, broadcast: bool) -> Destination:
        return destination(
            exchange.request.packet,
            kind,
            yiaddr,
            exchange.arrival.source,
            # RFC 8357: a relay that says so is answered at the port it sent from.
            server_port=exchange.arrival.source_port if exchange.request.client.relay.own_port else self._ports.server,
            client_port=self._ports.client,
            broadcast=broadcast,
        )

    def _finish(self, exchange: Exchange, reply: Reply, prepared: Prepared | None) -> Message:
        packet, arrival = exchange.request.packet, exchange.arrival
        reply = self._hooks.reply(exchange.request, reply)
        whole = encoded if prepared is None else prepared.encoded
        octets = whole(packet, reply, arrival.mtu if reply.message_type else bootp_mtu(len(exchange.data), arrival.mtu))
        self._counters.trimmed += len(octets.dropped)
        local = exchange.server if exchange.server in arrival.addresses else arrival.local
        kind = _KINDS.get(reply.message_type, "reply")
        return Message(kind, octets.data, reply.destination, arrival.interface, local)


def is_rapid(exchange: Exchange) -> bool:
    """The client asks for an ACK at once, and its subnet allows it (RFC 4039 section 3.1)."""
    packet = exchange.request.packet
    wished = exchange.table.subnet.rapid_commit and codes.RAPID_COMMIT in packet.options
    return wished and packet.message_type == _DISCOVER


def _complete(exchange: Exchange, options: dict[int, bytes], lease_s: int | None) -> None:
    configured: dict[int, bytes] = {code: options.pop(code) for code in _TIMES if code in options}
    if lease_s is not None:
        options.update(time_options(lease_s, configured))
    if is_rapid(exchange):
        options[codes.RAPID_COMMIT] = b""
    _echo(exchange, options)


def _echo(exchange: Exchange, options: dict[int, bytes]) -> None:
    """Options that go back as they came (RFC 6842 section 3, PXE 2.1 section 2.2, UEFI 2.x section 24.7)."""
    packet, client = exchange.request.packet, exchange.request.client
    for code in _ECHOED_TO_BOOT_CLIENTS if client.is_netboot else _ECHOED:
        octets = packet.options.get(code)
        if octets is not None:
            options[code] = octets
        else:
            options.pop(code, None)
    if client.is_http:
        options[codes.VENDOR_CLASS] = HTTP_CLIENT
