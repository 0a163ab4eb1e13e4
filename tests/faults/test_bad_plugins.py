"""Plugins that raise, answer nonsense, are slow or never return, in a running server: clients are served all the same."""

from __future__ import annotations

import signal
import socket
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.app.running_server import RunningServer, wait_until
from tests.fakes.dhcp_load import DhcpLoad
from tests.faults.bad_plugins import HOOKS, write, write_all
from tests.faults.killing import lost
from tests.faults.serving import api, many_clients, problems


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


def enable(server: RunningServer, names: list[str]) -> None:
    """Take plugins of the folder into the configuration, before all others."""
    quoted = "".join(f'"{name}", ' for name in names)
    text = server.config.read_text().replace("enabled = [", f'plugin_dirs = ["plugins"]\nenabled = [{quoted}')
    server.config.write_text(text)


def silence(manager: socket.socket, seconds: float) -> bool:
    """Whether nothing more comes for so long, once what was sent before is read."""
    manager.settimeout(seconds)
    try:
        for _ in range(1000):
            manager.recv(4096)
    except TimeoutError:
        return True
    return False


def test_thirty_kinds_of_bad_plugins_stop_nothing_and_are_told(server: RunningServer, load: DhcpLoad) -> None:
    names = write_all(server.folder / "plugins")
    assert len(names) == 30
    enable(server, names)
    server.start()
    load.serve(200)
    rows = {row["name"]: row for row in api(server).call("plugin.list")}
    assert {name for name in names if rows[name]["failures"] == 0} == set()
    assert {name for name in names if rows[name]["breaker"] == "closed"} == set()
    told = problems(server)
    assert all(any(one.startswith(f"plugin {name}: ") for one in told) for name in names)
    assert load.faults == []
    assert lost(server, load) == []
    assert server.stop() == 0


@pytest.mark.parametrize("hook", sorted(HOOKS))
def test_a_slow_plugin_delays_its_clients_once_and_then_rests(server: RunningServer, load: DhcpLoad, hook: str) -> None:
    write(server.folder / "plugins", "slow", hook, "time.sleep(0.6)")
    enable(server, ["slow"])
    server.start()
    began = time.monotonic()
    load.serve(100)
    (row,) = [row for row in api(server).call("plugin.list") if row["name"] == "slow"]
    assert row["breaker"] == "open"
    # A hundred clients without the breaker would take two minutes.
    assert row["calls"] < 5
    assert time.monotonic() - began < 30
    assert any(one.startswith("plugin slow: ") for one in problems(server))


def test_a_plugin_that_never_returns_ends_the_heart_beat_so_that_the_service_manager_restarts(
    server: RunningServer, load: DhcpLoad
) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(str(server.folder / "notify"))
        manager.settimeout(10)
        beats = {"NOTIFY_SOCKET": str(server.folder / "notify"), "WATCHDOG_USEC": "400000"}
        server.start(beats)
        load.serve(20)
        server.stop(signal.SIGKILL)
        load.lose()
        write(server.folder / "plugins", "stuck", "labels", "time.sleep(3600)")
        enable(server, ["stuck"])
        server.log.write_text("")
        server.start(beats)
        wait_until(lambda: manager.recv(4096) == b"WATCHDOG=1", 10, server.text)
        load.run(lambda: load.repeats > 3)
        assert silence(manager, 1.0), "the heart-beat goes on"
    server.stop(signal.SIGABRT)
    load.lose()
    server.config.write_text(server.config.read_text().replace('"stuck", ', ""))
    server.start()
    load.serve(1)
    assert lost(server, load) == []
