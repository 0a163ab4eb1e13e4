"""The search for cycles: short while packets come, complete when it is quiet."""

from __future__ import annotations

import gc
import weakref
from collections.abc import Iterator

import pytest
from twisted.internet.task import Clock

from provd.app.collector import BEAT_S, FORCED_S, FULL_S, YOUNG, Collector


class Knot:
    """An object that only a search for cycles can free."""

    def __init__(self) -> None:
        self.itself = self


class Traffic:
    """Counts packets; busy, it counts one more each time it is asked."""

    def __init__(self) -> None:
        self.count, self.busy = 0, False

    def __call__(self) -> int:
        self.count += self.busy
        return self.count


@pytest.fixture
def python() -> Iterator[None]:
    """The collector of this process as it was."""
    thresholds, enabled = gc.get_threshold(), gc.isenabled()
    yield
    gc.unfreeze()
    gc.set_threshold(*thresholds)
    if enabled:
        gc.enable()
    else:
        gc.disable()


def _forgotten_knot() -> weakref.ref[Knot]:
    return weakref.ref(Knot())


def _pass(clock: Clock, seconds: float) -> None:
    clock.pump([BEAT_S * 60] * int(seconds / BEAT_S / 60 + 1))


@pytest.mark.usefixtures("python")
def test_a_search_looks_only_at_what_is_new() -> None:
    clock = Clock()
    collector = Collector(clock, Traffic())
    kept = [[number] for number in range(3 * YOUNG)]
    collector.start()
    assert gc.get_threshold()[0] == YOUNG
    assert gc.get_freeze_count() >= len(kept)
    later = [[number] for number in range(3 * YOUNG)]
    before = gc.get_freeze_count()
    clock.advance(BEAT_S)
    assert gc.get_freeze_count() >= before + len(later)
    collector.stop()
    assert not clock.getDelayedCalls()


@pytest.mark.usefixtures("python")
def test_a_cycle_that_became_old_is_freed_in_a_quiet_hour() -> None:
    clock, traffic = Clock(), Traffic()
    collector = Collector(clock, traffic)
    collector.start()
    knot = _forgotten_knot()
    clock.advance(BEAT_S)
    traffic.busy = True
    _pass(clock, FULL_S)
    assert knot() is not None
    traffic.busy = False
    clock.pump([BEAT_S, BEAT_S])
    assert knot() is None
    collector.stop()


@pytest.mark.usefixtures("python")
def test_where_it_is_never_quiet_it_is_freed_after_a_day() -> None:
    clock, traffic = Clock(), Traffic()
    collector = Collector(clock, traffic)
    traffic.busy = True
    collector.start()
    knot = _forgotten_knot()
    _pass(clock, FORCED_S - FULL_S)
    assert knot() is not None
    _pass(clock, FULL_S)
    assert knot() is None
    collector.stop()
