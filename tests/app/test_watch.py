"""Changed files are noticed, also in directories that come later, go, and come again."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import pytest_twisted
from twisted.internet.task import deferLater

from provd.app.watch import Watch


async def pause(seconds: float) -> None:
    from twisted.internet import reactor  # noqa: TID251 - this test is about the real one

    await deferLater(reactor, seconds, lambda: None)


async def until(condition: Callable[[], bool]) -> None:
    end = time.monotonic() + 15
    while not condition():
        assert time.monotonic() < end, "nothing was noticed"
        await pause(0.02)


@pytest_twisted.ensureDeferred
async def test_files_and_directories_that_come_later_are_noticed(tmp_path: Path) -> None:
    from twisted.internet import reactor  # noqa: TID251 - this test is about the real one

    site = tmp_path / "site"
    heard: list[int] = []
    watch = Watch(reactor, reactor, lambda: heard.append(1), lambda path: path.suffix == ".toml" or path.parent == site)
    try:
        watch.start([tmp_path, site, site / "profiles", site / "repos"])
        site.mkdir()
        await pause(0.3)
        for name in ("profiles", "repos"):
            (site / name).mkdir()
            await until(lambda: bool(heard))
            heard.clear()
            (site / name / "a.toml").write_text("")
            await until(lambda: bool(heard))
            heard.clear()
        (site / "profiles/a.toml").unlink()
        (site / "profiles").rmdir()
        await until(lambda: bool(heard))
        heard.clear()
        # The directory that went ended nothing for the other one, and may come again.
        (site / "repos/a.toml").write_text("new")
        await until(lambda: bool(heard))
        heard.clear()
        (site / "profiles").mkdir()
        await until(lambda: bool(heard))
        heard.clear()
        (site / "profiles/b.toml").write_text("")
        await until(lambda: bool(heard))
        (site / "repos").rename(site / "old")
        await pause(0.4)
        heard.clear()
        (site / "old/c.toml").write_text("")
        await pause(0.4)
        assert heard == []
    finally:
        watch.stop()
