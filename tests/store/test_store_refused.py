"""Sessions that a full disk or a full queue refused: no later one is put beside them where nobody writes it."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from provd.model.lease import Lease
from provd.model.session import BootSession
from provd.model.system import InstallState
from provd.store import sqlite_writer
from provd.store.interface import StoreError
from provd.store.sqlite import SqliteStore
from tests.fakes.slow_store import NOW, Slow


class Ailing(Slow):
    """One whose disk is full, too, where the test says so."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self._well = self.writer._carry_out

    def full(self) -> None:
        def refuse(*_units: object) -> None:
            raise sqlite3.OperationalError("database or disk is full")

        self.writer._carry_out = refuse  # type: ignore[method-assign,assignment]

    def well(self) -> None:
        self.writer._carry_out = self._well  # type: ignore[method-assign]

    def told(self) -> None:
        """The owning thread hears what became of everything so far."""
        ends = time.monotonic() + 10
        while not self.turns and time.monotonic() < ends:
            time.sleep(0.001)
        while self.turns:
            self.turns.popleft()()

    def durable_boot(self) -> BootSession | None:
        """The record of the boot ``s1`` as the next start finds it."""
        store = self.again()
        found = store.sessions.session("s1")
        store.close()
        return found

    def again(self) -> SqliteStore:
        """What is durable."""
        self.close()
        return SqliteStore(self.path, deliver=lambda _work: None, wall=lambda: NOW)


@pytest.fixture
def ailing(tmp_path: Path) -> Iterator[Ailing]:
    made = Ailing(tmp_path)
    yield made
    made.close()


def boot(step: str, name: str = "s1") -> BootSession:
    return BootSession(name, "m", started_at=NOW, last_at=NOW, step=step)


def test_a_boot_goes_on_after_the_disk_was_full(ailing: Ailing) -> None:
    sessions = ailing.store.sessions
    ailing.full()
    sessions.save_session(boot("offer"))
    ailing.told()
    ailing.well()
    sessions.save_session(boot("ack"))
    ailing.told()
    assert list(sessions._sessions.pending()) == []
    assert ailing.durable_boot() == boot("ack")


def test_what_a_full_disk_refused_is_written_by_the_next_chance(ailing: Ailing) -> None:
    sessions = ailing.store.sessions
    ailing.full()
    sessions.save_session(boot("offer"))
    ailing.told()
    ailing.well()
    sessions.keep(("dhcp.offer", NOW, "s2", "", "m", {}))
    sessions.flush()
    ailing.told()  # the event is durable, so the session is handed over once more
    ailing.told()
    assert list(sessions._sessions.pending()) == []
    assert ailing.durable_boot() == boot("offer")


def test_a_boot_goes_on_after_the_queue_was_full(ailing: Ailing, monkeypatch: pytest.MonkeyPatch) -> None:
    sessions = ailing.store.sessions
    ailing.hold()
    monkeypatch.setattr(sqlite_writer, "BACKLOG", 0)
    sessions.save_session(boot("offer"))
    ailing.told()
    monkeypatch.undo()
    sessions.save_session(boot("ack"))
    assert ailing.durable_boot() == boot("ack")


def test_what_was_refused_is_tried_once_more_when_the_store_closes(ailing: Ailing) -> None:
    ailing.full()
    ailing.store.installs.put("web1", InstallState("installed"))
    ailing.store.sessions.save_session(boot("finished"))
    ailing.told()
    ailing.well()
    store = ailing.again()
    assert store.installs.get("web1").state == "installed"
    assert store.sessions.session("s1") == boot("finished")
    store.close()


def test_a_state_that_was_waited_for_is_on_the_disk_and_a_full_disk_is_told(ailing: Ailing) -> None:
    installs = ailing.store.installs
    ailing.full()
    installs.put("web1", InstallState("installed"))
    with pytest.raises(StoreError, match="full"):
        installs.sync("web1")
    assert installs.get("web1").state == "installed"
    ailing.well()
    installs.sync("web1")
    other = sqlite3.connect(ailing.path)
    assert other.execute("SELECT system FROM installs").fetchall() == [("web1",)]
    other.close()


def test_a_full_disk_is_told_once_and_not_with_every_lease_that_its_log_had_room_for(ailing: Ailing) -> None:
    lines: list[str] = []
    ailing.store.sessions._database.log.error = lambda text, **fields: lines.append(text.format(**fields))  # type: ignore[method-assign]
    ailing.full()
    ailing.store.sessions.save_session(boot("offer"))
    ailing.told()
    for address in range(1, 20):
        ailing.store.leases.commit([Lease(address, "lan", b"\2\0\0\0\0\1")], [], lambda _error: None)
        ailing.told()
        ailing.told()
    assert [line.partition(":")[0] for line in lines] == ["sessions wait for the disk"]
    ailing.well()
    ailing.store.sessions.save_session(boot("ack"))
    ailing.told()
    ailing.full()
    ailing.store.sessions.save_session(boot("config"))
    ailing.told()
    assert len(lines) == 2
    ailing.well()
