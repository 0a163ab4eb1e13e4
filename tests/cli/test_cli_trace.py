"""``provd trace --follow`` before there is anything to follow."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pytest
from click.testing import CliRunner, Result

from provd.api.client import ApiError
from provd.cli import trace as module
from provd.cli.main import build_cli

NEVER = ApiError("web1 has not booted from the network yet", kind="not-found")
NOBODY = ApiError("'web7' is no system and no MAC", "system", "not-found")
BOOT = {
    "mac": "52:54:00:00:00:01", "system": "web1", "action": "install", "profile": "web", "session": "s1",
    "outcome": "done", "events": [], "findings": [], "verdict": "installed",
}  # fmt: skip


class Telling:
    """A service that gives one answer, or refusal, after another to each operation."""

    def __init__(self, **answers: Iterable[Any]) -> None:
        self._answers = {name: iter(rows) for name, rows in answers.items()}
        self.asked: list[str] = []

    def call(self, operation: str, _given: Any = None, /, **_arguments: object) -> Any:
        self.asked.append(operation)
        answer = next(self._answers[operation])
        if isinstance(answer, Exception):
            raise answer
        return answer

    def operations(self) -> list[dict[str, Any]]:
        return []


def run(client: Telling, *words: str) -> Result:
    return CliRunner().invoke(build_cli(lambda _path: 0, lambda _socket: client), ["--socket", "/x", "trace", *words])


def test_following_waits_for_the_first_boot(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_FOLLOW_S", 0.0)
    client = Telling(trace=[NEVER, NEVER, BOOT], boots=[[], []])
    done = run(client, "web1", "--follow")
    assert done.exit_code == 0, done.output
    assert done.stdout.splitlines() == ["52:54:00:00:00:01 web1: install web, session s1", "installed"]
    assert done.stderr == "web1 has not booted from the network yet; waiting for it, Ctrl-C ends\n"


def test_nobody_waits_for_what_is_no_machine() -> None:
    done = run(Telling(trace=[NOBODY], boots=[NOBODY]), "web7", "--follow")
    assert (done.exit_code, done.stderr) == (1, "Error: 'web7' is no system and no MAC\n")


@pytest.mark.parametrize("words", [(), ("--report", "--follow"), ("--follow", "--session", "s1")])
def test_without_it_a_machine_that_never_booted_is_refused(words: tuple[str, ...]) -> None:
    done = run(Telling(trace=[NEVER]), "web1", *words)
    assert (done.exit_code, done.stderr) == (1, "Error: web1 has not booted from the network yet\n")


@pytest.mark.parametrize("way", ["--follow", "--report"])
def test_text_in_another_form_is_refused(way: str) -> None:
    done = run(Telling(), "web1", way, "-o", "json")
    assert done.exit_code == 2
    assert f"{way} prints text: -o table" in done.stderr
