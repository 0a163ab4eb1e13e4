"""The bus and what listens to it (row 36)."""

from __future__ import annotations

from twisted.internet.defer import Deferred
from twisted.internet.task import Clock

from provd.model.event import Event, Told
from provd.model.trigger import TriggerRun
from provd.plugin.contract import Trigger
from provd.service.events import GATHER_S, TURN_S, EventBus
from provd.service.triggers import Triggers
from provd.store.memory import MemoryTriggerRuns


class FakeEventLog:
    """Events in a list; ``broken`` makes it a full disk."""

    def __init__(self) -> None:
        self.events: list[Event] = []
        self.broken = False

        self.gathers = False

    def keep(self, told: Told) -> int:
        if self.broken:
            raise OSError(28, "No space left on device")
        self.events.append(Event(*told))
        return len(self.events)

    def flush(self) -> None:
        self.gathers = False


def oldest_first(runs: MemoryTriggerRuns) -> list[TriggerRun]:
    return list(runs.runs())[::-1]


def event(kind: str = "install.finished") -> Event:
    return Event(kind, 1.0, session="s1", system="web1")


def world(*triggers: Trigger) -> tuple[Clock, EventBus, MemoryTriggerRuns, list[str], FakeEventLog]:
    clock, runs, kinds, log = Clock(), MemoryTriggerRuns(), list[str](), FakeEventLog()
    bus = EventBus(clock, log)
    engine = Triggers(
        lambda: {trigger.name: trigger for trigger in triggers},
        clock=clock,
        wall=lambda: 1.0,
        log=runs,
        publish=bus.publish,
    )
    bus.listen(lambda one: kinds.append(one.kind))
    bus.listen(engine.on_event)
    return clock, bus, runs, kinds, log


def test_events_are_delivered_after_the_reply_in_order_and_numbered() -> None:
    clock, bus, _runs, kinds, log = world()
    for kind in ("a", "b"):
        bus.publish(event(kind))
    assert kinds == []
    clock.advance(0)
    assert kinds == ["a", "b"]
    assert [one.kind for one in log.events] == ["a", "b"]


def test_many_events_at_once_leave_the_reactor_free_between_them_and_keep_their_order() -> None:
    clock, heard = Clock(), list[str]()
    bus = EventBus(clock, FakeEventLog())

    def slow(one: Event) -> None:
        heard.append(one.kind)
        clock.rightNow += TURN_S / 4

    bus.listen(slow)
    for number in range(10):
        bus.publish(event(str(number)))
    clock.callLater(0, heard.append, "a packet")
    clock.advance(0)
    assert heard == ["0", "1", "2", "3", "a packet", *map(str, range(4, 10))]
    assert clock.getDelayedCalls() == []


def test_at_shutdown_everything_that_waits_is_delivered() -> None:
    clock, bus, _runs, kinds, _log = world()
    for number in range(3):
        bus.publish(event(str(number)))
    bus.flush()
    assert kinds == ["0", "1", "2"]
    clock.advance(0)
    assert clock.getDelayedCalls() == []


def test_a_full_disk_does_not_silence_listeners(logged_failures: list[object]) -> None:
    clock, bus, _runs, kinds, log = world()
    log.broken = True
    bus.publish(event())
    clock.advance(0)
    assert kinds == ["install.finished"]
    assert len(logged_failures) == 1


def test_a_listener_that_raises_does_not_silence_the_next(logged_failures: list[object]) -> None:
    clock, bus, _runs, _kinds, _log = world()
    heard: list[str] = []

    def broken(_event: Event) -> None:
        raise RuntimeError

    bus.listen(broken)
    bus.listen(lambda one: heard.append(one.kind))
    bus.publish(event())
    clock.advance(0)
    assert heard == ["install.finished"]
    assert len(logged_failures) == 1


def test_row_36_each_trigger_fires_once_for_its_events_with_the_payload() -> None:
    got: list[tuple[str, str]] = []

    async def run(one: Event) -> str:
        got.append((one.kind, one.system))
        return "done"

    trigger = Trigger("t", ("install.*",), 10, run)
    clock, bus, runs, kinds, _log = world(trigger)
    for kind in ("install.started", "boot.started", "install.finished"):
        bus.publish(event(kind))
    clock.advance(0)
    clock.advance(0)
    assert got == [("install.started", "web1"), ("install.finished", "web1")]
    assert [(one.trigger, one.event, one.ok, one.output) for one in oldest_first(runs)] == [
        ("t", "install.started", True, "done"),
        ("t", "install.finished", True, "done"),
    ]
    assert kinds.count("trigger.finished") == 2


def test_a_trigger_that_hangs_is_cancelled_and_recorded_as_failed() -> None:
    async def run(_event: Event) -> str:
        await Deferred[None]()
        return ""

    clock, bus, runs, kinds, _log = world(Trigger("slow", ("*",), 5, run))
    bus.publish(event())
    clock.advance(0)
    clock.advance(5)
    clock.advance(0)
    assert [(one.ok, one.seconds) for one in oldest_first(runs)] == [(False, 5.0)]
    assert kinds[-1] == "trigger.failed"


def test_a_trigger_that_raises_is_recorded_and_the_others_run() -> None:
    async def bad(_event: Event) -> str:
        raise ValueError("no such host")

    async def good(_event: Event) -> str:
        return "x" * 10_000

    clock, bus, runs, _kinds, _log = world(Trigger("bad", ("*",), 5, bad), Trigger("good", ("*",), 5, good))
    bus.publish(event())
    clock.advance(0)
    assert [(one.trigger, one.ok) for one in oldest_first(runs)] == [("bad", False), ("good", True)]
    assert oldest_first(runs)[0].output == "ValueError: no such host"
    assert len(oldest_first(runs)[1].output) == 4096


def test_the_results_of_triggers_start_no_triggers() -> None:
    async def run(_event: Event) -> str:
        return ""

    clock, bus, runs, _kinds, _log = world(Trigger("all", ("*",), 5, run))
    bus.publish(event())
    for _ in range(5):
        clock.advance(0)
    assert len(runs.runs()) == 1


def test_an_event_is_made_only_for_who_listens_to_its_kind_and_listens_now() -> None:
    clock, heard, listening = Clock(), list[str](), list[int]()
    log = FakeEventLog()
    bus = EventBus(clock, log)
    bus.listen(lambda one: heard.append(f"some {one.kind}"), {"b"})
    bus.listen(lambda one: heard.append(f"all {one.kind}"), wanted=lambda: bool(listening))
    for kind in ("a", "b"):
        bus.publish(event(kind))
    clock.advance(0)
    assert heard == ["some b"]
    listening.append(1)
    bus.publish(event("a"))
    clock.advance(0)
    assert heard == ["some b", "all a"]
    assert [one.kind for one in log.events] == ["a", "b", "a"]
    assert bus.published == {"a": 2, "b": 1}


def test_what_the_log_gathers_is_written_soon() -> None:
    clock, log = Clock(), FakeEventLog()
    bus = EventBus(clock, log)
    log.gathers = True
    bus.publish(event("a"))
    clock.advance(GATHER_S / 2)
    assert log.gathers
    clock.advance(GATHER_S / 2)
    assert not log.gathers
