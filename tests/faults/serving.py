"""A running service as the tests of faults ask it."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from provd.api.client import LocalClient
from tests.app.running_server import RunningServer
from tests.fakes.dhcp_load import DhcpLoad

_POOL = 'pool = "127.16.0.1-127.31.255.254"\nlease_s = 86400\n'
_SMALL_POOL = 'pool = "127.0.9.1-127.0.9.200"\n'


def many_clients(folder: Path, extra: str = "") -> RunningServer:
    """A server with a pool for a million clients."""
    server = RunningServer(folder, extra)
    server.config.write_text(server.config.read_text().replace(_SMALL_POOL, _POOL))
    return server


def api(server: RunningServer) -> LocalClient:
    """Its operations."""
    return LocalClient(str(server.folder / "run" / "provd.sock"))


def problems(server: RunningServer) -> list[str]:
    """What `provd check` says of the running service."""
    return list(api(server).call("check")["problems"])


def status(server: RunningServer) -> dict[str, Any]:
    """What `provd status` says."""
    return dict(api(server).call("status"))


def after(seconds: float) -> Callable[[], bool]:
    """True once so much time has passed."""
    end = time.monotonic() + seconds
    return lambda: time.monotonic() >= end


def until_acknowledged(load: DhcpLoad, most_s: float) -> float:
    """Serve until a further ACK comes; the seconds it took."""
    before, began = load.acks, time.monotonic()
    load.run(lambda: load.acks > before or time.monotonic() > began + most_s)
    assert load.acks > before, f"no ACK within {most_s:.0f} s"
    return time.monotonic() - began


def memory_kib(server: RunningServer) -> int:
    """Resident memory of the process."""
    assert server.process is not None
    lines = Path(f"/proc/{server.process.pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmRSS:"))
