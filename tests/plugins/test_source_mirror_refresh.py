"""The package mirror: what is asked for again, what is believed meanwhile, and what happens without upstream."""

from __future__ import annotations

import os
from hashlib import sha256
from pathlib import Path

import pytest

from provd.model.content import Content, FileBody, NotFound
from tests.fakes.mirror_world import DATE, DEB, PACKAGES, RELEASE, FakeStream, World, have, kept, refused


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


def test_an_index_is_asked_for_again_after_a_while_a_package_never(world: World) -> None:
    have(world, RELEASE, b"one", etag='"a"')
    have(world, DEB, b"p")
    world.now = 299.0
    assert world.octets(world.answer(RELEASE)) == [b"one"]
    world.now = 301.0
    world.runtime.streams.append(FakeStream(304))
    assert world.octets(world.answer(RELEASE)) == [b"one"]
    sent = world.runtime.asked[-1][1]
    assert (sent["If-Modified-Since"], sent["If-None-Match"], sent["Accept-Encoding"]) == (DATE, '"a"', "identity")
    world.now = 600.0
    assert world.octets(world.answer(RELEASE)) == [b"one"]
    world.now = 602.0
    have(world, RELEASE, b"two")
    world.now = 1e6
    assert world.octets(world.answer(DEB)) == [b"p"]
    assert len(world.runtime.asked) == 4


def test_a_changed_index_makes_the_others_be_asked_again(world: World) -> None:
    have(world, RELEASE, b"one")
    world.now = 200.0
    have(world, PACKAGES, b"old")
    world.now = 301.0
    have(world, RELEASE, b"two")
    have(world, PACKAGES, b"new")


def test_without_validators_an_index_that_did_not_change_leaves_the_others_alone(world: World) -> None:
    have(world, RELEASE, b"one", **{"last-modified": ""})
    have(world, PACKAGES, b"list", **{"last-modified": ""})
    os.utime(kept(world, RELEASE), (1e9, 1e9))
    world.now = 301.0
    have(world, RELEASE, b"one", **{"last-modified": ""})
    assert "If-Modified-Since" not in world.runtime.asked[-1][1]
    have(world, PACKAGES, b"list", **{"last-modified": ""})
    world.now = 600.0
    again = world.hook(RELEASE)
    assert isinstance(again, Content)
    assert (again.mtime, isinstance(again.body, FileBody)) == (1e9, True)
    assert len(world.runtime.asked) == 4


def test_after_a_restart_an_index_is_asked_for(world: World) -> None:
    have(world, RELEASE, b"one")
    have(world, DEB, b"p")
    again = World(world.root)
    assert again.octets(again.answer(DEB)) == [b"p"]
    again.runtime.streams.append(FakeStream(304))
    assert again.octets(again.answer(RELEASE)) == [b"one"]
    assert again.runtime.asked[0][1]["If-Modified-Since"] == DATE


def test_validators_of_another_upstream_are_not_sent(world: World) -> None:
    have(world, RELEASE, b"one")
    moved = World(world.root, "http://ELSEWHERE/debian")
    have(moved, RELEASE, b"two")
    assert "If-Modified-Since" not in moved.runtime.asked[0][1]


@pytest.mark.parametrize(
    ("path", "index"),
    [
        ("dists/bookworm/Release.gpg", True),
        ("dists/bookworm/main/binary-amd64/Packages.xz", True),
        ("dists/bookworm/main/by-hash/SHA256/0abc", False),
        ("dists/bookworm/main/installer-amd64/current/images/netboot/mini.iso", True),
        ("pool/main/l/linux/linux.udeb", False),
        ("9/BaseOS/x86_64/os/repodata/repomd.xml", True),
        (f"9/BaseOS/x86_64/os/repodata/{sha256(b'x').hexdigest()}-primary.xml.gz", False),
        ("9/BaseOS/x86_64/os/.treeinfo", True),
        ("9/BaseOS/x86_64/os/Packages/b/bash.rpm", False),
    ],
)
def test_which_files_change(world: World, path: str, index: bool) -> None:
    have(world, f"mirror/deb/{path}", b"x")
    world.now = 1e6
    world.runtime.streams.append(FakeStream(304))
    world.answer(f"mirror/deb/{path}")
    assert len(world.runtime.asked) == (2 if index else 1)


def test_without_upstream_the_old_copy_is_served(world: World) -> None:
    have(world, RELEASE, b"old")
    for trouble in (ConnectionError("refused"), TimeoutError("no answer"), FakeStream(503), FakeStream(403)):
        world.now += 400
        world.runtime.streams.append(trouble)
        assert world.octets(world.answer(RELEASE)) == [b"old"]
    assert world.runtime.streams == []
    world.now += 14
    assert world.octets(world.answer(RELEASE)) == [b"old"]
    assert len(world.runtime.asked) == 5
    world.runtime.streams.append(ConnectionError("refused"))
    lost = refused(world.answer(DEB))
    assert (lost.status, lost.reason) == (
        502,
        "mirror deb: pool/main/a/a_1+b~c.deb cannot be fetched: http://MIRROR/debian: refused",
    )


def test_a_broken_refresh_keeps_the_old_copy(world: World) -> None:
    have(world, RELEASE, b"old")
    world.now = 400.0
    world.runtime.streams.append(FakeStream(200, length=3).give(b"n", ConnectionError("reset")))
    assert isinstance(world.octets(world.answer(RELEASE))[-1], ConnectionError)
    world.runtime.streams.append(ConnectionError("refused"))
    assert world.octets(world.answer(RELEASE)) == [b"old"]


def test_offline_serves_what_is_there_and_asks_nobody(world: World) -> None:
    have(world, RELEASE, b"old")
    offline = World(world.root, offline=True)
    offline.now = 1e6
    assert offline.octets(offline.answer(RELEASE)) == [b"old"]
    assert refused(offline.hook(DEB)).reason == "mirror deb is offline and has no pool/main/a/a_1+b~c.deb"
    assert offline.runtime.asked == []


def test_a_miss_is_believed_for_a_short_time(world: World) -> None:
    world.runtime.streams.append(FakeStream(404))
    assert world.answer(DEB) == NotFound("mirror deb: upstream has no pool/main/a/a_1+b~c.deb")
    assert refused(world.hook(DEB)).status == 404
    world.now = 31.0
    have(world, DEB, b"x")
