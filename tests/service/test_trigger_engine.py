"""Attempts, caps and restarts of triggers."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from twisted.internet.defer import Deferred
from twisted.internet.task import Clock

from provd.model.event import Event
from provd.model.trigger import TriggerRun
from provd.plugin.contract import GiveUpError, Trigger
from provd.service import triggers as module
from provd.service.triggers import Triggers
from provd.store.memory import MemoryTriggerRuns
from provd.testing.runtime import run_now

Run = Callable[[Event], Awaitable[str]]


class World:
    """An engine on a clock, with its store; ``restart`` is a new one on the same store."""

    def __init__(self, *triggers: Trigger) -> None:
        self.store, self.clock = MemoryTriggerRuns(), Clock()
        self.events: list[Event] = []
        self.triggers = {trigger.name: trigger for trigger in triggers}
        self.off: set[str] = set()
        self.now = 1000.0
        self.engine = self._engine()

    def _engine(self) -> Triggers:
        return Triggers(
            lambda: self.triggers,
            clock=self.clock,
            wall=lambda: self.now + self.clock.seconds(),
            log=self.store,
            publish=self.events.append,
            off=lambda: self.off,
        )

    def restart(self) -> None:
        for call in self.clock.getDelayedCalls():
            call.cancel()
        self.engine = self._engine()
        self.engine.resume()

    def happens(self, system: str = "web1") -> None:
        self.engine.on_event(Event("install.finished", 1.0, "s1", system, id=5))

    @property
    def runs(self) -> list[TriggerRun]:
        return list(self.store.runs())[::-1]


def answering(*answers: str | Exception) -> tuple[Run, list[str]]:
    """A run that gives these answers by turn, and the systems it was run for."""
    left, seen = list(answers), list[str]()

    async def run(event: Event) -> str:
        seen.append(event.system)
        answer = left.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    return run, seen


def test_a_failed_attempt_is_made_again_with_growing_pauses_and_told_once() -> None:
    run, seen = answering(OSError("a"), OSError("b"), "fine")
    world = World(Trigger("t", ("install.*",), 5, run, attempts=3, backoff_s=10))
    world.happens()
    assert (len(seen), world.events) == (1, [])
    world.clock.advance(9.9)
    assert len(seen) == 1
    world.clock.advance(0.2)
    assert len(seen) == 2
    world.clock.pump([1.0] * 25)
    (only,) = world.runs
    assert (only.ok, only.attempt, only.output) == (True, 3, "fine")
    (told,) = world.events
    assert (told.kind, told.fields["attempts"], told.system) == ("trigger.finished", 3, "web1")


def test_who_gives_up_is_not_asked_again() -> None:
    run, seen = answering(GiveUpError("refused for good"))
    world = World(Trigger("t", ("*",), 5, run, attempts=3))
    world.happens()
    world.clock.pump([60.0] * 10)
    assert len(seen) == 1
    assert [(one.ok, one.output) for one in world.runs] == [(False, "refused for good")]


def test_no_more_than_its_cap_run_at_once_and_the_others_keep_their_order() -> None:
    gates, seen = list[Deferred[str]](), list[str]()

    async def run(event: Event) -> str:
        seen.append(event.system)
        gates.append(Deferred())
        return await gates[-1]

    world = World(Trigger("t", ("*",), 50, run, most_at_once=2))
    for number in range(5):
        world.happens(f"web{number}")
    assert seen == ["web0", "web1"]
    assert world.engine.waiting("t") == 5
    gates[1].callback("done")
    assert seen == ["web0", "web1", "web2"]
    for gate in (0, 2, 3, 4):
        gates[gate].callback("done")
    assert seen == [f"web{number}" for number in range(5)]
    assert world.engine.waiting("t") == 0


def test_a_flood_is_refused_and_recorded_not_kept_for_ever() -> None:
    async def run(_event: Event) -> str:
        return await Deferred[str]()

    world = World(Trigger("t", ("*",), 50, run, most_at_once=1))
    for _ in range(module.MOST_WAITING + 3):
        world.happens()
    assert world.engine.waiting("t") == module.MOST_WAITING + 1
    assert [one.output for one in world.runs] == [f"{module.MOST_WAITING} runs wait already"] * 2


def test_what_waits_is_taken_up_after_a_restart() -> None:
    run, seen = answering(OSError("down"), "fine")
    world = World(Trigger("t", ("*",), 5, run, attempts=5, backoff_s=100, durable=True))
    world.happens()
    (waiting,) = world.runs
    assert (waiting.waiting, waiting.attempt, waiting.next_at) == (True, 1, 1100.0)
    world.clock.advance(30)
    world.restart()
    world.clock.advance(69)
    assert len(seen) == 1
    world.clock.advance(2)
    (ended,) = world.runs
    assert (ended.ok, ended.attempt, ended.waiting, len(seen)) == (True, 2, False, 2)
    world.restart()
    world.clock.advance(1000)
    assert len(seen) == 2


def test_a_run_that_a_stop_cut_off_is_made_again_where_the_trigger_is_durable() -> None:
    seen: list[str] = []

    async def run(event: Event) -> str:
        seen.append(event.system)
        return await Deferred[str]()

    for durable, times in ((True, 2), (False, 1)):
        seen.clear()
        world = World(Trigger("t", ("*",), 1000, run, durable=durable))
        world.happens()
        world.restart()
        world.clock.advance(0)
        assert len(seen) == times


def test_a_clock_that_went_back_years_holds_nothing_up_for_years() -> None:
    run, seen = answering(OSError("down"), "ok")
    world = World(Trigger("cmdb", ("install.*",), 5, run, attempts=3, backoff_s=10.0, durable=True))
    world.happens()
    world.clock.advance(1)
    world.now = -1e9
    world.restart()
    world.clock.advance(module.LONGEST_WAIT_S + 1)
    assert seen == ["web1", "web1"]


def test_a_trigger_that_is_gone_after_a_restart_is_recorded() -> None:
    run, _ = answering(OSError("down"))
    world = World(Trigger("t", ("*",), 5, run, attempts=5, backoff_s=100, durable=True))
    world.happens()
    world.triggers.clear()
    world.restart()
    assert [(one.ok, one.waiting, one.output) for one in world.runs] == [
        (False, False, "nobody provides this trigger any more")
    ]


def test_one_attempt_now_is_recorded_and_told_to_nobody() -> None:
    run, seen = answering("fine")
    world = World(Trigger("t", ("*",), 5, run))
    done = run_now(world.engine.once(world.triggers["t"], Event("x", 1.0, system="a")))
    assert (done.ok, done.id, seen, world.events) == (True, 1, ["a"], [])


def test_what_waits_for_a_trigger_that_is_off_waits_over_restarts_until_it_is_on_again() -> None:
    run, seen = answering(OSError("down"), "fine")
    trigger = Trigger("t", ("*",), 5, run, attempts=3, backoff_s=10, durable=True)
    world = World(trigger)
    world.happens()
    world.triggers, world.off = {}, {"t"}
    for _ in range(2):
        world.restart()
        world.clock.pump([60.0] * 5)
    assert [(one.waiting, one.attempt) for one in world.runs] == [(True, 1)]
    assert (seen, world.events, world.engine.waiting("t")) == (["web1"], [], 1)
    world.triggers, world.off = {"t": trigger}, set()
    world.engine.changed()
    world.clock.pump([1.0] * 20)
    assert [(one.ok, one.waiting, one.output) for one in world.runs] == [(True, False, "fine")]
    world.engine.changed()
    assert len(seen) == 2


def test_what_waits_for_a_trigger_that_a_reload_took_away_ends_as_a_failure() -> None:
    run, seen = answering(OSError("down"), "never")
    world = World(Trigger("t", ("*",), 5, run, attempts=3, backoff_s=10, durable=True))
    world.happens()
    world.triggers = {}
    world.engine.changed()
    world.clock.pump([1.0] * 20)
    assert [(one.ok, one.waiting, one.output) for one in world.runs] == [
        (False, False, "nobody provides this trigger any more")
    ]
    assert len(seen) == 1
