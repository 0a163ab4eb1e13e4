"""What the timeline of boots costs DHCP: the same exchanges with it and without it, in turn, in processes of their own.

    python -m benchmarks.dhcp.timeline --pairs 7
    python -m benchmarks.dhcp.timeline --of queue

With ``--of queue``: what a thousand machines in the queue of installations cost those that ask for an address.

CPU time decides, as of :mod:`benchmarks.dhcp.in_process`; the order of each pair changes, and the median of the pairs'
ratios is told with the least and the greatest.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Final

_CPU: Final = "process_cpu_us"
WAYS: Final = {"plain": (), "PXE": ("--pxe",)}
OF: Final = {"timeline": ((), ("--no-timeline",)), "queue": (("--waiting", "1000"), ())}
"""Arguments with what is measured, and without."""


def once(clients: int, rounds: int, *words: str) -> float:
    """CPU microseconds of the process per exchange, the least of the rounds after the first."""
    with tempfile.NamedTemporaryFile(suffix=".json") as file:
        argv = [sys.executable, "-m", "benchmarks.dhcp.in_process", "--clients", str(clients), "--rounds", str(rounds)]
        subprocess.run([*argv, "--json", file.name, *words], check=True, stdout=subprocess.DEVNULL, timeout=300)
        rows = json.loads(Path(file.name).read_text())["rows"]
    return float(min(row[_CPU] for row in rows[1:]))


def pairs(
    count: int, clients: int, rounds: int, words: tuple[str, ...], of: str = "timeline"
) -> list[tuple[float, float]]:
    """(with, without) of each pair."""
    found = []
    on, off = OF[of]
    for number in range(count):
        if number % 2:
            without = once(clients, rounds, *words, *off)
            found.append((once(clients, rounds, *words, *on), without))
        else:
            found.append((once(clients, rounds, *words, *on), once(clients, rounds, *words, *off)))
    return found


def main() -> None:
    """Read arguments, run, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--of", choices=tuple(OF), default="timeline")
    parser.add_argument("--pairs", type=int, default=7)
    parser.add_argument("--clients", type=int, default=5000)
    parser.add_argument("--rounds", type=int, default=4)
    parser.add_argument("--json", type=Path, help="write the figures there too")
    asked = parser.parse_args()
    told = {}
    for way, words in WAYS.items():
        measured = pairs(asked.pairs, asked.clients, asked.rounds, words, asked.of)
        ratios = sorted(one / other for one, other in measured)
        told[way] = {"with_us": [one for one, _ in measured], "without_us": [other for _, other in measured]}
        print(
            f"{way}: CPU us per exchange with {statistics.median(told[way]['with_us']):.1f}, "
            f"without {statistics.median(told[way]['without_us']):.1f}, "
            f"ratio {statistics.median(ratios):.3f} ({ratios[0]:.3f} to {ratios[-1]:.3f})"
        )
    if asked.json:
        asked.json.write_text(json.dumps(told, indent=1) + "\n")


if __name__ == "__main__":
    main()
