"""Asks whether an address is in use before it is offered for the first time (RFC 2131 sections 2.2 and 3.1, step 2)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Final, Protocol

from twisted.logger import Logger

from provd.core.dhcp_leases import AddressTable
from provd.core.dhcp_quarantine import SHARE_IS_SPENT, pool_share_is_spent
from provd.core.dhcp_states import State
from provd.service.dhcp_commit import LeaseCommits
from provd.service.dhcp_counters import DhcpCounters, Throttle
from provd.service.dhcp_reply import Exchange

ICMP: Final = "icmp"
ARP: Final = "arp"
_WAYS: Final = {"icmp": frozenset({ICMP}), "arp": frozenset({ARP}), "both": frozenset({ICMP, ARP})}
_NEW: Final = frozenset({"requested", "free", "oldest-expired"})
_AT_ONCE: Final = 4096

Decided = Callable[[Exchange, int, str], None]
"""Goes on with an exchange: its address and rank, or 0 and why there is no offer."""


@dataclass(frozen=True, slots=True)
class Question:
    """Is an address in use?

    Attributes:
        address: as an int.
        interface: of the client's link, empty where a relay or router stands between.
        local: our address.
        ways: ``icmp`` and ``arp``; ARP needs the interface.
        timeout_s: seconds to wait for an answer.
    """

    address: int
    interface: str
    local: int
    ways: frozenset[str]
    timeout_s: float


class AddressProbe(Protocol):
    """Sends probes."""

    def ask(self, question: Question, done: Callable[[str], None]) -> None:
        """Call ``done`` later, with who answered in words, or with an empty text after the timeout."""
        ...


@dataclass(slots=True)
class _Held:
    exchange: Exchange
    rank: str


class ConflictProbes:
    """Holds offers back while their address is asked for; the client's newest DISCOVER gets the answer.

    Reservations are the administrator's word, and the client's own address is its own: neither is asked for.

    Args:
        probe: sends probes, None where there is no network.
        commits: writes quarantined addresses.
        counters: counts conflicts.
        throttle: bounded log lines.
        monotonic: seconds.
        in_force: whether addresses are given from a table now; a reload may put another one in its place.
    """

    def __init__(
        self,
        probe: AddressProbe | None,
        commits: LeaseCommits,
        counters: DhcpCounters,
        throttle: Throttle,
        monotonic: Callable[[], float],
        in_force: Callable[[AddressTable], bool],
    ) -> None:
        self._probe, self._commits, self._in_force = probe, commits, in_force
        self._counters, self._throttle, self._monotonic = counters, throttle, monotonic
        self._held: dict[int, _Held] = {}
        self._log = Logger(namespace="provd.dhcp")

    def hold(self, exchange: Exchange, address: int, rank: str, decided: Decided, again: Decided) -> bool:
        """Whether this offer waits.

        Args:
            exchange: the DISCOVER.
            address: what would be offered.
            rank: why.
            decided: called later if the address is free.
            again: called later if it is not: another address is to be chosen.
        """
        held = self._held.get(address)
        if held is not None and held.exchange.who.key == exchange.who.key:
            held.exchange = exchange
            return True
        if held is not None and rank in _NEW:
            # The client before took its word back; what is asked already serves this one as well.
            held.exchange, held.rank = exchange, rank
            return True
        question = self._question(exchange, address, rank)
        if question is None or self._probe is None:
            return False
        self._held[address] = _Held(exchange, rank)
        self._counters.probes += 1
        self._probe.ask(question, lambda answer: self._guarded(address, answer, decided, again))
        return True

    def _question(self, exchange: Exchange, address: int, rank: str) -> Question | None:
        subnet, arrival = exchange.table.subnet, exchange.arrival
        ways = _WAYS.get(subnet.probe, frozenset())
        relayed = bool(exchange.request.packet.giaddr)
        if relayed:
            ways -= {ARP}
        if not ways or rank not in _NEW or len(self._held) >= _AT_ONCE:
            return None
        interface = "" if relayed else arrival.interface
        return Question(address, interface, arrival.local, ways, subnet.probe_ms / 1000)

    def _guarded(self, address: int, answer: str, decided: Decided, again: Decided) -> None:
        try:
            self._answered(address, answer, decided, again)
        except Exception:  # noqa: BLE001  # the answers of other probes must still be heard
            self._counters.errors += 1
            self._log.failure("fault after an address was probed")

    def _answered(self, address: int, answer: str, decided: Decided, again: Decided) -> None:
        held = self._held.pop(address)
        exchange = replace(held.exchange, now=self._monotonic())
        table = exchange.table
        if not self._in_force(table) or not table.may_have(exchange.who, address):
            return
        binding = table.at(address)
        if binding is None or binding.state is not State.OFFERED or binding.who.key != exchange.who.key:
            return
        if not answer:
            decided(exchange, address, held.rank)
            return
        self._counters.conflicts += 1
        if pool_share_is_spent(table):
            table.withdraw(exchange.who)
            decided(exchange, 0, SHARE_IS_SPENT)
            return
        self._commits.quarantine(table, binding, b"", exchange.now, answer)
        self._throttle.warn("address in use", f"subnet {table.subnet.name}: {answer}; not offered, quarantined")
        again(exchange, address, held.rank)
