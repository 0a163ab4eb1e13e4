from __future__ import annotations

import http.client
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import msgspec
import pytest
import pytest_twisted
from twisted.internet.defer import Deferred, DeferredList
from twisted.internet.threads import deferToThread

from plugins.source_mirror import PLUGIN, Mirror, SettingsOfSourceMirror, SourceMirror
from plugins.source_mirror.apt_sources import apt_upstream
from provd.model.boot import Action, BootPlan
from provd.model.client import ClientFacts
from provd.model.content import AwaitedBody, Content, FileBody, FileRequest, NotFound, StreamBody
from provd.model.mac import Mac
from provd.net.background import BackgroundTask
from provd.net.http import HttpListener, HttpSite
from provd.net.runtime import TwistedRuntime
from provd.plugin.api import HttpStream, ProcessResult
from tests.fakes.fake_http import FakeTree

T = TypeVar("T")
DATE = "Tue, 14 Nov 2023 22:13:20 GMT"


class FakeStream:
    """An answer of upstream that comes when the test says so."""

    def __init__(self, status: int, headers: Mapping[str, str] | None = None, length: int = -1) -> None:
        self.status = status
        self.headers = {"last-modified": DATE, **(headers or {})}
        self.length = length
        self.closed = False
        self._parts: list[bytes | Exception] = []
        self._waiting: Deferred[None] | None = None

    def give(self, *parts: bytes | Exception) -> FakeStream:
        self._parts.extend(parts)
        waiting, self._waiting = self._waiting, None
        if waiting is not None:
            waiting.callback(None)
        return self

    async def read(self) -> bytes:
        if not self._parts:
            self._waiting = Deferred()
            await self._waiting
        part = self._parts.pop(0)
        if isinstance(part, Exception):
            raise part
        return part

    def close(self) -> None:
        self.closed = True


@dataclass
class FakeRuntime:
    """Streams in the order they were prepared; remembers what was asked."""

    streams: list[FakeStream | Exception] = field(default_factory=list)
    asked: list[tuple[str, dict[str, str]]] = field(default_factory=list)

    async def http_stream(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        timeout_s: float = 30.0,
        stall_s: float = 60.0,
    ) -> HttpStream:
        self.asked.append((url, dict(headers or {})))
        answer = self.streams.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    def background(self, work: Coroutine[Any, Any, T]) -> BackgroundTask[T]:
        return BackgroundTask(work)

    def run_process(self, argv: object, **_: object) -> Awaitable[ProcessResult]:
        raise AssertionError("a mirror starts no process")

    def http_request(self, method: str, url: str, **_: object) -> Awaitable[tuple[int, bytes]]:
        raise AssertionError("a mirror reads streams")

    def sleep(self, seconds: float) -> Awaitable[None]:
        raise AssertionError("a mirror does not wait")


class World:
    """The plugin with a clock that is a number and an upstream that is a list."""

    def __init__(self, root: Path, **settings: Any) -> None:
        self.now = 0.0
        self.root = root
        mirrors = {"deb": Mirror(upstream="http://MIRROR/debian/")}
        made = SettingsOfSourceMirror(mirrors=mirrors, data_dir=str(root), apt_dir=str(root / "apt"), **settings)
        self.runtime = FakeRuntime()
        self.plugin = SourceMirror(made, lambda: self.now)
        self.plugin.start(self.runtime)

    def hook(self, path: str, method: str = "GET") -> Content | NotFound | None:
        return self.plugin.provd_file(FileRequest("http", path, "10.0.0.9", "10.0.0.1", method=method))

    def ask(self, path: str) -> list[Content | NotFound]:
        """The answer, once it is there."""
        found = self.hook(path)
        if isinstance(found, Content) and isinstance(found.body, AwaitedBody):
            answers: list[Content | NotFound] = []
            body = found.body

            async def wait() -> None:
                answers.append(await body.answer())

            Deferred.fromCoroutine(wait())
            return answers
        assert found is not None
        return [found]

    def answer(self, path: str) -> Content | NotFound:
        (found,) = self.ask(path)
        return found

    def octets(self, content: Content | NotFound, start: int = 0, stop: int = -1) -> list[bytes | Exception]:
        """Pieces of a body so far; an exception where it broke off."""
        assert isinstance(content, Content)
        if isinstance(content.body, FileBody):
            return [content.body.path.read_bytes()]
        assert isinstance(content.body, StreamBody)
        opened = content.body.open(start, stop)
        pieces: list[bytes | Exception] = []

        async def follow() -> None:
            nonlocal pieces
            try:
                async for piece in opened:
                    pieces += [piece]
            except Exception as error:  # noqa: BLE001 - the test looks at it
                pieces.append(error)

        Deferred.fromCoroutine(follow())
        return pieces


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


