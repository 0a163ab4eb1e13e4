"""Runs triggers: each with a timeout, its output kept, its failure an event and never anybody else's."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from fnmatch import fnmatchcase
from typing import Protocol

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IReactorTime
from twisted.logger import Logger

from provd.model.event import Event
from provd.model.trigger import TriggerRun
from provd.plugin.contract import Trigger

OUTPUT_BYTES = 4096
"""Octets of a trigger's output that are kept."""


class TriggerLog(Protocol):
    """Where runs are kept."""

    def record(self, run: TriggerRun) -> None:
        """Keep one run."""
        ...


class Triggers:
    """Listens to the bus and starts what asked for the event."""

    def __init__(
        self,
        triggers: Callable[[], Mapping[str, Trigger]],
        *,
        clock: IReactorTime,
        wall: Callable[[], float],
        log: TriggerLog,
        publish: Callable[[Event], None],
    ) -> None:
        self._triggers = triggers
        self._clock = clock
        self._wall = wall
        self._log = log
        self._publish = publish
        self._logger = Logger(namespace="provd.triggers")
        self.running: set[Deferred[None]] = set()

    def on_event(self, event: Event) -> None:
        """Start every trigger that wants this event; results of triggers start no triggers, so there is no loop."""
        if event.kind.startswith("trigger."):
            return
        for trigger in self._triggers().values():
            if any(fnmatchcase(event.kind, pattern) for pattern in trigger.on):
                run = Deferred.fromCoroutine(self._run(trigger, event))
                self.running.add(run)
                run.addBoth(self._ended, run)

    async def drain(self, most_s: float) -> None:
        """Wait for what runs; ``most_s`` seconds from now all that is left is cancelled."""
        runs = tuple(self.running)
        for run in runs:
            run.addTimeout(most_s, self._clock, onTimeoutCancel=_give_up)
        for run in runs:
            await run

    def _ended(self, _result: object, run: Deferred[None]) -> None:
        self.running.discard(run)

    async def _run(self, trigger: Trigger, event: Event) -> None:
        started_at, started = self._wall(), self._clock.seconds()
        try:
            work = Deferred.fromCoroutine(_text(trigger, event))
            work.addTimeout(trigger.timeout_s, self._clock)
            output, ok = await work, True
        except Exception as error:  # noqa: BLE001  a trigger's failure is its own: recorded, shown, never raised
            output, ok = f"{type(error).__name__}: {error}", False
        seconds = self._clock.seconds() - started
        output = output[:OUTPUT_BYTES]
        self._log.record(TriggerRun(trigger.name, event.kind, event.id, started_at, seconds, ok, output))
        fields = {"trigger": trigger.name, "on": event.kind, "seconds": round(seconds, 3), "output": output[:200]}
        if not ok:
            self._logger.warn("trigger {trigger} failed on {on}: {output}", **fields)
        self._publish(
            Event(
                kind="trigger.finished" if ok else "trigger.failed",
                at=self._wall(),
                session=event.session,
                system=event.system,
                mac=event.mac,
                fields=fields,
            )
        )


def _give_up(_result: object, _timeout: float) -> None:
    """A trigger that outlives the drain is left to its recorded failure."""


async def _text(trigger: Trigger, event: Event) -> str:
    """A coroutine from whatever awaitable the plugin's ``run`` gives."""
    return str(await trigger.run(event) or "")
