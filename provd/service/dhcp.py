"""One DHCP packet from start to end: octets in, a decision, octets out once the lease is durable, events after that."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import Final

from twisted.logger import Logger

from provd.core.dhcp_address import is_host
from provd.core.dhcp_binding import Binding
from provd.core.dhcp_identity import AUTO
from provd.core.quirks import Quirks
from provd.model.client import ClientFacts
from provd.model.client_class import ClientClass
from provd.model.dhcp import DhcpRequest, Ignore, Refuse
from provd.model.event import Event
from provd.model.lease import Lease
from provd.model.quirk import Quirk
from provd.model.subnet import PROXY, Subnet
from provd.model.system import System
from provd.service.dhcp_admission import Admission
from provd.service.dhcp_clocks import Clocks
from provd.service.dhcp_commit import LeaseCommits, RepeatedRequests, same_request
from provd.service.dhcp_counters import DhcpCounters, Throttle
from provd.service.dhcp_exchanges import Exchanges
from provd.service.dhcp_expiry import ended
from provd.service.dhcp_levels import OptionLevels
from provd.service.dhcp_memory import ClientMemory
from provd.service.dhcp_outcomes import NAMES, Outcomes, dotted
from provd.service.dhcp_ports import (
    Arrival,
    BootDirector,
    DhcpHooks,
    Foreign,
    KnownSystems,
    Later,
    LeaseWriter,
    Send,
    ShortWay,
    SystemProfiles,
)
from provd.service.dhcp_probe import AddressProbe, ConflictProbes
from provd.service.dhcp_proxy import ProxyAnswers
from provd.service.dhcp_release import ReleaseByHand
from provd.service.dhcp_reply import Ports, ReplyBuilder
from provd.service.dhcp_shortcut import Shortcut
from provd.service.dhcp_subnets import SubnetTables, reservations_of
from provd.wire.codes import MessageType
from provd.wire.dhcp import decode_request
from provd.wire.errors import WireError
from provd.wire.packet import DhcpPacket

_FROM_CLIENTS: Final = frozenset(
    int(kind)
    for kind in (
        MessageType.BOOTP,
        MessageType.DISCOVER,
        MessageType.REQUEST,
        MessageType.DECLINE,
        MessageType.RELEASE,
        MessageType.INFORM,
    )
)
_MAX_HOPS: Final = 16


def _at_once(_seconds: float, function: Callable[[], None]) -> None:
    function()


class DhcpService:
    """Answers DHCP for the configured subnets.

    Args:
        hooks: the plugin host.
        director: boot decisions and boot sessions.
        systems: the index of systems.
        profiles: the catalogue.
        store: the lease store.
        send: sends one datagram.
        clocks: wall and monotonic time.
        identity: ``auto`` or ``client-id``.
        ports: where clients and relays listen.
        send_service: sends one datagram from the PXE port.
        foreign: told of other servers that clients choose.
        publish: event bus.
        later: calls a function after some seconds.
        probe: asks the network whether an address is in use.
    """

    def __init__(
        self,
        *,
        hooks: DhcpHooks,
        director: BootDirector,
        systems: KnownSystems,
        profiles: SystemProfiles,
        store: LeaseWriter,
        send: Send,
        clocks: Clocks,
        identity: str = AUTO,
        ports: Ports | None = None,
        probe: AddressProbe | None = None,
        send_service: Send | None = None,
        foreign: Foreign = lambda _request, _server: None,
        publish: Callable[[Event], None] = lambda _event: None,
        later: Later = _at_once,
    ) -> None:
        self.counters = DhcpCounters()
        self.tables = SubnetTables(identity, clocks.boot)
        self._log = Logger(namespace="provd.dhcp")
        self._throttle = Throttle(self._log, clocks.monotonic)
        self._hooks, self._clocks, self._publish = hooks, clocks, publish
        self._systems, self._profiles = systems, profiles
        self._repeats = RepeatedRequests()
        self._reserved: dict[str, dict[int, bytes]] = {}
        self.levels = OptionLevels(self._throttle)
        self._memory = ClientMemory(hooks)
        self._exchanges = Exchanges(self._memory, self.tables, clocks)
        self._builder = ReplyBuilder(
            hooks=hooks,
            memory=self._memory,
            director=director,
            levels=self.levels,
            counters=self.counters,
            throttle=self._throttle,
            ports=ports or Ports(),
        )
        self._proxy = ProxyAnswers(
            hooks=hooks,
            director=director,
            levels=self.levels,
            counters=self.counters,
            throttle=self._throttle,
            ports=ports or Ports(),
            send=send,
            send_service=send_service or send,
            foreign=foreign,
        )
        commits = LeaseCommits(store, self._repeats, self.counters, self._throttle, clocks)
        self.release = ReleaseByHand(self.tables, commits)
        shortcut = Shortcut(
            hooks=hooks,
            director=director,
            systems=systems,
            commits=commits,
            repeats=self._repeats,
            counters=self.counters,
            send=send,
            clocks=clocks,
            levels=self.levels,
            tables=self.tables,
            client_port=(ports or Ports()).client,
        )
        self._shortcut: ShortWay = shortcut
        self._outcomes = Outcomes(
            builder=self._builder,
            commits=commits,
            probes=ConflictProbes(
                probe, commits, self.counters, self._throttle, clocks.monotonic, self.tables.in_force
            ),
            repeats=self._repeats,
            director=director,
            send=send,
            counters=self.counters,
            throttle=self._throttle,
            clocks=clocks,
            foreign=foreign,
            admission=Admission(self._throttle, publish, clocks.wall),
            later=later,
            network_of=self.tables.network_of,
        )
        self._outcomes.learn = shortcut.learn

    def reconfigure(self, subnets: Sequence[Subnet], own: Collection[int] = ()) -> None:
        """Take new subnets and this server's addresses; no lease is lost.

        Offers stand in subnets that keep their name; whose offer is gone begins again (RFC 2131 section 4.3.2).
        """
        self.tables.reconfigure(subnets, own, self._clocks.monotonic(), self._clocks.wall())
        self.forget()

    def classify(
        self, options: Mapping[str, object], classes: Sequence[ClientClass], quirks: Sequence[Quirk] = ()
    ) -> None:
        """Take the options of all clients, the client classes, and the quirks of firmware."""
        self._memory.quirks = Quirks(quirks)
        self.levels.configure(options, classes)
        self._memory.classes = self.levels.labels
        self.forget()

    def forget(self) -> None:
        """Drop what is remembered of the catalogue; called after every reload."""
        self.levels.clear()
        self._memory.clear()
        self._builder.clear()
        self._repeats.clear()
        self._shortcut.clear()

    def reserve(self, systems: Iterable[System]) -> None:
        """All systems; called at start and after a reload, so that reserved addresses are given to nobody else."""
        known = list(systems)
        self._reserved = {system.name: reservations_of((system,)) for system in known}
        self.tables.reserve(reservations_of(known))
        self.forget()

    def follow(self, name: str, system: System | None) -> None:
        """One system was changed, or with None is gone; the others are not looked at."""
        before = self._reserved.pop(name, {})
        after = {} if system is None else reservations_of((system,))
        if system is not None:
            self._reserved[name] = after
        gone = {address: mac for address, mac in before.items() if address not in after}
        self.tables.change_reservations(gone, after)
        self.forget()

    def load(self, leases: Iterable[Lease]) -> int:
        """Take the stored leases at start; returns how many belong to no subnet."""
        return self.tables.load(leases, self._clocks.monotonic(), self._clocks.wall())

    def expire(self) -> list[Binding]:
        """End what is over, with an event for each lease; called by a timer."""
        over = self.tables.expire(self._clocks.monotonic())
        for event in ended(self.tables, self._clocks.wall()):
            self._publish(event)
        return over

    def handle(self, data: bytes, arrival: Arrival) -> None:
        """Answer one datagram, or count why not. Raises nothing."""
        try:
            if self._shortcut.answer(data, arrival):
                return
        except Exception:  # noqa: BLE001  # one packet must not stop the listener; each such fault is a logged defect
            self._faulty(arrival)
            return
        try:
            packet = decode_request(data)
        except WireError as error:
            self.counters.dropped["malformed"] += 1
            self._throttle.warn("malformed", f"from {dotted(arrival.source)} on {arrival.interface}: {error}")
            return
        try:
            self._handle(packet, data, arrival)
        except WireError as error:
            self.counters.dropped["reply not encodable"] += 1
            self._throttle.warn("reply not encodable", f"a reply was not sent, a plugin made it wrong: {error}")
        except Exception:  # noqa: BLE001  # one packet must not stop the listener; each such fault is a logged defect
            self._faulty(arrival)

    def _faulty(self, arrival: Arrival) -> None:
        self.counters.errors += 1
        self._log.failure("fault while answering a packet on {interface}", interface=arrival.interface)

    def _handle(self, packet: DhcpPacket, data: bytes, arrival: Arrival) -> None:
        kind = packet.message_type
        self.counters.received[NAMES.get(kind, "unknown")] += 1
        unfit = _triage(packet)
        if unfit:
            self.counters.dropped[unfit] += 1
            return
        epoch = self._hooks.epoch
        known = self._memory.of(packet, arrival)
        if not packet.giaddr and packet.ciaddr and arrival.unicast:
            known = self._exchanges.with_remembered_relay(packet, known)
        request = DhcpRequest(
            packet,
            known.facts,
            arrival.interface,
            arrival.local,
            arrival.source,
            arrival.source_port,
            self._clocks.wall(),
        )
        verdict = self._hooks.gate(request)
        if isinstance(verdict, Ignore):
            self._outcomes.unanswered(request, "gate", verdict.reason)
            return
        system = self._systems.find(known.facts) or self._systems.find_leased(known.facts, self.tables.system_of)
        if system is not None or known.system is not None:
            known.belongs_to(system, None if system is None else self._profiles.profile_for(system))
        client = self._memory.labelled(known, request)
        if client is not known.facts:
            request = _of_client(request, client)
        exchange = self._exchanges.of(request, arrival, known)
        if isinstance(exchange, str):
            self._outcomes.unanswered(request, exchange, exchange)
        elif arrival.pxe or exchange.table.subnet.mode == PROXY:
            self._proxy.answer(exchange, verdict, self.tables.host)
        elif isinstance(verdict, Refuse):
            self._outcomes.refuse(exchange, verdict)
        else:
            exchange.data, exchange.epoch = data, epoch
            self._outcomes.answer(exchange, same_request(data), self.tables.host)


def _of_client(request: DhcpRequest, client: ClientFacts) -> DhcpRequest:
    """The request with its labels known; ``dataclasses.replace`` takes twice as long."""
    return DhcpRequest(
        request.packet, client, request.interface, request.local, request.source, request.source_port, request.now
    )


def _triage(packet: DhcpPacket) -> str:
    if packet.hops > _MAX_HOPS:
        return "too many hops"  # RFC 1542 section 4.1.1
    if packet.message_type not in _FROM_CLIENTS:
        return "not a client's message"  # RFC 4388 section 6.4 for LEASEQUERY, else a server's own kinds
    if not packet.mac and len(packet.client_id) < 2:
        return "no identity"  # RFC 2131 section 4.2
    if packet.giaddr and not is_host(packet.giaddr):
        return "giaddr is no relay's"  # an answer would go to a group or to nobody
    return ""
