"""What takes long says so at a terminal, and nowhere else."""

from __future__ import annotations

import os
import pty
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SCRIPT = """
import sys, time
from provd.cli.output import progress, waiting
if sys.argv[1] == "waiting":
    with waiting("three pages") as tell:
        time.sleep(float(sys.argv[2]))
        tell("two pages")
        time.sleep(float(sys.argv[2]))
else:
    with progress() as report:
        for share in range(11):
            report("fetching", share / 10)
print("done")
"""


def at_terminal(*words: str, **environment: str) -> str:
    """What standard error, a terminal, is told."""
    main, other = pty.openpty()
    kept = {name: value for name, value in os.environ.items() if name != "NO_COLOR"}
    command = [sys.executable, "-c", SCRIPT, *words]
    try:
        done = subprocess.run(
            command, stderr=other, stdout=subprocess.PIPE, cwd=ROOT, timeout=30, check=True,
            env={**kept, "TERM": "xterm", "COLUMNS": "80", **environment},
        )  # fmt: skip
    finally:
        os.close(other)
    assert done.stdout == b"done\n"
    found = b""
    while True:
        try:
            part = os.read(main, 65536)
        except OSError:
            break
        found += part
        if not part:
            break
    os.close(main)
    return found.decode()


def test_a_long_call_says_what_it_waits_for() -> None:
    told = at_terminal("waiting", "0.8")
    assert "three pages" in told
    assert "two pages" in told


def test_a_short_call_says_nothing() -> None:
    assert at_terminal("waiting", "0.0") == ""


@pytest.mark.parametrize("words", [("waiting", "0.6"), ("progress",)])
def test_a_pipe_is_told_no_escape_sequence(words: tuple[str, ...]) -> None:
    command = [sys.executable, "-c", SCRIPT, *words]
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, timeout=30, check=True)
    assert done.stdout == "done\n"
    assert "\x1b" not in done.stderr
    assert ("fetching" in done.stderr) == (words[0] == "progress")


def test_progress_at_a_terminal_is_a_bar() -> None:
    assert "100%" in at_terminal("progress")
