"""``provd mirror prefetch``: the size first, a bar at a terminal, nothing but the result elsewhere."""

from __future__ import annotations

import json
import os
import pty
import re
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import click
import pytest
from click.testing import CliRunner, Result

from provd.app.operations_page import table
from provd.cli.main import build_cli
from tests.cli.recording import RecordingClient

ROOT = Path(__file__).parents[2]
MB = 10**6
SCRIPT = """
import json, signal, sys
# A test run in the background of a script hands an ignored SIGINT down.
signal.signal(signal.SIGINT, signal.default_int_handler)
from provd.cli.main import build_cli
from tests.cli.test_cli_mirrors import STATES, MirrorClient
client = MirrorClient(STATES, last=sys.argv[1] == "stays")
build_cli(lambda _config: 0, lambda _socket: client)(sys.argv[2:])
"""


def state(phase: str, done: int, megabytes: int, **more: Any) -> dict[str, Any]:
    known = {"total": 0, "bytes_total": 0} if phase == "indexes" else {"total": 9, "bytes_total": 90 * MB}
    told = {"name": "deb", "phase": phase, "dry_run": False, "done": done, "failed": 0, "bytes_done": megabytes * MB}
    return {**told, **known, "failures": [], **more}


STATES = [state("indexes", 0, 0), state("files", 2, 15), state("files", 7, 77), state("done", 9, 90)]


class MirrorClient(RecordingClient):
    """A service whose prefetch is further each time it is asked.

    Args:
        states: what it tells in turn.
        last: never come to the last one.
    """

    def __init__(self, states: Sequence[dict[str, Any]], *, last: bool = False, measured: Any = None) -> None:
        super().__init__(table().all())
        self._states, self._last = list(states), last
        self._measured = measured or state("done", 1, 10, dry_run=True)

    def call(self, operation: str, given: Mapping[str, object] | None = None, /, **arguments: object) -> Any:
        super().call(operation, given, **arguments)
        if operation not in {"mirror.prefetch", "mirror.prefetched"}:
            return {}
        if (given or {}).get("dry_run"):
            return self._measured
        return self._states[0] if len(self._states) == 1 + self._last else self._states.pop(0)


def run(client: MirrorClient, *words: str) -> Result:
    cli: click.Group = build_cli(lambda _config: 0, lambda _socket: client)
    return CliRunner().invoke(cli, ["mirror", "prefetch", "deb", *words])


@pytest.fixture(autouse=True)
def _no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("provd.cli.mirrors.time.sleep", lambda _seconds: None)


def test_without_a_terminal_files_are_begun_and_not_waited_for() -> None:
    client = MirrorClient(STATES)
    told = run(client, "--paths", "a", "-o", "json")
    assert (told.exit_code, json.loads(told.stdout)["phase"]) == (0, "indexes")
    assert [name for name, _ in client.calls] == ["mirror.prefetch"]


def test_wait_is_until_the_end_however_long() -> None:
    client = MirrorClient([*([STATES[0]] * 100), *STATES])
    told = run(client, "--paths", "a", "--wait", "-o", "json")
    assert (told.exit_code, json.loads(told.stdout)["phase"]) == (0, "done")
    assert told.stderr == ""


def test_of_a_suite_the_size_is_told_first() -> None:
    client = MirrorClient(STATES)
    told = run(client, "--suites", "bookworm", "--wait")
    assert told.exit_code == 0
    assert told.stderr == "9 files, 90.0 MB; 8 of them, 80.0 MB, are still to be fetched\n"
    asked = [given for name, given in client.calls if name == "mirror.prefetch"]
    assert [one.get("dry_run", False) for one in asked] == [True, False]
    assert all(one["suites"] == ("bookworm",) or one["suites"] == ["bookworm"] for one in asked)


def test_what_does_not_fit_is_not_begun() -> None:
    client = MirrorClient(STATES, measured=state("done", 0, 0, failed=1, failures=["90 MB are missing"]))
    told = run(client, "--repos", "9/os")
    assert (told.exit_code, "90 MB are missing" in told.stdout) == (1, True)
    assert len(client.calls) == 1


@pytest.mark.parametrize("end", [state("done", 9, 80, failed=1, failures=["x"]), state("stopped", 3, 30)])
def test_what_failed_or_was_stopped_is_a_failure(end: dict[str, Any]) -> None:
    assert run(MirrorClient([STATES[1], end]), "--paths", "a", "--wait").exit_code == 1


class Terminal:
    """The command with a terminal of its own."""

    def __init__(self, how: str, *words: str) -> None:
        self._main, other = pty.openpty()
        kept = {name: value for name, value in os.environ.items() if name != "NO_COLOR"}
        self.process = subprocess.Popen(
            [sys.executable, "-c", SCRIPT, how, "mirror", "prefetch", "deb", *words],
            stdin=other, stderr=other, stdout=subprocess.PIPE, cwd=ROOT, env={**kept, "TERM": "xterm", "COLUMNS": "120"},
        )  # fmt: skip
        os.close(other)
        self.seen = ""

    def until(self, text: str) -> None:
        end = time.monotonic() + 30
        while text not in self.seen and time.monotonic() < end and self._read():
            pass
        assert text in self.seen, self.seen

    def answer(self, text: str) -> None:
        os.write(self._main, text.encode())

    def end(self) -> tuple[int, str]:
        """Exit code and standard output."""
        while self._read():
            pass
        assert self.process.stdout is not None
        with self.process.stdout as stdout:
            told = stdout.read().decode()
        os.close(self._main)
        return self.process.wait(30), told

    def _read(self) -> bool:
        try:
            part = os.read(self._main, 65536)
        except OSError:
            return False
        self.seen += re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", part.decode(errors="replace"))
        return bool(part)


def test_at_a_terminal_a_bar_moves_until_all_is_there() -> None:
    terminal = Terminal("ends", "--paths", "a", "-o", "json")
    code, told = terminal.end()
    assert (code, json.loads(told)["phase"]) == (0, "done")
    for text in ("7 of 9 files", "77.0/90.0 MB", "9 of 9 files"):
        assert text in terminal.seen, terminal.seen


@pytest.mark.parametrize(("word", "code"), [("y\n", 0), ("n\n", 1)])
def test_at_a_terminal_a_suite_is_asked_about(word: str, code: int) -> None:
    terminal = Terminal("ends", "--suites", "bookworm")
    terminal.until("80.0 MB, are still to be fetched")
    terminal.until("Fetch it?")
    terminal.answer(word)
    assert terminal.end()[0] == code
    assert ("9 of 9 files" in terminal.seen) == (code == 0)


def test_at_a_terminal_background_answers_at_once() -> None:
    terminal = Terminal("stays", "--suites", "bookworm", "--yes", "--background", "-o", "json")
    code, told = terminal.end()
    assert (code, json.loads(told)["phase"]) == (0, "indexes")
    assert "Fetch it?" not in terminal.seen


def test_who_interrupts_the_bar_leaves_the_prefetch_to_the_service() -> None:
    terminal = Terminal("stays", "--paths", "a")
    terminal.until("7 of 9 files")
    terminal.process.send_signal(signal.SIGINT)
    assert terminal.end()[0] == 1
    assert "provd mirror cancel deb stops it" in terminal.seen
