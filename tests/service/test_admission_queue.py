"""Machines that must wait are told so by their loader, and let in one after the other, whatever happens meanwhile."""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast
from uuid import UUID

import pytest

from provd.app.operations import diagnoser_of, stalls_of
from provd.model.event import Event
from provd.model.mac import Mac
from provd.service.operations import plain
from provd.service.operations_boots import BootOperations, TraceQuery
from provd.service.operations_queue import QueueOperations
from provd.simulate.actions import HttpSend, TftpGet
from provd.simulate.boot import Transcript, simulate
from provd.simulate.firmware import Machine
from provd.testing.world import MACHINE
from tests.fakes.simulated_server import SimulatedServer

QUEUE = "[queue]\nper_subnet = 1\nwait_s = 20\n"
HALFWAY = ("started",)


def card(number: int) -> Mac:
    return Mac.parse(f"52:54:00:88:01:{number:02x}")


def machine(number: int) -> Machine:
    return replace(MACHINE, mac=card(number).octets, uuid=UUID(int=number))


class Wall:
    """The time of day."""

    at = 1_800_000_000.0


class Rack:
    """Machines of one profile in front of one server."""

    def __init__(self, root: Path, clock: Wall, more: str = QUEUE, many: int = 4) -> None:
        self.clock, self.more = clock, more
        self.server = SimulatedServer(root, more)
        self.seed = 0
        self.told: dict[int, Transcript] = {}
        for number in range(1, many + 1):
            self.server.add(f"web{number}", mac=card(number))

    def restart(self) -> None:
        """Another process over the same store."""
        old, root = self.server, self.server.root
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("provd.testing.world.MemoryStore", lambda _later: old.store)
            self.server = SimulatedServer(root, self.more)
        self.server._later = old._later

    def boot(self, number: int, firmware: Any = "bios", **more: Any) -> Transcript:
        self.seed += 1
        told = simulate(self.server, machine(number), firmware, seed=self.seed, **more)
        self.server.turn()
        self.told[number] = told
        return told

    def report(self, number: int, name: str) -> None:
        """What the installer of a machine says at its end."""
        installed = self.told[number].installed
        assert installed is not None
        where = f"{installed.callback}/{name}"
        assert self.server.http(HttpSend(where, "POST", {}, b"", source=installed.bound.address)).ok
        self.server.turn()

    def queue(self) -> list[dict[str, Any]]:
        services = self.server.services
        (listing,) = QueueOperations(services.admission, services.wall).operations()
        return cast("list[dict[str, Any]]", plain(listing.run(listing.arguments())))

    def states(self) -> list[tuple[str, str]]:
        return [(row["system"], row["state"]) for row in self.queue()]

    def kinds(self, number: int) -> list[str]:
        store = self.server.services.store.sessions
        (newest, *_) = store.sessions(mac=str(card(number)), limit=1)
        return [event.kind for event in store.events(newest.id)]


@pytest.fixture
def wall(monkeypatch: pytest.MonkeyPatch) -> Wall:
    made = Wall()
    monkeypatch.setattr("provd.app.services.time", SimpleNamespace(time=lambda: made.at, monotonic=time.monotonic))
    return made


@pytest.fixture
def rack(tmp_path: Path, wall: Wall) -> Rack:
    return Rack(tmp_path, wall)


@pytest.mark.parametrize("firmware", ["bios", "x64-uefi", "x64-uefi-http"])
def test_the_second_machine_waits_and_installs_when_the_first_has_finished(rack: Rack, firmware: str) -> None:
    assert rack.boot(1, firmware, reports=HALFWAY).outcome == "installed"
    told = rack.boot(2, firmware)
    assert told.outcome == "waiting"
    assert told.started is not None
    assert any("1 machine installs in subnet" in line for line in told.started.said)
    assert rack.states() == [("web2", "waiting"), ("web1", "running")]
    rack.report(1, "finished")
    assert rack.boot(2, firmware).outcome == "installed"
    assert rack.states() == []
    assert rack.kinds(2).count("queue.waiting") == 1
    assert "queue.admitted" in rack.kinds(2)


def test_the_order_is_that_of_coming_and_holds_for_whoever_asks_first(rack: Rack) -> None:
    rack.boot(1, reports=HALFWAY)
    for number in (2, 3):
        rack.clock.at += 1
        assert rack.boot(number).outcome == "waiting"
    rack.report(1, "finished")
    told = rack.boot(3)
    assert told.outcome == "waiting"
    assert told.started is not None
    assert any("number 2 of those that wait" in line for line in told.started.said)
    assert rack.boot(2, reports=HALFWAY).outcome == "installed"
    assert rack.states() == [("web3", "waiting"), ("web2", "running")]


