"""``provd trigger test`` and ``replay`` tell a script whether the run failed."""

from __future__ import annotations

from typing import Any

import pytest
from click.testing import CliRunner

from provd.cli.main import build_cli


class OneRun:
    """A service whose trigger ran with this result."""

    def __init__(self, run: dict[str, object]) -> None:
        self.run = run

    def call(self, operation: str, given: dict[str, object]) -> Any:
        assert operation in {"trigger.test", "trigger.replay"}
        return self.run

    def operations(self) -> list[dict[str, Any]]:
        return []


@pytest.mark.parametrize("words", [("test", "ops"), ("replay", "--id", "7")])
@pytest.mark.parametrize(
    ("run", "status"),
    [
        ({"trigger": "ops", "ok": True, "output": "sent"}, 0),
        ({"trigger": "ops", "ok": False, "output": "no such host"}, 1),
        ({"trigger": "ops", "of": {"kind": "install.finished"}}, 0),
    ],
)
def test_the_exit_code_is_that_of_the_run(words: tuple[str, ...], run: dict[str, object], status: int) -> None:
    cli = build_cli(lambda _path: 0, lambda _socket: OneRun(run))  # type: ignore[arg-type,return-value]
    done = CliRunner().invoke(cli, ["--socket", "x", "trigger", *words])
    assert done.exit_code == status, done.output
    assert str(run.get("output", "install.finished")) in done.output
