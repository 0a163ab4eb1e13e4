"""Carries out what was decided about one DHCP message: table, store, reply, events, in this order."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Final

from provd.core import dhcp_decide as decide
from provd.core.dhcp_address import is_broadcast
from provd.core.dhcp_leases import AddressTable
from provd.core.dhcp_quarantine import DeclineGuard
from provd.core.dhcp_times import end_of, lease_time
from provd.model.dhcp import DhcpRequest, Refuse
from provd.service.dhcp_admission import Admission
from provd.service.dhcp_clocks import Clocks
from provd.service.dhcp_commit import Grant, LeaseCommits, RepeatedRequests, lease_of
from provd.service.dhcp_counters import DhcpCounters, Throttle
from provd.service.dhcp_ports import BootDirector, Foreign, Later, Send
from provd.service.dhcp_probe import ConflictProbes
from provd.service.dhcp_reply import Exchange, Message, ReplyBuilder, is_rapid
from provd.wire.codes import MessageType

NAMES: Final[Mapping[int, str]] = {int(kind): kind.name.lower() for kind in MessageType}
"""Message types as counters and events call them."""
_EVENTS: Final[Mapping[int, str]] = {kind: f"dhcp.{name}" for kind, name in NAMES.items()}
_SENT: Final[Mapping[str, str]] = {kind: f"dhcp.{kind}" for kind in ("offer", "ack", "nak", "bootp-reply", "reply")}
_REQUEST: Final = int(MessageType.REQUEST)
_RAPID: Final = "rapid-commit"
_OFFER: Final = int(MessageType.OFFER)
_ACK: Final = int(MessageType.ACK)


class Outcomes:
    """Acts on decisions.

    Args:
        builder: makes replies.
        commits: writes leases and changes address tables.
        repeats: requests that were answered.
        director: hears of every message.
        send: sends one datagram.
        counters: counts.
        throttle: bounded log lines.
        clocks: wall time and the run of the machine, for leases.
        probes: asks whether an address is in use.
        foreign: told of the other server that a client has chosen.
        admission: weighs clients before they get an address.
        later: calls a function after some seconds.
        network_of: the tables of the shared network that a table belongs to.
    """

    def __init__(
        self,
        *,
        builder: ReplyBuilder,
        commits: LeaseCommits,
        repeats: RepeatedRequests,
        director: BootDirector,
        send: Send,
        counters: DhcpCounters,
        throttle: Throttle,
        clocks: Clocks,
        probes: ConflictProbes,
        foreign: Foreign,
        admission: Admission,
        later: Later,
        network_of: Callable[[AddressTable], Sequence[AddressTable]],
    ) -> None:
        self._builder, self._commits, self._repeats = builder, commits, repeats
        self._director, self._send = director, send
        self.counters, self._throttle = counters, throttle
        self._clocks, self._probes = clocks, probes
        self._foreign, self._admission, self._later = foreign, admission, later
        self._network_of = network_of
        self._guard = DeclineGuard()
        self.learn: Callable[[Exchange, Message], None] = lambda _exchange, _message: None

    def unanswered(self, request: DhcpRequest, counted: str, reason: str) -> None:
        """No answer, before the client's subnet was known."""
        self._drop(counted)
        self._director.seen("dhcp.dropped", request, None, 0, {"reason": reason})

    def refuse(self, exchange: Exchange, verdict: Refuse) -> None:
        """The gate refuses this client: a REQUEST gets a NAK (RFC 2131 section 4.3.2), the rest silence.

        A REQUEST that names another server is that server's to answer (RFC 2131 section 3.1, step 4).
        """
        self.counters.dropped["refused by gate"] += 1
        packet = exchange.request.packet
        if packet.message_type == _REQUEST and packet.server_id in {0, *exchange.ours}:
            self._nak(exchange, verdict.reason)
        else:
            self._seen("dhcp.dropped", exchange, 0, {"reason": verdict.reason})

    def answer(self, exchange: Exchange, key: bytes, host: Collection[int]) -> None:
        """Decide and carry out.

        Args:
            exchange: the request.
            key: equal for retransmissions.
            host: every address of this server.
        """
        packet = exchange.request.packet
        if packet.message_type == _REQUEST and self._repeated(exchange, key):
            return
        here = decide.Here(
            ours=exchange.ours,
            host=host,
            unicast=exchange.arrival.unicast,
            client_unicast=exchange.request.client.relay.client_unicast,
        )
        outcome = decide.decide(packet, exchange.table, exchange.who, here)
        if isinstance(outcome, decide.Offer | decide.Ack):
            refusal = self._admission.refusal(exchange)
            outcome = decide.Silent(refusal) if refusal else outcome
        match outcome:
            case decide.Offer(address=address, rank=rank):
                self._offer(exchange, address, rank)
            case decide.Ack(address=address, state=state):
                self._ack(exchange, address, state, key)
            case decide.Nak(reason=reason):
                self._nak(exchange, reason)
            case decide.Silent(reason=reason, withdraw=withdraw):
                self._silent(exchange, reason, withdraw=withdraw)
                if withdraw:
                    self._foreign(exchange.request, packet.server_id)
            case decide.Inform():
                self._inform(exchange)
            case decide.Release(address=address):
                self._release(exchange, address)
            case decide.Decline(address=address):
                self._decline(exchange, address)
            case decide.Bootp(address=address):
                self._post(exchange, self._builder.grant(exchange, 0, address, None, None), address)

    def _repeated(self, exchange: Exchange, key: bytes) -> bool:
        if self._repeats.writing(key):
            self.counters.retransmitted += 1
            return True
        message = self._repeats.answer(key, exchange.now)
        if message is None:
            return False
        self.counters.retransmitted += 1
        exchange.data = b""  # the answer was made earlier: nothing is to be learnt from it
        self._post(exchange, message, exchange.request.packet.requested_address or exchange.request.packet.ciaddr)
        return True

    def _offer(self, exchange: Exchange, address: int, rank: str) -> None:
        table = exchange.table
        if table.subnet.probe != "off" and self._probes.hold(exchange, address, rank, self._probed, self._in_use):
            table.offer(exchange.who, address, self._lease_time(exchange), exchange.now, table.subnet.offer_s)
        else:
            self._send_offer(exchange, address, rank)

    def _probed(self, exchange: Exchange, address: int, rank: str) -> None:
        if address:
            self._send_offer(exchange, address, rank)
        else:
            self._silent(exchange, rank, withdraw=False)

    def _in_use(self, exchange: Exchange, address: int, _rank: str) -> None:
        self._seen("dhcp.conflict", exchange, address, {})
        match decide.decide_discover(exchange.request.packet, exchange.table, exchange.who):
            case decide.Offer(address=other, rank=rank):
                self._offer(exchange, other, rank)
            case decide.Silent(reason=reason):
                self._silent(exchange, reason, withdraw=False)

    def _send_offer(self, exchange: Exchange, address: int, rank: str) -> None:
        if is_rapid(exchange):
            packet = exchange.request.packet
            self._ack(exchange, address, _RAPID, b"%b%d" % (packet.chaddr, packet.xid))
            return
        table, who = exchange.table, exchange.who
        lease_s = self._lease_time(exchange)
        held = table.held(who)
        message = self._builder.grant(exchange, _OFFER, address, lease_s, held.lease if held else None)
        table.offer(who, address, lease_s, exchange.now, table.subnet.offer_s)
        message.fields["rank"] = rank
        delay_ms = table.subnet.reply_delay_ms
        if not delay_ms:
            self._post(exchange, message, address)
            return

        def later() -> None:
            # The client may have taken another server's offer meanwhile.
            offered = table.offered(who)
            if offered is not None and offered.address == address:
                self._post(exchange, message, address)

        self._later(delay_ms / 1000, later)

    def _ack(self, exchange: Exchange, address: int, state: str, key: bytes) -> None:
        offered = exchange.table.offered(exchange.who)
        # RFC 2131 section 3.1 step 5: the ACK must not conflict with the OFFER.
        same = state == decide.SELECTING and offered is not None and offered.address == address
        lease_s = offered.lease_s if same and offered is not None else self._lease_time(exchange)
        lease = lease_of(exchange, address, lease_s, self._clocks)
        message = self._builder.grant(exchange, _ACK, address, lease_s, lease)
        message.fields["state"] = state

        def durable(ready: Message | None) -> None:
            if ready is not None:
                self._post(exchange, ready, address)
            else:
                self._seen("dhcp.dropped", exchange, address, {"reason": "lease could not be stored"})

        grant = Grant(exchange.table, exchange.who, lease, end_of(exchange.now, lease_s), key)
        self._commits.grant(grant, message, durable)

    def _nak(self, exchange: Exchange, reason: str) -> None:
        self._post(exchange, self._builder.refuse(exchange, reason), 0)

    def _silent(self, exchange: Exchange, reason: str, *, withdraw: bool) -> None:
        if withdraw:
            # What was offered may be of another subnet of the link than the address that is asked for.
            for table in self._network_of(exchange.table):
                table.withdraw(exchange.who)
        detail = ""
        if reason == "pool exhausted":
            self._admission.exhausted(exchange)
            detail = f"subnet {exchange.table.subnet.name}: the pool has no free address"
        self._drop(reason, detail)
        told = {"reason": reason}
        if withdraw:
            told["server"] = dotted(exchange.request.packet.server_id)
        elif detail:
            told["subnet"] = exchange.table.subnet.name
        self._seen("dhcp.dropped", exchange, 0, told)

    def _inform(self, exchange: Exchange) -> None:
        # RFC 2131 section 4.3.5; a client without ciaddr is reached at its source address, or not at all (rule A08).
        address = exchange.request.packet.ciaddr or exchange.arrival.source
        if not address or is_broadcast(exchange.table.subnet.network, address):
            self._silent(exchange, "inform without an address", withdraw=False)
            return
        if address not in exchange.table:
            # RFC 2131 section 3.4: the network address should be checked for consistency.
            self._silent(exchange, "inform from another network", withdraw=False)
            return
        self._post(exchange, self._builder.grant(exchange, _ACK, address, None, None), address)

    def _release(self, exchange: Exchange, address: int) -> None:
        binding = exchange.table.at(address)
        if binding is not None:
            self._commits.release(exchange.table, binding)
        self._seen("dhcp.release", exchange, address, {})

    def _decline(self, exchange: Exchange, address: int) -> None:
        mac = exchange.request.packet.mac
        refusal = self._guard.refusal(exchange.table, mac, exchange.now)
        binding = exchange.table.at(address)
        if refusal or binding is None:
            self._silent(exchange, refusal or "decline of an unused address", withdraw=False)
            return
        self._commits.quarantine(exchange.table, binding, mac, exchange.now, f"declined by {mac.hex(':')}")
        where = f"{dotted(address)} in subnet {exchange.table.subnet.name}"
        self._throttle.warn("decline", f"{where} is in use by another host, says {mac.hex(':')}: put into quarantine")
        self._seen("dhcp.decline", exchange, address, {})

    def _lease_time(self, exchange: Exchange) -> int:
        preferred = exchange.profile.boot.lease_s if exchange.profile is not None else 0
        preferred = preferred or self._builder.lease_s(exchange.request.client)
        return lease_time(exchange.table.subnet, exchange.request.packet.requested_lease_s, preferred)

    def _post(self, exchange: Exchange, message: Message, address: int) -> None:
        self._send(message.interface, message.data, message.destination, message.local)
        kind = message.kind
        self.counters.sent[kind] += 1
        self.learn(exchange, message)
        seen, request, system = self._director.seen, exchange.request, exchange.system
        seen(_EVENTS.get(request.packet.message_type, "dhcp.unknown"), request, system, address, {})
        seen(_SENT[kind], request, system, address, message.fields)

    def _seen(self, kind: str, exchange: Exchange, address: int, fields: Mapping[str, object]) -> None:
        self._director.seen(kind, exchange.request, exchange.system, address, fields)

    def _drop(self, reason: str, detail: str = "") -> None:
        self.counters.dropped[reason] += 1
        if detail:
            self._throttle.warn(reason, detail)


def dotted(address: int) -> str:
    """Dotted quad of an address."""
    return ".".join(str(octet) for octet in address.to_bytes(4))
