"""Interfaces that go and come: answers go on within seconds, without a restart."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.faults.private_network import run_alone


@pytest.mark.netns
def test_an_interface_that_flaps_is_made_anew_and_changes_its_address_is_answered_again(tmp_path: Path) -> None:
    told = run_alone("tests.faults.flapping", tmp_path, 9, timeout_s=100)
    print(told)
    assert told["wrong"] == []
    assert told["interfaces"] == ["srv"]
    assert told["errors"] == 0
    assert told["exit"] == 0
