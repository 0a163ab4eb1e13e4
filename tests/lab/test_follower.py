"""How long a machine is waited for: a file on its way is no standstill, however slow the machine is."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from provd.lab.errors import LabError
from provd.lab.follower import Follower
from provd.lab.story import INSTALLATION, Story

KINDS = ("dhcp.discover", "dhcp.offer", "dhcp.ack", "tftp.sent", "config.served", "kernel.fetched", "initrd.fetched")


class Scene:
    """A machine up to some event, and a clock that the follower's sleeping moves."""

    def __init__(self, folder: Path, kinds: tuple[str, ...], rate: int) -> None:
        self.now, self._kinds, self._rate = 0.0, kinds, rate
        self._packets = folder / "network.pcap"
        self._packets.write_bytes(b"")
        self.late: tuple[float, str] = (0.0, "")
        self.machine = SimpleNamespace(
            spec=SimpleNamespace(firmware="bios", mac="52:54:00:00:00:01"),
            directory=folder,
            qmp=SimpleNamespace(count=lambda _name: 0),
            running=lambda: True,
        )

    def monotonic(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += 10 * seconds
        with self._packets.open("r+b") as file:
            file.truncate(int(self._rate * self.now))

    def boots(self, _system: str) -> list[dict[str, object]]:
        return [{"session": "one"}]

    def events(self, _system: str, _session: str, after: int) -> list[dict[str, object]]:
        due, kind = self.late
        kinds = (*self._kinds, kind) if kind and self.now >= due else self._kinds
        rows = [
            {"id": number, "kind": one, "text": one, "fields": {"role": "loader"}}
            for number, one in enumerate(kinds, 1)
        ]
        return rows[after:]


def follower(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> Follower:
    monkeypatch.setattr("provd.lab.follower.time", scene)
    screen = SimpleNamespace(step=lambda *_words: None, progress=lambda *_words: None)
    steps = tuple(step for step in INSTALLATION if step.kind in KINDS or step.key == "power")[:8]
    assert steps[-1].key == "initrd"
    return Follower(cast("Any", screen), cast("Any", scene), cast("Any", scene.machine), Story(steps), "web1")


def test_an_initial_ram_disk_that_comes_slowly_is_waited_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    scene = Scene(tmp_path, KINDS[:-1], rate=50_000)
    scene.late = (900.0, "initrd.fetched")
    follower(scene, monkeypatch).follow()
    assert scene.now >= 900


@pytest.mark.parametrize("rate", [0, 100])
def test_a_machine_that_fetches_nothing_is_given_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, rate: int) -> None:
    """A few packets, as of a machine that asks for an address again and again, are no file."""
    scene = Scene(tmp_path, KINDS[:-1], rate=rate)
    with pytest.raises(LabError, match="nothing happened for 180 s"):
        follower(scene, monkeypatch).follow()
    assert scene.now < 200


def test_packets_are_no_progress_where_no_file_is_due(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    scene = Scene(tmp_path, KINDS[:1], rate=50_000)
    with pytest.raises(LabError, match="nothing happened for 60 s"):
        follower(scene, monkeypatch).follow()
