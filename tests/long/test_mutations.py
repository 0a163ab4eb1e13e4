"""Every rule is switched off in turn, and its tests must notice: about a minute for a hundred rules."""

from __future__ import annotations

import pytest

from tests.conformance.mutate import CAUGHT, Outcome, try_all
from tests.conformance.mutations import mutations


@pytest.mark.timeout(1800)
def test_every_rule_that_is_switched_off_is_noticed(capsys: pytest.CaptureFixture[str]) -> None:
    chosen = list(mutations().values())

    def report(outcome: Outcome) -> None:
        with capsys.disabled():
            print(f"{outcome.rule} {outcome.result} ({outcome.seconds:.1f} s)", flush=True)

    outcomes = try_all(chosen, report)
    assert len(outcomes) == len(chosen)
    assert {one.rule: one.result for one in outcomes if one.result != CAUGHT} == {}
