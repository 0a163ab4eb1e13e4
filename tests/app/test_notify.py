"""sd_notify: what the service manager hears."""

from __future__ import annotations

import socket
from contextlib import suppress
from pathlib import Path
from threading import Thread

from twisted.internet.task import Clock

from provd.app.notify import Notifier


def heard(channel: socket.socket) -> list[str]:
    """Everything that has arrived."""
    found = []
    while True:
        try:
            found.append(channel.recv(4096).decode())
        except BlockingIOError:
            return found


def test_ready_watchdog_reload_and_stop_reach_the_manager(tmp_path: Path) -> None:
    path = tmp_path / "notify"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(str(path))
        manager.setblocking(False)
        clock = Clock()
        notifier = Notifier({"NOTIFY_SOCKET": str(path), "WATCHDOG_USEC": "2000000"}, clock)
        notifier.ready("2 interfaces")
        assert heard(manager) == ["READY=1\nSTATUS=2 interfaces", "WATCHDOG=1"]
        clock.advance(1)
        assert heard(manager) == ["WATCHDOG=1"]
        notifier.reloading()
        (reloading,) = heard(manager)
        assert reloading.startswith("RELOADING=1\nMONOTONIC_USEC=")
        notifier.stopping()
        clock.advance(5)
        assert heard(manager) == ["STOPPING=1"]


def test_without_a_manager_nothing_happens() -> None:
    clock = Clock()
    Notifier({}, clock).ready("x")
    assert clock.getDelayedCalls() == []


def test_a_manager_that_is_away_does_not_stop_the_heart_beat(tmp_path: Path) -> None:
    clock = Clock()
    notifier = Notifier({"NOTIFY_SOCKET": str(tmp_path / "gone"), "WATCHDOG_USEC": "2000000"}, clock)
    notifier.ready("x")
    clock.advance(5)
    assert len(clock.getDelayedCalls()) == 1


def test_a_service_manager_that_reads_nothing_stops_nobody(tmp_path: Path) -> None:
    """systemd that has frozen after a fault of its own: its socket is there, and full some hours later."""
    path = tmp_path / "notify"
    with (
        socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager,
        socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as other,
    ):
        manager.bind(str(path))
        other.setblocking(False)
        with suppress(BlockingIOError):
            while True:
                other.sendto(b"WATCHDOG=1", str(path))
        notifier = Notifier({"NOTIFY_SOCKET": str(path)}, Clock())

        def tell() -> None:
            notifier.send(WATCHDOG="1")
            notifier.stopping()

        work = Thread(target=tell, daemon=True)
        work.start()
        work.join(5)
        assert not work.is_alive()
