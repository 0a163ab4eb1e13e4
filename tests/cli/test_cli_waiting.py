"""What takes long says so at a terminal, and nowhere else."""

from __future__ import annotations

import os
import pty
import subprocess
import sys
import threading
from pathlib import Path
from types import SimpleNamespace

import pytest

from provd.cli.waiting import Waiting
from tests.app.running_server import wait_until

ROOT = Path(__file__).parents[2]
SCRIPT = """
import sys
from provd.cli.output import progress, waiting
if sys.argv[1] == "waiting":
    with waiting("three pages") as tell:
        sys.stdin.readline()
        tell("two pages")
        sys.stdin.readline()
else:
    with progress() as report:
        for share in range(11):
            report("fetching", share / 10)
print("done")
"""


class Terminal:
    """The script with a terminal as its standard error."""

    def __init__(self, *words: str) -> None:
        self._main, other = pty.openpty()
        kept = {name: value for name, value in os.environ.items() if name != "NO_COLOR"}
        self.process = subprocess.Popen(
            [sys.executable, "-c", SCRIPT, *words],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=other, cwd=ROOT,
            env={**kept, "TERM": "xterm", "COLUMNS": "80"},
        )  # fmt: skip
        os.close(other)
        self.told = b""

    def until(self, wanted: str) -> None:
        """Read until this stands there; pytest's time limit ends it otherwise."""
        while wanted.encode() not in self.told:
            part = self._read()
            assert part, self.told
            self.told += part

    def go_on(self) -> None:
        """Let the script take its next step."""
        assert self.process.stdin is not None
        self.process.stdin.write(b"\n")
        self.process.stdin.flush()

    def rest(self) -> str:
        """All that was told, when the script has ended."""
        while part := self._read():
            self.told += part
        os.close(self._main)
        said, _ = self.process.communicate(timeout=30)
        assert (said, self.process.returncode) == (b"done\n", 0)
        return self.told.decode()

    def _read(self) -> bytes:
        try:
            return os.read(self._main, 65536)
        except OSError:  # nobody has the other end any more
            return b""


def test_a_long_call_says_what_it_waits_for() -> None:
    terminal = Terminal("waiting")
    terminal.until("three pages")
    terminal.go_on()
    terminal.until("two pages")
    terminal.go_on()
    assert terminal.rest()


def test_a_short_call_says_nothing() -> None:
    terminal = Terminal("waiting")
    terminal.go_on()
    terminal.go_on()
    assert terminal.rest() == ""


def test_what_is_said_while_it_is_drawn_for_the_first_time_is_what_stands_there(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    sayers: list[threading.Thread] = []

    class Drawn:
        def __init__(self, text: str) -> None:
            self.text = text
            sayers.append(threading.Thread(target=waiting.say, args=["two pages"]))
            sayers[-1].start()
            sayers[-1].join(0.2)  # as far as it comes before this is there

        def update(self, text: str) -> None:
            self.text = text

        def start(self) -> None:
            drawn.append(self)

        def stop(self) -> None:
            ended.append(self)

    drawn: list[Drawn] = []
    ended: list[Drawn] = []
    monkeypatch.setattr("provd.cli.tables.console", lambda _file: SimpleNamespace(status=Drawn))
    monkeypatch.setattr("provd.cli.waiting.AFTER_S", 0.0)
    waiting = Waiting("three pages")
    with waiting:
        wait_until(lambda: bool(drawn), 30, lambda: "it was never drawn")
        sayers[0].join(30)
        assert [one.text for one in drawn] == ["two pages"]
    assert ended == drawn


@pytest.mark.parametrize("words", [("waiting",), ("progress",)])
def test_a_pipe_is_told_no_escape_sequence(words: tuple[str, ...]) -> None:
    command = [sys.executable, "-c", SCRIPT, *words]
    done = subprocess.run(command, input="\n\n", capture_output=True, text=True, cwd=ROOT, timeout=30, check=True)
    assert done.stdout == "done\n"
    assert "\x1b" not in done.stderr
    assert ("fetching" in done.stderr) == (words[0] == "progress")


def test_progress_at_a_terminal_is_a_bar() -> None:
    assert "100%" in Terminal("progress").rest()
