"""Golden files of plugin authors."""

from __future__ import annotations

from pathlib import Path

import pytest

from provd.testing.golden import Golden


def test_what_was_written_is_compared_next_time(tmp_path: Path) -> None:
    with pytest.raises(AssertionError, match="--provd-golden-write"):
        Golden(tmp_path / "golden", write=False).check("a.cfg", "text")
    Golden(tmp_path / "golden", write=True).check("a.cfg", "text")
    Golden(tmp_path / "golden", write=False).check("a.cfg", "text")
    with pytest.raises(AssertionError):
        Golden(tmp_path / "golden", write=False).check("a.cfg", "other")
