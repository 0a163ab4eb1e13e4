"""The rogue watch: finds other DHCP servers at start, by timer, on demand, and from what clients say."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from ipaddress import IPv4Address
from typing import Final, Protocol

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IDelayedCall, IReactorTime
from twisted.logger import Logger

from provd.core.rogue import HEARD, ROGUE, KnownServers, Peers, Seen, Sighting
from provd.model.dhcp import DhcpRequest
from provd.model.event import Event

_AGAIN_S: Final = 60.0
_KEEP_ROUNDS: Final = 3.0


class Prober(Protocol):
    """Asks links."""

    def ask(
        self,
        interfaces: Sequence[str],
        wait_s: float,
        answered: Callable[[Sighting], object],
        done: Callable[[], None],
    ) -> tuple[str, ...]:
        """Ask on these interfaces; returns those that could be asked."""
        ...

    def stop(self) -> None:
        """Close every socket."""
        ...


class RogueWatch:
    """Watches.

    Args:
        prober: asks links.
        clock: the timer, and seconds that no clock change moves.
        wall: seconds since the epoch.
        publish: hears of surprises.
        interfaces: names of the interfaces that are heard now.
    """

    def __init__(
        self,
        prober: Prober,
        clock: IReactorTime,
        wall: Callable[[], float],
        publish: Callable[[Event], None],
        interfaces: Callable[[], Sequence[str]],
    ) -> None:
        self._prober, self._clock, self._wall = prober, clock, wall
        self._publish, self._interfaces = publish, interfaces
        self._known = KnownServers()
        self._interval_s, self._wait_s = 0.0, 3.0
        self._timer: IDelayedCall | None = None
        self._running = False
        self._asked_at: dict[str, float] = {}
        self._open: set[Sighting] = set()
        self._log = Logger(namespace="provd.rogue")
        self.counts: Counter[str] = Counter()

    def configure(self, interval_s: float, wait_s: float, peers: Peers) -> None:
        """Take settings; the timer starts anew where the interval is another.

        Args:
            interval_s: seconds between two rounds; 0 switches the timer off.
            wait_s: seconds that answers are waited for.
            peers: who is no surprise.
        """
        self._wait_s = wait_s
        self._known.keep_s = max(3600.0, _KEEP_ROUNDS * interval_s)
        for seen in self._known.judge(peers):
            self._alarm(seen)
        if interval_s != self._interval_s:
            self._interval_s = interval_s
            if self._running:
                self.start()

    def start(self) -> None:
        """First round now, then by timer."""
        self._running = True
        self._cancel()
        if self._interval_s:
            self._timer = self._clock.callLater(0, self._round)

    def stop(self) -> None:
        """No more rounds."""
        self._running = False
        self._cancel()
        self._open.clear()
        self._prober.stop()

    def _cancel(self) -> None:
        if self._timer is not None and self._timer.active():
            self._timer.cancel()

    def _round(self) -> None:
        self._timer = self._clock.callLater(self._interval_s, self._round)
        self._ask(self._interfaces(), lambda: None)

    def _ask(self, interfaces: Sequence[str], done: Callable[[], None]) -> tuple[str, ...]:
        now = self._clock.seconds()
        self._asked_at.update(dict.fromkeys(interfaces, now))
        asked = self._prober.ask(interfaces, self._wait_s, self._saw, done)
        self.counts["questions"] += len(asked)
        return asked

    async def check(self) -> dict[str, object]:
        """Ask now and wait for the answers: ``interfaces`` that were asked, and one row per ``servers``."""
        over: Deferred[None] = Deferred()
        asked = self._ask(self._interfaces(), lambda: over.callback(None))
        await over
        return {"interfaces": list(asked), "servers": self.rows()}

    def heard(self, request: DhcpRequest, server: int) -> None:
        """A client takes the offer of another server (RFC 2131 section 3.1, step 3: it says so by broadcast)."""
        giaddr = request.packet.giaddr
        sighting = Sighting(request.interface, server, how=HEARD, relay=giaddr)
        if sighting in self._open:
            return
        # Its answer tells the hardware address; clients cannot make this happen often.
        last = self._asked_at.get(request.interface, float("-inf"))
        ask = not giaddr and self._clock.seconds() - last >= _AGAIN_S
        if ask and self._known.is_open(sighting):
            self._open.add(sighting)
            self._ask((request.interface,), lambda: self._settle(sighting))
        elif self._saw(sighting) and ask:
            self._ask((request.interface,), lambda: None)

    def _settle(self, sighting: Sighting) -> None:
        """The link was asked: a server that has not answered is judged by what a client said."""
        self._open.discard(sighting)
        self._saw(sighting)

    def _saw(self, sighting: Sighting) -> bool:
        self.counts["sightings"] += 1
        new = self._known.saw(sighting, self._clock.seconds())
        if new is None or new.verdict != ROGUE:
            return new is not None
        self._alarm(new)
        return True

    def _alarm(self, seen: Seen) -> None:
        self.counts["rogues"] += 1
        told = row(seen, self._wall, self._clock.seconds())
        self._log.warn("{sentence}", sentence=sentence(seen))
        fields = {key: told[key] for key in ("interface", "server", "offers", "how", "relay") if told[key]}
        self._publish(Event("dhcp.rogue", self._wall(), mac=str(told["mac"]), fields=fields))

    def rows(self) -> list[dict[str, object]]:
        """One row per server that was seen lately."""
        now = self._clock.seconds()
        self._known.forget(now)
        return [row(seen, self._wall, now) for seen in self._known.rows()]

    def seen(self) -> Sequence[Seen]:
        """Servers that were seen lately."""
        self._known.forget(self._clock.seconds())
        return self._known.rows()

    def problems(self) -> list[str]:
        """One sentence per surprise."""
        return [sentence(seen) for seen in self._known.rows() if seen.verdict == ROGUE]

    def as_dict(self) -> dict[str, object]:
        """For status and metrics."""
        return {"servers": len(self._known.rows()), "rogue": self._known.rogues, **self.counts}


def row(seen: Seen, wall: Callable[[], float], now: float) -> dict[str, object]:
    """One server as people and programs read it."""
    sighting, offset = seen.sighting, wall() - now
    return {
        "interface": sighting.interface,
        "server": str(IPv4Address(sighting.server)),
        "mac": sighting.mac.hex(":"),
        "how": sighting.how,
        "offers": str(IPv4Address(sighting.offers)) if sighting.offers else "",
        "relay": str(IPv4Address(sighting.relay)) if sighting.relay else "",
        "verdict": seen.verdict,
        "first_at": seen.first_at + offset,
        "last_at": seen.last_at + offset,
    }


def sentence(seen: Seen) -> str:
    """What is known of a surprise."""
    sighting = seen.sighting
    where = f"interface {sighting.interface}" + (
        f", behind relay {IPv4Address(sighting.relay)}" if sighting.relay else ""
    )
    who = f"another DHCP server, {IPv4Address(sighting.server)}" + (
        f" ({sighting.mac.hex(':')})" if sighting.mac else ""
    )
    does = {
        "addresses": f"offers addresses such as {IPv4Address(sighting.offers)}",
        "boot": "offers boot files as a proxy",
    }.get(sighting.how, "was chosen by a client")
    return f"{where}: {who}, {does}; switch one of the two off, or name it in [rogue] allow"
