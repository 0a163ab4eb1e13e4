"""The full numbers of faults that hit the lease store: kills and power losses.

``PROVD_KILLS`` sets another number of kills for each of the five runs.
"""

from __future__ import annotations

import os
import random
from pathlib import Path

import pytest

from tests.faults.killing import kill_many
from tests.faults.power_audit import audit, quick_folder, traced

KILLS = int(os.environ.get("PROVD_KILLS", "200"))


@pytest.mark.timeout(1800)
@pytest.mark.parametrize("seed", range(20, 25))
def test_row_12_a_thousand_kills_lose_no_acknowledged_lease_and_give_none_twice(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], seed: int
) -> None:
    def told(line: str) -> None:
        with capsys.disabled():
            print(line, flush=True)

    result = kill_many(tmp_path, KILLS, seed=seed, told=told)
    assert result.faults == []
    assert result.kills == KILLS
    assert max(result.offers_s) < 30


@pytest.mark.timeout(1800)
def test_row_12_no_acknowledged_lease_is_lost_in_ten_thousand_power_losses(capsys: pytest.CaptureFixture[str]) -> None:
    with quick_folder() as scratch:
        work = traced(scratch, 1, 1100)
    verdict = audit(work, {}, random.Random(5), share=1.0, mixed=13)
    with capsys.disabled():
        print(verdict.text(), flush=True)
    assert verdict.faults == []
    assert verdict.images > 10_000
