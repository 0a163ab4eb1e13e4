"""Boot sessions: joins everything one machine does during one boot, and remembers the plan it was given."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Protocol

from provd.core.session_rules import advance, begins_new, close
from provd.model.boot import BootPlan
from provd.model.event import Event, Told
from provd.model.session import BootSession, step_reached
from provd.service.session_ids import SessionIds

LIVE_SESSIONS = 65_536
"""Machines whose newest session is kept in memory; the store has them all."""

MOST_EVENTS = 10_000
"""Events of one boot that are kept; then the routine ones are left out of its timeline."""

_ROUTINE = (
    "dhcp.", "tftp.", "http.", "boot.none", "config.served", "kernel.fetched", "initrd.fetched", "answer.",
    "install.progress", "install.log", "install.syslog", "callback.failed",
)  # fmt: skip
"""What a machine can have any number of: packets, transfers, what it asks for and reports."""

REPORTING = frozenset({"finished", "failed"})
"""Outcomes after which a machine still has something to say: its first boot, or the log of what failed."""


class SessionLog(Protocol):
    """Where sessions are kept."""

    def save_session(self, session: BootSession) -> None:
        """Insert or replace the session with this id."""
        ...

    def session(self, session: str) -> BootSession | None:
        """The session with this id."""
        ...

    def recent_sessions(self, since: float) -> Iterable[BootSession]:
        """Newest session of every machine whose last event is not older than ``since``."""
        ...


@dataclass(slots=True)
class Boot:
    """One running boot: its session and, once it was decided, its plan.

    Attributes:
        record: the session but for its last sign of life; :attr:`session` is the whole one.
        seen_at: seconds since the epoch of that. A message has several, and a copy of the record for each costs more
            than all the rest of the timeline.
        plan: None before the first decision and after a restart of provd.
        basis: what the plan was made of; another value means that the system was edited since.
        missing: served paths of kernel and initrds that were not fetched yet.
        packages: files the installer fetched from its source; they are counted, not kept one by one.
        package_bytes: octets of those.
        fetching: paths that the installer fetches from its source at this moment.
        events: events noted since provd started.
        full: the timeline takes no more routine events.
    """

    record: BootSession
    seen_at: float = 0.0
    plan: BootPlan | None = None
    basis: object = None
    missing: frozenset[str] = frozenset()
    packages: int = 0
    package_bytes: int = 0
    fetching: frozenset[str] = frozenset()
    events: int = 0
    full: bool = False

    @property
    def session(self) -> BootSession:
        """The record of this moment."""
        if self.seen_at > self.record.last_at:
            self.record = self.record.seen(self.seen_at)
        return self.record

    @session.setter
    def session(self, record: BootSession) -> None:
        self.record, self.seen_at = record, record.last_at

    def change(self, **fields: Any) -> BootSession:
        """Change fields of the record, in one copy; returns it."""
        self.session = replace(self.record, **{"last_at": max(self.seen_at, self.record.last_at), **fields})
        return self.record


class Sessions:
    """The newest boot of every machine, by MAC and by leased address."""

    def __init__(
        self,
        log: SessionLog,
        publish: Callable[[Event], None],
        wall: Callable[[], float],
        tell: Callable[[Told], None] | None = None,
    ) -> None:
        """Take collaborators.

        Args:
            log: where sessions are kept.
            publish: hears of every event.
            wall: seconds since the epoch.
            tell: hears of them in its place, before they are made.
        """
        self._log = log
        self._tell = tell or (lambda told: publish(Event(*told)))
        self._wall = wall
        self._ids = SessionIds()
        self._by_mac: dict[str, Boot] = {}
        self._mac_by_address: dict[str, str] = {}
        self._mac_by_session: dict[str, str] = {}
        self._ended: dict[str, Boot] = {}

    def load(self, since: float) -> None:
        """Read the sessions that may still be running after a restart."""
        for session in self._log.recent_sessions(since):
            self._keep(session.mac, Boot(session))
            if session.address:
                self._mac_by_address[session.address] = session.mac

    @property
    def any(self) -> bool:
        """Boots are known at all."""
        return bool(self._by_mac)

    def of_mac(self, mac: str) -> Boot | None:
        """Newest boot of a hardware address."""
        return self._by_mac.get(mac)

    def of_address(self, address: str) -> Boot | None:
        """Newest boot of the machine that has this address."""
        return self._by_mac.get(self._mac_by_address.get(address, ""))

    def of_id(self, session: str) -> Boot | None:
        """The boot with this session id: the newest of its machine, or an ended one that may still report."""
        boot = self._by_mac.get(self._mac_by_session.get(session, "")) or self._ended.get(session)
        if boot is None:
            stored = self._log.session(session)
            if stored is not None and stored.outcome in REPORTING:
                boot = self._ended[session] = Boot(stored)
        return boot

    def plan_of(self, session: str) -> BootPlan | None:
        """The plan of the boot with this id, where it is the newest of its machine and was decided in this run."""
        boot = self._by_mac.get(self._mac_by_session.get(session, ""))
        return boot.plan if boot is not None else None

    def fetches(self, session: str) -> bool:
        """Whether the installer of this boot fetches something from its source at this moment."""
        boot = self._by_mac.get(self._mac_by_session.get(session, ""))
        return boot is not None and bool(boot.fetching)

    def alive(self, boot: Boot) -> None:
        """The machine did something that is no event: the timeline stays as it is, the silence ends."""
        boot.seen_at = self._wall()

    def boots(self) -> Iterable[Boot]:
        """The newest boot of every machine."""
        return self._by_mac.values()

    def firmware_discover(self, mac: str, *, system: str, basis: object) -> Boot:
        """A firmware DISCOVER: joins the running session or begins a new one (session rules in provd.core)."""
        now = self._wall()
        boot = self._by_mac.get(mac)
        changed = boot is not None and boot.plan is not None and boot.basis != basis
        current = boot.record if boot else None
        seen_at = boot.seen_at if boot else 0.0
        joins = not begins_new(current, system=system, system_changed=changed, now=now, seen_at=seen_at)
        if boot is not None and joins:
            boot.seen_at = now
            return boot
        if boot is not None and boot.record.outcome == "running":
            self._log.save_session(close(boot.session, "superseded"))
        # A session that is superseded ends its token; installs.py looks at the outcome of the session it belongs to.
        fresh = Boot(BootSession(id=self._ids.fresh(), mac=mac, system=system, started_at=now, last_at=now))
        if current is not None and self._mac_by_address.get(current.address) == mac:
            fresh.change(address=current.address)
        self._keep(mac, fresh)
        self._log.save_session(fresh.session)
        self.note(fresh, "boot.started")
        return fresh

    def _keep(self, mac: str, boot: Boot) -> None:
        self._forget(mac)
        self._by_mac[mac] = boot
        self._mac_by_session[boot.record.id] = mac
        if len(self._by_mac) > LIVE_SESSIONS:
            oldest = next(iter(self._by_mac))
            self._let_go(self._by_mac[oldest].record.address, oldest)
            self._forget(oldest)

    def _let_go(self, address: str, mac: str) -> None:
        """The machine has this address no longer; nothing happens where it is another machine's already."""
        if self._mac_by_address.get(address) == mac:
            del self._mac_by_address[address]

    def _forget(self, mac: str) -> None:
        """Drop a machine's newest boot from memory."""
        gone = self._by_mac.pop(mac, None)
        if gone is None:
            return
        if gone.record.outcome in REPORTING:
            self._ended[gone.record.id] = gone
            if len(self._ended) > LIVE_SESSIONS:
                del self._ended[next(iter(self._ended))]
        self._mac_by_session.pop(gone.record.id, None)

    def plan(self, boot: Boot, plan: BootPlan, basis: object) -> None:
        """Give the session its plan; it keeps it to its end."""
        boot.plan, boot.basis = plan, basis
        # A plan that is made again after a restart: what this boot fetched before is not fetched again.
        kernel = () if step_reached(boot.record, "kernel") else (plan.kernel,)
        boot.missing = frozenset((*kernel, *plan.initrd)) if plan.kernel else frozenset()
        changed = boot.change(
            system=plan.system.name if plan.system else "",
            profile=plan.profile.name if plan.profile else "",
            action=plan.action.value,
            loader=plan.loader,
            arch=plan.client.arch.name if plan.client.arch else "",
        )
        self._log.save_session(changed)

    def choose(self, boot: Boot, entry: str) -> None:
        """Somebody chose from the menu: the boot goes on with that profile."""
        self._log.save_session(boot.change(choice=entry, profile=entry, outcome="running"))

    def lease(self, boot: Boot, address: str) -> None:
        """The machine was given this address; requests from it are its own."""
        mac = boot.record.mac
        if boot.record.address == address and self._mac_by_address.get(address) == mac:
            return
        self._let_go(boot.record.address, mac)
        self._mac_by_address[address] = mac
        self._log.save_session(boot.change(address=address))

    def given(self, address: str, mac: str) -> None:
        """DHCP gave the address to this hardware address: the machine that had it before has it no longer."""
        before = self._mac_by_address.get(address, mac)
        if before != mac:
            self._let_go(address, before)

    def move(self, boot: Boot, address: str) -> None:
        """DHCP gave the machine another address in the middle of its boot: what was bound to the old one follows."""
        if boot.record.bound and boot.record.bound == boot.record.address:
            self.bind(boot, address)
        self.lease(boot, address)

    def bind(self, boot: Boot, address: str) -> None:
        """Answers of this session are for this address only."""
        if boot.record.bound != address:
            self._log.save_session(boot.change(bound=address))

    def reach(self, boot: Boot, step: str) -> None:
        """The boot came to this step; it never goes back."""
        if step_reached(boot.record, step):
            return  # whoever says so notes it as well, which is the sign of life
        boot.session = advance(boot.record, step, max(boot.seen_at, self._wall()))
        self._save(boot)

    def mark(self, boot: Boot, *, slot: str, slot_until: float = 0.0) -> None:
        """What the boot is to the queue of installations; also a sign of life."""
        boot.change(slot=slot, slot_until=slot_until, last_at=self._wall())
        if self._by_mac.get(boot.session.mac) is boot:
            self._log.save_session(boot.session)

    def end(self, boot: Boot, outcome: str) -> None:
        """The session has an outcome; later packets begin another one."""
        boot.session = close(boot.session, outcome)
        self._save(boot)

    def _save(self, boot: Boot) -> None:
        """A boot that a newer one superseded has ended, whatever of it goes on: a transfer may end late."""
        if self._by_mac.get(boot.record.mac) is boot or boot.record.outcome in REPORTING:
            self._log.save_session(boot.record)

    def fetched(self, boot: Boot, path: str) -> bool:
        """A boot file left completely; True once kernel and every initrd of the plan did, and only that once."""
        if path not in boot.missing:
            return False
        boot.missing -= {path}
        return not boot.missing

    def note(
        self, boot: Boot, kind: str, fields: Mapping[str, object] | None = None, *, witnessed: bool = True
    ) -> None:
        """Publish an event of this session; a flood of routine ones ends with ``timeline.full``.

        What is not witnessed anybody may have sent: it is no sign that the machine goes on.
        """
        session, now = boot.record, self._wall()
        if witnessed:
            boot.seen_at = now
        boot.events += 1
        if boot.events > MOST_EVENTS and kind.startswith(_ROUTINE):
            if boot.full:
                return
            boot.full = True
            kind, fields = "timeline.full", {"most": MOST_EVENTS}
        self._tell((kind, now, session.id, session.system, session.mac, dict(fields) if fields else {}))


def left_firmware(boot: Boot) -> bool:
    """Whether DHCP from this machine now comes from its kernel's system, not from firmware or loader."""
    return step_reached(boot.record, "kernel")
