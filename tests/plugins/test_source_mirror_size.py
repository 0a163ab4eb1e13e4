"""The package mirror: its size, what leaves, what is fetched before and removed after."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.fakes.mirror_world import DEB, RELEASE, FakeStream, World, have, kept, refused, unfinished

MB = 10**6
A, B, C = (f"mirror/deb/pool/{name}.deb" for name in "abc")


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path, max_mb=2)


def _age(world: World, path: str, used: float) -> None:
    os.utime(world.root / "mirror/deb/facts" / (path.removeprefix("mirror/deb/") + ".json"), (used, used))


def test_what_was_used_longest_ago_leaves(world: World) -> None:
    have(world, A, b"a" * (MB - 1000))
    have(world, B, b"b" * (MB - 1000))
    assert (kept(world, A).exists(), kept(world, B).exists()) == (True, True)
    _age(world, A, 1000)
    _age(world, B, 2000)
    world.hook(A)
    have(world, C, b"c" * 5000)
    assert [kept(world, one).exists() for one in (A, B, C)] == [True, False, True]
    assert (world.status()["evicted"], world.status()["files"]) == (1, 2)
    assert not (world.root / "mirror/deb/facts/pool/b.deb.json").exists()
    have(world, B, b"again")


def test_a_file_larger_than_the_limit_is_given_out_and_stays_alone(world: World) -> None:
    have(world, A, b"a")
    have(world, B, b"b" * (3 * MB))
    assert [kept(world, one).exists() for one in (A, B)] == [False, True]


def test_after_a_restart_the_size_is_counted(world: World, tmp_path: Path) -> None:
    have(world, A, b"a" * (2 * MB - 10))
    _age(world, A, 1000)
    again = World(tmp_path, max_mb=2)
    have(again, B, b"b" * 20)
    assert [kept(world, one).exists() for one in (A, B)] == [False, True]


def test_what_is_being_fetched_is_spared(world: World) -> None:
    have(world, RELEASE, b"r" * MB)
    _age(world, RELEASE, 1000)
    world.now = 1000
    stream = FakeStream(200, length=1)
    world.runtime.streams.append(stream)
    world.ask(RELEASE)
    have(world, A, b"a" * MB)
    have(world, B, b"b" * MB)
    assert [kept(world, one).exists() for one in (RELEASE, A, B)] == [True, False, True]


def test_without_a_limit_nothing_leaves(tmp_path: Path) -> None:
    world = World(tmp_path)
    have(world, A, b"a" * (3 * MB))
    have(world, B, b"b" * (3 * MB))
    assert (world.status()["files"], world.status()["evicted"]) == (2, 0)


def test_purge_removes_a_file_a_directory_or_all(world: World) -> None:
    for path in (A, B, "mirror/deb/pool/ab/x.deb", "mirror/deb/poolside.deb", RELEASE):
        have(world, path, b"abc")
    assert world.run("mirror.purge", name="deb", dry_run=True) == {"name": "deb", "files": 5, "bytes": 15}
    assert kept(world, A).exists()
    assert world.run("mirror.purge", name="deb", path="pool/a.deb") == {"name": "deb", "files": 1, "bytes": 3}
    assert world.run("mirror.purge", name="deb", path="/pool/")["files"] == 2
    assert kept(world, "mirror/deb/poolside.deb").exists()
    assert world.run("mirror.purge", name="deb", path="../../../etc")["files"] == 0
    assert world.run("mirror.purge", name="deb") == {"name": "deb", "files": 2, "bytes": 6}
    assert world.status()["files"] == 0


def test_c20_purge_follows_no_link(world: World, tmp_path: Path) -> None:
    have(world, A, b"abc")
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "precious").write_text("x")
    (world.root / "mirror/deb/tree/link").symlink_to(outside)
    assert world.run("mirror.purge", name="deb")["files"] == 1
    assert (outside / "precious").exists()


def test_prefetch_fetches_and_tells_what_failed(world: World) -> None:
    streams = [FakeStream(200, length=3).give(b"abc", b""), FakeStream(404), FakeStream(200, length=9).give(b"a", b"")]
    world.runtime.streams += streams
    paths = ("pool/a.deb", "/pool/b.deb", "pool/c.deb", "../x")
    told = world.run("mirror.prefetch", name="deb", paths=paths, wait=True)
    assert (told["total"], told["done"], told["failed"]) == (4, 4, 3)
    assert [why.partition(":")[0] for why in told["failures"]] == ["mirror deb", "pool/c.deb", "mirror deb"]
    assert kept(world, A).read_bytes() == b"abc"
    assert (world.status()["prefetched"], unfinished(world)) == ("4 of 4", [])


def test_a_dry_run_of_prefetch_asks_nobody(world: World) -> None:
    have(world, A, b"abc")
    told = world.run("mirror.prefetch", name="deb", paths=("pool/a.deb", "pool/b.deb", "../x"), dry_run=True)
    assert (told["total"], told["done"], len(world.runtime.asked)) == (3, 1, 1)


def test_prefetch_does_not_wait_and_one_list_is_enough(world: World) -> None:
    stream = FakeStream(200, length=3)
    world.runtime.streams.append(stream)
    assert world.run("mirror.prefetch", name="deb", paths=("pool/a.deb",))["done"] == 0
    with pytest.raises(ValueError, match="prefetches already"):
        world.run("mirror.prefetch", name="deb", paths=("pool/b.deb",))
    stream.give(b"abc", b"")
    assert world.status()["prefetched"] == "1 of 1"


def test_what_was_prefetched_is_served_with_upstream_gone(world: World) -> None:
    world.runtime.streams.append(FakeStream(200, length=3).give(b"abc", b""))
    world.run("mirror.prefetch", name="deb", paths=(DEB.removeprefix("mirror/deb/"),), wait=True)
    world.runtime.streams.append(ConnectionError("gone"))
    assert world.octets(world.answer(DEB)) == [b"abc"]
    assert refused(world.answer("mirror/deb/pool/other.deb")).status == 502


@pytest.mark.parametrize("operation", ["mirror.prefetch", "mirror.purge"])
def test_operations_name_the_mirror_that_is_missing(world: World, operation: str) -> None:
    arguments = {"paths": ("a",)} if operation == "mirror.prefetch" else {}
    with pytest.raises(ValueError, match="there is no mirror 'x'"):
        world.run(operation, name="x", **arguments)


def test_an_offline_mirror_prefetches_nothing(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="is offline"):
        World(tmp_path, offline=True).run("mirror.prefetch", name="deb", paths=("a",))


def test_waiting_for_a_prefetch_ends_before_the_client_gives_up(world: World) -> None:
    world.runtime.streams.append(FakeStream(200, length=3))
    told = world.run("mirror.prefetch", name="deb", paths=("pool/a.deb",), wait=True)
    assert (told["done"], told["total"], len(world.runtime.slept)) == (0, 1, 80)
