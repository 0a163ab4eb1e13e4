"""Four-way exchanges through the whole server but its sockets: one process, shipped plugins, the real store.

    python -m benchmarks.dhcp.in_process --clients 10000 --rounds 3

CPU time is what counts on a shared machine: that of the reactor's thread, and that of the process with the thread that
writes leases. The clients' own work, some 2 us per exchange, is in both.
"""

from __future__ import annotations

import argparse
import cProfile
import json
import pstats
import tempfile
import time
from collections import deque
from pathlib import Path
from typing import Any, Final

from benchmarks.dhcp.exchanges import Client, number_of
from provd.app.collector import settle
from provd.app.services import Services
from provd.model.dhcp import Destination
from provd.model.session import WAITING, BootSession
from provd.service.current import Current
from provd.service.dhcp_ports import Arrival
from provd.service.load import build_host, read
from provd.store.memory import MemoryStore
from provd.store.sqlite import SqliteStore

SERVER: Final = 0x0A000001
#: Datagrams that one wake-up of the socket hands over at most, and clients that wait for an answer.
BATCH: Final = 256
CONFIG: Final = """\
data_dir = "{folder}/data"
socket = "{folder}/provd.sock"
site_dir = "{folder}/site"
user = ""

[[interface]]
name = "eth0"

[[subnet]]
network = "10.0.0.0/8"
pool = "10.1.0.0-10.2.255.255"
routers = ["10.0.0.2"]
dns = ["10.0.0.3"]
"""


class Run:
    """One server, and clients that each make an exchange per round."""

    def __init__(self, folder: Path, reactor: Any, *, durable: bool, clients: int, pxe: bool, waiting: int = 0) -> None:
        path = folder / "provd.toml"
        path.write_text(CONFIG.format(folder=folder))
        (folder / "data").mkdir()
        loaded = read(path)
        self._reactor = reactor
        store: Any = MemoryStore(lambda function: function())
        if durable:
            store = SqliteStore(folder / "data" / "provd.db", deliver=reactor.callFromThread, wall=time.time)  # noqa: TID251  the root's clock
        self.store = store
        for number in range(waiting):
            store.sessions.save_session(_waits(number))
        host = build_host(loaded, path)
        current = Current(loaded.config, loaded.catalogue)
        self.services = Services(clock=reactor, current=current, host=host, store=store, send=self._send)
        self.services.load()
        self.services.dhcp.reconfigure(current.subnets, own=(SERVER,))
        self._arrival = Arrival("eth0", SERVER, addresses=(SERVER,))
        self._clients = [Client(number, SERVER, pxe=pxe) for number in range(clients)]
        self._requests: deque[bytes] = deque()
        self._next = self._waiting = self.done = 0
        self._ended: Any = None
        self._awake = False

    def _send(self, _interface: str, data: bytes, _destination: Destination, _local: int) -> None:
        if data[242] == 2:
            self._requests.append(self._clients[number_of(data)].request(data))
            self._wake()
            return
        self.done += 1
        self._waiting -= 1
        if self.done == len(self._clients):
            self._ended()
        else:
            self._wake()

    def round(self, ended: Any) -> None:
        """Every client makes one exchange; ``ended`` is called after the last one."""
        self._ended = ended
        self._next = self._waiting = self.done = 0
        self._wake()

    def _wake(self) -> None:
        if not self._awake:
            self._awake = True
            self._reactor.callLater(0, self._turn)

    def _turn(self) -> None:
        """What one turn of the reactor finds in the socket."""
        self._awake = False
        handle, arrival = self.services.dhcp.handle, self._arrival
        for _ in range(BATCH):
            if self._requests:
                handle(self._requests.popleft(), arrival)
            elif self._next < len(self._clients) and self._waiting < 4 * BATCH:
                self._waiting += 1
                self._next += 1
                handle(self._clients[self._next - 1].discover, arrival)
            else:
                return
        self._wake()


def _waits(number: int) -> BootSession:
    """A machine in the queue of installations."""
    now = time.time()  # noqa: TID251  as of the store
    mac = f"06:00:00:00:{number >> 8:02x}:{number & 255:02x}"
    return BootSession(
        f"{number:012x}", mac, f"web{number}", now, now, "config", "install", "web", "pxelinux", slot=WAITING,
        queued_at=now + number / 1000, subnet="10.0.0.0/8", source="provd",
    )  # fmt: skip


def without_timeline(services: Services) -> None:
    """What a provd without timelines would leave out: making, publishing and storing events."""
    sessions: Any = services.sessions
    sessions.note = lambda *_what, **_how: None
    bus: Any = services.bus
    bus.publish = lambda _event: None
    sessions._tell = bus.publish  # noqa: SLF001  it was handed over at the start


def measure(reactor: Any, run: Run, rounds: int, profile: cProfile.Profile | None) -> list[dict[str, float]]:
    """Run all rounds; returns one row per round."""
    rows: list[dict[str, float]] = []
    started: list[float] = []

    def begin() -> None:
        if profile is not None:
            profile.enable()
        started[:] = [time.monotonic(), time.thread_time(), time.process_time()]
        run.round(ended)

    def ended() -> None:
        took = [now - then for now, then in zip(_clocks(), started, strict=True)]
        per = [seconds / run.done * 1e6 for seconds in took]
        if profile is not None:
            profile.disable()
        rows.append(
            {"exchanges_s": 1e6 / per[0], "wall_us": per[0], "reactor_cpu_us": per[1], "process_cpu_us": per[2]}
        )
        reactor.callLater(0.1, begin if len(rows) < rounds else reactor.stop)

    settle()
    reactor.callWhenRunning(begin)
    reactor.run()
    return rows


def _clocks() -> tuple[float, float, float]:
    return time.monotonic(), time.thread_time(), time.process_time()


def main() -> None:
    """Read arguments, run, print a table and JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--clients", type=int, default=10_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--store", choices=("sqlite", "memory"), default="sqlite")
    parser.add_argument("--pxe", action="store_true", help="clients ask for a boot file")
    parser.add_argument("--no-timeline", action="store_true", help="note, publish and store no event of a boot")
    parser.add_argument("--waiting", type=int, default=0, help="machines in the queue of installations")
    parser.add_argument("--profile", action="store_true", help="print the functions that take longest")
    parser.add_argument("--json", type=Path, help="write the rows there too")
    asked = parser.parse_args()
    from twisted.internet import reactor  # noqa: TID251  a benchmark is its own root

    profile = cProfile.Profile() if asked.profile else None
    with tempfile.TemporaryDirectory() as folder:
        durable = asked.store == "sqlite"
        run = Run(Path(folder), reactor, durable=durable, clients=asked.clients, pxe=asked.pxe, waiting=asked.waiting)
        if len(run.services.admission.waiting()) != asked.waiting:
            parser.error("the queue does not hold these machines")
        if asked.no_timeline:
            without_timeline(run.services)
        rows = measure(reactor, run, asked.rounds, profile)
        errors = run.services.dhcp.counters.errors
        run.store.close()
    print(f"{asked.clients} clients, {asked.store}, {'PXE' if asked.pxe else 'plain'}, {errors} errors")
    for number, row in enumerate(rows):
        print(f"round {number}  " + "  ".join(f"{name} {value:,.1f}" for name, value in row.items()))
    if asked.json:
        asked.json.write_text(json.dumps({"arguments": vars(asked), "rows": rows}, default=str, indent=1))
    if profile is not None:
        pstats.Stats(profile).sort_stats("tottime").print_stats(45)


if __name__ == "__main__":
    main()
