"""Answers of a server that gives no addresses: proxyDHCP at port 67, boot files at port 4011 (PXE 2.1 section 2.2).

The way of a packet to here is that of every other: gate, subnet, system, profile. So a machine that is refused, unknown
or held is that here too. Nothing here touches an address table.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace
from typing import Final

from provd.core.dhcp_address import reply_flags
from provd.core.dhcp_decide import Silent
from provd.core.dhcp_options import Level, merge
from provd.core.dhcp_proxy import Elsewhere, ProxyOffer, ServiceAck, decide_proxied, decide_service
from provd.model.boot import BootFile, BootPlan
from provd.model.client import WATCH_CLASS
from provd.model.dhcp import Destination, GateVerdict, OptionSet, Refuse, Reply
from provd.model.subnet import PROXY
from provd.service.boot_fields import boot_fields, dotted
from provd.service.dhcp_counters import DhcpCounters, Throttle
from provd.service.dhcp_levels import OptionLevels
from provd.service.dhcp_ports import BootDirector, DhcpHooks, Foreign, Send
from provd.service.dhcp_prepared import encoded
from provd.service.dhcp_reply import Exchange, Message, Ports
from provd.wire import codes
from provd.wire.codes import MessageType
from provd.wire.pxe import HTTP_CLIENT, PXE_CLIENT
from provd.wire.pxe_table import with_boot_item

BOOT_OPTIONS: Final = frozenset(
    {
        codes.VENDOR_SPECIFIC,
        codes.VENDOR_CLASS,
        codes.TFTP_SERVER_NAME,
        codes.BOOT_FILE,
        *range(128, 136),  # RFC 4578 section 2.4: for the vendor of the boot firmware
        codes.TFTP_SERVERS,
        codes.IPXE_ENCAPSULATED,
        *range(208, 212),
    }
)
"""Options that a proxy may send: how to boot. How to use the network is the DHCP server's word."""

_REQUEST: Final = int(MessageType.REQUEST)
_EVENTS: Final[Mapping[int, str]] = {int(kind): f"dhcp.{kind.name.lower()}" for kind in MessageType}
_BROADCAST: Final = 0xFFFFFFFF


