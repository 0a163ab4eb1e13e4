"""A plugin is not blamed for what a busy host does: a call's time without a processor is not its own."""

from __future__ import annotations

import time
from pathlib import Path
from threading import Event, Thread

import pytest

from provd.model.dhcp import Ignore
from provd.plugin.breaker import Limits
from provd.plugin.processor_wait import FRESH_S, ProcessorWait, thread_waited_s
from tests.fakes.plugin_world import FakeClock, dhcp_request, host_of
from tests.plugin.test_plugin_faults import GATE, Good, Hostile


class Host:
    """A clock and what the kernel says of the thread's waiting."""

    def __init__(self) -> None:
        self.clock, self.waited = FakeClock(), 0.0

    def passes(self, seconds: float, *, without_processor: float = 0.0) -> None:
        self.clock.advance(seconds)
        self.waited += without_processor


@pytest.mark.parametrize(
    ("seconds", "without_processor", "state"),
    [
        (0.9, 0.7, "closed"),  # the host stalled
        (0.9, 0.0, "open"),  # sleep, input or output
        (0.9, 0.5, "open"),  # the host was busy, and the call was slow all the same
    ],
)
def test_only_a_call_that_is_slow_itself_opens_the_breaker(
    seconds: float, without_processor: float, state: str
) -> None:
    host = Host()
    plugins = host_of(
        ("p", lambda: Hostile(GATE, lambda: host.passes(seconds, without_processor=without_processor))),
        ("good", Good),
        clock=host.clock,
        waited=lambda: host.waited,
    )
    host.passes(60.0, without_processor=30.0)  # what was before does not count
    assert plugins.gate(dhcp_request()) == Ignore("good")
    row = plugins.stats()[0]
    assert (row.breaker, row.slow, row.calls) == (state, int(state == "open"), 1)


def test_a_trial_in_which_the_host_stalls_closes_the_breaker() -> None:
    host = Host()
    waits = iter([0.0, 0.9])
    plugins = host_of(
        ("p", lambda: Hostile(GATE, lambda: host.passes(0.9, without_processor=next(waits)))),
        clock=host.clock,
        waited=lambda: host.waited,
    )
    plugins.gate(dhcp_request())
    assert plugins.stats()[0].breaker == "open"
    host.passes(61.0)
    plugins.gate(dhcp_request())
    assert plugins.stats()[0].breaker == "closed"


def test_the_kernel_is_asked_seldom() -> None:
    host, asked = Host(), [0]

    def waited() -> float:
        asked[0] += 1
        return host.waited

    took = iter([FRESH_S / 100] * 100)
    plugins = host_of(("p", lambda: Hostile(GATE, lambda: host.passes(next(took)))), clock=host.clock, waited=waited)
    for _ in range(100):
        plugins.gate(dhcp_request())
    assert asked[0] <= 2


def test_a_call_that_sleeps_is_slow_by_the_kernels_own_figures() -> None:
    plugins = host_of(
        ("p", lambda: Hostile(GATE, lambda: Event().wait(0.05))),
        clock=time.monotonic,
        limits=Limits(slow_s=0.02),
        waited=thread_waited_s,
    )
    plugins.gate(dhcp_request())
    assert (plugins.stats()[0].slow, plugins.stats()[0].breaker) == (1, "open")


def test_another_threads_mark_forgives_nothing() -> None:
    wait = ProcessorWait(iter([0.0, 5.0]).__next__)
    other = Thread(target=wait.mark, args=(0.0,))
    other.start()
    other.join()
    assert wait.since() == 0.0


@pytest.mark.parametrize("text", ["", "1", "1 x 3", None])
def test_a_kernel_that_does_not_tell_forgives_nothing(tmp_path: Path, text: str | None) -> None:
    file = tmp_path / "schedstat"
    if text is not None:
        file.write_text(text)
    assert thread_waited_s(file) == 0.0


def test_it_is_told_in_nanoseconds(tmp_path: Path) -> None:
    file = tmp_path / "schedstat"
    file.write_text("12 1500000000 3\n")
    assert thread_waited_s(file) == 1.5
