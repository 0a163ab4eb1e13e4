"""The package mirror when upstream breaks off, lies or is gone: ranges, the next upstream, digests, a proxy."""

from __future__ import annotations

from hashlib import sha256
from pathlib import Path

import pytest

from provd.model.content import Content
from tests.fakes.mirror_world import DATE, DEB, FakeStream, World, have, kept, unfinished

FIRST, SECOND = "http://ONE/debian", "http://TWO/debian"
RESET = ConnectionError("reset")


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


def _rest(start: int, octets: bytes, whole: int = 6, **headers: str) -> FakeStream:
    told = {"content-range": f"bytes {start}-{whole - 1}/{whole}", **headers}
    return FakeStream(206, told, len(octets)).give(octets, b"")


def test_a_broken_transfer_goes_on_where_it_broke(world: World) -> None:
    world.runtime.streams += [FakeStream(200, {"etag": '"1"'}, 6).give(b"ab", RESET), RESET, _rest(2, b"cdef")]
    assert world.octets(world.answer(DEB)) == [b"abcdef"]
    assert [headers.get("Range") for _, headers in world.runtime.asked] == [None, "bytes=2-", "bytes=2-"]
    assert world.runtime.asked[-1][1]["If-Range"] == '"1"'
    assert (kept(world, DEB).read_bytes(), world.status()["errors"]) == (b"abcdef", 0)


def test_a_body_that_ends_early_goes_on(world: World) -> None:
    world.runtime.streams += [FakeStream(200, {"etag": '"1"'}, 6).give(b"abcd", b""), _rest(4, b"ef")]
    assert world.octets(world.answer(DEB)) == [b"abcdef"]


def test_a_date_is_a_validator_where_it_is_older_than_the_answer(world: World) -> None:
    later = "Tue, 14 Nov 2023 22:13:21 GMT"
    world.runtime.streams += [FakeStream(200, {"date": later}, 6).give(b"ab", RESET), _rest(2, b"cdef")]
    assert world.octets(world.answer(DEB)) == [b"abcdef"]
    assert world.runtime.asked[-1][1]["If-Range"] == DATE


@pytest.mark.parametrize("headers", [{}, {"etag": 'W/"1"'}, {"date": DATE}])
def test_without_a_strong_validator_nothing_is_resumed(world: World, headers: dict[str, str]) -> None:
    world.runtime.streams.append(FakeStream(200, headers, 6).give(b"ab", RESET))
    assert isinstance(world.octets(world.answer(DEB))[-1], ConnectionError)
    assert (len(world.runtime.asked), unfinished(world)) == (1, [])


@pytest.mark.parametrize(
    "other", [FakeStream(200, length=6), _rest(2, b"cdef", whole=7), _rest(3, b"def"), FakeStream(206, length=4)]
)
def test_the_rest_of_another_file_is_never_joined(world: World, other: FakeStream) -> None:
    world.runtime.streams += [FakeStream(200, {"etag": '"1"'}, 6).give(b"ab", RESET), other]
    assert isinstance(world.octets(world.answer(DEB))[-1], ConnectionError)
    assert (other.closed, kept(world, DEB).exists(), len(world.runtime.asked)) == (True, False, 2)
    assert world.status()["last_error"].endswith("reset")


def test_trying_again_ends(world: World) -> None:
    world.runtime.streams += [FakeStream(200, {"etag": '"1"'}, 60).give(b"ab", RESET), RESET, RESET, RESET, RESET]
    assert isinstance(world.octets(world.answer(DEB))[-1], ConnectionError)
    assert len(world.runtime.asked) == 5


def test_an_upstream_that_breaks_off_after_every_octet_ends(world: World) -> None:
    world.runtime.streams.append(FakeStream(200, {"etag": '"1"'}, 60).give(b"a", RESET))
    for start in range(1, 40):
        told = {"content-range": f"bytes {start}-59/60"}
        world.runtime.streams.append(FakeStream(206, told, 60 - start).give(b"a", RESET))
    assert isinstance(world.octets(world.answer(DEB))[-1], ConnectionError)
    assert len(world.runtime.asked) == 21


def test_the_next_upstream_is_asked_where_one_fails_and_stays_first_for_a_minute(tmp_path: Path) -> None:
    world = World(tmp_path, (FIRST, SECOND))
    world.runtime.streams.append(ConnectionError("refused"))
    have(world, DEB, b"abc")
    have(world, "mirror/deb/pool/b.deb", b"abc")
    world.now = 61.0
    have(world, "mirror/deb/pool/c.deb", b"abc")
    hosts = [url.split("/")[2] for url, _ in world.runtime.asked]
    assert hosts == ["ONE", "TWO", "TWO", "ONE"]
    assert world.status()["upstream"] == [FIRST, SECOND]


def test_what_the_first_upstream_lacks_comes_from_the_next(tmp_path: Path) -> None:
    world = World(tmp_path, (FIRST, SECOND))
    world.runtime.streams.append(FakeStream(404))
    have(world, DEB, b"abc")
    assert [url.split("/")[2] for url, _ in world.runtime.asked] == ["ONE", "TWO"]


def test_a_part_that_nobody_asked_for_is_refused(tmp_path: Path) -> None:
    world = World(tmp_path, (FIRST, SECOND))
    part = FakeStream(206, length=1)
    world.runtime.streams.append(part)
    have(world, DEB, b"abc")
    assert part.closed


@pytest.mark.parametrize("form", ["dists/x/main/by-hash/SHA256/{}", "9/repodata/{}-primary.xml.gz"])
def test_a_file_named_by_its_digest_must_have_it(world: World, form: str) -> None:
    path = "mirror/deb/" + form.format(sha256(b"abc").hexdigest())
    wrong = FakeStream(200, length=3).give(b"xyz")
    world.runtime.streams.append(wrong)
    pieces = world.octets(world.answer(path))
    wrong.give(b"")
    assert pieces[0] == b"xy", "nobody gets a whole body that is wrong"
    assert isinstance(pieces[-1], ConnectionError)
    assert "its SHA-256 is" in world.status()["last_error"]
    assert not kept(world, path).exists()
    world.runtime.streams.append(FakeStream(200, length=3).give(b"abc", b""))
    found = world.answer(path)
    assert isinstance(found, Content)
    right = world.octets(found)
    assert b"".join(piece for piece in right if isinstance(piece, bytes)) == b"abc"


def test_the_proxy_is_told_for_every_request(tmp_path: Path) -> None:
    world = World(tmp_path, proxy="http://PROXY:3128")
    have(world, DEB, b"abc")
    assert world.runtime.proxies == ["http://PROXY:3128"]
