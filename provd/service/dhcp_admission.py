"""Who waits: clients of a server that stands by, and floods of new clients; and the word that a pool is empty."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from provd.core.dhcp_limits import NewClients
from provd.model.event import Event
from provd.service.dhcp_counters import Throttle
from provd.service.dhcp_reply import Exchange
from provd.wire.codes import MessageType

EXHAUSTED_S: Final = 60.0
"""Seconds between two events of one empty pool."""

_DISCOVER: Final = int(MessageType.DISCOVER)


class Admission:
    """Weighs a client before it gets an address.

    Args:
        throttle: bounded log lines.
        publish: event bus.
        wall: seconds since the epoch.
    """

    def __init__(self, throttle: Throttle, publish: Callable[[Event], None], wall: Callable[[], float]) -> None:
        self._throttle, self._publish, self._wall = throttle, publish, wall
        self._new = NewClients()
        self._told: dict[str, float] = {}

    def refusal(self, exchange: Exchange) -> str:
        """Why this client gets no address now, though there is one; empty where it may have it.

        Named systems, and clients that have a lease or an offer, are never refused for being many.
        """
        subnet, packet = exchange.table.subnet, exchange.request.packet
        if packet.message_type == _DISCOVER and packet.secs < subnet.min_secs:
            return "another server answers first"
        if not (subnet.new_per_port or subnet.new_per_subnet) or exchange.system is not None:
            return ""
        if exchange.table.held(exchange.who) is not None or exchange.table.offered(exchange.who) is not None:
            return ""
        port = _port_of(exchange)
        places = (
            (("port", port), subnet.new_per_port if port else 0),
            (("subnet", subnet.name), subnet.new_per_subnet),
        )
        full = self._new.full(places, exchange.now)
        if full is None:
            return ""
        kind, name = full
        self._throttle.warn(f"new clients {kind}", f"subnet {subnet.name}: {kind} {name} brings too many new clients")
        return f"too many new clients of one {kind}"

    def exhausted(self, exchange: Exchange) -> None:
        """The pool has nothing for this client: an event, once a minute for each subnet."""
        table, now = exchange.table, exchange.now
        last = self._told.get(table.subnet.name)
        if last is None or now - last >= EXHAUSTED_S:
            self._told[table.subnet.name] = now
            fields = {"subnet": table.subnet.name, "size": table.pool_size}
            self._publish(Event("dhcp.pool-exhausted", self._wall(), fields=fields))


def _port_of(exchange: Exchange) -> str:
    """The port that the client is behind, as its relay names it; empty where none does."""
    relay = exchange.request.client.relay
    if not relay.circuit_id and not relay.remote_id:
        return ""
    return f"{relay.giaddr:08x} {relay.circuit_id.hex()} {relay.remote_id.hex()}"
