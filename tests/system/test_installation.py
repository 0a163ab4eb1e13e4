"""Complete image installations: the demo itself, from an empty disk to a login over SSH."""

from __future__ import annotations

import io
import re
from pathlib import Path

import pytest
from rich.console import Console

from provd.lab.demo import run_demo
from provd.lab.demo_screen import Screen
from provd.lab.story import INSTALLATION

pytestmark = [pytest.mark.qemu, pytest.mark.netns, pytest.mark.timeout(900)]


@pytest.mark.parametrize("firmware", ["bios", "uefi"])
def test_an_empty_disk_becomes_an_installed_system(firmware: str, installable: Path, tmp_path: Path) -> None:
    out = io.StringIO()
    screen = Screen(Console(file=out, highlight=False, soft_wrap=True))
    code = run_demo(firmware, screen=screen, cache=installable, directory=tmp_path / "run")
    told = out.getvalue()
    print(told)
    assert code == 0, told
    steps = [line for line in told.splitlines() if re.match(r" *[\d.]+ s  (?!\.\.\.)", line)]
    titles = [step.title for step in INSTALLATION]
    assert [title for title in titles if any(title in line for line in steps)] == titles
    assert "demo@first-machine" in told
    console = (tmp_path / "run/machine/serial.log").read_text(errors="replace")
    assert "first-machine login:" in console


def test_a_failing_demo_says_where_and_names_the_logs(
    installable: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # A machine that ends at once stops the story at its first packet.
    monkeypatch.setattr("provd.lab.demo.TIME_LIMIT_S", 3)
    out = io.StringIO()
    screen = Screen(Console(file=out, highlight=False, soft_wrap=True))
    assert run_demo("bios", screen=screen, cache=installable, directory=tmp_path / "run") == 1
    told = out.getvalue()
    assert "FAILED at step " in told
    assert f"Logs: {tmp_path / 'run'}" in told
