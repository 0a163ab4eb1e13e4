"""Once a minute what is old is forgotten."""

from __future__ import annotations

from pathlib import Path

import pytest

from provd.app.housekeeping import keep_house
from provd.model.account import ApiToken
from provd.model.session import BootSession
from provd.service.recorder import KEPT_S
from provd.store.interface import StoreError
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


def test_a_disk_that_takes_no_write_does_not_end_housekeeping(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """To forget an expired token of the API waits for the disk; the rest must come all the same, and come again."""
    world = World(tmp_path, enabled=("pxelinux",))
    services = world.services
    services.store.accounts.put_token(ApiToken("00", "ann", "read", expires_at=1.0))
    name, now = services.recorder.begin([bytes(6)], 60), services.wall()
    services.wall = lambda: now + 60 + KEPT_S + 1

    def full(_keys: object) -> None:
        raise StoreError("the disk is full")

    monkeypatch.setattr(services.store.accounts, "remove_tokens", full)
    keep_house(services)
    assert services.recorder.get(name) is None
    monkeypatch.undo()
    keep_house(services)
    assert services.store.accounts.tokens == {}


def test_what_nobody_foresaw_does_not_end_it_either(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    world = World(tmp_path, enabled=("pxelinux",))
    services, asked = world.services, list[str]()

    def broken() -> None:
        asked.append("expire")
        raise ZeroDivisionError

    monkeypatch.setattr(services.dhcp, "expire", broken)
    monkeypatch.setattr(services.admission, "tidy", lambda: asked.append("tidy"))
    keep_house(services)
    assert asked == ["expire", "tidy"]
