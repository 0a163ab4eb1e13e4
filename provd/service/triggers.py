"""Runs triggers: each with a timeout and a cap, tried again where it wants that, its failure never anybody else's."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace
from fnmatch import fnmatchcase
from typing import Final, Protocol

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IReactorTime
from twisted.logger import Logger

from provd.model.event import Event
from provd.model.trigger import TriggerRun
from provd.plugin.contract import GiveUpError, Trigger

OUTPUT_BYTES: Final = 4096
"""Octets of a trigger's output that are kept."""
LONGEST_WAIT_S: Final = 3600.0
"""Seconds between two attempts at most."""
MOST_WAITING: Final = 10_000
"""Runs of one trigger that wait for their turn; a further event is recorded as failed."""


class TriggerLog(Protocol):
    """Where runs are kept."""

    def record(self, run: TriggerRun) -> int:
        """Keep one run under its number, or under a new one where that is 0; gives the number."""
        ...

    def runs(self, *, event_id: int = 0, limit: int = 50) -> Sequence[TriggerRun]:
        """Runs, the newest first."""
        ...


class Triggers:
    """Listens to the bus and starts what asked for the event.

    Args:
        triggers: those that work, by name.
        clock: the reactor's time.
        wall: seconds since the epoch.
        log: where runs are kept.
        publish: tells what came of them.
        off: names of those that are configured, and off because something is wrong.
    """

    def __init__(
        self,
        triggers: Callable[[], Mapping[str, Trigger]],
        *,
        clock: IReactorTime,
        wall: Callable[[], float],
        log: TriggerLog,
        publish: Callable[[Event], None],
        off: Callable[[], Collection[str]] = tuple,
    ) -> None:
        self._triggers, self._off = triggers, off
        self._clock = clock
        self._wall = wall
        self._log = log
        self._publish = publish
        self._logger = Logger(namespace="provd.triggers")
        self._queues: dict[str, deque[TriggerRun]] = {}
        self._active: dict[str, int] = {}
        self._planned: dict[int, TriggerRun] = {}
        self._shelved: list[TriggerRun] = []
        self._draining = False
        self.running: set[Deferred[None]] = set()

    def on_event(self, event: Event) -> None:
        """Start every trigger that wants this event; results of triggers start no triggers, so there is no loop."""
        if event.kind.startswith("trigger."):
            return
        for trigger in self._triggers().values():
            if any(fnmatchcase(event.kind, pattern) for pattern in trigger.on):
                self.begin(trigger, event)

    def begin(self, trigger: Trigger, event: Event) -> None:
        """One run of ``trigger`` for ``event``, as soon as it is its turn."""
        run = self._begun(trigger, event)
        queue = self._queues.setdefault(trigger.name, deque())
        if len(queue) >= MOST_WAITING:
            self._end(run, f"{MOST_WAITING} runs wait already", ok=False)
            return
        if trigger.durable:
            run = replace(run, waiting=True)
            run = replace(run, id=self._log.record(run))
        queue.append(run)
        self._next(trigger)

    def resume(self) -> None:
        """Take up what a stop of provd left waiting; called once, when plugins are started."""
        for run in reversed(self._log.runs(limit=MOST_WAITING)):
            if run.waiting and run.of is not None:
                self._take(run)

    def changed(self) -> None:
        """A reload may have brought triggers back that were off: what waits for them goes on."""
        shelved, self._shelved = self._shelved, []
        for run in shelved:
            self._take(run)

    def _take(self, run: TriggerRun) -> None:
        """Plan what waits, or keep it for a trigger that is off, or end it where nobody has the trigger."""
        trigger = self._triggers().get(run.trigger)
        if trigger is not None:
            self._plan(trigger, run)
        elif run.trigger in self._off():
            self._shelved.append(run)
        else:
            self._end(run, "nobody provides this trigger any more", ok=False)

    def waiting(self, trigger: str) -> int:
        """Runs of a trigger that are not over: in its queue, running, or planned for later."""
        later = sum(run.trigger == trigger for run in (*self._planned.values(), *self._shelved))
        return len(self._queues.get(trigger, ())) + self._active.get(trigger, 0) + later

    async def once(self, trigger: Trigger, event: Event) -> TriggerRun:
        """One attempt now, whatever else waits; its result is recorded and no event is published."""
        run = self._begun(trigger, event)
        ended, _again = await self._attempt(trigger, run)
        return replace(ended, id=self._log.record(ended))

    async def drain(self, most_s: float) -> None:
        """Wait for what runs; ``most_s`` seconds from now all that is left is cancelled."""
        self._draining = True
        runs = tuple(self.running)
        for run in runs:
            run.addTimeout(most_s, self._clock, onTimeoutCancel=_give_up)
        for run in runs:
            await run

    def _begun(self, trigger: Trigger, event: Event) -> TriggerRun:
        now = self._wall()
        return TriggerRun(trigger.name, event.kind, event.id, now, 0.0, ok=False, output="", attempt=0, of=event)

    def _next(self, trigger: Trigger) -> None:
        queue = self._queues.get(trigger.name)
        while queue and self._active.get(trigger.name, 0) < trigger.most_at_once and not self._draining:
            self._active[trigger.name] = self._active.get(trigger.name, 0) + 1
            work = Deferred.fromCoroutine(self._run(trigger, queue.popleft()))
            self.running.add(work)
            work.addBoth(self._ended, work, trigger)

    def _ended(self, _result: object, work: Deferred[None], trigger: Trigger) -> None:
        self.running.discard(work)
        self._active[trigger.name] -= 1
        self._next(trigger)

    async def _run(self, trigger: Trigger, run: TriggerRun) -> None:
        ended, again = await self._attempt(trigger, run)
        if again and ended.attempt < trigger.attempts:
            wait_s = min(trigger.backoff_s * 2 ** (ended.attempt - 1), LONGEST_WAIT_S)
            later = replace(ended, waiting=True, next_at=self._wall() + wait_s)
            if trigger.durable:
                later = replace(later, id=self._log.record(later))
            self._plan(trigger, later)
            return
        self._end(ended, ended.output, ok=ended.ok)

    async def _attempt(self, trigger: Trigger, run: TriggerRun) -> tuple[TriggerRun, bool]:
        """The run after one more attempt, and whether another one may help."""
        began, started = self._wall(), self._clock.seconds()
        ok, again = True, False
        try:
            work = Deferred.fromCoroutine(_text(trigger, run.of or Event(run.event, run.started_at)))
            work.addTimeout(trigger.timeout_s, self._clock)
            output = await work
        except GiveUpError as error:
            output, ok = str(error), False
        except Exception as error:  # noqa: BLE001  a trigger's failure is its own: recorded, shown, never raised
            output, ok, again = f"{type(error).__name__}: {error}", False, True
        seconds = self._clock.seconds() - started
        ended = replace(
            run, started_at=began, seconds=seconds, ok=ok, output=output[:OUTPUT_BYTES], attempt=run.attempt + 1,
            waiting=False, next_at=0.0,
        )  # fmt: skip
        return ended, again

    def _plan(self, trigger: Trigger, run: TriggerRun) -> None:
        key = id(run)

        def due() -> None:
            self._planned.pop(key, None)
            # A reload may have changed the trigger meanwhile, or taken it away.
            now = self._triggers().get(trigger.name)
            if now is None:
                self._take(run)
                return
            self._queues.setdefault(trigger.name, deque()).append(run)
            self._next(now)

        self._planned[key] = run
        # After a restart the clock may be years behind the one that planned it.
        self._clock.callLater(min(max(0.0, run.next_at - self._wall()), LONGEST_WAIT_S), due)

    def _end(self, run: TriggerRun, output: str, *, ok: bool) -> None:
        ended = replace(run, output=output, ok=ok, waiting=False, next_at=0.0)
        self._log.record(ended)
        event = run.of or Event(run.event, run.started_at)
        fields = {"trigger": run.trigger, "on": run.event, "seconds": round(run.seconds, 3), "output": output[:200]}
        if run.attempt > 1:
            fields["attempts"] = run.attempt
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
