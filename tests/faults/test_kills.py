"""SIGKILL under load: what was acknowledged is there afterwards and is nobody else's."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.faults.killing import kill_many


@pytest.mark.timeout(400)
@pytest.mark.parametrize("seed", [1, 2])
def test_row_12_kills_at_random_moments_lose_no_acknowledged_lease_and_give_none_twice(
    tmp_path: Path, seed: int
) -> None:
    result = kill_many(tmp_path, 25, seed=seed)
    print(result.text())
    assert result.faults == []
    assert result.kills == 25
    assert result.acks > 25 * 20
    assert max(result.offers_s) < 30
