"""Operations on triggers: which there are, what they did, try one, do one again."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from fnmatch import fnmatchcase
from typing import Annotated, Final

from msgspec import Meta, to_builtins

from provd.model.event import Event
from provd.model.event_kinds import EVENT_KINDS
from provd.model.system import System
from provd.model.trigger import TriggerRun
from provd.plugin.contract import Operation, Trigger
from provd.plugin.faults import PluginFault
from provd.plugin.scrub import scrub, scrub_value
from provd.service.operations import Arguments, NoArguments, OperationError
from provd.service.trigger_doubts import doubts_of
from provd.service.triggers import TriggerLog, Triggers

_NOBODY: Final = "test"
"""System of an event that was made up about none."""
_FAR: Final = 10_000
"""Runs that are looked through at most."""


class RunFilter(Arguments, frozen=True):
    """Which runs."""

    trigger: Annotated[str, Meta(description="Of this trigger alone.")] = ""
    failed: Annotated[bool, Meta(description="Only those that failed.")] = False
    limit: Annotated[int, Meta(ge=1, le=1000, description="How many at most, the newest first.")] = 50


class Trial(Arguments, frozen=True):
    """A made-up event for one trigger."""

    name: Annotated[str, Meta(description="Trigger.")]
    event: Annotated[str, Meta(description="Kind of the event; empty for the first that the trigger wants.")] = ""
    system: Annotated[str, Meta(description="System that the event is about; empty for none, called test.")] = ""
    dry_run: Annotated[bool, Meta(description="Show the event, and run nothing.")] = False


class RunNumber(Arguments, frozen=True):
    """Which run."""

    id: Annotated[int, Meta(ge=1, description="Number of a run (see trigger.runs).")]
    dry_run: Annotated[bool, Meta(description="Show the event, and run nothing.")] = False


class TriggerOperations:
    """``trigger.list``, ``trigger.runs``, ``trigger.test`` and ``trigger.replay``.

    Args:
        engine: runs them.
        triggers: those that plugins brought, by name.
        log: what they did.
        wall: seconds since the epoch.
        find: a system by its name; None where there is none.
        faults: what of the plugins is off.
    """

    def __init__(
        self,
        engine: Triggers,
        triggers: Callable[[], Mapping[str, Trigger]],
        log: TriggerLog,
        wall: Callable[[], float],
        *,
        find: Callable[[str], System | None],
        faults: Callable[[], Sequence[PluginFault]],
    ) -> None:
        self._engine, self._triggers, self._log, self._wall = engine, triggers, log, wall
        self._find, self._faults = find, faults

    def operations(self) -> tuple[Operation, ...]:
        """All four."""
        return (
            Operation(
                "trigger.list", "List triggers: what they wait for, and how they fared.", "read", NoArguments,
                self._list, "provd trigger list",
                result="One row per trigger: `state` (on or off), `fault`, `on`, `waiting`, the newest run's `ok`.",
            ),
            Operation(
                "trigger.runs", "List what triggers did, the newest first.", "read", RunFilter, self._runs,
                "provd trigger runs --failed",
                result="One row per run: `id`, `trigger`, `event`, `system`, `attempt`, `ok`, `waiting`, `output`.",
            ),
            Operation(
                "trigger.test", "Run a trigger once with a made-up event, now.", "operate", Trial, self._test,
                "provd trigger test cmdb --system web1", result="The run: `ok`, `seconds`, `output`.",
            ),
            Operation(
                "trigger.replay", "Run a trigger again for the event of an earlier run, now.", "operate", RunNumber,
                self._replay, "provd trigger replay --id 17", result="The new run: `ok`, `seconds`, `output`.",
            ),
        )  # fmt: skip

    def _list(self, _arguments: NoArguments) -> object:
        newest: dict[str, TriggerRun] = {}
        for run in self._log.runs(limit=_FAR):
            newest.setdefault(run.trigger, run)
        rows: list[Mapping[str, object]] = [
            {
                "name": name,
                "state": "on",
                "fault": "; ".join(doubts_of(trigger)),
                "on": list(trigger.on),
                "timeout_s": trigger.timeout_s,
                "attempts": trigger.attempts,
                "most_at_once": trigger.most_at_once,
                "durable": trigger.durable,
                "waiting": self._engine.waiting(name),
                **_newest(newest.get(name)),
            }
            for name, trigger in self._triggers().items()
        ]
        return [*rows, *self._off()]

    def _off(self) -> list[Mapping[str, object]]:
        """Rows of triggers that are configured, and off."""
        why: dict[str, list[str]] = {}
        for fault in self._faults():
            for name in fault.items if fault.kind == "trigger" else ():
                why.setdefault(name, []).append(str(fault))
        return [
            {
                "name": name, "state": "off", "fault": "; ".join(told), "on": [], "timeout_s": None, "attempts": None,
                "most_at_once": None, "durable": None, "waiting": 0, **_newest(None),
            }
            for name, told in why.items()
        ]  # fmt: skip

    def _runs(self, arguments: RunFilter) -> object:
        if arguments.trigger:
            self._named(arguments.trigger, "trigger")
        rows = (
            run
            for run in self._log.runs(limit=_FAR)
            if arguments.trigger in {"", run.trigger} and not (arguments.failed and (run.ok or run.waiting))
        )
        return [run_row(run) for run, _ in zip(rows, range(arguments.limit), strict=False)]

    async def _test(self, arguments: Trial) -> object:
        trigger = self._named(arguments.name)
        system = self._find(arguments.system) if arguments.system else None
        if arguments.system and system is None:
            raise OperationError(f"there is no system {arguments.system}", field="system", kind="not-found")
        mac = str(system.interfaces[0].mac) if system is not None and system.interfaces else ""
        kind, name = arguments.event or _example(trigger.on[0]), arguments.system or _NOBODY
        event = Event(kind, self._wall(), system=name, mac=mac, fields={"test": True})
        return await self._now(trigger, event, dry_run=arguments.dry_run)

    async def _replay(self, arguments: RunNumber) -> object:
        run = next((run for run in self._log.runs(limit=_FAR) if run.id == arguments.id), None)
        if run is None:
            raise OperationError(f"there is no run {arguments.id}", field="id", kind="not-found")
        if run.of is None:
            raise OperationError(f"run {run.id} was made by an earlier provd, which kept no events", field="id")
        return await self._now(self._named(run.trigger, "id"), run.of, dry_run=arguments.dry_run)

    async def _now(self, trigger: Trigger, event: Event, *, dry_run: bool) -> object:
        if dry_run:
            return {"trigger": trigger.name, "of": scrub_value(to_builtins(event))}
        return run_row(await self._engine.once(trigger, event))

    def _named(self, name: str, field: str = "name") -> Trigger:
        triggers = self._triggers()
        if name not in triggers:
            there = ", ".join(sorted(triggers)) or "none"
            raise OperationError(f"there is no trigger {name}; there are {there}", field=field, kind="not-found")
        return triggers[name]


def _example(pattern: str) -> str:
    """A kind of event that a pattern takes."""
    finished = pattern.replace("*", "finished")
    known = [kind for kind in EVENT_KINDS if fnmatchcase(kind, pattern)]
    return finished if finished in known or not known else known[0]


def _newest(run: TriggerRun | None) -> Mapping[str, object]:
    if run is None:
        return {"last_at": None, "ok": None, "output": ""}
    return {"last_at": run.started_at, "ok": run.ok, "output": scrub(run.output)[:200]}


def run_row(run: TriggerRun) -> Mapping[str, object]:
    """One run as it is shown; its output without tokens."""
    return {
        "id": run.id,
        "trigger": run.trigger,
        "event": run.event,
        "system": run.of.system if run.of else "",
        "started_at": run.started_at,
        "seconds": round(run.seconds, 3),
        "attempt": run.attempt,
        "ok": run.ok,
        "waiting": run.waiting,
        "next_at": run.next_at or None,
        "output": scrub(run.output),
    }
