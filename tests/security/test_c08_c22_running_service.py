"""What a running service leaves open: files that others could read, and sockets that nobody asked for."""

from __future__ import annotations

import os
import re
import signal
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from provd.api.client import LocalClient
from tests.app.running_server import RunningServer

MAC = "52:54:00:88:00:11"
STATES = {"tcp": "0A", "udp": "07"}


@pytest.fixture
def server(tmp_path: Path) -> Iterator[RunningServer]:
    before = os.umask(0)
    running = RunningServer(tmp_path)
    try:
        running.start()
    finally:
        os.umask(before)
    yield running
    running.stop(signal.SIGKILL)


def api(server: RunningServer) -> LocalClient:
    return LocalClient(str(server.folder / "run" / "provd.sock"))


def listening(pid: int) -> set[tuple[str, int]]:
    """Protocol and port of every socket of a process that takes something from the network."""
    links = [str(handle.readlink()) for handle in Path(f"/proc/{pid}/fd").iterdir()]
    inodes = {match[1] for link in links if (match := re.fullmatch(r"socket:\[(\d+)\]", link))}
    found: set[tuple[str, int]] = set()
    for protocol, state in STATES.items():
        for family in ("", "6"):
            table = Path(f"/proc/{pid}/net/{protocol}{family}")
            for row in map(str.split, table.read_text().splitlines()[1:] if table.exists() else []):
                if row[9] in inodes and row[3] == state:
                    found.add((protocol, int(row[1].rpartition(":")[2], 16)))
    return found


def test_c08_nothing_that_the_service_writes_is_open_to_others_even_with_an_open_umask(server: RunningServer) -> None:
    api(server).call("system.add", {"name": "web1", "interfaces": [{"mac": MAC}]})
    written = [path for top in ("data", "run") for path in (server.folder / top).rglob("*") if not path.is_symlink()]
    names = {path.name for path in written}
    assert {"provd.db", "provd.db-wal", "provd.sock"} <= names
    others = {str(path): oct(path.stat().st_mode) for path in written if path.stat().st_mode & stat.S_IRWXO}
    assert others == {}
    store = [path for path in written if path.name.startswith("provd.db")]
    assert {stat.S_IMODE(path.stat().st_mode) for path in store} == {0o600}
    socket = server.folder / "run" / "provd.sock"
    assert stat.S_IMODE(socket.stat().st_mode) in {0o600, 0o660}


def test_c22_the_process_listens_where_it_was_told_and_nowhere_else(server: RunningServer) -> None:
    assert server.process is not None
    wanted = {("udp", server.dhcp), ("udp", server.tftp), ("tcp", server.http)}
    wanted |= {("udp", server.syslog), ("tcp", server.syslog)}
    assert listening(server.process.pid) == wanted
