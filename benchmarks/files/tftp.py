"""TFTP of provd beside dnsmasq, tftpd-hpa and atftpd: the same client, the same files, all in one run.

    python -m benchmarks.files.tftp --cache .lab --json benchmarks/results/tftp.json

Needs root, network namespaces and gcc. A cell is a file, a window, a number of clients, a delay and a loss; every
server serves every cell, fresh, after one transfer that is not counted. Every octet that arrives is compared. Lock-step
cells run on one processor, because there the scheduler's choice of processors is larger than the servers' differences.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import tempfile
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Final

from benchmarks.dhcp.stage import link
from benchmarks.files.compiled import compiled
from benchmarks.files.servers import PORT, SERVER, Contender, tftp_servers
from benchmarks.files.stage import Server, running

_BLKSIZE: Final = 1468
_LONGEST_S: Final = 60

Figures = dict[str, float]


@dataclass(frozen=True, slots=True)
class Cell:
    """One measurement.

    Attributes:
        name: as the table shows it.
        octets: of the file.
        clients: at once.
        transfers: in all.
        window: blocks that are asked for.
        delay_us: of an acknowledgement.
        loss: of a thousand datagrams in each direction.
        together: server and clients share one processor though the cell alone would not ask for it.
    """

    name: str
    octets: int
    clients: int
    transfers: int
    window: int = 1
    delay_us: int = 0
    loss: int = 0
    together: bool = False

    @property
    def pinned(self) -> bool:
        """Server and clients share one processor."""
        return self.together or (self.window == 1 and self.clients == 1 and not self.delay_us)


def cells() -> list[Cell]:
    """All of them."""
    large = 40 << 20
    found = [
        Cell(f"40 MB, window {window}, {clients} client{'s' * (clients > 1)}", large, clients, clients * 2, window)
        for window in (1, 4, 16, 64)
        for clients in (1, 8)
    ]
    found += [Cell(f"50 kB, {clients} clients", 50_000, clients, max(600, clients)) for clients in (1, 100, 1000, 3000)]
    found += [
        Cell(f"4 MB, window {window}, 8 clients, 1 ms", 4 << 20, 8, 16, window, delay_us=1000) for window in (1, 16, 64)
    ]
    found += [
        Cell(f"500 kB, window {window}, 8 clients, 1 % lost", 500_000, 8, 16, window, loss=10) for window in (1, 16, 64)
    ]
    return found


class Clients:
    """The load generator in its namespace.

    Args:
        program: compiled ``tftp_load.c``.
        namespace: where it runs.
        content: folder of the files.
    """

    def __init__(self, program: Path, namespace: str, content: Path) -> None:
        self._program, self._namespace, self._content = program, namespace, content

    def run(self, cell: Cell, prefix: str, *, seconds: int = _LONGEST_S) -> Figures:
        """Fetch as the cell says."""
        file = self._content / f"{cell.octets}.bin"
        words = (SERVER, PORT, f"{prefix}{file.name}", file, cell.clients, cell.transfers, _BLKSIZE, cell.window)
        pinned = ["taskset", "-c", "0"] if cell.pinned else []
        argv = ["ip", "netns", "exec", self._namespace, *pinned, str(self._program), *map(str, words)]
        done = subprocess.run(
            [*argv, str(cell.delay_us), str(cell.loss), str(seconds)], capture_output=True, text=True, check=True
        )
        figures: Figures = json.loads(done.stdout)
        return figures


def measure(contender: Contender, cell: Cell, clients: Clients, content: Path, namespace: str) -> dict[str, object]:
    """One cell of one server."""
    once = Cell(cell.name, cell.octets, 1, 1, cell.window, together=cell.together)
    with running(contender, content, namespace, 0 if cell.pinned else None) as server:
        server.wait(lambda: clients.run(once, contender.prefix, seconds=10)["completed"] == 1)
        before = server.cpu_s()
        figures = clients.run(cell, contender.prefix)
        figures |= {"cpu_s": server.cpu_s() - before, "memory_mib": _memory(server)}
    return {"server": contender.name, **asdict(cell), **figures}


def _memory(server: Server) -> float:
    return round(server.memory_mib(), 1)


def line(row: dict[str, object]) -> str:
    """One row for people."""
    return (
        f"{row['name']:<36} {row['server']:<10} {row['mib_s']:>8.1f} MiB/s {row['transfers_s']:>8.1f}/s"
        f"  p50 {row['p50_ms']:.1f} p99 {row['p99_ms']:.1f} ms  cpu {row['cpu_s']:.2f} s  {row['memory_mib']} MiB"
        f"  failed {row['failed']} damaged {row['damaged']} timeouts {row['timeouts']} repeated {row['repeated']}"
    )


def main() -> None:
    """Read arguments, run, print a table and JSON."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cache", type=Path, default=Path(".lab"), help="where Debian's packages are unpacked")
    parser.add_argument("--only", default="", help="servers that run, by name, with commas")
    parser.add_argument("--cells", default="", help="part of the name of the cells that run")
    parser.add_argument("--one-processor", action="store_true", help="for server and clients, in every cell")
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--json", type=Path, help="write the rows to this file")
    asked = parser.parse_args()
    only = [name for name in asked.only.split(",") if name]
    rows = []
    with link() as (server, client), tempfile.TemporaryDirectory() as folder:
        content = Path(folder) / "content"
        content.mkdir()
        content.chmod(0o755)
        Path(folder).chmod(0o755)
        wanted = [replace(cell, together=asked.one_processor) for cell in cells() if asked.cells in cell.name]
        for octets in {cell.octets for cell in wanted}:
            (content / f"{octets}.bin").write_bytes(os.urandom(octets))
        clients = Clients(compiled(Path(folder), Path(__file__).with_name("tftp_load.c")), client, content)
        for number in range(asked.rounds):
            for cell in wanted:
                for contender in tftp_servers(asked.cache.resolve()):
                    if only and contender.name not in only:
                        continue
                    row = {"round": number, **measure(contender, cell, clients, content, server)}
                    rows.append(row)
                    print(line(row), flush=True)
                    if asked.json:
                        asked.json.write_text(json.dumps(rows, indent=1) + "\n")


if __name__ == "__main__":
    main()
