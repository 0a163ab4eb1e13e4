"""Kills a serving provd again and again and asks its clients, and its store, what became of their leases."""

from __future__ import annotations

import random
import signal
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from ipaddress import IPv4Address
from pathlib import Path

from tests.app.running_server import RunningServer
from tests.fakes.dhcp_load import DhcpLoad, mac_of
from tests.faults.serving import api, many_clients

_HUNT_S = 2.0
_CLIENTS = 50_000


def stored(server: RunningServer) -> dict[str, str]:
    """Running leases as the service tells them: address to hardware address."""
    rows = api(server).call("lease.list")
    return {row["address"]: row["mac"] for row in rows if row["state"] == "bound"}


def lost(server: RunningServer, load: DhcpLoad) -> list[str]:
    """Acknowledged leases that the service does not know, one sentence each."""
    known = stored(server)
    wanted = {str(IPv4Address(address)): mac_of(number).hex(":") for number, address in load.held.items()}
    return [f"{address} of {mac} is lost" for address, mac in wanted.items() if known.get(address) != mac]


@dataclass
class Kills:
    """What many kills came to.

    Attributes:
        kills: SIGKILLs.
        while_serving: those that hit a server with requests on their way.
        while_rewriting: those sent the moment the store began to move what it had appended.
        while_starting: those that hit a server on its way up.
        offers_s: seconds from each restart to the first OFFER.
        faults: what must not happen, one sentence each.
    """

    kills: int = 0
    while_serving: int = 0
    while_rewriting: int = 0
    while_starting: int = 0
    acks: int = 0
    offers_s: list[float] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)

    def text(self) -> str:
        """One line for people."""
        ordered = sorted(self.offers_s)
        return (
            f"{self.kills} kills ({self.while_serving} while serving, {self.while_rewriting} of them while the store "
            f"was rewritten, {self.while_starting} while starting), {self.acks} ACKs, {len(self.faults)} faults; restart "
            f"to first OFFER: median {ordered[len(ordered) // 2]:.2f} s, longest {ordered[-1]:.2f} s"
        )


class Rewriting:
    """Whether the store moves what it had appended: a file came, went or shrank, or the database itself changed."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._before = self._look()

    def __call__(self) -> bool:
        """Look again."""
        before, self._before = self._before, self._look()
        if before.keys() != self._before.keys():
            return True
        database = self._folder / "provd.db"
        shrunk = any(self._before[path][0] < size for path, (size, _) in before.items())
        return shrunk or before.get(database) != self._before.get(database)

    def _look(self) -> dict[Path, tuple[int, int]]:
        found: dict[Path, tuple[int, int]] = {}
        for path in self._folder.glob("provd.db*"):
            try:
                status = path.stat()
            except FileNotFoundError:
                continue
            found[path] = status.st_size, status.st_mtime_ns
        return found


def kill_many(
    folder: Path, count: int, *, seed: int, told: Callable[[str], None] = lambda _line: None, audit_every: int = 25
) -> Kills:
    """Serve, kill, restart, ``count`` times.

    Args:
        folder: empty.
        count: kills.
        seed: of the moments.
        told: gets a line of progress every now and then.
        audit_every: kills between two comparisons of every lease; the last one is always followed by one.
    """
    pick, result = random.Random(seed), Kills()
    server = many_clients(folder)
    load = DhcpLoad(server.dhcp, seed=seed, most=_CLIENTS)
    try:
        server.start()
        for number in range(count):
            _kill_once(server, load, pick, result)
            if (number + 1) % audit_every == 0 or number + 1 == count:
                server.wait_for("ready: DHCP on lo")
                result.faults += lost(server, load)
                result.acks = load.acks
                told(result.text())
    finally:
        load.close()
        server.stop(signal.SIGKILL)
    result.acks = load.acks
    result.faults += load.faults
    return result


def _kill_once(server: RunningServer, load: DhcpLoad, pick: random.Random, result: Kills) -> None:
    load.latest.clear()
    hunts, caught = pick.random() < 0.4, False
    kill_at = time.monotonic() + (_HUNT_S if hunts else pick.uniform(0.02, 0.35))
    rewriting = Rewriting(server.folder / "data")

    def ended() -> bool:
        nonlocal caught
        caught = hunts and rewriting()
        return caught or time.monotonic() >= kill_at

    load.run(ended)
    if caught:
        time.sleep(pick.uniform(0.0, 0.004))
    _kill(server, load, result)
    result.while_serving += 1
    result.while_rewriting += caught
    if pick.random() < 0.2:
        server.spawn()
        time.sleep(pick.uniform(0.0, 0.5))
        _kill(server, load, result)
        result.kills -= 1
        result.while_starting += 1
    since = time.monotonic()
    server.log.write_text("")
    server.spawn()
    result.offers_s.append(load.first_offer(since, told=server.text))
    # Who was acknowledged last is in the greatest danger.
    load.confirm(load.latest[-64:])


def _kill(server: RunningServer, load: DhcpLoad, result: Kills) -> None:
    assert server.process is not None
    assert not server.ended(), server.text()
    server.process.kill()
    server.process.wait(15)
    load.lose()
    result.kills += 1