DEB = "mirror/deb/pool/main/a/a_1+b~c.deb"
RELEASE = "mirror/deb/dists/bookworm/Release"


def test_a_file_is_fetched_once_and_then_served_from_the_disk(world: World) -> None:
    world.runtime.streams.append(FakeStream(200, length=6).give(b"abc", b"def", b""))
    first = world.answer(DEB)
    assert world.octets(first) == [b"abcdef"]
    assert isinstance(first, Content)
    assert (first.length, first.mtime) == (6, 1_700_000_000.0)
    second = world.answer(DEB)
    assert isinstance(second, Content)
    assert isinstance(second.body, FileBody)
    assert (second.length, second.mtime) == (6, 1_700_000_000.0)
    assert [url for url, _ in world.runtime.asked] == ["http://MIRROR/debian/pool/main/a/a_1+b~c.deb"]
    assert list((world.root / "mirror/.partial").iterdir()) == []


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
    assert isinstance(pieces[1], Exception)
    assert not (world.root / DEB).exists()
    assert list((world.root / "mirror/.partial").iterdir()) == []
    world.runtime.streams.append(FakeStream(200, length=6).give(b"abcdef", b""))
    assert world.octets(world.answer(DEB)) == [b"abcdef"]


def test_a_file_that_is_shorter_than_announced_is_not_kept(world: World) -> None:
    world.runtime.streams.append(FakeStream(200, length=6).give(b"abc", b""))
    world.answer(DEB)
    assert not (world.root / DEB).exists()


def test_indexes_are_asked_for_again_after_a_while_packages_never(world: World) -> None:
    world.runtime.streams += [FakeStream(200, length=3).give(b"one", b""), FakeStream(200, length=1).give(b"p", b"")]
    world.answer(RELEASE)
    world.answer(DEB)
    world.now = 59.0
    assert world.octets(world.answer(RELEASE)) == [b"one"]
    world.now = 61.0
    world.runtime.streams.append(FakeStream(304))
    assert world.octets(world.answer(RELEASE)) == [b"one"]
    assert world.runtime.asked[-1][1]["If-Modified-Since"] == DATE
    world.now = 130.0
    world.runtime.streams.append(FakeStream(200, length=3).give(b"two", b""))
    assert world.octets(world.answer(RELEASE)) == [b"two"]
    world.now = 1e6
    world.answer(DEB)
    assert len(world.runtime.asked) == 4


@pytest.mark.parametrize(
    ("path", "index"),
    [
        ("dists/bookworm/InRelease", True),
        ("dists/bookworm/main/binary-amd64/Packages.xz", True),
        ("dists/bookworm/main/by-hash/SHA256/abc", False),
        ("pool/main/d/dists/x.deb", True),
        ("pool/main/l/linux/linux.deb", False),
        ("9/BaseOS/x86_64/os/repodata/repomd.xml", True),
        ("9/BaseOS/x86_64/os/.treeinfo", True),
        ("9/BaseOS/x86_64/os/Packages/b/bash.rpm", False),
    ],
)
def test_which_files_change(world: World, path: str, index: bool) -> None:
    world.runtime.streams.append(FakeStream(200, length=1).give(b"x", b""))
    world.answer(f"mirror/deb/{path}")
    world.now = 1e6
    world.runtime.streams.append(FakeStream(304))
    world.answer(f"mirror/deb/{path}")
    assert len(world.runtime.asked) == (2 if index else 1)


def test_without_upstream_what_is_kept_is_served(world: World) -> None:
    world.runtime.streams.append(FakeStream(200, length=3).give(b"old", b""))
    world.answer(RELEASE)
    for trouble in (ConnectionError("refused"), TimeoutError("no answer"), FakeStream(503)):
        world.now += 100
        world.runtime.streams.append(trouble)
        assert world.octets(world.answer(RELEASE)) == [b"old"]
    world.runtime.streams.append(ConnectionError("refused"))
    lost = world.answer(DEB)
    assert isinstance(lost, NotFound)
    assert (lost.status, "refused" in lost.reason) == (502, True)


