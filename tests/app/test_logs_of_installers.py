"""Log lines of an installer against a real `provd run`: by UDP and TCP, from its address and from others."""

from __future__ import annotations

import signal
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from provd.api.client import LocalClient
from provd.cli.main import build_cli
from tests.app.running_server import RunningServer, wait_until
from tests.app.test_boots import MAC, api, assign, boot, prepare


class Site(RunningServer):
    """A server that is sent log lines."""

    def say(self, source: str, data: bytes, *, stream: bool) -> None:
        """Send from an address."""
        kind = socket.SOCK_STREAM if stream else socket.SOCK_DGRAM
        with socket.socket(socket.AF_INET, kind) as sender:
            sender.bind((source, 0))
            sender.connect(("127.0.0.1", self.syslog))
            sender.sendall(data)

    def status(self) -> dict[str, Any]:
        """What the service says of its listener."""
        found: dict[str, Any] = api(self).call("status")["syslog"]
        return found


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    running = Site(tmp_path)
    prepare(tmp_path)
    running.start()
    yield running
    running.stop(signal.SIGKILL)


def test_lines_of_an_installer_stand_in_its_trace(site: Site) -> None:
    assign(site)
    first = boot(site)
    assert first.installed is not None, first.text()
    assert f"inst.syslog=127.0.0.1:{site.syslog}" in " ".join(first.installed.arguments)
    source = first.installer_address
    site.say(source, b"<11>Nov 27 04:00:01 web1 anaconda[9]: no disk; password=hunter2", stream=False)
    site.say(source, b"<14>Nov 27 04:00:02 web1 anaconda[9]: one\n<14>Nov 27 04:00:02 web1 dnf: two\n", stream=True)
    site.say("127.0.0.77", b"<14>Nov 27 04:00:02 web1 anaconda[9]: forged\n", stream=True)
    site.say("127.0.0.77", b"<14>Nov 27 04:00:02 web1 anaconda[9]: forged", stream=False)
    wait_until(lambda: site.status()["kept"] == 3 and site.status()["unknown"] == 1, 10, lambda: str(site.status()))
    wait_until(lambda: "dnf: two" in trace(site), 10, lambda: trace(site))
    told = trace(site)
    assert "| anaconda: error: no disk; password=***" in told
    assert "| anaconda: one" in told
    assert "forged" not in told


def trace(site: Site) -> str:
    """What a person sees."""
    socket_path = str(site.folder / "run" / "provd.sock")
    result = CliRunner().invoke(build_cli(lambda _path: 0), ["--socket", socket_path, "trace", MAC.hex(":")])
    return result.output


def test_a_port_that_is_taken_costs_the_logs_only(tmp_path: Path) -> None:
    """Many machines run a syslog daemon of their own."""
    running = Site(tmp_path)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as other:
        other.bind(("127.0.0.1", running.syslog))
        prepare(tmp_path)
        running.start()
        try:
            assign(running)
            assert running.status()["port"] == 0
            assert "Address already in use" in running.status()["fault"]
            assert f"syslog port {running.syslog}" in running.text()
            first = boot(running)
            assert first.installed is not None, first.text()
            assert "inst.syslog" not in " ".join(first.installed.arguments)
        finally:
            running.stop(signal.SIGKILL)


def test_syslog_can_be_off(tmp_path: Path) -> None:
    running = RunningServer(tmp_path, takes_logs=False)
    running.start()
    try:
        client = LocalClient(str(tmp_path / "run" / "provd.sock"))
        assert client.call("status")["syslog"]["port"] == 0
        assert "syslog" not in running.text()
    finally:
        running.stop(signal.SIGKILL)
