"""The disk is full, fails or may not be written: no ACK without a commit, no crash, and no restart needed."""

from __future__ import annotations

import signal
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.app.running_server import RunningServer, wait_until
from tests.fakes.dhcp_load import DhcpLoad
from tests.faults.killing import lost
from tests.faults.serving import after, many_clients, problems, status, until_acknowledged
from tests.faults.small_disk import SmallDisk, small_disk

pytestmark = pytest.mark.netns


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[SmallDisk]:
    with small_disk(tmp_path / "data", "4m") as mounted:
        yield mounted


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


def begin(server: RunningServer, before: tuple[str, ...] = ()) -> None:
    server.log.write_text("")
    server.spawn(before=before)
    server.wait_for("ready: DHCP on lo")


def no_more_acks(load: DhcpLoad) -> bool:
    """Whether clients stay without an ACK, once those that are on their way have come."""
    load.run(after(0.2))
    before = load.acks
    load.run(after(1.0))
    return load.acks == before


def test_C17_a_full_disk_stops_every_ack_and_nothing_else_until_there_is_space(
    server: RunningServer, disk: SmallDisk, load: DhcpLoad
) -> None:
    begin(server, disk.enter)
    load.serve(20)
    disk.fill()
    # What is allocated already may still take some leases, and the last octets of it a few more; those are durable.
    load.run(lambda: bool(status(server)["lease_store"]["fault"]))
    assert any(no_more_acks(load) for _ in range(3))
    # Before another client asks: a block of its lease alone may fit where one of eight leases did not.
    assert any("leases cannot be stored, so no client gets an ACK" in one and "full" in one for one in problems(server))
    assert load.first_offer(time.monotonic()) < 5
    assert load.faults == []
    disk.empty()
    assert until_acknowledged(load, 5.0) < 5.0
    assert problems(server) == []
    server.stop(signal.SIGKILL)
    load.lose()
    begin(server, disk.enter)
    assert lost(server, load) == []


def test_C17_a_disk_that_fails_stops_every_ack_and_what_was_acknowledged_is_there_afterwards(
    server: RunningServer, load: DhcpLoad
) -> None:
    server.spawn(program="tests.fakes.failing_disk_server")
    server.wait_for("ready: DHCP on lo")
    load.serve(20)
    server.send_signal(signal.SIGUSR1)
    load.run(lambda: bool(status(server)["lease_store"]["fault"]))
    assert no_more_acks(load)
    assert load.first_offer(time.monotonic()) < 5
    assert any("leases cannot be stored" in one for one in problems(server))
    assert server.stop(signal.SIGKILL) == -signal.SIGKILL
    load.lose()
    begin(server)
    assert lost(server, load) == []
    assert load.faults == []


def test_C17_a_disk_that_may_not_be_written_refuses_the_start_with_one_sentence(
    server: RunningServer, disk: SmallDisk
) -> None:
    begin(server, disk.enter)
    server.stop()
    disk.mount("ro")
    server.log.write_text("")
    server.spawn(before=disk.enter)
    wait_until(server.ended, 20, server.text)
    assert server.stop() == 1
    (line,) = server.text().strip().splitlines()
    assert line == f"provd: the store {disk.where}/provd.db cannot be used: Read-only file system"
    disk.mount("rw")
    begin(server, disk.enter)
