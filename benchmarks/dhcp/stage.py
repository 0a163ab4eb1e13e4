"""Where servers are measured: two namespaces with a virtual link, one fresh server at a time, its cost."""

from __future__ import annotations

import os
import re
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from benchmarks.dhcp.load import Load
from benchmarks.dhcp.servers import CLIENT, SERVER, Contender

_TICKS: Final = os.sysconf("SC_CLK_TCK")
_START_S: Final = 120.0


def _ip(*words: str) -> None:
    subprocess.run(["ip", *words], check=True)


@contextmanager
def link() -> Iterator[tuple[str, str]]:
    """Two namespaces and a virtual link between them; gone afterwards."""
    names = (f"bench-s-{os.getpid()}", f"bench-c-{os.getpid()}")
    try:
        for name in names:
            _ip("netns", "add", name)
        _ip("-n", names[0], "link", "add", "server", "type", "veth", "peer", "name", "client", "netns", names[1])
        for name, device, address in zip(names, ("server", "client"), (SERVER, CLIENT), strict=True):
            _ip("-n", name, "addr", "add", f"{address}/8", "dev", device)
            _ip("-n", name, "link", "set", device, "up")
            _ip("-n", name, "link", "set", "lo", "up")
        yield names
    finally:
        for name in names:
            subprocess.run(["ip", "netns", "del", name], check=False, stderr=subprocess.DEVNULL)


class Server:
    """One server process in a folder of its own.

    Args:
        contender: which server.
        mode: ``relayed`` or ``direct``.
        folder: for its configuration and leases.
        namespace: where it runs.
    """

    def __init__(self, contender: Contender, mode: str, folder: Path, namespace: str) -> None:
        self.name = contender.name
        self._argv = ["ip", "netns", "exec", namespace, *contender.prepare(folder, mode)]
        self._folder = folder
        self._process: subprocess.Popen[bytes] | None = None

    def start(self, load: Load, mode: str) -> float:
        """Start it; returns the seconds until its first OFFER.

        Raises:
            SystemExit: it does not answer.
        """
        began = time.monotonic()
        with (self._folder / "output").open("ab") as output:
            self._process = subprocess.Popen(self._argv, stdout=output, stderr=output)
        figures = load.run(clients=1, exchanges=1 << 16, mode=mode, window=0, rate=50, seconds=_START_S)
        if not figures["completed"]:
            raise SystemExit(f"{self.name} does not answer: {(self._folder / 'output').read_text()[-1000:]}")
        return figures["first_offer_at"] - began

    def cpu_s(self) -> float:
        """Seconds of processor time so far, the kernel's for it included."""
        fields = self._proc("stat").rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / _TICKS

    def memory_mib(self) -> float:
        """Resident memory."""
        found = re.search(r"VmRSS:\s+(\d+)", self._proc("status"))
        return int(found[1]) / 1024 if found else 0.0

    def stop(self, *, kill: bool = False) -> None:
        """End it and wait for it."""
        if self._process is None:
            return
        if kill:
            self._process.kill()
        else:
            self._process.terminate()
        try:
            self._process.wait(20)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._process = None

    def _proc(self, name: str) -> str:
        if self._process is None:
            raise SystemExit(f"{self.name} does not run")
        return Path(f"/proc/{self._process.pid}/{name}").read_text()


@contextmanager
def fresh(contender: Contender, mode: str, namespace: str) -> Iterator[Server]:
    """A server with an empty lease store, stopped afterwards."""
    with tempfile.TemporaryDirectory(prefix="bench-") as name:
        server = Server(contender, mode, Path(name), namespace)
        try:
            yield server
        finally:
            server.stop()
