"""The short way for machines that nobody named and that boot nothing: what one of them was answered, the next one is.

A message is answered here where everything that the answer follows from is the same as it was for an earlier machine:
the words it asks in (:mod:`provd.core.dhcp_layout`), how it came in, the configuration, and the answers of plugins that
do not look at which machine it is. What is decided for each machine is decided here as well, by the same rules: who it
is, which address it gets, whether its REQUEST is for our offer. Everything else, and every doubt, goes the long way.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any, Final

from provd.core.dhcp_binding import Who
from provd.core.dhcp_layout import Key, Layout, Pattern, key_of, layout_of, pattern_of
from provd.core.dhcp_leases import AddressTable
from provd.core.dhcp_times import end_of
from provd.model.dhcp import Destination
from provd.model.lease import Lease
from provd.model.subnet import PROXY, Subnet
from provd.service.dhcp_clocks import Clocks
from provd.service.dhcp_commit import Grant, LeaseCommits, RepeatedRequests, context_of, relay_text, same_request
from provd.service.dhcp_counters import DhcpCounters
from provd.service.dhcp_levels import OptionLevels
from provd.service.dhcp_ports import Arrival, BootDirector, DhcpHooks, KnownSystems, Send
from provd.service.dhcp_reply import Exchange, Message
from provd.service.dhcp_subnets import SubnetTables
from provd.wire import codes
from provd.wire.codes import MessageType
from provd.wire.dhcp import decode
from provd.wire.hostname import sanitise_name

_DISCOVER: Final = int(MessageType.DISCOVER)
_REQUEST: Final = int(MessageType.REQUEST)
_SENT: Final = {_DISCOVER: "offer", _REQUEST: "ack"}
_SHARED: Final = ("provd_dhcp_labels", "provd_dhcp_subnet", "provd_dhcp_options")
"""Hooks whose answer may be the same for all machines of a kind."""
_ALWAYS: Final = ("provd_dhcp_gate", "provd_dhcp_reply")
"""Hooks that are asked for every message that they are concerned with."""
_HEEDED: Final = frozenset(
    {
        *("name", "network", "pool", "interface", "relays", "routers", "dns", "domain", "ntp", "options"),
        *("lease_s", "min_lease_s", "max_lease_s", "offer_s", "decline_s", "server_address", "authoritative"),
        *("unknown", "allocation", "probe_ms", "mode"),
    }
)
"""Settings of a subnet that the table heeds, or that are in the pattern, or that say who is answered at all."""
_OF_ONE_MACHINE: Final = frozenset({codes.CLIENT_UUID, codes.CLIENT_FQDN})


@dataclass(slots=True, eq=False)
class Way:
    """One kind of message and all that is the same for the machines that send it.

    Attributes:
        layout: recognises it.
        kind: DISCOVER or REQUEST.
        arrival: how it comes in.
        pattern: of the answer.
        table: addresses.
        ours: what option 54 may name, as octets.
        lease_s: option 51 of the answer.
        destination: of every answer; None where it is the machine's own hardware address.
        local: address that answers leave from.
        relay: what is kept of the relay with a lease.
    """

    layout: Layout
    kind: int
    arrival: Arrival
    pattern: Pattern
    table: AddressTable
    ours: frozenset[bytes]
    lease_s: int
    destination: Destination | None
    local: int
    relay: str


class Shortcut:
    """Answers what it recognises.

    Args:
        hooks: the plugin host.
        director: knows which machines are booting.
        systems: knows which machines have a name.
        commits: writes leases.
        repeats: requests that were answered.
        counters: counts messages.
        send: sends one datagram.
        clocks: wall and monotonic time.
        levels: configured options and client classes.
        tables: of all subnets.
        client_port: where clients listen.
    """

    KNOWN: Final = 256
    """Kinds of messages that are remembered; a network has a handful."""

    def __init__(
        self,
        *,
        hooks: DhcpHooks,
        director: BootDirector,
        systems: KnownSystems,
        commits: LeaseCommits,
        repeats: RepeatedRequests,
        counters: DhcpCounters,
        send: Send,
        clocks: Clocks,
        levels: OptionLevels,
        tables: SubnetTables,
        client_port: int,
    ) -> None:
        self._hooks, self._director, self._systems = hooks, director, systems
        self._commits, self._repeats, self._counters = commits, repeats, counters
        self._send, self._clocks, self._monotonic = send, clocks, clocks.monotonic
        self._levels, self._tables, self._client_port = levels, tables, client_port
        self._ways: dict[Key, list[Way]] = {}
        self._count = 0
        self._epoch: object = None

    def clear(self) -> None:
        """Forget everything, after a change of configuration, catalogue, plugins or systems."""
        self._ways.clear()
        self._count = 0

    def answer(self, data: bytes, arrival: Arrival) -> bool:
        """Answer a message of a known kind; False, with nothing done, where it must go the long way."""
        ways = self._ways.get(key_of(data))
        if ways is None:
            return False
        if self._hooks.epoch != self._epoch:
            self.clear()
            return False
        for way in ways:
            if way.arrival is arrival and way.layout.fits(data):
                return self._discover(way, data) if way.kind == _DISCOVER else self._request(way, data)
        return False

    def _discover(self, way: Way, data: bytes) -> bool:
        table, mac, client_id = way.table, data[28:34], way.layout.octets(data, way.layout.client_id)
        if self._systems.knows(mac, client_id) or self._director.booting(mac):
            return False
        now = self._monotonic()
        if table.next_expiry <= now:
            table.expire(now)
        who = table.who(1, mac, client_id, known=False)
        chosen = table.candidate(who, int.from_bytes(way.layout.octets(data, way.layout.requested)))
        if chosen is None:
            return False
        address = chosen[0]
        table.offer(who, address, way.lease_s, now, table.subnet.offer_s)
        self._counters.received["discover"] += 1
        self._post(self._message(way, data, mac, address, client_id))
        return True

    def _request(self, way: Way, data: bytes) -> bool:
        """SELECTING our offer (RFC 2131 section 4.3.2)."""
        layout, table = way.layout, way.table
        mac, client_id = data[28:34], layout.octets(data, layout.client_id)
        if layout.octets(data, layout.server) not in way.ours or self._systems.knows(mac, client_id):
            return False
        address = int.from_bytes(layout.octets(data, layout.requested))
        if self._director.booting(mac) or self._director.holds(address):
            return False
        now = self._monotonic()
        if table.next_expiry <= now:
            table.expire(now)
        who = table.who(1, mac, client_id, known=False)
        offered = table.offered(who)
        if offered is None or offered.address != address or offered.lease_s != way.lease_s:
            return False
        key = same_request(data)
        if not table.may_have(who, address) or self._repeats.knows(key):
            return False
        if offered.who == who:
            # The same octets as one object: with 50,000 leases that is 5 MiB.
            who = offered.who
        lease = self._lease(way, data, who, offered, now)
        self._counters.received["request"] += 1
        message = self._message(way, data, mac, address, client_id)
        self._commits.grant(Grant(table, who, lease, end_of(now, way.lease_s), key), message, self._durable)
        return True

    def _durable(self, ready: Message | None) -> None:
        if ready is not None:
            self._post(ready)

    def _message(self, way: Way, data: bytes, mac: bytes, address: int, client_id: bytes) -> Message:
        octets = way.pattern.reply(data, address.to_bytes(4), client_id)
        destination = way.destination or Destination(address, self._client_port, mac)
        return Message(_SENT[way.kind], octets, destination, way.arrival.interface, way.local)

    def _post(self, message: Message) -> None:
        self._send(message.interface, message.data, message.destination, message.local)
        self._counters.sent[message.kind] += 1

    def _lease(self, way: Way, data: bytes, who: Who, offered: Any, now: float) -> Lease:
        # Of a binding that the compiler does not know, the address is taken as the object that the table keeps.
        wall, name = self._clocks.wall(), way.layout.octets(data, way.layout.hostname)
        return Lease(
            offered.address,
            way.table.subnet.name,
            who.mac,
            who.client_id,
            "bound",
            wall,
            end_of(wall, way.lease_s),
            sanitise_name(name) if name else "",
            "",
            way.relay,
            context_of(who),
            way.arrival.interface,
            self._clocks.boot,
            now,
        )

    def learn(self, exchange: Exchange, message: Message) -> None:
        """A message was answered the long way: the next ones like it need not be."""
        data, packet, arrival = exchange.data, exchange.request.packet, exchange.arrival
        kind = packet.message_type
        if exchange.epoch != self._hooks.epoch:
            return  # a plugin failed meanwhile, or was changed: the next ones may get more
        if not data or _SENT.get(kind) != message.kind or not self._is_alike(exchange):
            return
        if self._hooks.epoch != self._epoch or self._count >= self.KNOWN:
            self.clear()
            self._epoch = self._hooks.epoch
        ways = self._ways.setdefault(key_of(data), [])
        if any(way.arrival is arrival and way.layout.fits(data) for way in ways):
            return
        layout, pattern = layout_of(data, packet), pattern_of(message.data, packet.client_id)
        if layout is None or pattern is None:
            return
        sent = decode(message.data).options
        ways.append(
            Way(
                layout,
                kind,
                arrival,
                pattern,
                exchange.table,
                frozenset(address.to_bytes(4) for address in exchange.ours if address),
                int.from_bytes(sent[codes.LEASE_TIME]),
                None if message.destination.mac else message.destination,
                message.local,
                relay_text(exchange.request.client.relay),
            )
        )
        self._count += 1

    def _is_alike(self, exchange: Exchange) -> bool:
        """Nothing in the answer followed from which machine it is."""
        packet, client, subnet = exchange.request.packet, exchange.request.client, exchange.table.subnet
        if exchange.system is not None or client.is_netboot or not _OF_ONE_MACHINE.isdisjoint(packet.options):
            return False
        if packet.ciaddr or packet.htype != 1 or packet.hlen != 6 or exchange.arrival.pxe:
            return False
        if packet.message_type == _REQUEST and not packet.server_id:
            return False
        if subnet.mode == PROXY or not _is_plain(subnet) or self._levels.by_machine:
            return False
        if exchange.known.subnet is None and not self._tables.is_alone(exchange.arrival):
            return False  # of several subnets on a link, the address that a machine asks for may choose one
        asked = frozenset(packet.options)
        return all(self._hooks.hook_is_shared(hook) for hook in _SHARED) and not any(
            self._hooks.hook_concerns(hook, asked) for hook in _ALWAYS
        )


def _is_plain(subnet: Subnet) -> bool:
    """Every other setting is at its default: one that comes new closes the short way until it is heeded here."""
    default = Subnet(subnet.name, subnet.network)
    others = (one.name for one in fields(Subnet) if one.name not in _HEEDED)
    return all(getattr(subnet, name) == getattr(default, name) for name in others)
