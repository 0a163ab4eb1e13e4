"""The package mirror: one fetch for all, what is kept, what is refused."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest
from twisted.internet.defer import Deferred

from provd.model.boot import Action, BootPlan
from provd.model.client import ClientFacts
from provd.model.content import Content, FileBody
from provd.model.mac import Mac
from provd.plugin.api import HttpStream
from tests.fakes.mirror_world import DEB, RELEASE, FakeStream, World, have, kept, refused, unfinished


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


def test_a_file_is_fetched_once_and_then_served_from_the_disk(world: World) -> None:
    world.runtime.streams.append(FakeStream(200, length=6).give(b"abc", b"def", b""))
    first = world.answer(DEB)
    assert world.octets(first) == [b"abcdef"]
    assert isinstance(first, Content)
    assert (first.length, first.mtime) == (6, 1_700_000_000.0)
    second = world.hook(DEB)
    assert isinstance(second, Content)
    assert isinstance(second.body, FileBody)
    assert (second.length, second.mtime) == (6, 1_700_000_000.0)
    assert [url for url, _ in world.runtime.asked] == ["http://MIRROR/debian/pool/main/a/a_1+b~c.deb"]
    assert unfinished(world) == []


def test_everybody_follows_one_fetch_while_it_runs(world: World) -> None:
    stream = FakeStream(200, length=9)
    world.runtime.streams.append(stream)
    early = world.octets(world.answer(DEB))
    stream.give(b"abc")
    late = world.octets(world.answer(DEB))
    part = world.octets(world.answer(DEB), 4, 7)
    assert (early, late, part) == ([b"abc"], [b"abc"], [])
    stream.give(b"def")
    assert part == [b"ef"]
    stream.give(b"ghi", b"")
    assert (early, late) == ([b"abc", b"def", b"ghi"], [b"abc", b"def", b"ghi"])
    assert part == [b"ef", b"g"]
    assert len(world.runtime.asked) == 1


def test_those_who_ask_before_upstream_answers_share_the_question(world: World) -> None:
    held: Deferred[None] = Deferred()
    stream = FakeStream(200, length=2).give(b"ok", b"")

    async def slow(method: str, url: str, **_: Any) -> HttpStream:
        world.runtime.asked.append((url, {}))
        await held
        return stream

    world.runtime.http_stream = slow  # type: ignore[method-assign]
    answers = [world.ask(DEB) for _ in range(3)]
    assert answers == [[], [], []]
    held.callback(None)
    assert [world.octets(found[0]) for found in answers] == [[b"ok"]] * 3
    assert len(world.runtime.asked) == 1


def test_a_broken_fetch_breaks_its_readers_and_leaves_nothing(world: World) -> None:
    stream = FakeStream(200, length=6).give(b"abc")
    world.runtime.streams.append(stream)
    pieces = world.octets(world.answer(DEB))
    stream.give(ConnectionError("reset"))
    assert pieces[0] == b"abc"
    assert isinstance(pieces[1], ConnectionError)
    assert not kept(world, DEB).exists()
    assert (unfinished(world), stream.closed) == ([], True)
    have(world, DEB, b"abcdef")


@pytest.mark.parametrize("octets", [b"abc", b"abcdefgh"])
def test_a_file_of_another_length_than_announced_is_not_kept(world: World, octets: bytes) -> None:
    world.runtime.streams.append(FakeStream(200, length=6).give(octets, b""))
    assert isinstance(world.octets(world.answer(DEB))[-1], ConnectionError)
    assert not kept(world, DEB).exists()
    assert world.status()["last_error"].endswith(f"{len(octets)} of 6 octets came")


def test_what_a_power_cut_shortened_is_fetched_again(world: World) -> None:
    have(world, DEB, b"abcdef")
    kept(world, DEB).write_bytes(b"abc")
    have(world, DEB, b"abcdef")


def test_a_file_without_facts_does_not_count(world: World) -> None:
    have(world, DEB, b"abcdef")
    facts = world.root / "mirror/deb/facts/pool/main/a/a_1+b~c.deb.json"
    facts.write_text("{")
    have(world, DEB, b"abcdef")
    facts.unlink()
    have(world, DEB, b"abcdef")


def test_where_upstream_tells_no_length_the_answer_waits_for_the_end(world: World) -> None:
    stream = FakeStream(200).give(b"abc")
    world.runtime.streams.append(stream)
    answers = world.ask(DEB)
    assert answers == []
    stream.give(b"def", b"")
    (found,) = answers
    assert isinstance(found, Content)
    assert (found.length, world.octets(found)) == (6, [b"abcdef"])


def test_a_broken_end_without_a_length_is_a_refusal(world: World) -> None:
    world.runtime.streams.append(FakeStream(200).give(b"abc", ConnectionError("reset")))
    found = refused(world.answer(DEB))
    assert (found.status, found.reason.endswith("cannot be fetched: reset")) == (502, True)
    assert not kept(world, DEB).exists()
    assert world.status()["errors"] == 1


def test_head_asks_for_the_length_and_fetches_nothing(world: World) -> None:
    world.runtime.streams.append(FakeStream(200, length=7))
    found = world.answer(DEB, "HEAD")
    assert isinstance(found, Content)
    assert (found.length, found.mtime, world.runtime.methods) == (7, 1_700_000_000.0, ["HEAD"])
    assert not kept(world, DEB).exists()
    have(world, DEB, b"abcdefg")
    cached = world.hook(DEB, "HEAD")
    assert isinstance(cached, Content)
    assert (cached.length, len(world.runtime.asked)) == (7, 2)


def test_head_of_what_is_being_fetched_shares_the_fetch(world: World) -> None:
    stream = FakeStream(200, length=3)
    world.runtime.streams.append(stream)
    world.ask(DEB)
    found = world.answer(DEB, "HEAD")
    assert isinstance(found, Content)
    assert (found.length, world.runtime.methods) == (3, ["GET"])


def test_a_listing_kept_by_mistake_gives_way_to_its_directory(world: World) -> None:
    have(world, "mirror/deb/dists", b"<html>")
    have(world, RELEASE, b"one")
    assert kept(world, RELEASE).read_bytes() == b"one"


def test_too_many_fetches_at_once_are_refused(world: World) -> None:
    world.runtime.streams.extend(FakeStream(200, length=3) for _ in range(65))
    for number in range(64):
        world.ask(f"mirror/deb/pool/{number}.deb")
    assert refused(world.answer("mirror/deb/pool/more.deb")).status == 503
    assert isinstance(world.answer("mirror/deb/pool/1.deb"), Content)


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("mirror/deb/../../etc/passwd", 403),
        ("mirror/deb/a//b", 403),
        ("mirror/deb/a/./b", 403),
        ("mirror/deb/a\n/b", 403),
        ("mirror/deb/" + "a" * 300, 403),
        ("mirror/deb/dists/", 404),
        ("mirror/deb", 404),
        ("mirror/deb/", 404),
    ],
)
def test_c20_paths_stay_inside_the_mirror(world: World, path: str, status: int) -> None:
    assert refused(world.hook(path)).status == status
    assert world.runtime.asked == []


def test_a_mirror_that_is_not_configured_says_what_to_set(world: World) -> None:
    for name in ("rocky", "debx", ".."):
        found = refused(world.hook(f"mirror/{name}/a"))
        assert (found.status, found.reason) == (
            404,
            f"there is no mirror {name!r}: set plugins.source_mirror.mirrors.{name}.upstream",
        )


def test_c20_a_link_in_the_cache_leads_nowhere(world: World, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "secret").write_text("s")
    (tmp_path / "mirror/deb/tree").mkdir(parents=True)
    (tmp_path / "mirror/deb/tree/link").symlink_to(outside)
    world.runtime.streams.append(FakeStream(200, length=1).give(b"x", b""))
    assert isinstance(world.octets(world.answer("mirror/deb/link/secret"))[-1], ConnectionError)
    assert [path.name for path in outside.iterdir()] == ["secret"]
    assert (outside / "secret").read_text() == "s"
    assert unfinished(world) == []


def test_unfinished_files_of_another_process_are_swept(world: World) -> None:
    have(world, DEB, b"x")
    incoming = world.root / "mirror/deb/incoming"
    (incoming / "1-old").write_text("x")
    (incoming / f"{os.getpid()}-mine").write_text("x")
    World(world.root)
    assert [path.name for path in unfinished(world)] == [f"{os.getpid()}-mine"]


def test_other_paths_and_methods(world: World) -> None:
    assert world.hook("tree/debian/x") is None
    assert refused(world.hook(DEB, "POST")).status == 405


def test_the_scheme_mirror_is_a_location_on_this_server(world: World) -> None:
    (source,) = world.plugin.provd_install_sources()
    plan = BootPlan(Action.INSTALL, "", ClientFacts(Mac(b"\2" * 6)), server="10.0.0.1", http_port=8080)
    found = source.resolve("mirror:deb/9/os", plan)
    assert found is not None
    assert found.url == "http://10.0.0.1:8080/mirror/deb/9/os"
    assert source.resolve("mirror:debian/", plan) is not None
    assert source.resolve("mirror:unknown/x", plan) is None
    assert source.resolve("mirror:deb/../x", plan) is None
    assert source.resolve("mirror:", plan) is None
    assert source.schemes == ("mirror",)


def test_status_counts(world: World) -> None:
    have(world, DEB, b"abc")
    have(world, RELEASE, b"de")
    world.hook(DEB)
    world.runtime.streams.append(ConnectionError("refused"))
    world.answer("mirror/deb/pool/x.deb")
    assert world.status() == {
        "name": "deb",
        "upstream": ["http://MIRROR/debian"],
        "offline": False,
        "files": 2,
        "bytes": 5,
        "hits": 1,
        "misses": 3,
        "fetching": 0,
        "errors": 1,
        "last_error": "pool/x.deb: http://MIRROR/debian: refused",
        "evicted": 0,
        "prefetched": "",
    }
    assert world.runtime.slept


def test_closing_stops_what_runs(world: World) -> None:
    stream = FakeStream(200, length=6).give(b"abc")
    world.runtime.streams.append(stream)
    pieces = world.octets(world.answer(DEB))
    world.plugin.close()
    assert isinstance(pieces[-1], Exception)
    assert (unfinished(world), stream.closed) == ([], True)
