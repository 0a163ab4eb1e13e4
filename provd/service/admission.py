"""Lets installations begin a few at a time; the others wait in a queue and are told so by their boot loader.

All that counts is kept in the boot sessions themselves (``slot``), so a restart of provd forgets nobody.
"""

from __future__ import annotations

from bisect import bisect_left, insort
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Final

from provd.core.admission import Claim, Limits, Place, obstacle, source_of
from provd.model.boot import Action, BootPlan
from provd.model.event import Event
from provd.model.session import FREED, RUNNING, WAITING, BootSession
from provd.service.sessions import Boot, Sessions

_ROUNDS: Final = 3
"""Questions that a waiting machine may leave out before others pass it."""
_GRACE_S: Final = 30.0
_GONE_S: Final = 600.0
"""Seconds after which a machine that asks no more has left the queue."""


@dataclass(frozen=True, slots=True)
class AdmissionRules:
    """What the configuration says.

    Attributes:
        limits: the caps.
        wait_s: seconds until a waiting machine asks again.
    """

    limits: Limits
    wait_s: int = 30


class Admission:
    """Decides when an installing boot gets its loader configuration.

    Args:
        sessions: the boots.
        rules: of this moment.
        subnet_of: name of the subnet of an address (dotted quad), or empty.
        again: the plan of a boot that waits, made anew where its system was edited meanwhile.
        wall: seconds since the epoch.
    """

    def __init__(
        self,
        *,
        sessions: Sessions,
        rules: Callable[[], AdmissionRules],
        subnet_of: Callable[[str], str],
        again: Callable[[Boot], BootPlan],
        wall: Callable[[], float],
    ) -> None:
        self._sessions, self._rules, self._subnet_of = sessions, rules, subnet_of
        self._again, self._wall = again, wall
        self._running: dict[str, Boot] = {}
        self._taken: Counter[Place] = Counter()
        self._waiting: dict[str, Boot] = {}
        self._order: list[tuple[float, str]] = []
        self._asked: dict[str, float] = {}
        self._rounds: Counter[str] = Counter()

    def load(self) -> None:
        """Take over what ran and waited before a restart, in the same order."""
        now = self._wall()
        boots = [boot for boot in self._sessions.boots() if boot.session.outcome == "running"]
        for boot in sorted(boots, key=lambda boot: boot.session.queued_at):
            if boot.session.slot == RUNNING:
                self._take(boot)
            elif boot.session.slot == WAITING:
                self._enter(boot)
                # Nobody could ask while provd was away.
                self._asked[boot.session.id] = now

    def ask(self, boot: Boot, plan: BootPlan, peer: str = "") -> BootPlan:
        """The plan that an installing boot is given now: its own, or one that waits.

        Args:
            boot: the boot whose loader asks for its configuration.
            plan: its plan, of action ``INSTALL``.
            peer: address that it asks from (dotted quad).
        """
        if boot.session.slot == WAITING:
            plan = replace(self._again(boot), loader=plan.loader)
        if plan.action is not Action.INSTALL:
            self._leave(boot)
            return plan
        session = boot.session
        if session.id in self._running:
            return plan
        queued_at = session.queued_at if session.id in self._waiting else self._queued_at(session)
        where = self._subnet_of(session.address or peer)
        boot.session = replace(session, queued_at=queued_at, subnet=where, source=_source(plan))
        busy = self._obstacle(boot)
        if busy is not None:
            self.tidy()
            busy = self._obstacle(boot)
        return self._admitted(boot, plan) if busy is None else self._told_to_wait(boot, plan, busy)

    def _queued_at(self, session: BootSession) -> float:
        """Now; or, for a machine that was switched off and on while it waited, when it began to wait."""
        earlier = next((one for one in self._waiting.values() if one.session.mac == session.mac), None)
        if earlier is None:
            return self._wall()
        self._leave(earlier)
        return earlier.session.queued_at

    def tidy(self) -> None:
        """Free what has ended, failed, or outlived its token; forget who asks no more."""
        now = self._wall()
        for name, boot in list(self._running.items()):
            session = boot.session
            if session.outcome != "running" or self._sessions.of_mac(session.mac) is not boot:
                self._give_back(name)
            elif now >= session.slot_until:
                self.free(name)
        for name, boot in list(self._waiting.items()):
            newest = self._sessions.of_mac(boot.session.mac)
            # A newer boot of the machine takes the place over, unless it has no use for it.
            needless = newest is None or newest.session.action != "install" or newest.session.outcome != "running"
            if needless or now - self._asked.get(name, 0.0) > _GONE_S:
                self._leave(boot)

    def on_event(self, event: Event) -> None:
        """A boot that stands still keeps nobody waiting."""
        if event.kind == "session.stalled":
            self.free(event.session)

    def free(self, session: str) -> None:
        """The installation of this boot counts no more; it may go on all the same."""
        boot = self._give_back(session)
        if boot is not None:
            self._sessions.mark(boot, slot=FREED)

    def _take(self, boot: Boot) -> None:
        self._running[boot.session.id] = boot
        self._taken.update(_claim(boot.session).places)

    def _give_back(self, session: str) -> Boot | None:
        boot = self._running.pop(session, None)
        if boot is not None:
            self._taken.subtract(_claim(boot.session).places)
        return boot

    def _enter(self, boot: Boot) -> None:
        if boot.session.id not in self._waiting:
            self._waiting[boot.session.id] = boot
            insort(self._order, (boot.session.queued_at, boot.session.id))

    def _withdraw(self, boot: Boot) -> bool:
        self._asked.pop(boot.session.id, None)
        del self._rounds[boot.session.id]
        if self._waiting.pop(boot.session.id, None) is None:
            return False
        self._order.remove((boot.session.queued_at, boot.session.id))
        return True

    def running(self) -> list[BootSession]:
        """Installations that count, the longest first."""
        self.tidy()
        return [boot.session for boot in self._running.values()]

    def waiting(self) -> list[BootSession]:
        """Who waits, in the order in which they are let in."""
        self.tidy()
        return [self._waiting[name].session for _, name in self._order]

    def asked_at(self, session: str) -> float:
        """When a waiting boot asked last, in seconds since the epoch."""
        return self._asked.get(session, 0.0)

    def why(self, session: BootSession) -> str:
        """One sentence on what a waiting boot waits for; empty where it is let in when it asks next."""
        boot = self._waiting.get(session.id)
        busy = self._obstacle(boot) if boot is not None else None
        return self._sentence(busy) if busy is not None else ""

    def _asks(self, boot: Boot, now: float) -> bool:
        """Whether it asked lately enough to keep its place against others."""
        return now - self._asked.get(boot.session.id, 0.0) <= _ROUNDS * self._rules().wait_s + _GRACE_S

    def _ahead(self, boot: Boot) -> Iterator[Claim]:
        now, mine = self._wall(), (boot.session.queued_at, boot.session.id)
        for queued in self._order:
            if queued >= mine:
                return
            if self._asks(one := self._waiting[queued[1]], now):
                yield _claim(one.session)

    def _obstacle(self, boot: Boot) -> Place | None:
        limits = self._rules().limits
        return obstacle(_claim(boot.session), self._taken, self._ahead(boot), limits) if limits.any else None

    def _admitted(self, boot: Boot, plan: BootPlan) -> BootPlan:
        assert plan.profile is not None  # noqa: S101  an installing plan has one
        now, waited = self._wall(), boot.session.slot == WAITING
        self._withdraw(boot)
        self._take(boot)
        self._sessions.mark(boot, slot=RUNNING, slot_until=now + plan.profile.boot.token_ttl_s)
        if waited:
            seconds = round(now - boot.session.queued_at, 1)
            self._sessions.note(boot, "queue.admitted", {"seconds": seconds, **_where(boot.session)})
        return plan

    def _told_to_wait(self, boot: Boot, plan: BootPlan, busy: Place) -> BootPlan:
        first = boot.session.slot != WAITING
        self._enter(boot)
        self._asked[boot.session.id] = self._wall()
        self._rounds[boot.session.id] += 1
        self._sessions.mark(boot, slot=WAITING)
        place = 1 + bisect_left(self._order, (boot.session.queued_at, boot.session.id))
        reason = f"{self._sentence(busy)}; number {place} of those that wait"
        if first:
            self._sessions.note(boot, "queue.waiting", {"reason": reason, **_where(boot.session)})
        wait_s, asked = self._rules().wait_s, self._rounds[boot.session.id]
        waits = replace(plan, action=Action.WAIT, reason=reason, wait_s=wait_s, asked=asked)
        return replace(waits, kernel="", initrd=(), token="")

    def _leave(self, boot: Boot) -> None:
        if self._withdraw(boot):
            self._sessions.mark(boot, slot="")
            self._sessions.note(boot, "queue.left", {"seconds": round(self._wall() - boot.session.queued_at, 1)})

    def _sentence(self, busy: Place) -> str:
        kind, name = busy
        most = self._rules().limits.of(busy)
        many = "1 machine installs" if most == 1 else f"{most} machines install"
        where = f"in subnet {name}" if kind == "subnet" else f"from {name}"
        return f"{many} {where}, and no more may at a time"


def _claim(session: BootSession) -> Claim:
    return Claim(session.id, session.subnet, session.source)


def _source(plan: BootPlan) -> str:
    return source_of(plan.profile.source or plan.profile.distro.tree) if plan.profile else ""


def _where(session: BootSession) -> dict[str, object]:
    return {"subnet": session.subnet, "source": session.source}
