"""The full numbers of packets: ten million each for the decoders, the DHCP service and the TFTP server, a million for
the socket of a running server, and a fuzzer that follows coverage."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.faults import datagrams, tftp_datagrams
from tests.faults.datagrams import Handled
from tests.faults.fuzz import CORPUS, TARGETS, seeds
from tests.faults.private_network import ROOT, run_alone

MILLIONS = int(os.environ.get("PROVD_MILLIONS", "10"))
FUZZ_S = int(os.environ.get("PROVD_FUZZ_S", "180"))

pytestmark = pytest.mark.timeout(3600)
Told = Callable[[str], None]


@pytest.fixture
def told(capsys: pytest.CaptureFixture[str]) -> Told:
    def say(line: str) -> None:
        with capsys.disabled():
            print(line, flush=True)

    return say


def judge(handled: Handled, what: str, told: Told, *, grown_kib: int) -> None:
    told(f"{what}: {handled.text()}")
    assert handled.faults == []
    assert handled.grown_kib < grown_kib


@pytest.mark.parametrize("decode", [datagrams.decode_many, tftp_datagrams.decode_many], ids=["dhcp", "tftp"])
def test_C13_ten_million_packets_through_a_decoder(decode: Callable[[int, int], Handled], told: Told) -> None:
    for part in range(MILLIONS):
        judge(decode(1_000_000, 100 + part), f"{decode.__module__} {part + 1} of {MILLIONS}", told, grown_kib=4_000)


def test_C13_ten_million_packets_through_the_whole_service(tmp_path: Path, told: Told) -> None:
    for part in range(MILLIONS):
        folder = tmp_path / str(part)
        folder.mkdir()
        handled = datagrams.serve_many(folder, 1_000_000, 200 + part)
        judge(handled, f"service {part + 1} of {MILLIONS}", told, grown_kib=60_000)


def test_C13_ten_million_packets_through_the_tftp_server(told: Told) -> None:
    for part in range(MILLIONS):
        judge(tftp_datagrams.serve_many(1_000_000, 300 + part), f"TFTP {part + 1} of {MILLIONS}", told, grown_kib=4_000)


def test_C13_a_million_packets_through_the_socket_of_a_running_server(tmp_path: Path, told: Told) -> None:
    result = run_alone("tests.faults.live_datagrams", tmp_path, 1_000_000, 7, timeout_s=1500)
    told(str(result))
    assert result["faults"] == []
    assert result["errors"] == 0
    assert result["handled"] >= 1_000_000
    assert result["grown_kib"] < 20_000


@pytest.mark.parametrize("target", sorted(TARGETS))
def test_C13_a_fuzzer_that_follows_coverage_finds_nothing(tmp_path: Path, target: str, told: Told) -> None:
    corpus = tmp_path / "corpus"
    shutil.copytree(CORPUS / target, corpus)
    for number, octets in enumerate(seeds(target)):
        (corpus / f"seed-{number}").write_bytes(octets)
    before = len(list(corpus.iterdir()))
    options = [f"-max_total_time={FUZZ_S}", "-max_len=4000", f"-artifact_prefix={tmp_path}/", str(corpus)]
    command = [sys.executable, "-m", "tests.faults.fuzz", target, *options]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, errors="replace")
    told(f"{target}: {done.stderr.splitlines()[-1]}, {len(list(corpus.iterdir())) - before} inputs that cover more")
    assert done.returncode == 0, done.stderr[-3000:]
    assert "Done " in done.stderr
