"""Reload, stop and start of the whole server: what systemd is told, who is waited for, whose folders are taken."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterable
from pathlib import Path

import pytest
from twisted.internet.defer import Deferred
from twisted.internet.task import Clock

from provd.app.notify import Notifier
from provd.app.privileges import own, own_socket_folder
from provd.app.server import Server
from provd.model.event import Event
from provd.model.mac import Mac
from provd.model.system import Interface, System
from provd.plugin.contract import Inventory, Trigger
from provd.service.inventories import Inventories
from provd.service.systems import ChangeRefusedError, Systems
from provd.service.triggers import Triggers
from provd.store.interface import StaleWriteError, StoreError
from provd.store.memory import MemoryTriggerRuns
from tests.fakes.boot_world import FakeHost, FakeStates, FakeSystemStore

NOBODY = 65534


class SlowDisk(FakeSystemStore):
    """A store whose next write lands after its caller gave up."""

    slow = False

    def put(self, system: System, *, expected: str) -> System:
        current = self.systems[system.name].version if system.name in self.systems else ""
        if current != expected:
            raise StaleWriteError(f"system {system.name} was changed meanwhile")
        kept = super().put(system, expected=expected)
        if self.slow:
            self.slow = False
            raise StoreError("the store did not answer within 10 s")
        return kept


def test_a_write_that_landed_late_does_not_refuse_every_later_change(tmp_path: Path) -> None:
    store = SlowDisk()
    systems = Systems(
        store=store,
        host=FakeHost(tmp_path),
        states=FakeStates(),
        check=lambda _system, _others: (),
        publish=lambda _event: None,
        wall=lambda: 0.0,
    )
    systems.add(System("web1", interfaces=(Interface("eth0", Mac.parse("52:54:00:00:00:01")),)))
    store.slow = True
    with pytest.raises(ChangeRefusedError, match="did not answer"):
        systems.set_netboot("web1", wanted=False)
    systems.set_netboot("web1", wanted=False)
    found = systems.get("web1")
    assert found is not None
    assert not found.netboot


class Source:
    """An inventory of one machine."""

    def __init__(self, name: str) -> None:
        self.name, self.loads = name, 0

    async def load(self) -> Iterable[System]:
        self.loads += 1
        return (System(self.name, interfaces=(Interface("eth0", Mac.parse("52:54:00:00:00:01")),)),)


def test_a_reloaded_inventory_plugin_is_the_one_that_is_asked() -> None:
    clock, old, new = Clock(), Source("old"), Source("new")
    current = {"cmdb": Inventory("cmdb", 60.0, old.load)}
    told: dict[str, list[str]] = {}
    inventories = Inventories(
        lambda: current, lambda name, systems: told.update({name: [one.name for one in systems]}), clock
    )
    inventories.start()
    current["cmdb"] = Inventory("cmdb", 10.0, new.load)
    inventories.restart()
    assert told == {"cmdb": ["new"]}
    clock.advance(10)
    assert (old.loads, new.loads) == (1, 2)
    current.clear()
    inventories.restart()
    assert told == {"cmdb": []}


def test_hanging_triggers_are_waited_for_together_not_one_after_the_other() -> None:
    clock = Clock()

    async def hang(_event: Event) -> str:
        await Deferred()
        return ""

    names = ("a", "b", "c")
    triggers = Triggers(
        lambda: {name: Trigger(name, ("x",), 600.0, hang) for name in names},
        clock=clock,
        wall=clock.seconds,
        log=MemoryTriggerRuns(),
        publish=lambda _event: None,
    )
    triggers.on_event(Event("x", 0.0))
    ended: list[object] = []
    Deferred.fromCoroutine(triggers.drain(10.0)).addBoth(ended.append)
    clock.advance(10.0)
    assert ended == [None]
    assert not triggers.running


@pytest.mark.netns  # only root gives files away
def test_a_link_that_the_service_user_left_gives_it_no_foreign_file(tmp_path: Path) -> None:
    data, foreign = tmp_path / "data", tmp_path / "shadow"
    data.mkdir()
    os.chown(data, NOBODY, NOBODY)
    foreign.write_text("root's")
    (data / "provd.db").symlink_to(foreign)
    own([data, data / "provd.db"], "nobody")
    assert foreign.stat().st_uid == 0


@pytest.mark.netns
def test_a_folder_that_others_use_stays_theirs(tmp_path: Path) -> None:
    shared = tmp_path / "run"
    shared.mkdir()
    with socket.socket(socket.AF_UNIX) as other:
        other.bind(str(shared / "other.sock"))
        own_socket_folder(shared / "provd.sock", "nobody")
        assert shared.stat().st_uid == 0
    (shared / "other.sock").unlink()
    own_socket_folder(shared / "provd.sock", "nobody")
    assert shared.stat().st_uid != 0


class BrokenReloader:
    """A reload with a defect."""

    def reload(self) -> None:
        raise RuntimeError("a defect")


def test_a_reload_that_breaks_is_over_for_systemd(tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(str(tmp_path / "notify"))
        server = Server.__new__(Server)
        server._notifier = Notifier({"NOTIFY_SOCKET": str(tmp_path / "notify")}, Clock())
        server.reloader = BrokenReloader()  # type: ignore[assignment]
        with pytest.raises(RuntimeError):
            server.reload()
        assert manager.recv(4096).startswith(b"RELOADING=1")
        manager.settimeout(1)
        assert manager.recv(4096) == b"READY=1"