def test_a_miss_is_believed_for_a_short_time(world: World) -> None:
    world.runtime.streams.append(FakeStream(404))
    assert world.answer(DEB) == NotFound("upstream has no deb/pool/main/a/a_1+b~c.deb", expected=True)
    assert isinstance(world.hook(DEB), NotFound)
    world.now = 31.0
    world.runtime.streams.append(FakeStream(200, length=1).give(b"x", b""))
    assert world.octets(world.answer(DEB)) == [b"x"]


def test_redirects_are_followed_but_not_for_ever_and_not_elsewhere(world: World) -> None:
    there = FakeStream(302, {"location": "/other/x.deb"})
    world.runtime.streams += [there, FakeStream(200, length=1).give(b"x", b"")]
    assert world.octets(world.answer(DEB)) == [b"x"]
    assert (world.runtime.asked[-1][0], there.closed) == ("http://MIRROR/other/x.deb", True)
    world.runtime.streams += [FakeStream(302, {"location": "file:///etc/passwd"})]
    gone = world.answer("mirror/deb/y")
    assert isinstance(gone, NotFound)
    assert gone.status == 502
    world.runtime.streams += [FakeStream(302, {"location": "/loop"}) for _ in range(10)]
    assert isinstance(world.answer("mirror/deb/z"), NotFound)


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("mirror/deb/../../etc/passwd", 403),
        ("mirror/deb/a//b", 403),
        ("mirror/.partial/x", 404),
        ("mirror/debx/a", 404),
        ("mirror/deb", 404),
        ("mirror/deb/", 404),
    ],
)
def test_c20_paths_stay_inside_the_mirror(world: World, path: str, status: int) -> None:
    found = world.hook(path)
    assert isinstance(found, NotFound)
    assert found.status == status
    assert world.runtime.asked == []


def test_c20_a_link_in_the_cache_leads_nowhere(world: World, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "secret").write_text("s")
    (tmp_path / "mirror/deb").mkdir(parents=True)
    (tmp_path / "mirror/deb/link").symlink_to(outside)
    world.runtime.streams.append(FakeStream(200, length=1).give(b"x", b""))
    found = world.answer("mirror/deb/link/secret")
    assert isinstance(found, NotFound)
    assert found.status == 502
    assert (outside / "secret").read_text() == "s"


def test_other_paths_and_methods(world: World) -> None:
    assert world.hook("tree/debian/x") is None
    refused = world.hook(DEB, "POST")
    assert isinstance(refused, NotFound)
    assert refused.status == 405


def test_the_scheme_mirror_is_a_location_on_this_server(world: World) -> None:
    (source,) = world.plugin.provd_install_sources()
    plan = BootPlan(Action.INSTALL, "", ClientFacts(Mac(b"\2" * 6)), server="10.0.0.1", http_port=8080)
    found = source.resolve("mirror:deb/9/os", plan)
    assert found is not None
    assert found.url == "http://10.0.0.1:8080/mirror/deb/9/os"
    assert source.resolve("mirror:debian/", plan) is not None
    assert source.resolve("mirror:unknown/x", plan) is None
    assert source.schemes == ("mirror",)


@pytest.mark.parametrize(
    "upstream", ["ftp://MIRROR/x", "http://user:pw@MIRROR/x", "MIRROR", "http://MIRROR/x?y=1", "http://"]
)
def test_a_wrong_upstream_stops_the_start(upstream: str) -> None:
    with pytest.raises(msgspec.ValidationError, match="neither an HTTP URL without a password nor apt:"):
        msgspec.convert({"mirrors": {"x": {"upstream": upstream}}}, PLUGIN.settings)


def test_a_wrong_name_stops_the_start() -> None:
    with pytest.raises(msgspec.ValidationError, match="a plain name is expected"):
        msgspec.convert({"mirrors": {"a/b": {"upstream": "apt:"}}}, PLUGIN.settings)


