"""Transfers as steps and events of a boot (rows 15, 17 and 26)."""

from __future__ import annotations

from pathlib import Path

import pytest

from provd.model.content import FileRequest
from provd.service.file_events import FileEvents
from tests.fakes.boot_world import ADDRESS, BootWorld


class World(BootWorld):
    """The boot world with listeners that tell what they saw."""

    def __init__(self, payload_dir: Path) -> None:
        super().__init__(payload_dir)
        self.file_events = FileEvents(
            sessions=self.sessions,
            boot_of=self.sessions.of_address,
            is_config=lambda path: path.startswith("fake.cfg/"),
            fetched_all=self.fetched_all,
        )

    def saw(self, kind: str, path: str, *, peer: str = ADDRESS, method: str = "GET", **fields: object) -> None:
        self.file_events.on_event(kind, FileRequest("tftp", path, peer, "10.0.0.1", method=method), fields)


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


def test_loader_kernel_and_initrd_are_steps_and_the_last_one_counts_an_attempt(world: World) -> None:
    boot = world.discover()
    assert boot.plan is not None
    world.saw("tftp.sent", "fakelinux.0", bytes=10)
    assert boot.session.step == "loader"
    world.saw("http.sent", boot.plan.kernel, bytes=50)
    assert boot.session.step == "kernel"
    assert world.states.get("web1").attempts == 0
    for _ in range(2):
        world.saw("http.sent", boot.plan.initrd[0], bytes=100)
    assert boot.session.step == "initrd"
    assert world.states.get("web1").attempts == 1
    assert [kind for kind in world.kinds() if kind.endswith(".fetched")] == [
        "kernel.fetched",
        "initrd.fetched",
        "initrd.fetched",
    ]


def test_a_broken_transfer_and_a_HEAD_are_no_steps(world: World) -> None:
    boot = world.discover()
    assert boot.plan is not None
    world.saw("tftp.aborted", "fakelinux.0")
    world.saw("http.sent", boot.plan.kernel, method="HEAD")
    assert boot.session.step == "discover"
    assert world.kinds()[-1] == "tftp.aborted"


def test_expected_misses_of_a_search_order_are_no_events(world: World) -> None:
    world.discover()
    before = len(world.events)
    world.saw("tftp.missed", "fake.cfg/01-00", reason="not this machine", expected=True)
    assert len(world.events) == before
    world.saw("tftp.missed", "nosuch.c32", reason="nobody serves it", expected=False)
    assert world.events[-1].fields == {
        "path": "nosuch.c32",
        "role": "loader",
        "reason": "nobody serves it",
        "expected": False,
    }


def test_row_26_packages_are_counted_and_summed_up_not_kept_one_by_one(world: World) -> None:
    boot = world.discover()
    assert boot.plan is not None
    token = world.text("fake.cfg/default").split("answer/")[1].split("/")[0]
    world.saw("http.sent", boot.plan.kernel)
    for number in range(1000):
        world.saw("http.request", f"mirror/pool/{number}.deb")
        world.saw("http.sent", f"mirror/pool/{number}.deb", bytes=10)
    world.post("finished", token=token)
    told = [event for event in world.events if event.kind.startswith("package.")]
    assert [(event.kind, dict(event.fields)) for event in told] == [
        ("package.first", {"path": "mirror/pool/0.deb"}),
        ("package.summary", {"files": 1000, "bytes": 10_000}),
    ]


@pytest.mark.parametrize("end", ["http.sent", "http.partial", "http.failed", "http.missed"])
def test_what_the_installer_fetches_is_known_until_it_has_left(world: World, end: str) -> None:
    boot = world.discover()
    assert boot.plan is not None
    world.saw("http.sent", boot.plan.kernel)
    world.now += 500.0
    world.saw("http.request", "mirror/live.iso")
    assert world.sessions.fetches(boot.session.id)
    assert boot.session.last_at == world.now
    world.saw("http.request", "mirror/live.iso", method="HEAD")
    world.saw("http.missed", "mirror/other", method="HEAD")
    assert world.sessions.fetches(boot.session.id)
    world.saw(end, "mirror/live.iso", bytes=10, expected=end == "http.missed")
    assert not world.sessions.fetches(boot.session.id)


def test_a_peer_that_nobody_knows_is_no_part_of_any_boot(world: World) -> None:
    world.discover()
    before = len(world.events)
    world.saw("tftp.sent", "fakelinux.0", peer="10.0.0.250")
    assert len(world.events) == before
