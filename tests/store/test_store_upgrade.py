"""Stores of every earlier version are read; one of a later version is refused and left as it is."""

from __future__ import annotations

import shutil
import sqlite3
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from provd.store.sqlite import SqliteStore
from provd.store.sqlite_schema import VERSION
from tests.fakes.owner_thread import OwnerThread
from tests.store.released_values import EVENT, LEASES, NOW, RELEASED, RUN, SESSION, STATE, SYSTEM, TOKEN


def test_the_store_of_every_version_is_kept() -> None:
    assert {path.name for path in RELEASED.iterdir()} == {f"version-{one}.db" for one in range(1, VERSION + 1)}


@pytest.mark.parametrize("version", range(1, VERSION + 1))
def test_a_store_of_an_earlier_version_keeps_everything(tmp_path: Path, version: int) -> None:
    path = tmp_path / "provd.db"
    shutil.copyfile(RELEASED / f"version-{version}.db", path)
    for _ in range(2):
        store = SqliteStore(path, deliver=OwnerThread().deliver, wall=lambda: NOW)
        assert store.damage == ()
        assert tuple(store.leases.load()) == LEASES
        (system,) = store.systems.all()
        assert replace(system, version="") == SYSTEM
        assert store.installs.all() == {"web1": STATE}
        assert store.sessions.session("s1") == SESSION
        assert [replace(event, id=0) for event in store.sessions.events("s1")] == [EVENT]
        assert store.tokens.find("live-token") == TOKEN
        assert list(store.trigger_runs.runs()) == [RUN]
        store.close()


@pytest.mark.parametrize("version", range(1, VERSION + 1))
def test_every_store_has_the_indexes_of_a_new_one(tmp_path: Path, version: int) -> None:
    """An upgraded file searches, and pays for its rows, as a fresh one does."""
    fresh, upgraded = tmp_path / "fresh.db", tmp_path / "old.db"
    shutil.copyfile(RELEASED / f"version-{version}.db", upgraded)
    for path in (fresh, upgraded):
        SqliteStore(path, deliver=OwnerThread().deliver, wall=lambda: NOW).close()
    assert _indexes(upgraded) == _indexes(fresh)
    assert "events_session" in _indexes(fresh)


def _indexes(path: Path) -> set[str]:
    with closing(sqlite3.connect(path)) as connection:
        found = connection.execute("SELECT name FROM sqlite_master WHERE type = 'index' AND sql IS NOT NULL")
        return {name for (name,) in found}
