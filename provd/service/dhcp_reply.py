"""From a decision to the octets of a reply: boot file, options, echoes, plugins, size."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from provd.core.dhcp_address import destination, reply_ciaddr, reply_flags, reply_size
from provd.core.dhcp_binding import Who
from provd.core.dhcp_leases import AddressTable
from provd.core.dhcp_options import Level, merge, wanted
from provd.core.dhcp_times import time_options
from provd.model.boot import BootFile, BootPlan
from provd.model.dhcp import Destination, DhcpRequest, OptionSet, Reply
from provd.model.lease import Lease
from provd.model.profile import Profile
from provd.model.system import System
from provd.service.dhcp_counters import DhcpCounters, Throttle
from provd.service.dhcp_levels import OptionLevels
from provd.service.dhcp_ports import Arrival, BootDirector, DhcpHooks
from provd.wire import codes
from provd.wire.codes import MessageType
from provd.wire.dhcp import encode, reply_to
from provd.wire.pxe import HTTP_CLIENT

_KINDS: Final[Mapping[int, str]] = {2: "offer", 5: "ack", 6: "nak", 0: "bootp-reply"}
_FILE_FIELD: Final = 127
_ECHOED: Final = (codes.CLIENT_ID,)
_ECHOED_TO_BOOT_CLIENTS: Final = (codes.CLIENT_ID, codes.CLIENT_UUID)


@dataclass(frozen=True, slots=True)
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
    """

    request: DhcpRequest
    arrival: Arrival
    table: AddressTable
    who: Who
    system: System | None
    profile: Profile | None
    server: int
    now: float


@dataclass(frozen=True, slots=True)
class Ports:
    """UDP ports of relays and clients; other than 67 and 68 only without root rights."""

    server: int = 67
    client: int = 68


@dataclass(frozen=True, slots=True)
class Message:
    """A reply ready to be sent; ``kind`` and ``fields`` are for counters and events."""

    kind: str
    data: bytes
    destination: Destination
    interface: str
    local: int
    fields: dict[str, object] = field(default_factory=dict)


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
        director: BootDirector,
        levels: OptionLevels,
        counters: DhcpCounters,
        throttle: Throttle,
        ports: Ports,
    ) -> None:
        self._hooks = hooks
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
        request, packet = exchange.request, exchange.request.packet
        plan, boot = self._boot(exchange, address)
        levels = self._levels.of(
            exchange.table.subnet, exchange.server, exchange.profile, exchange.system, request.client.mac.octets
        )
        fields = _boot_fields(exchange.server, plan, boot, levels)
        plugins = self._hooks.options(request, lease, plan)
        if plan is None and not plugins:
            options = self._levels.wanted(levels, packet.requested_options)
        else:
            options = self._merged(levels, plugins, packet.requested_options)
        if lease_s is not None:
            options.update(time_options(lease_s))
        _echo(exchange, options)
        yiaddr = 0 if packet.message_type == MessageType.INFORM else address
        reply = Reply(
            message_type=kind,
            yiaddr=yiaddr,
            siaddr=exchange.server if boot is not None else 0,
            file=fields.file,
            sname=b"",
            options=options,
            server_id=exchange.server,
            destination=self._destination(exchange, kind, yiaddr),
            flags=reply_flags(packet, kind),
        )
        message = self._finish(exchange, reply)
        message.fields.update(fields.told)
        return message

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
            destination=self._destination(exchange, MessageType.NAK, 0),
            flags=reply_flags(packet, MessageType.NAK),
        )
        message = self._finish(exchange, reply)
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
        return self._director.offer(request, exchange.system, exchange.table.subnet, address, _dotted(exchange.server))

    def _destination(self, exchange: Exchange, kind: int, yiaddr: int) -> Destination:
        return destination(
            exchange.request.packet,
            kind,
            yiaddr,
            exchange.arrival.source,
            # RFC 8357: a relay that says so is answered at the port it sent from.
            server_port=exchange.arrival.source_port if exchange.request.client.relay.own_port else self._ports.server,
            client_port=self._ports.client,
        )

    def _finish(self, exchange: Exchange, reply: Reply) -> Message:
        request, arrival = exchange.request, exchange.arrival
        packet = request.packet
        reply = self._hooks.reply(request, reply)
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
        encoded = encode(
            answer,
            max_size=reply_size(packet, arrival.mtu),
            trailer=None if reply.trailer is None else (codes.RELAY_INFORMATION, reply.trailer),
            requested=packet.requested_options,
        )
        self._counters.trimmed += len(encoded.dropped)
        local = exchange.server if exchange.server in arrival.addresses else arrival.local
        kind = _KINDS.get(reply.message_type, "reply")
        return Message(kind, encoded.data, reply.destination, arrival.interface, local)


@dataclass(frozen=True, slots=True)
class _BootFields:
    """The BOOTP ``file`` field, and what events are told."""

    file: bytes = b""
    told: Mapping[str, object] = field(default_factory=dict)


def _boot_fields(server: int, plan: BootPlan | None, boot: BootFile | None, levels: list[Level]) -> _BootFields:
    """The BOOTP file field, and options 66 and 67 as a level of their own: shim reads the header only (rule P10)."""
    if plan is None:
        return _BootFields()
    told: dict[str, object] = {"action": plan.action.value}
    if boot is None:
        return _BootFields(told=told)
    name = plan.url(boot.path) if boot.transport == "http" else boot.path
    octets = name.encode("utf-8", "surrogateescape")
    options = {codes.TFTP_SERVER_NAME: _dotted(server).encode(), codes.BOOT_FILE: octets, **boot.options}
    levels.append(Level(f"boot loader {plan.loader}", options, frozenset(options)))
    # RFC 2131 section 2: the field has 128 octets with its final NUL; a longer name stands in option 67 alone.
    return _BootFields(octets if len(octets) <= _FILE_FIELD else b"", {"file": name, **told})


def _dotted(address: int) -> str:
    return ".".join(str(octet) for octet in address.to_bytes(4))


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
