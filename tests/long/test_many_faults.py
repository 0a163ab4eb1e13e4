"""The full numbers of what hits a running service: a flapping interface, every octet of a store, a full house."""

from __future__ import annotations

import random
import signal
import socket
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.fakes.dhcp_load import DhcpLoad
from tests.faults.damage import flipped_everywhere, killed_store
from tests.faults.killing import lost
from tests.faults.private_network import run_alone
from tests.faults.serving import many_clients, memory_kib

LEASES = 50_000
TRANSFERS = 500
MOST_KIB, MOST_WITH_TRANSFERS_KIB = 114 << 10, 120 << 10
"""Bounds that keep what was reached: the first is below the goal of 120 MB, the second was measured 1 MB below it."""

pytestmark = pytest.mark.timeout(3600)


@pytest.fixture
def told(capsys: pytest.CaptureFixture[str]) -> Callable[[str], None]:
    def say(line: str) -> None:
        with capsys.disabled():
            print(line, flush=True)

    return say


def test_an_interface_that_flaps_a_hundred_times(tmp_path: Path, told: Callable[[str], None]) -> None:
    result = run_alone("tests.faults.flapping", tmp_path, 100, timeout_s=600)
    told(str(result))
    assert result["wrong"] == []
    assert result["errors"] == 0
    assert result["exit"] == 0


def test_C16_a_flipped_bit_in_every_octet_costs_at_most_the_lease_it_hit(told: Callable[[str], None]) -> None:
    damage = flipped_everywhere(killed_store(), random.Random(9))
    told(damage.text())
    assert damage.faults == []
    assert damage.starts > 100_000


def test_memory_and_restart_with_fifty_thousand_leases(tmp_path: Path, told: Callable[[str], None]) -> None:
    server = many_clients(tmp_path)
    (tmp_path / "files").mkdir()
    (tmp_path / "files" / "big").write_bytes(bytes(10 << 20))
    table = f'[[plugins.static_files.directories]]\nprefix = "files"\npath = "{tmp_path}/files"\n'
    server.config.write_text(server.config.read_text() + table)
    load = DhcpLoad(server.dhcp, stay=True, most=LEASES)
    try:
        server.start()
        before = memory_kib(server)
        load.serve(LEASES, 300)
        with_leases = memory_kib(server)
        told(f"{len(load.held)} leases: {before} KiB before, {with_leases} KiB with them")
        server.stop()
        load.lose()
        server.log.write_text("")
        since = time.monotonic()
        server.spawn()
        told(f"restart to first OFFER: {load.first_offer(since):.2f} s, {memory_kib(server)} KiB")
        clients = [_transfer(server.tftp, number) for number in range(TRANSFERS)]
        full = memory_kib(server)
        told(f"after a restart, with {TRANSFERS} TFTP transfers: {full} KiB")
        for client in clients:
            client.close()
        assert lost(server, load) == []
        assert with_leases < MOST_KIB
        assert full < MOST_WITH_TRANSFERS_KIB
        assert load.faults == []
    finally:
        load.close()
        server.stop(signal.SIGKILL)


def _transfer(port: int, number: int) -> socket.socket:
    """A TFTP client that has the first block and goes no further."""
    client = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    client.bind((f"127.0.200.{1 + number % 250}", 0))
    client.settimeout(10)
    client.sendto(b"\0\1files/big\0octet\0", ("127.0.0.1", port))
    assert client.recv(2048)[:4] == b"\0\3\0\1"
    return client
