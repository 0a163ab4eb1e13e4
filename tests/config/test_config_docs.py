"""docs/config.md is what the schema says."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from provd.config.docs import page

ROOT = Path(__file__).parents[2]


def test_the_page_is_fresh() -> None:
    assert (ROOT / "docs" / "config.md").read_text() == page(), "run: python -m provd.config.docs"


def test_the_module_writes_the_page(tmp_path: Path) -> None:
    target = tmp_path / "config.md"
    subprocess.run([sys.executable, "-m", "provd.config.docs", str(target)], cwd=ROOT, check=True, timeout=60)
    assert target.read_text() == page()


def test_every_key_says_what_applies_it() -> None:
    server = page().partition("## Distros, profiles and systems")[0]
    rows = [line.split(" | ") for line in server.splitlines() if line.startswith("| `")]
    assert len(rows) > 50
    assert {row[3] for row in rows} == {"reload", "restart", "see below"}
