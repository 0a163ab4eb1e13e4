"""Operations on machines that wait for a person: those nobody knows, and those that provd holds."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Protocol

from msgspec import Meta

from provd.core.boot_policy import is_loop
from provd.model.boot import BootPlan
from provd.model.event import Event
from provd.model.mac import Mac
from provd.model.session import BootSession
from provd.model.system import InstallState, Interface, System
from provd.plugin.contract import Operation
from provd.plugin.scrub import scrub
from provd.service.operations import Arguments, DryRun, NoArguments, OperationError
from provd.service.operations_systems import refused
from provd.service.system_edits import Edit
from provd.service.system_views import system_view
from provd.service.systems import Systems, check_owner

_BOOTS = 2000
"""Boots that are looked through for unknown machines."""


class Adoption(Arguments, frozen=True):
    """An unknown machine becomes a system."""

    mac: Annotated[str, Meta(description="Hardware address of a machine in unknown.list.")]
    name: Annotated[str, Meta(description="Name of the system.")]
    profile: Annotated[str, Meta(description="Its profile; none: it waits with a name.")] = ""
    dry_run: DryRun = False


class Release(Arguments, frozen=True):
    """A held machine may try again."""

    name: Annotated[str, Meta(description="System.")]
    dry_run: DryRun = False


class BootsView(Protocol):
    """Boots and events that were kept."""

    def sessions(self, *, system: str = "", mac: str = "", limit: int = 20) -> Sequence[BootSession]:
        """Sessions, the newest first."""
        ...

    def events(self, session: str) -> Sequence[Event]:
        """Events of a session."""
        ...


@dataclass(slots=True)
class _Unknown:
    newest: BootSession
    first_at: float
    boots: int = 1


class WaitingOperations:
    """``unknown.list``, ``unknown.adopt``, ``held.list`` and ``held.release``.

    Args:
        boots: what was kept of boots.
        systems: the systems service.
        held: states of held systems, by name.
        plan: the plan of a session, None where it is not known any more.
    """

    def __init__(
        self,
        boots: BootsView,
        systems: Systems,
        held: Callable[[], Mapping[str, InstallState]],
        plan: Callable[[str], BootPlan | None],
    ) -> None:
        self._boots, self._systems, self._held, self._plan = boots, systems, held, plan

    def operations(self) -> tuple[Operation, ...]:
        """All four."""
        return (
            Operation(
                "unknown.list", "List machines that booted from the network and belong to no system.", "read",
                NoArguments, self._list_unknown, "provd unknown list",
                result="One row per machine: `mac`, what its firmware said of itself, `address`, `boots`, times.",
            ),
            Operation(
                "unknown.adopt", "Make an unknown machine a system, with its hardware address and UUID.", "operate",
                Adoption, self._adopt, "provd unknown adopt 52:54:00:12:34:56 web1 --profile debian-12-server",
                result="The system.",
            ),
            Operation(
                "held.list", "List machines that provd holds, and why.", "read", NoArguments, self._list_held,
                "provd held list",
                result="One row per machine: `name`, `why` (`loop`: fruitless installations, a command releases it; "
                "`not-ready`: its newest boot could not install, the next one tries again), `reason`, `attempts`, "
                "`booted_at`.",
            ),
            Operation(
                "held.release", "Let a held machine install at its next network boot.", "operate", Release,
                self._release, "provd held release web1", result="`name` and the `reason` that it was held for.",
            ),
        )  # fmt: skip

    def _list_unknown(self, _arguments: NoArguments) -> object:
        return [self._row(mac, one) for mac, one in self._unknown().items()]

    def _unknown(self) -> dict[str, _Unknown]:
        """By hardware address, the newest first."""
        found: dict[str, _Unknown] = {}
        owners: dict[str, System | None] = {}
        for session in self._boots.sessions(limit=_BOOTS):
            if session.mac not in owners:
                owners[session.mac] = self._owner(session)
            if session.system or owners[session.mac] is not None:
                continue
            known = found.setdefault(session.mac, _Unknown(session, session.started_at, 0))
            known.boots += 1
            known.first_at = min(known.first_at, session.started_at)
        return found

    def _owner(self, newest: BootSession) -> System | None:
        """The system of a machine by its newest boot: one without a card is not found by its hardware address."""
        found = self._systems.of_mac(Mac.parse(newest.mac).octets)
        return found or (self._systems.get(newest.system) if newest.system else None)

    def _row(self, mac: str, one: _Unknown) -> dict[str, object]:
        said = self._said(one.newest)
        return {
            "mac": mac,
            **{name: scrub(str(said.get(name, ""))) for name in ("arch", "vendor", "uuid", "relay", "port")},
            "address": one.newest.address,
            "boots": one.boots,
            "first_at": one.first_at,
            "last_at": one.newest.last_at,
        }

    def _said(self, session: BootSession) -> Mapping[str, object]:
        """What its firmware said of itself."""
        kinds = {"dhcp.discover", "dhcp.dropped"}
        return next((event.fields for event in self._boots.events(session.id) if event.kind in kinds), {})

    def _adopt(self, arguments: Adoption) -> object:
        try:
            mac = Mac.parse(arguments.mac)
        except ValueError as error:
            raise OperationError(str(error), field="mac", kind="usage") from error
        one = self._unknown().get(str(mac))
        if one is None:
            newest = next(iter(self._boots.sessions(mac=str(mac), limit=1)), BootSession("", str(mac)))
            owner, what = self._owner(newest), "a card" if self._systems.of_mac(mac.octets) else "the machine"
            why = f"it is {what} of system {owner.name}" if owner else "it has not booted from the network"
            raise OperationError(f"{mac} is no unknown machine: {why}", field="mac", kind="not-found")
        uuid = str(self._said(one.newest).get("uuid", ""))
        system = System(arguments.name, arguments.profile, (Interface("eth0", mac),), uuid=uuid)
        made = refused(lambda: self._systems.make(Edit("", system), dry_run=arguments.dry_run))
        return system_view(made, InstallState())

    def _list_held(self, _arguments: NoArguments) -> object:
        return list(self._held_rows())

    def _held_rows(self) -> Iterator[dict[str, object]]:
        held, newest = self._held(), self._newest()
        for name, state in sorted(held.items()):
            if self._systems.get(name) is not None:
                at = newest[name].last_at if name in newest else None
                row = {"name": name, "why": "loop", "reason": state.held_reason, "attempts": state.attempts}
                yield {**row, "booted_at": at}
        for name, session in sorted(newest.items()):
            if session.action == "hold" and name not in held and self._systems.get(name) is not None:
                reason = self._told_to_wait(session)
                if not is_loop(reason):  # else it was released, and has not booted since
                    row = {"name": name, "why": "not-ready", "reason": reason, "attempts": 0}
                    yield {**row, "booted_at": session.last_at}

    def _newest(self) -> dict[str, BootSession]:
        """The newest boot of every system."""
        found: dict[str, BootSession] = {}
        for session in self._boots.sessions(limit=_BOOTS):
            if session.system:
                found.setdefault(session.system, session)
        return found

    def _told_to_wait(self, session: BootSession) -> str:
        """Why a boot was held, as its loader showed it; before that, what was planned."""
        events = [event for event in self._boots.events(session.id) if event.kind in {"boot.held", "boot.none"}]
        if events:
            return scrub(str(events[-1].fields.get("reason", "")))
        plan = self._plan(session.id)
        return scrub(plan.reason) if plan is not None else f"to see why, run provd explain {session.system}"

    def _release(self, arguments: Release) -> object:
        state, system = self._held().get(arguments.name), self._systems.get(arguments.name)
        if system is None:
            raise OperationError(f"there is no system {arguments.name}", field="name", kind="not-found")
        refused(lambda: check_owner(system))
        if state is None:
            newest = self._newest().get(arguments.name)
            if newest is not None and newest.action == "hold":
                why = self._told_to_wait(newest)
                if not is_loop(why):
                    raise OperationError(
                        f"system {arguments.name} waits for no release but for this: {why}", field="name"
                    )
            raise OperationError(f"system {arguments.name} is not held", field="name")
        if not arguments.dry_run:
            refused(lambda: self._systems.set_netboot(arguments.name, wanted=True))
        return {"name": arguments.name, "reason": state.held_reason}
