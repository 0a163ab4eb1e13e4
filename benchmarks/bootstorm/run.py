"""A boot storm against provd, against dnsmasq with nginx, and against Kea with atftpd and nginx, all in one run.

    python -m benchmarks.bootstorm.run --cache .lab --machines 100,500,1000 --json benchmarks/results/bootstorm.json

Needs root, network namespaces and gcc. All machines are switched on at once (``storm.c`` says what each does); the
makespan is the time until the last one has its answer file. Every contender is fresh; one machine has booted before.
The C servers have a configuration and an answer file of each machine on disk; provd decides, renders and makes both.
With --answers the machines fetch no large files, and all ask for their answer files in the same moment, which provd
renders then; the server has one processor and the machines the other.
Servers and machines share the processors: figures of different runs do not compare, ratios of one run do.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Final

from benchmarks.bootstorm.machines import Machines, build
from benchmarks.bootstorm.servers import storm_servers
from benchmarks.bootstorm.site import POOL, write_content
from benchmarks.dhcp.servers import CLIENT
from benchmarks.dhcp.stage import link
from benchmarks.files.servers import Contender
from benchmarks.files.stage import running

_LONGEST_S: Final = 120
_FIRST_S: Final = 10

Row = dict[str, object]


def _addresses(server: str, client: str) -> None:
    """Every address of the pool is the machines', one neighbour for the server: tables of neighbours end at 1,024."""
    for words in (("-n", client, "route", "add", "local", POOL, "dev", "lo"),
                  ("-n", server, "route", "add", POOL, "via", CLIENT)):  # fmt: skip
        subprocess.run(["ip", *words], check=True)


def measure(contender: Contender, machines: int, load: Machines, namespace: str) -> Row:
    """One storm of one contender."""
    with running(contender, load.content, namespace, 0 if load.answers else None) as server:
        server.wait(lambda: load.boot(machines, 1, _FIRST_S)["completed"] == 1)
        before, memory = server.cpu_s(), [0.0]
        figures = load.boot(0, machines, _LONGEST_S, lambda: memory.append(server.memory_mib()))
        costs = {"cpu_s": round(server.cpu_s() - before, 2), "memory_mib": round(max(memory), 1)}
    return {"server": contender.name, **figures, **costs, "load_average": os.getloadavg()[0]}


def line(row: Row) -> str:
    """One row for people."""
    return (
        f"{row['machines']:>5} {row['server']:<20} makespan {row['makespan_s']:>7.2f} s  p50 {row['p50_s']:.2f}"
        f"  failed {row['failed']} damaged {row['damaged']}  retries: DHCP {row['dhcp_retries']}+{row['dhcp_naks']}"
        f" TFTP {row['tftp_retries']} TCP {row['tcp_retries']}  cpu {row['cpu_s']:.2f} s  {row['memory_mib']} MiB"
        f"  answers {row['answers_s']:.0f}/s  {row['first_failure']}"
    )


def _storms(machines: int, asked: argparse.Namespace, folder: Path, number: int) -> list[Row]:
    content = folder / f"content{machines}"
    if not content.exists():
        content.mkdir()
        write_content(content, machines + 1)
    rows = []
    with link() as (server, client):
        _addresses(server, client)
        load = Machines(folder / "storm", client, content, 1 if asked.answers else None, asked.answers)
        for contender in storm_servers(asked.cache.resolve(), machines + 1):
            if asked.only and contender.name not in asked.only.split("+"):
                continue
            rows.append({"round": number, **measure(contender, machines, load, server)})
            print(line(rows[-1]), flush=True)
    return rows


def main() -> None:
    """Read arguments, run, print a table and JSON."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cache", type=Path, default=Path(".lab"), help="where Debian's packages are unpacked")
    parser.add_argument("--machines", default="100,500,1000", help="numbers, with commas")
    parser.add_argument("--only", default="", help="contenders that run, by name, with plus signs")
    parser.add_argument("--answers", action="store_true", help="only answer files, all at once")
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--json", type=Path, help="write the rows to this file")
    asked = parser.parse_args()
    rows: list[Row] = []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o755)
        build(folder)
        for number in range(asked.rounds):
            for machines in map(int, asked.machines.split(",")):
                rows += _storms(machines, asked, folder, number)
                if asked.json:
                    told = {"command": " ".join(["python -m benchmarks.bootstorm.run", *sys.argv[1:]]), "rows": rows}
                    asked.json.write_text(json.dumps(told, indent=1) + "\n")


if __name__ == "__main__":
    main()
