"""A process short of descriptors or memory, reloads under load, and a stop in the middle of everything."""

from __future__ import annotations

import signal
import socket
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.app.running_server import RunningServer, wait_until
from tests.fakes.dhcp_load import DhcpLoad
from tests.faults.killing import lost
from tests.faults.serving import after, api, many_clients, memory_kib

BIG = 64 << 20
RELOADS = 500


@pytest.fixture
def server(tmp_path: Path) -> Iterator[RunningServer]:
    running = many_clients(tmp_path)
    yield running
    if running.process is not None:
        running.stop(signal.SIGKILL)


@pytest.fixture
def load(server: RunningServer) -> Iterator[DhcpLoad]:
    clients = DhcpLoad(server.dhcp, in_flight=8)
    yield clients
    clients.close()


def connections(server: RunningServer, count: int) -> list[socket.socket]:
    """HTTP connections that say nothing."""
    return [socket.create_connection(("127.0.0.1", server.http), 5) for _ in range(count)]


def answers(server: RunningServer) -> bool:
    """Whether HTTP answers."""
    try:
        with socket.create_connection(("127.0.0.1", server.http), 2) as client:
            client.settimeout(2)
            client.sendall(b"GET /nosuch HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
            return client.recv(12) == b"HTTP/1.1 404"
    except OSError:
        return False


def test_a_process_without_descriptors_goes_on_with_dhcp_and_recovers(server: RunningServer, load: DhcpLoad) -> None:
    server.spawn(before=("prlimit", "--nofile=64:64"))
    server.wait_for("ready: DHCP on lo")
    server.config.write_text(server.config.read_text())
    load.serve(20)
    taken = connections(server, 200)
    try:
        load.run(after(2.5))
        assert not answers(server)
        acks = load.acks
        load.serve(50, 20)
        assert load.acks >= acks + 50
        assert load.faults == []
        assert len(server.text().splitlines()) < 40, server.text()
    finally:
        for connection in taken:
            connection.close()
    wait_until(lambda: answers(server), 10, server.text)
    assert api(server).call("status")["interfaces"] == ["lo"]
    assert server.stop() == 0


def test_a_process_with_little_memory_serves(server: RunningServer, load: DhcpLoad) -> None:
    server.spawn(before=("prlimit", f"--as={512 << 20}"))
    server.wait_for("ready: DHCP on lo")
    load.serve(2_000)
    assert load.faults == []
    assert memory_kib(server) < 120 << 10
    assert server.stop() == 0


def test_reloads_under_load_lose_no_reply_and_a_bad_file_changes_nothing(server: RunningServer, load: DhcpLoad) -> None:
    reload_many(server, load, RELOADS)


def reload_many(server: RunningServer, load: DhcpLoad, count: int) -> None:
    """SIGHUP again and again, every other time with a file that is wrong, while clients are served."""
    server.start()
    good, gaps = server.config.read_text(), list[float]()
    load.serve(20)
    for number in range(count):
        server.config.write_text(good if number % 2 else f'{good}\n[subnets]\nwrong = "key"\n')
        server.send_signal(signal.SIGHUP)
        before, began = load.acks, time.monotonic()
        load.run(lambda: load.acks >= before + 4 or time.monotonic() > began + 10)  # noqa: B023
        gaps.append(time.monotonic() - began)
        assert load.acks > before
    print(f"{count} reloads: four ACKs took at most {max(gaps) * 1000:.0f} ms, {load.repeats} messages repeated")
    assert load.faults == []
    assert lost(server, load) == []
    assert server.text().count("reload refused, the running configuration stays") >= count // 4
    server.config.write_text(good)
    assert server.stop() == 0


def test_a_stop_in_the_middle_of_transfers_is_clean(server: RunningServer, load: DhcpLoad) -> None:
    (server.folder / "files").mkdir()
    (server.folder / "files" / "big").write_bytes(bytes(BIG))
    table = f'[[plugins.static_files.directories]]\nprefix = "files"\npath = "{server.folder}/files"\n'
    server.config.write_text(server.config.read_text() + table)
    server.start()
    load.serve(50)
    with socket.create_connection(("127.0.0.1", server.http), 5) as http:
        http.sendall(b"GET /files/big HTTP/1.1\r\nHost: x\r\n\r\n")
        assert http.recv(100).startswith(b"HTTP/1.1 200")
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as tftp:
            tftp.settimeout(5)
            tftp.sendto(b"\0\1files/big\0octet\0", ("127.0.0.1", server.tftp))
            assert tftp.recv(2048)[:4] == b"\0\3\0\1"
            load.run(after(0.2))
            began = time.monotonic()
            assert server.stop() == 0
            assert time.monotonic() - began < 12
    load.lose()
    assert "stopped" in server.text()
    assert not (server.folder / "data" / "provd.db-wal").exists(), "the store was not closed"
    server.log.write_text("")
    server.start()
    assert lost(server, load) == []
    assert load.faults == []
