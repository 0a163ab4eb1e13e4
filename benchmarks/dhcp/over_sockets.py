"""provd beside Kea and dnsmasq: perfdhcp over a virtual link, each server fresh, all in one run.

    python -m benchmarks.dhcp.over_sockets --cache .lab --clients 1000,10000

Needs root and network namespaces. perfdhcp sends as a relay. For every server the offered rate is raised step by step;
the best step is the one with most completed exchanges per second. Server and load generator share the processors, so
figures of different runs do not compare; ratios of one run do.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import subprocess
import tempfile
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final

from benchmarks.dhcp.servers import CLIENT, SERVER, Contender, contenders
from provd.lab.unpacked import fetch

if TYPE_CHECKING:
    from collections.abc import Iterator

_TICKS: Final = os.sysconf("SC_CLK_TCK")
_START_S: Final = 20.0


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


class Measured:
    """One server process with its cost."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        self._process = process

    def cpu_s(self) -> float:
        """Seconds of processor time so far."""
        fields = Path(f"/proc/{self._process.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / _TICKS

    def memory_mib(self) -> float:
        """Resident memory."""
        status = Path(f"/proc/{self._process.pid}/status").read_text()
        found = re.search(r"VmRSS:\s+(\d+)", status)
        return int(found[1]) / 1024 if found else 0.0


class Load:
    """perfdhcp in the client's namespace."""

    def __init__(self, namespace: str, cache: Path) -> None:
        self._program = ["ip", "netns", "exec", namespace, *fetch("kea-admin", cache).argv("perfdhcp")]

    def run(self, rate: int, clients: int, seconds: int) -> dict[str, float]:
        """Offer exchanges at a rate; what came of them."""
        words = ["-4", "-r", str(rate), "-R", str(clients), "-p", str(seconds), "-W", "500000", SERVER]
        done = subprocess.run([*self._program, *words], capture_output=True, text=True, check=False, timeout=60)
        return _figures(done.stdout)

    def answered(self) -> bool:
        """The server gives leases now."""
        words = ["-4", "-n", "1", "-r", "10", "-p", "1", "-d", "0.4", SERVER]
        done = subprocess.run([*self._program, *words], capture_output=True, text=True, check=False, timeout=20)
        return _figures(done.stdout)["exchanges_s"] > 0


def _figures(report: str) -> dict[str, float]:
    rate = re.search(r"Rate: ([\d.]+) 4-way", report)
    drops = re.findall(r"drops ratio: ([\d.]+)", report)
    delays = re.findall(r"avg delay: ([\d.]+)", report)
    received = re.findall(r"received packets: (\d+)", report)
    return {
        "exchanges_s": float(rate[1]) if rate else 0.0,
        "completed": float(received[1]) if len(received) > 1 else 0.0,
        "loss_percent": max(map(float, drops), default=100.0),
        "delay_ms": sum(map(float, delays)),
    }


@contextmanager
def running(contender: Contender, namespace: str) -> Iterator[Measured]:
    """A server with an empty lease store."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        argv = ["ip", "netns", "exec", namespace, *contender.prepare(folder)]
        with (folder / "output").open("wb") as output:
            process = subprocess.Popen(argv, stdout=output, stderr=output)
        try:
            yield Measured(process)
        finally:
            process.terminate()
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def measure(contender: Contender, load: Load, namespace: str, clients: int, rates: list[int]) -> dict[str, object]:
    """The best step of one server."""
    with running(contender, namespace) as server:
        ends = time.monotonic() + _START_S
        while not load.answered():
            if time.monotonic() > ends:
                raise SystemExit(f"{contender.name} does not answer")
        best: dict[str, object] = {"exchanges_s": 0.0}
        for rate in rates:
            before = server.cpu_s()
            figures = load.run(rate, clients, 3)
            cpu_us = (server.cpu_s() - before) / max(figures["completed"], 1) * 1e6
            if figures["exchanges_s"] > float(str(best["exchanges_s"])):
                best = {**figures, "offered_s": rate, "cpu_us": cpu_us, "memory_mib": server.memory_mib()}
        return {"server": contender.name, "clients": clients, **best}


def main() -> None:
    """Read arguments, run, print a table and JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cache", type=Path, default=Path(".lab"), help="where Debian's packages are unpacked")
    parser.add_argument("--clients", default="1000,10000")
    parser.add_argument("--rates", default="2000,5000,10000,20000")
    parser.add_argument("--only", default="", help="beginning of the names of the servers that run")
    parser.add_argument("--json", type=Path, help="write the rows there too")
    asked = parser.parse_args()
    rates = [int(rate) for rate in asked.rates.split(",")]
    rows = []
    with link() as (server, client):
        load = Load(client, asked.cache)
        for clients in map(int, asked.clients.split(",")):
            for contender in contenders(asked.cache):
                if contender.name.startswith(asked.only):
                    rows.append(measure(contender, load, server, clients, rates))
                    print("  ".join(f"{key} {_short(value)}" for key, value in rows[-1].items()), flush=True)
    print(json.dumps(rows))
    if asked.json:
        asked.json.write_text(json.dumps(rows, indent=1))


def _short(value: object) -> str:
    return f"{value:,.1f}" if isinstance(value, float) else str(value)


if __name__ == "__main__":
    main()
