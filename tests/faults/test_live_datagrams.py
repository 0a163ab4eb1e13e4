"""Mutated packets at the socket of a real `provd run`, in a network of its own, while good clients are served."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.faults.fuzz import CORPUS, TARGETS, datagrams, packed
from tests.faults.private_network import run_alone

PACKETS = 100_000


@pytest.mark.netns
def test_C13_a_running_server_takes_every_packet_and_serves_good_clients_meanwhile(tmp_path: Path) -> None:
    told = run_alone("tests.faults.live_datagrams", tmp_path, PACKETS, 1, timeout_s=110)
    print(told)
    assert told["faults"] == []
    assert told["errors"] == 0
    assert told["handled"] >= PACKETS
    assert told["grown_kib"] < 16_000
    assert told["log_lines"] < 600
    assert told["exit"] == 0


@pytest.mark.parametrize("target", sorted(TARGETS))
def test_C13_what_the_fuzzer_found_worth_keeping_is_harmless(tmp_path: Path, target: str) -> None:
    inputs = sorted((CORPUS / target).iterdir())
    assert len(inputs) > 50
    one = TARGETS[target](tmp_path)
    for path in inputs:
        one(path.read_bytes())


def test_an_input_of_the_fuzzer_is_a_row_of_datagrams() -> None:
    parts = [(0, b"abc"), (5, b""), (255, b"x" * 300)]
    assert list(datagrams(packed(*parts))) == parts
    assert list(datagrams(b"\xff\xff\1abc")) == [(1, b"abc")]
