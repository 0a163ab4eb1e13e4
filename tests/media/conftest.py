"""Fixtures of the tests of media."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.media.site import Site


@pytest.fixture
def site(tmp_path: Path) -> Site:
    (tmp_path / "site").mkdir()
    return Site(tmp_path)
