"""Deadlines of many transfers behind one timer."""

from __future__ import annotations

from typing import Any

from twisted.internet.task import Clock

from provd.net.tftp_deadlines import Alarm, Deadlines


class World:
    def __init__(self) -> None:
        self.clock = Clock()
        self.deadlines = Deadlines(self.clock)
        self.rung: list[tuple[str, float]] = []

    def alarm(self, name: str, at: float) -> Alarm:
        alarm = Alarm(lambda: self.rung.append((name, self.clock.seconds())))
        self.deadlines.set(alarm, at)
        return alarm


def test_each_is_due_at_its_time_with_one_timer_of_the_reactor() -> None:
    world = World()
    for number in (3, 1, 2):
        world.alarm(str(number), number)
    assert len(world.clock.getDelayedCalls()) == 1
    world.clock.pump([0.5] * 8)
    assert world.rung == [("1", 1.0), ("2", 2.0), ("3", 3.0)]
    assert not world.clock.getDelayedCalls()


def test_what_was_set_before_counts_no_more() -> None:
    world = World()
    alarm = world.alarm("a", 1)
    world.deadlines.set(alarm, 5)
    world.clock.advance(4)
    assert world.rung == []
    world.deadlines.set(alarm, 4.5)
    world.clock.advance(0.5)
    world.clock.advance(10)
    assert world.rung == [("a", 4.5)]


def test_a_cancelled_one_is_never_due_and_leaves_no_timer() -> None:
    world = World()
    alarm = world.alarm("a", 1)
    world.deadlines.cancel(alarm)
    assert not world.clock.getDelayedCalls()
    world.clock.advance(2)
    assert world.rung == []


def test_one_that_fails_does_not_take_the_others_along() -> None:
    world = World()

    def fail() -> None:
        raise RuntimeError("no")

    world.deadlines.set(Alarm(fail), 1)
    world.alarm("b", 1)
    world.alarm("c", 2)
    world.clock.pump([1, 1])
    assert [name for name, _ in world.rung] == ["b", "c"]


def test_an_alarm_may_be_set_again_when_it_is_due() -> None:
    world = World()

    def again() -> None:
        world.rung.append(("x", world.clock.seconds()))
        if len(world.rung) < 3:
            world.deadlines.set(alarm, world.clock.seconds() + 1)

    alarm = Alarm(again)
    world.deadlines.set(alarm, 1)
    world.clock.pump([1] * 5)
    assert [at for _, at in world.rung] == [1.0, 2.0, 3.0]


class _Late(Clock):
    """A reactor that was busy: its time has passed, its calls have not been made."""

    def turn(self) -> None:
        """Make the calls that are due now, and none of those that they ask for."""
        due: list[Any] = [one for one in self.getDelayedCalls() if one.getTime() <= self.seconds()]
        for call in due:
            self.calls.remove(call)
            call.func(*call.args, **call.kw)


def test_a_ring_that_comes_late_lets_acknowledgements_be_read_first() -> None:
    world = World()
    world.clock = late = _Late()
    world.deadlines = Deadlines(late)
    heard, silent = world.alarm("heard", 1), world.alarm("silent", 1)
    late.rightNow = 3.0
    late.turn()
    assert world.rung == []
    world.deadlines.set(heard, 4)
    late.turn()
    assert world.rung == [("silent", 3.0)]
    assert silent.at == float("inf")
    late.advance(1)
    assert world.rung == [("silent", 3.0), ("heard", 4.0)]
