"""Several files are written as one: a crash or a refusing disk at any point leaves all of them or none."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from provd.config import journal
from provd.config.errors import ConfigError
from provd.config.journal import finish, write_files

BEFORE = {"a.toml": b"a1", "b.toml": b"b1", "gone.toml": b"g1"}
#: System calls of one change of four files.
POINTS = range(13)
AFTER = {"a.toml": b"a2", "b.toml": b"b2", "new.toml": b"n2"}


class PowerCut(BaseException):
    """The process ends here: no handler runs any more that a real crash would not run."""


def prepare(root: Path) -> dict[Path, bytes | None]:
    folder = root / "profiles"
    folder.mkdir(parents=True)
    for name, raw in BEFORE.items():
        (folder / name).write_bytes(raw)
    return {**{folder / name: raw for name, raw in AFTER.items()}, folder / "gone.toml": None}


def content(root: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted((root / "profiles").iterdir())}


def failing(monkeypatch: pytest.MonkeyPatch, at: int, error: Callable[[], BaseException]) -> Callable[[], int]:
    """Each system call that changes the disk fails once ``at`` of them have been made."""
    calls = 0

    def counted(function: Callable[..., Any]) -> Callable[..., Any]:
        def call(*arguments: Any, **named: Any) -> Any:
            nonlocal calls
            calls += 1
            if calls > at:
                raise error()
            return function(*arguments, **named)

        return call

    for owner, name in ((os, "fsync"), (Path, "rename"), (Path, "unlink")):
        monkeypatch.setattr(owner, name, counted(getattr(owner, name)))
    return lambda: calls


def test_all_files_are_written(tmp_path: Path) -> None:
    write_files(tmp_path, prepare(tmp_path))
    assert content(tmp_path) == AFTER
    assert not (tmp_path / journal.JOURNAL).exists()
    assert finish(tmp_path) is False


def test_the_points_of_failure_below_are_all_there_are(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    changes = prepare(tmp_path)
    made = failing(monkeypatch, 1000, lambda: OSError(errno.EIO, "no"))
    write_files(tmp_path, changes)
    assert made() == len(POINTS)


@pytest.mark.parametrize("at", POINTS)
def test_a_crash_at_any_point_leaves_all_or_none(tmp_path: Path, at: int) -> None:
    changes = prepare(tmp_path)
    with pytest.MonkeyPatch.context() as patch:
        failing(patch, at, PowerCut)
        with pytest.raises(PowerCut):
            write_files(tmp_path, changes)
    finish(tmp_path)
    assert content(tmp_path) in (BEFORE, AFTER)
    assert [path.name for path in tmp_path.iterdir()] == ["profiles"]


@pytest.mark.parametrize("at", POINTS)
def test_a_disk_that_refuses_at_any_point_is_told_and_healed(tmp_path: Path, at: int) -> None:
    changes = prepare(tmp_path)
    with pytest.MonkeyPatch.context() as patch:
        failing(patch, at, lambda: OSError(errno.ENOSPC, "No space left on device"))
        with pytest.raises(ConfigError, match="cannot be written: No space left on device"):
            write_files(tmp_path, changes)
    write_files(tmp_path, changes)
    assert content(tmp_path) == AFTER
    assert [path.name for path in tmp_path.iterdir()] == ["profiles"]


def test_one_file_needs_no_journal_and_keeps_its_mode(tmp_path: Path) -> None:
    prepare(tmp_path)
    path = tmp_path / "profiles/a.toml"
    path.chmod(0o640)
    write_files(tmp_path, {path: b"secret"})
    assert (path.read_bytes(), path.stat().st_mode & 0o777) == (b"secret", 0o640)


def test_a_journal_that_leads_out_of_its_directory_is_refused(tmp_path: Path) -> None:
    (tmp_path / journal.JOURNAL).write_text('[{"target": "../outside.toml", "remove": true}]')
    (tmp_path.parent / "outside.toml").write_text("kept")
    with pytest.raises(ConfigError, match="lies outside its directory"):
        finish(tmp_path)
    assert (tmp_path.parent / "outside.toml").read_text() == "kept"


def test_a_damaged_journal_is_named(tmp_path: Path) -> None:
    (tmp_path / journal.JOURNAL).write_text("[{")
    with pytest.raises(ConfigError, match=r"\.provd-journal\.json: is damaged"):
        finish(tmp_path)
