from __future__ import annotations

import os
import re

import pytest

from provd.service.session_ids import SessionIds


def test_ids_are_twelve_digits_and_none_is_given_twice() -> None:
    ids = SessionIds()
    given = [ids.fresh() for _ in range(2000)]
    assert len(set(given)) == 2000
    assert all(re.fullmatch("[0-9a-f]{12}", one) for one in given)


def test_two_servers_share_none() -> None:
    assert {SessionIds().fresh() for _ in range(100)}.isdisjoint({SessionIds().fresh() for _ in range(100)})


def test_the_kernel_is_asked_once_for_many(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[int] = []
    drawn = os.urandom

    def counted(size: int) -> bytes:
        asked.append(size)
        return drawn(size)

    monkeypatch.setattr("provd.service.session_ids.os.urandom", counted)
    ids = SessionIds()
    for _ in range(300):
        ids.fresh()
    assert len(asked) == 2
