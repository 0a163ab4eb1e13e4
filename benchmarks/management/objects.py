"""Operations on 50,000 systems and 1,000 profiles through the operations table: one process, the real store and files.

    python -m benchmarks.management.objects --systems 50000 --profiles 1000 --record

Each figure is the time at the server, from arguments to result, without the socket. Every write is durable when it is
counted: one ``fsync`` of the disk is part of it.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import tempfile
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

from twisted.internet.defer import Deferred
from twisted.internet.task import Clock

from provd.app.operations import operations_of
from provd.app.services import Services
from provd.model.account import Caller
from provd.service.current import Current
from provd.service.load import build_host, read
from provd.store.sqlite import SqliteStore

RESULTS: Final = Path(__file__).parents[1] / "results"
CONFIG: Final = """\
data_dir = "{folder}/data"
site_dir = "{folder}/site"
socket = "{folder}/provd.sock"
user = ""
api_writes = true

[[interface]]
name = "eth0"

[[subnet]]
network = "10.0.0.0/8"
pool = "10.1.0.0-10.1.255.255"
"""
CALLER: Final = Caller("bench", "admin", via="json")


class _Running:
    """What the operations need of a server."""

    def __init__(self, services: Services) -> None:
        self.services = services

    listeners: Any = None
    rogue: Any = type("Rogue", (), {"problems": staticmethod(list), "as_dict": staticmethod(dict)})()

    async def in_thread(self, work: Any) -> Any:
        return work()

    json: Any = None

    def standing(self) -> tuple[()]:
        return ()

    def reload(self, *, dry_run: bool = False) -> Any:  # noqa: ARG002  as the operations call it
        raise RuntimeError("not measured")


class Server:
    """A provd without sockets in a folder of its own."""

    def __init__(self, folder: Path) -> None:
        path = folder / "provd.toml"
        path.write_text(CONFIG.format(folder=folder))
        (folder / "data").mkdir()
        loaded = read(path)
        self.clock = Clock()
        self.store = SqliteStore(folder / "data" / "provd.db", deliver=lambda work: work(), wall=time.time)  # noqa: TID251  the root's clock
        current = Current(loaded.config, loaded.catalogue)
        self.services = Services(
            clock=self.clock,
            current=current,
            host=build_host(loaded, path),
            store=self.store,
            send=lambda _interface, _data, _to, _local: None,
        )
        self.services.load()
        self.table = operations_of(_Running(self.services), {}, 0.0)

    def call(self, operation: str, /, **arguments: object) -> Any:
        """The result of an operation."""
        outcome: list[Any] = []
        Deferred.fromCoroutine(self.table.call(operation, arguments, caller=CALLER)).addBoth(outcome.append)
        if hasattr(outcome[0], "raiseException"):
            outcome[0].raiseException()
        return outcome[0]

    def timed(self, operation: str, /, **arguments: object) -> float:
        """Milliseconds of an operation; what it put off is done afterwards."""
        begun = time.perf_counter()
        self.call(operation, **arguments)
        took = (time.perf_counter() - begun) * 1000
        self.clock.advance(1)
        return took


def card(number: int) -> list[dict[str, str]]:
    """A network card of its own for each number."""
    return [{"mac": f"52:54:00:{number >> 16:02x}:{number >> 8 & 255:02x}:{number & 255:02x}"}]


def add_systems(server: Server, count: int) -> list[float]:
    """Milliseconds of every addition."""
    return [
        server.timed(
            "system.add", name=f"node{number:05}", profile="debian-12-server", interfaces=card(number),
            tags=[f"rack{number // 40}"], vars={"rack": {"row": number % 50}}, comment=f"machine {number}",
        )
        for number in range(count)
    ]  # fmt: skip


def asked(count: int) -> Mapping[str, tuple[str, Mapping[str, object]]]:
    """What is asked of the full server."""
    middle = f"node{count // 2:05}"
    return {
        "list, a page of 100": ("system.list", {"limit": 100, "cursor": middle}),
        "find by name": ("system.find", {"where": {"name": middle}}),
        "find by MAC": ("system.find", {"where": {"mac": card(count // 2)[0]["mac"]}}),
        "find name node123*": ("system.find", {"where": {"name": "node123*"}}),
        "find name *99": ("system.find", {"where": {"name": "*99"}}),
        "find name, nothing fits": ("system.find", {"where": {"name": "*nothing*"}}),
        "find MAC *:07:07": ("system.find", {"where": {"mac": "*:07:07"}}),
        "find tag, a page of 100": ("system.find", {"where": {"tags": "rack12*"}, "limit": 100}),
        "find a template value and a tag": ("system.find", {"where": {"vars.rack.row": 7, "tags": "rack12*"}}),
        "find state held": ("system.find", {"where": {"state": "held"}}),
        "show": ("system.show", {"name": middle}),
        "edit": ("system.edit", {"name": middle, "comment": "{}"}),
        "rename": ("system.rename", {"name": middle, "new": middle, "dry_run": True}),
        "check": ("check", {}),
        "export, a page of 100": ("system.export", {"limit": 100, "cursor": middle}),
    }


def measure(server: Server, count: int, rounds: int) -> dict[str, dict[str, float]]:
    """Median and longest of each question, in milliseconds."""
    found = {}
    for name, (operation, arguments) in asked(count).items():
        times = []
        for turn in range(rounds):
            now = {key: f"turn {turn}" if value == "{}" else value for key, value in arguments.items()}
            if operation == "system.rename":
                now["new"] = f"{arguments['new']}x"
            times.append(server.timed(operation, **now))
        found[name] = {"median": round(statistics.median(times), 2), "longest": round(max(times), 2)}
    return found


def first_and_last(times: list[float], width: int) -> dict[str, float]:
    """Medians of the first and of the last few."""
    first, last = statistics.median(times[:width]), statistics.median(times[-width:])
    return {"first": round(first, 3), "last": round(last, 3), "ratio": round(last / first, 2)}


def main() -> None:
    """Measure and print; with ``--record`` keep it."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--systems", type=int, default=50_000)
    parser.add_argument("--profiles", type=int, default=1_000)
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--record", action="store_true")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        server = Server(Path(folder))
        steps: dict[str, Callable[[], object]] = {
            "system.add": lambda: first_and_last(add_systems(server, options.systems), 500),
            "operations": lambda: measure(server, options.systems, options.rounds),
            "profile.add": lambda: first_and_last(
                [
                    server.timed("profile.add", name=f"p{number:04}", parent="debian-12-server")
                    for number in range(options.profiles)
                ],
                20,
            ),
        }
        result: dict[str, object] = {"systems": options.systems, "profiles": options.profiles, "cpus": os.cpu_count()}
        for name, step in steps.items():
            result[name] = step()
            print(name, json.dumps(result[name], indent=1), flush=True)
        server.store.close()
    if options.record:
        day = time.strftime("%Y-%m-%d")
        (RESULTS / f"management-{day}.json").write_text(json.dumps(result, indent=1) + "\n")


if __name__ == "__main__":
    main()