class ProxyAnswers:
    """Decides and answers.

    Args:
        hooks: the plugin host.
        director: boot decisions; hears of every message.
        levels: configured options.
        counters: counts.
        throttle: bounded log lines.
        ports: where clients and relays listen.
        send: sends one datagram from the DHCP port.
        send_service: sends one datagram from the PXE port.
        foreign: told of other servers that clients choose.
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
        send: Send,
        send_service: Send,
        foreign: Foreign,
    ) -> None:
        self._hooks, self._director = hooks, director
        self._levels, self._counters, self._throttle = levels, counters, throttle
        self._ports = ports
        self._send, self._send_service = send, send_service
        self._foreign = foreign

    def answer(self, exchange: Exchange, verdict: GateVerdict, host: Collection[int]) -> None:
        """Carry out what one message means.

        Args:
            exchange: the request.
            verdict: of the gate; whoever is refused gets no answer, because a NAK is the DHCP server's to send.
            host: every address of this server.
        """
        request, arrival = exchange.request, exchange.arrival
        if isinstance(verdict, Refuse):
            self._silent(exchange, "refused by gate", verdict.reason)
            return
        ours = {exchange.server, arrival.local, *arrival.addresses, *host}
        if arrival.pxe:
            outcome = decide_service(request.packet, request.client, ours, arrival.source)
        else:
            outcome = decide_proxied(request.packet, request.client, ours)
        match outcome:
            case ProxyOffer():
                self._offer(exchange)
            case ServiceAck(address=address, item=item):
                self._ack(exchange, address, item)
            case Elsewhere(address=address, server=server):
                self._counters.dropped["proxy: another server was chosen"] += 1
                self._seen("dhcp.elsewhere", exchange, address, {"server": dotted(server)})
                self._foreign(request, server)
            case Silent(reason=reason):
                self._silent(exchange, reason, reason)

    def _offer(self, exchange: Exchange) -> None:
        giaddr = exchange.request.packet.giaddr
        # Without an address there is nobody to unicast to (RFC 2131 section 4.1).
        to = Destination(giaddr, self._ports.server) if giaddr else Destination(_BROADCAST, self._ports.client)
        if WATCH_CLASS in exchange.request.client.user_classes:
            self._post("proxy-offer", self._bare_offer(exchange, to), self._send)
            return
        message = self._reply(exchange, MessageType.OFFER, 0, to, None)
        if message is None:
            self._silent(exchange, "proxy: no boot file", "no boot file")
        else:
            self._post("proxy-offer", message, self._send)
            self._told(exchange, "dhcp.offer", 0, {"proxy": True, **message.fields})

    def _bare_offer(self, exchange: Exchange, to: Destination) -> Message:
        """What another provd's rogue watch is told: here is a proxy."""
        request, arrival = exchange.request, exchange.arrival
        options = {codes.VENDOR_CLASS: PXE_CLIENT}
        flags = reply_flags(request.packet, 0)
        reply = Reply(MessageType.OFFER, 0, 0, b"", b"", options, exchange.server, to, flags=flags)
        data = encoded(request.packet, self._hooks.reply(request, reply), arrival.mtu).data
        return Message("", data, to, arrival.interface, self._local(exchange))

    @staticmethod
    def _local(exchange: Exchange) -> int:
        arrival = exchange.arrival
        return exchange.server if exchange.server in arrival.addresses else arrival.local

    def _ack(self, exchange: Exchange, address: int, item: tuple[int, int] | None) -> None:
        to = Destination(address, exchange.arrival.source_port)
        message = self._reply(exchange, MessageType.ACK, address, to, item)
        if message is None:
            self._silent(exchange, "PXE port: no boot file", "no boot file")
        else:
            self._post("pxe-ack", message, self._send_service)
            self._told(exchange, "dhcp.ack", address, {"port": "PXE", **message.fields})

    def _reply(
        self, exchange: Exchange, kind: int, address: int, to: Destination, item: tuple[int, int] | None
    ) -> Message | None:
        """The reply, or None where this client boots nothing."""
        request, arrival, subnet = exchange.request, exchange.arrival, exchange.table.subnet
        if not arrival.pxe or subnet.mode == PROXY:
            request = replace(request, client=replace(request.client, labels=request.client.labels | {PROXY}))
        plan, boot = self._director.offer(request, exchange.system, subnet, address, dotted(exchange.server))
        if boot is None:
            return None
        levels = self._levels.of(
            subnet, exchange.server, exchange.profile, exchange.system, request.client.mac.octets, request.client.labels
        )
        fields = boot_fields(exchange.server, subnet, request.client, plan, boot, levels)
        options = self._options(exchange, levels, plan, boot)
        if item is not None:
            options[codes.VENDOR_SPECIFIC] = with_boot_item(options.get(codes.VENDOR_SPECIFIC, b""), item)
        reply = Reply(
            message_type=kind,
            yiaddr=0,
            siaddr=exchange.server,
            file=fields.file,
            sname=b"",
            options=options,
            server_id=exchange.server,
            destination=to,
            flags=reply_flags(request.packet, 0),
        )
        reply = self._hooks.reply(request, reply)
        octets = encoded(request.packet, reply, arrival.mtu)
        self._counters.trimmed += len(octets.dropped)
        where = reply.destination
        return Message("", octets.data, where, arrival.interface, self._local(exchange), dict(fields.told))

    def _options(self, exchange: Exchange, levels: list[Level], plan: BootPlan, boot: BootFile) -> dict[int, bytes]:
        request = exchange.request
        told_by_loader = BOOT_OPTIONS | boot.options.keys()
        plugins = [
            (name, replace(said, options={code: said.options[code] for code in told_by_loader & said.options.keys()}))
            for name, said in self._hooks.options(request, None, plan)
        ]
        merged = merge(levels, _kept(plugins))
        for conflict in merged.conflicts:
            self._throttle.warn("conflict " + conflict, conflict)
        options = {code: octets for code, octets in merged.options.items() if code in told_by_loader}
        if request.client.is_http:
            options[codes.VENDOR_CLASS] = HTTP_CLIENT
        for code in (codes.CLIENT_ID, codes.CLIENT_UUID):
            if code in request.packet.options:
                options[code] = request.packet.options[code]
        return options

    def _post(self, counted: str, message: Message, send: Send) -> None:
        send(message.interface, message.data, message.destination, message.local)
        self._counters.sent[counted] += 1

    def _told(self, exchange: Exchange, kind: str, address: int, fields: Mapping[str, object]) -> None:
        self._seen(_EVENTS[exchange.request.packet.message_type], exchange, address, {})
        self._seen(kind, exchange, address, fields)

    def _silent(self, exchange: Exchange, counted: str, reason: str) -> None:
        self._counters.dropped[counted] += 1
        if exchange.request.client.is_netboot and exchange.request.packet.message_type != _REQUEST:
            self._seen("dhcp.dropped", exchange, 0, {"reason": reason})

    def _seen(self, kind: str, exchange: Exchange, address: int, fields: Mapping[str, object]) -> None:
        self._director.seen(kind, exchange.request, exchange.system, address, fields)


def _kept(plugins: list[tuple[str, OptionSet]]) -> list[tuple[str, OptionSet]]:
    return [(name, said) for name, said in plugins if said.options]
