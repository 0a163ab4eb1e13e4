"""When a boot session begins."""

from __future__ import annotations

import pytest

from provd.core.session_rules import SILENCE_S, advance, begins_new, close
from provd.model.session import STEPS, BootSession

NOW = 1000.0


def session(
    step: str = "discover", *, system: str = "web1", last_at: float = NOW, outcome: str = "running"
) -> BootSession:
    return BootSession(id="s", mac="52:54:00:00:00:01", system=system, step=step, last_at=last_at, outcome=outcome)


@pytest.mark.parametrize(
    ("current", "system", "changed", "begins"),
    [
        pytest.param(None, "web1", False, True, id="first ever"),
        pytest.param(session("discover"), "web1", False, False, id="repeated DISCOVER"),
        pytest.param(session("loader"), "web1", False, False, id="loader's own DHCP"),
        pytest.param(session("config"), "web1", False, False, id="configuration fetched, kernel not yet"),
        pytest.param(session("config"), "web1", True, False, id="edit after the configuration waits for the next boot"),
        pytest.param(session("kernel"), "web1", False, True, id="kernel fetched: this is another boot"),
        pytest.param(session("installing"), "web1", False, True, id="reset in the middle of an install"),
        pytest.param(session("config", outcome="local"), "web1", False, True, id="after a local boot"),
        pytest.param(
            session("discover", last_at=NOW - SILENCE_S - 1), "web1", False, True, id="silent for ten minutes"
        ),
        pytest.param(session("discover", system=""), "web1", False, True, id="adopted while it was waiting"),
        pytest.param(session("ack"), "web1", True, True, id="edited while it was waiting"),
    ],
)
def test_begins_new(current: BootSession | None, system: str, changed: bool, begins: bool) -> None:
    assert begins_new(current, system=system, system_changed=changed, now=NOW) is begins


def test_steps_never_go_back() -> None:
    reached = session()
    for step in STEPS:
        reached = advance(reached, step, NOW)
        assert advance(reached, "discover", NOW + 1).step == step


def test_a_finished_install_stays_finished_when_the_machine_boots_again() -> None:
    assert close(session(outcome="finished"), "superseded").outcome == "finished"
    assert close(session(), "superseded").outcome == "superseded"
