"""Once a minute what is old is forgotten."""

from __future__ import annotations

from pathlib import Path

from provd.app.housekeeping import keep_house
from provd.model.session import BootSession
from provd.service.recorder import KEPT_S
from provd.testing.world import World

DAY_S = 86_400.0


def test_boots_older_than_the_configuration_keeps_them_are_forgotten(tmp_path: Path) -> None:
    world = World(tmp_path, enabled=("pxelinux",), more="[sessions]\nkeep_days = 2\n")
    now, store = world.services.wall(), world.services.store.sessions
    for name, days in (("old", 3), ("new", 1)):
        at = now - days * DAY_S
        store.save_session(BootSession(name, "52:54:00:00:00:01", started_at=at, last_at=at, outcome="finished"))
    keep_house(world.services)
    assert [one.id for one in store.sessions(mac="52:54:00:00:00:01")] == ["new"]


def test_a_recording_that_nobody_fetched_is_forgotten(tmp_path: Path) -> None:
    world = World(tmp_path, enabled=("pxelinux",))
    recorder, now = world.services.recorder, world.services.wall()
    name = recorder.begin([bytes(6)], 60)
    keep_house(world.services)
    assert recorder.get(name) is not None
    world.services.wall = lambda: now + 60 + KEPT_S + 1
    keep_house(world.services)
    assert recorder.get(name) is None
    assert not recorder.active
