"""What is gathered beside a boot for its diagnosis."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace

import pytest

from provd.model.session import BootSession
from provd.plugin.guard import BadCall
from provd.service.diagnoses import Diagnoser

SESSION = BootSession(
    "s1", "52:54:00:00:00:01", "web1", 1000.0, 1100.0, "loader", "install", "web", outcome="superseded"
)
NOW_S = 90_000.0
"""Seconds since the epoch; the host's clock is 50,000 behind."""


def rules(session: BootSession, *bad_at: float) -> list[str]:
    """Rules that speak of a boot whose machine plugins were slow for at these times since the epoch."""

    def bad_calls(names: Collection[str], since: float) -> Sequence[BadCall]:
        assert session.mac in names
        found = [BadCall(at - 50_000.0, "drowsy: provd_kernel_args took 600 ms", missing=False) for at in bad_at]
        return [one for one in found if one.at >= since]

    diagnoser = Diagnoser(
        earlier=lambda _mac, _limit: (),
        profile=lambda _name: None,
        loaders=lambda: (),
        bad_calls=bad_calls,
        monotonic=lambda: NOW_S - 50_000.0,
        wall=lambda: NOW_S,
        plan=lambda _session: None,
    )
    return [one.rule for one in diagnoser.findings(session, ())]


@pytest.mark.parametrize("outcome", ["superseded", "failed"])
def test_a_plugin_that_was_slow_after_a_boot_is_none_of_its_faults(outcome: str) -> None:
    ended = replace(SESSION, outcome=outcome)
    assert "slow-plugin" not in rules(ended, 999.0 - 1, 1102.0, 80_000.0)
    assert "slow-plugin" in rules(ended, 1099.0)


def test_a_plugin_that_is_slow_for_a_boot_that_runs_is_told_at_once() -> None:
    assert "slow-plugin" in rules(replace(SESSION, outcome="running"), 80_000.0)