def test_one_that_asks_no_more_is_passed(rack: Rack) -> None:
    rack.boot(1, reports=HALFWAY)
    rack.boot(2)
    rack.clock.at += 1
    rack.boot(3)
    rack.report(1, "finished")
    rack.clock.at += 3 * 20 + 31
    assert rack.boot(3).outcome == "installed"
    assert rack.states() == [("web2", "waiting")]
    rack.clock.at += 600
    assert rack.states() == []
    rack.server.turn()
    assert "queue.left" in rack.kinds(2)


@pytest.mark.parametrize("end", ["failed", "stalled", "expired", "removed", "another boot"])
def test_a_place_is_freed_by_whatever_ends_an_installation(rack: Rack, end: str) -> None:
    services = rack.server.services
    rack.boot(1, reports=HALFWAY)
    assert rack.boot(2).outcome == "waiting"
    match end:
        case "failed":
            rack.report(1, "failed")
        case "stalled":
            (running,) = services.admission.running()
            services.bus.publish(Event("session.stalled", rack.clock.at, running.id, "web1", running.mac))
            rack.server.turn()
        case "expired":
            rack.clock.at += 6 * 3600
        case "removed":
            services.systems.remove("web1")
            rack.server.turn()
        case _:
            services.systems.set_netboot("web1", wanted=False)
            assert rack.boot(1).outcome == "local"
    assert rack.boot(2).outcome == "installed"


def test_the_queue_survives_a_restart_in_its_order(rack: Rack) -> None:
    rack.boot(1, reports=HALFWAY)
    rack.boot(2)
    rack.clock.at += 1
    rack.boot(3)
    before = [(row["system"], row["state"], row["since"]) for row in rack.queue()]
    rack.restart()
    assert [(row["system"], row["state"], row["since"]) for row in rack.queue()] == before
    assert rack.boot(3).outcome == "waiting"
    rack.report(1, "finished")
    assert rack.boot(3).outcome == "waiting"
    assert rack.boot(2).outcome == "installed"


def test_one_that_is_edited_while_it_waits_gets_what_it_is_now(rack: Rack) -> None:
    rack.boot(1, reports=HALFWAY)
    assert rack.boot(2).outcome == "waiting"
    rack.boot(3)
    rack.server.services.systems.set_netboot("web2", wanted=False)
    # Its loader asks again, and boots its disk; the other is switched off and on.
    told = rack.told[2]
    assert told.started is not None
    again = rack.server.tftp(TftpGet(rack.server.server, told.started.config, (), source=told.address))
    assert b"LOCALBOOT" in again.body
    assert rack.states() == [("web3", "waiting"), ("web1", "running")]
    rack.server.services.systems.set_netboot("web3", wanted=False)
    assert rack.boot(3).outcome == "local"
    assert rack.states() == [("web1", "running")]


def test_a_cap_of_a_source_is_its_own(tmp_path: Path, wall: Wall) -> None:
    rack = Rack(tmp_path, wall, '[queue.sources]\n"http://10.88.0.9" = 2\n')
    assert [rack.boot(number, reports=HALFWAY).outcome for number in (1, 2, 3)] == ["installed", "installed", "waiting"]
    (first, *_) = rack.queue()
    assert first["reason"] == "2 machines install from http://10.88.0.9, and no more may at a time"


def test_the_trace_names_waiting_and_no_alarm_is_raised(rack: Rack) -> None:
    rack.boot(1, reports=HALFWAY)
    rack.boot(2)
    rack.clock.at += 240
    services = rack.server.services
    (session, *_) = services.store.sessions.sessions(mac=str(card(2)), limit=1)
    trace = BootOperations(
        services.store.sessions, services.systems, services.wall, diagnoser_of(services).findings
    ).trace(TraceQuery("web2"))
    assert isinstance(trace, dict)
    assert [one.rule for one in trace["findings"]] == ["waiting"]
    assert "waited 4 min" in trace["verdict"]
    stalls = stalls_of(services)
    stalls.look()
    rack.server.turn()
    assert "session.stalled" not in rack.kinds(2)
    assert session.slot == "waiting"


def test_a_configuration_without_caps_lets_everybody_in(tmp_path: Path, wall: Wall) -> None:
    rack = Rack(tmp_path, wall, "")
    assert [rack.boot(number, reports=HALFWAY).outcome for number in (1, 2, 3)] == ["installed"] * 3
    assert [state for _, state in rack.states()] == ["running"] * 3
