"""HTTP of provd beside nginx with one worker: the same client (wrk), the same files, all in one run.

    python -m benchmarks.files.http --cache .lab --json benchmarks/results/http.json

Needs root and network namespaces. Every file is fetched once before and compared; then wrk asks for it for some seconds
over connections that stay open. The server runs on one processor, the client on the other. Octets are those that wrk
read, so that a file too large to arrive whole in that time counts as well; requests are those that were answered whole.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import subprocess
import tempfile
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

from benchmarks.dhcp.stage import link
from benchmarks.files.servers import SERVER, Contender, http_servers
from benchmarks.files.stage import Server, running
from provd.lab.unpacked import fetch

_SECONDS: Final = 4
_UNITS: Final = {"us": 0.001, "ms": 1.0, "s": 1000.0, "m": 60_000.0}
_SIZES: Final = {"B": 2**-20, "KB": 2**-10, "MB": 1.0, "GB": 1024.0}
"""MiB in each of wrk's units, which are powers of 1024."""


@dataclass(frozen=True, slots=True)
class Cell:
    """One measurement.

    Attributes:
        name: as the table shows it.
        octets: of the file.
        clients: connections.
    """

    name: str
    octets: int
    clients: int


CELLS: Final = (
    Cell("40 MB, 1 client", 40 << 20, 1),
    Cell("40 MB, 8 clients", 40 << 20, 8),
    Cell("700 MB, 8 clients", 700 << 20, 8),
    Cell("500 octets, 1 client", 500, 1),
    Cell("500 octets, 32 clients", 500, 32),
    Cell("20 kB, 32 clients", 20_000, 32),
)


class Clients:
    """wrk in its namespace.

    Args:
        cache: where its package is unpacked.
        namespace: where it runs.
        content: folder of the files.
    """

    def __init__(self, cache: Path, namespace: str, content: Path) -> None:
        self._cache, self._namespace, self._content = cache, namespace, content

    def intact(self, url: str, octets: int) -> bool:
        """The file arrives as it is."""
        argv = ["ip", "netns", "exec", self._namespace, "curl", "-sS", "--max-time", "30", "--output", "-", url]
        done = subprocess.run(argv, capture_output=True, check=False)
        return done.returncode == 0 and done.stdout == (self._content / f"{octets}.bin").read_bytes()

    def load(self, cell: Cell, url: str) -> dict[str, float]:
        """Ask for some seconds."""
        argv = fetch("wrk", self._cache).argv(
            "wrk", "-t1", f"-c{cell.clients}", f"-d{_SECONDS}s", "--timeout", "30s", "--latency", url
        )
        words = ["ip", "netns", "exec", self._namespace, "taskset", "-c", "1", *argv]
        text = subprocess.run(words, capture_output=True, text=True, check=False).stdout
        found = re.search(r"(\d+) requests in ([\d.]+)s, ([\d.]+)([KMG]?B) read", text)
        if found is None:
            raise SystemExit(f"wrk said: {text[-500:]}")
        errors = sum(map(int, re.findall(r"(?:connect|read|write|timeout) (\d+)", text)))
        bad = re.search(r"Non-2xx or 3xx responses: (\d+)", text)
        seconds = float(found[2])
        return {
            "requests_s": int(found[1]) / seconds,
            "mib_s": float(found[3]) * _SIZES[found[4]] / seconds,
            **{f"p{rank}_ms": _milliseconds(text, rank) for rank in (50, 99)},
            "failed": errors + (int(bad[1]) if bad else 0),
        }


def _milliseconds(text: str, rank: int) -> float:
    found = re.search(rf"^\s+{rank}%\s+([\d.]+)(us|ms|s|m)$", text, re.MULTILINE)
    return float(found[1]) * _UNITS[found[2]] if found else 0.0


def measure(contender: Contender, cell: Cell, clients: Clients, content: Path, namespace: str) -> dict[str, object]:
    """One cell of one server."""
    with running(contender, content, namespace, 0) as server:
        url = f"http://{SERVER}/{contender.prefix}{cell.octets}.bin"
        server.wait(lambda: clients.intact(url, cell.octets))
        before = server.cpu_s()
        figures = clients.load(cell, url)
        cpu_s = server.cpu_s() - before
        return {"server": contender.name, **asdict(cell), **figures, "cpu_s": cpu_s, "memory_mib": _memory(server)}


def _memory(server: Server) -> float:
    return round(server.memory_mib(), 1)


def line(row: dict[str, object]) -> str:
    """One row for people."""
    return (
        f"{row['name']:<26} {row['server']:<8} {row['mib_s']:>9.1f} MiB/s {row['requests_s']:>9.1f}/s"
        f"  p50 {row['p50_ms']:.2f} p99 {row['p99_ms']:.2f} ms  cpu {row['cpu_s']:.2f} s  {row['memory_mib']} MiB"
        f"  failed {row['failed']}"
    )


def main() -> None:
    """Read arguments, run, print a table and JSON."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cache", type=Path, default=Path(".lab"), help="where Debian's packages are unpacked")
    parser.add_argument("--cells", default="", help="part of the name of the cells that run")
    parser.add_argument("--only", default="", help="servers that run, by name, with commas")
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--json", type=Path, help="write the rows to this file")
    asked = parser.parse_args()
    only = [name for name in asked.only.split(",") if name]
    rows = []
    with link() as (server, client), tempfile.TemporaryDirectory() as folder:
        content = Path(folder) / "content"
        content.mkdir()
        Path(folder).chmod(0o755)
        wanted = [cell for cell in CELLS if asked.cells in cell.name]
        for octets in {cell.octets for cell in wanted}:
            (content / f"{octets}.bin").write_bytes(os.urandom(octets))
        clients = Clients(asked.cache.resolve(), client, content)
        for number in range(asked.rounds):
            for cell in wanted:
                for contender in http_servers(asked.cache.resolve()):
                    if only and contender.name not in only:
                        continue
                    row = {"round": number, **measure(contender, cell, clients, content, server)}
                    rows.append(row)
                    print(line(row), flush=True)
                    if asked.json:
                        asked.json.write_text(json.dumps(rows, indent=1) + "\n")


if __name__ == "__main__":
    main()
