"""What a client was found to be, remembered while nothing that it follows from has changed.

Labels, subnet and options that plugins give are pure functions of the client's facts, the configuration and its system,
unless their hook says ``per_packet``. So they are asked once per client; gate, reply and event hooks always run.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from provd.core.client_facts import client_facts
from provd.core.dhcp_binding import Who
from provd.core.dhcp_leases import AddressTable
from provd.core.quirks import Quirks
from provd.model.boot import BootPlan
from provd.model.client import ClientFacts
from provd.model.dhcp import DhcpRequest, OptionSet
from provd.model.lease import Lease
from provd.model.profile import Profile
from provd.model.subnet import Subnet
from provd.model.system import System
from provd.service.dhcp_ports import Arrival, DhcpHooks
from provd.service.dhcp_prepared import Prepared
from provd.wire import codes
from provd.wire.packet import DhcpPacket

CLIENTS: Final = 4096
"""Enough for every client between its DISCOVER and its REQUEST; made-up ones push each other out."""
_ANSWERS: Final = 4
_OF_ONE_MESSAGE: Final = (codes.MESSAGE_TYPE, codes.REQUESTED_ADDRESS, codes.SERVER_ID, codes.LEASE_TIME)

PluginOptions = Sequence[tuple[str, OptionSet]]


@dataclass(slots=True, eq=False)
class Known:
    """One client as its packets of one kind of firmware or system show it.

    Attributes:
        about: its options, without those that belong to one message.
        facts: taken from them; what the gate sees.
        client: the same with labels, None until plugins were asked.
        labels: the labels that ``options`` and ``subnet`` were asked with.
        subnet: what plugins chose; ``chosen`` is False until they were asked.
        who: the client as ``table`` tells it apart, where that does not depend on other clients.
        system: the system at the last packet; another one voids ``options`` and ``prepared``.
        profile: likewise.
        options: what plugins gave, by reply kind and address.
        prepared: the options of the last reply, encoded.
    """

    about: Mapping[int, bytes]
    facts: ClientFacts
    client: ClientFacts | None = None
    labels: frozenset[str] = frozenset()
    subnet: Subnet | None = None
    chosen: bool = False
    table: AddressTable | None = None
    who: Who | None = None
    system: System | None = None
    profile: Profile | None = None
    options: dict[tuple[int, int, bool], tuple[BootPlan | None, PluginOptions]] = field(default_factory=dict)
    prepared: Prepared | None = None

    def belongs_to(self, system: System | None, profile: Profile | None) -> None:
        """The client's system is this one now."""
        if self.system is not system or self.profile is not profile:
            self.system, self.profile, self.who, self.prepared = system, profile, None, None
            self.client, self.chosen = None, False
            self.options.clear()


class ClientMemory:
    """The clients that were heard last, and what plugins said of them.

    Args:
        hooks: the plugin host.

    Attributes:
        classes: labels by configured client classes.
        quirks: of firmware.
    """

    def __init__(self, hooks: DhcpHooks) -> None:
        self._hooks = hooks
        self._clients: OrderedDict[tuple[object, ...], Known] = OrderedDict()
        self._epoch: object = None
        self.classes: Callable[[ClientFacts], frozenset[str]] = lambda _client: frozenset()
        self.quirks = Quirks()
        self._pure_labels = self._pure_subnet = self._pure_options = False

    def __len__(self) -> int:
        return len(self._clients)

    def clear(self) -> None:
        """Forget every client, after a change of configuration, catalogue or reservations."""
        self._clients.clear()

    def of(self, packet: DhcpPacket, arrival: Arrival) -> Known:
        """The client of a packet; a new one where it shows other facts than before."""
        if self._hooks.epoch[0] != self._epoch:
            self._learn()
        key = (packet.chaddr, packet.hlen, packet.htype, packet.giaddr, arrival.interface, arrival.local)
        about = dict(packet.options)
        for code in _OF_ONE_MESSAGE:
            about.pop(code, None)
        known = self._clients.get(key)
        if known is not None and known.about == about:
            return known
        known = self._clients[key] = Known(about, self.quirks.corrected(client_facts(packet)))
        if len(self._clients) > CLIENTS:
            self._clients.popitem(last=False)
        return known

    def _learn(self) -> None:
        hooks = self._hooks
        self._clients.clear()
        self._epoch = hooks.epoch[0]
        self._pure_labels = hooks.hook_is_pure("provd_dhcp_labels")
        self._pure_subnet = hooks.hook_is_pure("provd_dhcp_subnet")
        self._pure_options = hooks.hook_is_pure("provd_dhcp_options")

    def labelled(self, known: Known, request: DhcpRequest) -> ClientFacts:
        """The client with its labels."""
        if known.client is not None and self._pure_labels:
            return known.client
        epoch = self._hooks.epoch
        labels = self._hooks.labels(request) | self.classes(request.client) | known.facts.labels
        if labels != known.labels:
            # What other hooks made of the old labels is no answer to the new ones.
            known.labels, known.chosen, known.prepared = labels, False, None
            known.options.clear()
        client = request.client.with_labels(labels) if labels else request.client
        known.client = client if self._hooks.epoch == epoch else None
        return client

    def subnet(self, known: Known, request: DhcpRequest, subnets: Sequence[Subnet]) -> Subnet | None:
        """The subnet that plugins chose, None where the receiving interface decides."""
        if known.chosen and self._pure_subnet:
            return known.subnet
        epoch = self._hooks.epoch
        known.subnet = self._hooks.subnet(request, subnets)
        known.chosen = self._hooks.epoch == epoch
        return known.subnet

    def options(
        self, known: Known, request: DhcpRequest, kind: int, address: int, lease: Lease | None, plan: BootPlan | None
    ) -> PluginOptions:
        """What plugins add to a reply of this kind that gives this address."""
        if not self._pure_options:
            return self._hooks.options(request, lease, plan)
        key = (kind, address, lease is None)
        found = known.options.get(key)
        if found is not None and found[0] is plan:
            return found[1]
        epoch = self._hooks.epoch
        options = self._hooks.options(request, lease, plan)
        if self._hooks.epoch == epoch:
            if len(known.options) >= _ANSWERS:
                known.options.clear()
            known.options[key] = (plan, options)
        return options
