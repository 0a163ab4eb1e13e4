"""provd beside Kea and dnsmasq over a virtual link, each server fresh, all in one run.

    python -m benchmarks.dhcp.over_sockets --cache .lab --clients 100,1000,10000,50000 --json benchmarks/results/x.json

Needs root, network namespaces and gcc. Every server gets the same work: at saturation a fixed number of exchanges from
new clients with so many kept open (the best of several windows is the server's figure), then exchanges at one rate for
all. Server and load generator share the processors, so figures of different runs do not compare; ratios of one run do.
Rounds alternate between the servers.
"""

from __future__ import annotations

import argparse
import json
import tempfile
from pathlib import Path
from typing import Final

from benchmarks.dhcp.load import KINDS, Load, build
from benchmarks.dhcp.servers import CLIENT, SERVER, Contender, contenders
from benchmarks.dhcp.stage import Server, fresh, link

_LEAST_EXCHANGES: Final = 20_000
_LONGEST_S: Final = 8.0
_RATE_S: Final = 3.0
_FILL_S: Final = 30.0
_SETTLE: Final = 2_000

Row = dict[str, object]


def measure(
    contender: Contender, load: Load, namespace: str, asked: argparse.Namespace, mode: str, clients: int
) -> Row:
    """All steps of one server with so many clients."""
    row: Row = {"server": contender.name, "mode": mode, "kind": asked.kind, "clients": clients, "steps": []}
    exchanges = max(clients, _LEAST_EXCHANGES)
    with fresh(contender, mode, namespace) as server:
        row["start_s"] = server.start(load, mode)
        # The first packets of a server are no measure of the others: modules are loaded, memory is taken.
        load.run(clients=_SETTLE, exchanges=_SETTLE, mode=mode, kind=asked.kind, first=1 << 20, seconds=2)
        steps = [{"window": window, "first": number * clients} for number, window in enumerate(asked.windows)]
        for step in steps:
            figures = _step(server, load, clients, exchanges, mode, asked.kind, {**step, "seconds": _LONGEST_S})
            row["steps"].append(figures)  # type: ignore[attr-defined]
            row.setdefault("memory_mib", server.memory_mib())
        if asked.rate:
            at_rate = {"rate": asked.rate, "seconds": _RATE_S}
            row["at_rate"] = _step(server, load, clients, int(asked.rate * _RATE_S), mode, asked.kind, at_rate)
    if asked.restart:
        with fresh(contender, mode, namespace) as server:
            row |= _restarts(server, load, clients, mode, asked.kind)
    row["best"] = max(row["steps"], key=lambda step: step["exchanges_s"])  # type: ignore[call-overload]
    return row


def _restarts(server: Server, load: Load, clients: int, mode: str, kind: str) -> Row:
    """Seconds from start to the first offer with one lease for each client: after a kill, and after an orderly stop."""
    server.start(load, mode)
    load.run(clients=clients, exchanges=clients, mode=mode, kind=kind, window=32, seconds=_FILL_S)
    server.stop(kill=True)
    killed_s, memory_mib = server.start(load, mode), server.memory_mib()
    server.stop()
    return {"restart_s": killed_s, "restart_memory_mib": memory_mib, "start_again_s": server.start(load, mode)}


def _step(
    server: Server, load: Load, clients: int, exchanges: int, mode: str, kind: str, words: dict[str, float]
) -> dict[str, float]:
    before = server.cpu_s()
    figures = load.run(clients=clients, exchanges=exchanges, mode=mode, kind=kind, **words)  # type: ignore[arg-type]
    cpu_s = server.cpu_s() - before
    return {**words, **figures, "cpu_s": cpu_s, "cpu_us": cpu_s / max(figures["completed"], 1) * 1e6}


def line(row: Row) -> str:
    """One row for people."""
    best: dict[str, float] = row["best"]  # type: ignore[assignment]
    parts = [
        f"{row['server']:<15} {row['mode']} {row['clients']:>6}",
        f"{best['exchanges_s']:>8,.0f}/s window {best['window']:.0f}",
        f"lost {best['lost']:.0f} p50 {best['exchange_p50_ms']:.1f} p99 {best['exchange_p99_ms']:.1f} ms",
        f"cpu {best['cpu_us']:.0f} us  {row['memory_mib']:.0f} MiB",
    ]
    if "at_rate" in row:
        rate: dict[str, float] = row["at_rate"]  # type: ignore[assignment]
        parts.append(
            f"at {rate['rate']:.0f}/s lost {rate['lost']:.0f} p50 {rate['exchange_p50_ms']:.2f}"
            f" p99 {rate['exchange_p99_ms']:.2f} ms cpu {rate['cpu_us']:.0f} us"
        )
    if "restart_s" in row:
        parts.append(f"restart {row['restart_s']:.2f} s, after a stop {row['start_again_s']:.2f} s")
    return " | ".join(parts)


def main() -> None:
    """Read arguments, run, print a table and JSON."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cache", type=Path, default=Path(".lab"), help="where Debian's packages are unpacked")
    parser.add_argument("--clients", default="1000,10000")
    parser.add_argument("--modes", default="relayed,direct")
    parser.add_argument("--kind", choices=KINDS, default="plain", help="what clients ask with")
    parser.add_argument("--windows", default="64,256", help="exchanges kept open, one step each")
    parser.add_argument("--rate", type=float, default=4000, help="exchanges per second of the last step; 0 for none")
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--restart", action="store_true", help="time starts with one lease for each client")
    parser.add_argument("--only", default="", help="servers that run, by name, with semicolons")
    parser.add_argument("--json", type=Path, help="add the rows to this file")
    asked = parser.parse_args()
    asked.windows = [int(word) for word in asked.windows.split(",")]
    only = [name for name in asked.only.split(";") if name]
    with link() as (server, client), tempfile.TemporaryDirectory() as folder:
        load = Load(build(Path(folder)), client, "client", SERVER, CLIENT)
        for number in range(asked.rounds):
            for mode in asked.modes.split(","):
                for clients in map(int, asked.clients.split(",")):
                    for contender in contenders(asked.cache):
                        if not only or contender.name in only:
                            row = {"round": number, **measure(contender, load, server, asked, mode, clients)}
                            print(line(row), flush=True)
                            if asked.json:
                                _add(asked.json, row)


def _add(path: Path, row: Row) -> None:
    rows = json.loads(path.read_text()) if path.exists() else []
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps([*rows, row], indent=1) + "\n")


if __name__ == "__main__":
    main()