def test_upstream_as_the_machines_own_apt(tmp_path: Path) -> None:
    apt = tmp_path / "apt"
    (apt / "sources.list.d").mkdir(parents=True)
    (apt / "sources.list").write_text("# deb http://no/ x main\ndeb-src http://src/ x main\ndeb cdrom:[x]/ x main\n")
    with pytest.raises(LookupError, match="names no HTTP archive"):
        apt_upstream("", apt)
    (apt / "sources.list.d/a.list").write_text(
        "deb [arch=amd64 signed-by=/k] http://sec/debian-security x-security main\n"
    )
    (apt / "sources.list.d/b.sources").write_text(
        "Types: deb\nEnabled: no\nURIs: http://off/debian\nSuites: x\n\n"
        "Types: deb deb-src\n# a remark\nURIs: http://one/debian/\n  http://two/debian\nSuites: x x-updates\n"
    )
    assert apt_upstream("", apt) == "http://one/debian"
    assert apt_upstream("security", apt) == "http://sec/debian-security"


def test_without_apt_lists_the_answer_is_one_sentence(world: World) -> None:
    found = world.answer("mirror/debian/dists/x/Release")
    assert isinstance(found, NotFound)
    assert found.status == 502
    assert "names no HTTP archive; set upstream to a URL" in found.reason


def test_closing_stops_what_runs(world: World) -> None:
    stream = FakeStream(200, length=6).give(b"abc")
    world.runtime.streams.append(stream)
    pieces = world.octets(world.answer(DEB))
    world.plugin.close()
    assert isinstance(pieces[-1], Exception)
    assert list((world.root / "mirror/.partial").iterdir()) == []


async def _in_thread(call: Callable[[], Any]) -> Any:
    return await deferToThread(call)


def _get(port: int, path: str, headers: Mapping[str, str] | None = None) -> tuple[int, bytes, str | None]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
    try:
        connection.request("GET", path, headers=dict(headers or {}))
        response = connection.getresponse()
        return response.status, response.read(), response.getheader("Content-Length")
    finally:
        connection.close()


@pytest_twisted.ensureDeferred
async def test_many_machines_and_one_upstream_over_real_sockets(tmp_path: Path) -> None:
    from twisted.internet import reactor  # noqa: TID251 - this test is about the real one

    big = bytes(range(256)) * 8192
    upstream = FakeTree({"debian/pool/big.deb": Content(big, len(big)), "debian/pool/empty": Content(b"", 0)})
    above = HttpListener(reactor, HttpSite(reactor, lambda: 1.7e9, upstream.open_file, _in_thread))
    above_port = above.listen("127.0.0.1", 0)
    mirrors = {"deb": Mirror(upstream=f"http://127.0.0.1:{above_port}/debian")}
    plugin = SourceMirror(SettingsOfSourceMirror(mirrors=mirrors, data_dir=str(tmp_path)))
    plugin.start(TwistedRuntime(reactor))

    def open_file(request: FileRequest) -> Content | NotFound:
        return plugin.provd_file(request) or NotFound("not a mirror's")

    below = HttpListener(reactor, HttpSite(reactor, lambda: 1.7e9, open_file, _in_thread))
    port = below.listen("127.0.0.1", 0)
    try:
        together = [deferToThread(partial(_get, port, "/mirror/deb/pool/big.deb")) for _ in range(6)]
        found = await DeferredList(together, fireOnOneErrback=True)
        assert [answer == (200, big, str(len(big))) for _, answer in found] == [True] * 6
        part = await deferToThread(partial(_get, port, "/mirror/deb/pool/big.deb", {"Range": "bytes=256-511"}))
        assert part == (206, bytes(range(256)), "256")
        assert (await deferToThread(partial(_get, port, "/mirror/deb/pool/empty")))[:2] == (200, b"")
        assert (await deferToThread(partial(_get, port, "/mirror/deb/pool/none")))[0] == 404
        assert [asked.path for asked in upstream.asked].count("debian/pool/big.deb") == 1
        await above.close()
        gone = await deferToThread(partial(_get, port, "/mirror/deb/pool/other"))
        assert gone[:2] == (502, b"Bad Gateway\n")
        assert (await deferToThread(partial(_get, port, "/mirror/deb/pool/big.deb")))[1] == big
    finally:
        plugin.close()
        await below.close()
