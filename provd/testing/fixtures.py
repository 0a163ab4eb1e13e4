"""pytest fixtures of provd (entry point ``pytest11``): they are there wherever provd is installed beside pytest."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from provd.testing.golden import Golden
    from provd.testing.world import World


def pytest_addoption(parser: pytest.Parser) -> None:
    """``--provd-golden-write``."""
    group = parser.getgroup("provd")
    group.addoption("--provd-golden-write", action="store_true", help="Write golden files of provd_golden anew.")


@pytest.fixture
def provd_world(tmp_path: Path) -> Callable[..., World]:
    """Makes a whole provd in memory; arguments are those of :class:`provd.testing.world.World` without its folder.

    Boot loaders that provd fetches from packages are there as names without a program, and ``payload:sample/linux``
    with ``payload:sample/initrd`` as kernel and initial RAM disk.
    """
    # Heavy, and for the tests that ask for it alone.
    from provd.testing.world import SAMPLE_FILES, World

    def make(**arguments: object) -> World:
        given = arguments.pop("files", None)
        files = {**SAMPLE_FILES, **(given if isinstance(given, dict) else {})}
        return World(tmp_path / "provd", files=files, **arguments)  # type: ignore[arg-type]

    return make


@pytest.fixture
def provd_golden(request: pytest.FixtureRequest) -> Golden:
    """Compares a text with the file of its name in ``golden/`` beside the test."""
    from provd.testing.golden import Golden

    write = bool(request.config.getoption("--provd-golden-write"))
    return Golden(request.path.parent / "golden", write=write)
