"""``provd events``: lines for people and machines, and going on."""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import datetime
from typing import Any

import pytest
from click.testing import CliRunner

from provd.cli import events as module
from provd.cli.main import build_cli


class Telling:
    """A service that tells one answer after another, and is interrupted at the end."""

    def __init__(self, answers: Iterable[dict[str, Any]]) -> None:
        self._answers = iter(answers)
        self.asked: list[dict[str, Any]] = []

    def call(self, operation: str, given: Any = None, /, **arguments: object) -> Any:
        assert operation == "events"
        self.asked.append({**(given or {}), **arguments})
        try:
            return next(self._answers)
        except StopIteration:
            raise KeyboardInterrupt from None

    def operations(self) -> list[dict[str, Any]]:
        return []


def event(number: int, system: str = "web1") -> dict[str, Any]:
    return {
        "id": number, "at": 1764230400.0 + number, "kind": "install.started", "system": system, "mac": "52:54:00:00:00:01",
        "session": "s", "text": "installation begins", "fields": {},
    }  # fmt: skip


def run(client: Telling, *words: str) -> Any:
    return CliRunner().invoke(build_cli(lambda _path: 0, lambda _socket: client), ["--socket", "/x", "events", *words])


def test_one_line_for_each() -> None:
    client = Telling([{"events": [event(1), event(2, system="")], "last": 2}])
    done = run(client, "--kind", "install.*", "--limit", "5")
    assert done.exit_code == 0, done.output
    first, second = done.output.splitlines()
    assert first.endswith("  web1              install.started     installation begins")
    assert "52:54:00:00:00:01" in second
    assert client.asked == [{"kind": "install.*", "system": "", "limit": 5}]


def test_following_asks_for_what_came_after(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_FOLLOW_S", 0.0)
    client = Telling([{"events": [event(1)], "last": 7}, {"events": [], "last": 7}, {"events": [event(8)], "last": 8}])
    done = run(client, "--follow", "-o", "ndjson")
    assert [json.loads(line)["id"] for line in done.stdout.splitlines()[:2]] == [1, 8]
    assert [asked.get("after") for asked in client.asked] == [None, 7, 7, 8]


def test_other_forms_are_whole_or_refused() -> None:
    done = run(Telling([{"events": [event(1)], "last": 1}]), "-o", "json")
    assert json.loads(done.output)[0]["id"] == 1
    refused = run(Telling([]), "--follow", "-o", "csv")
    assert refused.exit_code == 2
    assert "--follow prints lines: -o table or -o ndjson" in refused.output


def test_events_of_two_days_are_told_apart() -> None:
    done = run(Telling([{"events": [event(1), event(1 + 86_400)], "last": 9}]))
    first, second = (line[:19] for line in done.stdout.splitlines())
    assert first != second
    assert datetime.fromisoformat(first).astimezone().timestamp() == event(1)["at"]


@pytest.mark.parametrize(("words", "told"), [((), True), (("--limit", "1"), False), (("--after", "3"), False)])
def test_events_that_were_not_looked_at_are_no_secret(words: tuple[str, ...], told: bool) -> None:
    done = run(Telling([{"events": [event(1001)], "last": 1002, "since": 2}]), "--kind", "install.*", *words)
    said = "events up to number 2 were not looked at; --after 0 begins with the oldest\n"
    assert done.stderr == (said if told else "")
