"""The alarm for boots that stand still: once, with its cause, and not sooner than boots of the profile ever took."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from provd.core.diagnosis_facts import SILENT_S, Finding
from provd.model.event import Event
from provd.model.session import BootSession
from provd.service.sessions import Boot
from provd.service.stalls import Stalls

FINDING = Finding("no-report", "answers", "nothing was reported since", "look at its console")


class Kept:
    """Boots and events in dictionaries."""

    def __init__(self) -> None:
        self.all: list[BootSession] = []
        self.told: dict[str, list[Event]] = {}

    def sessions(self, *, system: str = "", mac: str = "", limit: int = 20) -> Sequence[BootSession]:
        return self.all[:limit]

    def events(self, session: str) -> Sequence[Event]:
        return self.told.get(session, [])

    def finished(self, number: int, profile: str, *gaps: tuple[str, float]) -> BootSession:
        """A boot that went well: each event so many seconds after the one before."""
        session = BootSession(f"f{number}", "m", profile=profile, started_at=0.0, outcome="finished", step="finished")
        at, events = 0.0, []
        for kind, gap in gaps:
            at += gap
            events.append(Event(kind, at, session.id))
        self.all.append(session)
        self.told[session.id] = events
        return session


class Live:
    """Boots of this moment."""

    def __init__(self) -> None:
        self.by_id: dict[str, Boot] = {}

    def boots(self) -> Sequence[Boot]:
        return list(self.by_id.values())

    def of_id(self, session: str) -> Boot | None:
        return self.by_id.get(session)

    def put(self, step: str = "answers", last_at: float = 1000.0, outcome: str = "running") -> None:
        session = BootSession("s1", "52:54", "web1", 900.0, last_at, step, "install", "web", outcome=outcome)
        self.by_id["s1"] = Boot(session)


class World:
    def __init__(self) -> None:
        self.now, self.found = 1000.0, [FINDING]
        self.live, self.kept, self.events = Live(), Kept(), list[Event]()
        live: Any = self.live
        self.stalls = Stalls(
            live=live,
            kept=self.kept,
            findings=lambda _session, _events: self.found,
            publish=self.events.append,
            wall=lambda: self.now,
        )

    def look(self, after_s: float) -> int:
        """Events so far, after a look that long after the newest event of the boot."""
        self.now = 1000.0 + after_s
        self.stalls.look()
        return len(self.events)


@pytest.fixture
def world() -> World:
    made = World()
    made.live.put()
    return made


def test_a_boot_that_stands_still_is_told_once_with_its_cause(world: World) -> None:
    assert world.look(SILENT_S - 1) == 0
    assert world.look(SILENT_S) == 1
    assert world.look(SILENT_S + 500) == 1
    (event,) = world.events
    assert (event.kind, event.session, event.system) == ("session.stalled", "s1", "web1")
    assert event.fields == {
        "rule": "no-report", "step": "answers", "cause": "nothing was reported since", "silent_s": 60,
    }  # fmt: skip


def test_one_that_went_on_and_stops_again_is_told_again(world: World) -> None:
    world.look(SILENT_S)
    world.live.put(last_at=1100.0)
    assert world.look(SILENT_S + 50) == 1
    assert world.look(100 + SILENT_S) == 2


@pytest.mark.parametrize("outcome", ["finished", "local", "failed", "superseded"])
def test_a_boot_that_is_over_is_not_told(world: World, outcome: str) -> None:
    world.live.put(outcome=outcome)
    assert world.look(10_000) == 0


def test_what_the_diagnosis_finds_healthy_is_not_told(world: World) -> None:
    world.found = []
    assert world.look(10_000) == 0


@pytest.mark.parametrize("step", ["loader", "installer-dhcp"])
def test_a_step_that_is_no_phase_has_the_time_of_the_phase_that_it_is_part_of(world: World, step: str) -> None:
    slow = (("dhcp.ack", 1.0), ("config.served", 200.0), ("initrd.fetched", 5.0), ("answer.served", 200.0))
    world.kept.finished(1, "web", *slow)
    world.stalls.load()
    world.live.put(step)
    assert world.look(399) == 0
    assert world.look(401) == 1


def test_a_profile_that_always_takes_long_at_a_step_is_given_its_time(world: World) -> None:
    slow = (("answer.served", 20.0), ("install.started", 300.0), ("install.finished", 900.0))
    world.kept.finished(1, "web", *slow)
    world.kept.finished(2, "other", ("answer.served", 1.0), ("install.started", 5000.0))
    world.stalls.load()
    assert world.look(599) == 0
    assert world.look(600) == 1


def test_it_learns_from_what_finishes_while_it_runs(world: World) -> None:
    session = world.kept.finished(3, "web", ("answer.served", 20.0), ("install.started", 200.0))
    world.live.by_id[session.id] = Boot(session)
    world.stalls.on_event(Event("install.finished", 1.0, session.id))
    assert world.stalls.allowed_s(world.live.by_id["s1"].session) == 400.0
