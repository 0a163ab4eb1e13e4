"""Where the package mirror fetches from: settings, apt's own archives, redirections, credentials."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import pytest

from plugins.source_mirror import PLUGIN
from plugins.source_mirror.apt_sources import archives_of, codename, read
from plugins.source_mirror.settings import Mirror
from plugins.source_mirror.upstream import Upstream, origin
from provd.model.content import Content
from tests.fakes.mirror_world import FakeStream, World, refused

DEB = "mirror/deb/pool/main/a/a.deb"


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path, "http://user:p%40ss@MIRROR/debian")


@pytest.fixture
def apt(tmp_path: Path) -> Path:
    folder = tmp_path / "apt"
    (folder / "sources.list.d").mkdir(parents=True)
    return folder


def elsewhere(target: str, status: int = 302) -> FakeStream:
    return FakeStream(status, {"location": target})


def test_user_and_password_go_to_their_server_only_and_are_never_shown(world: World) -> None:
    world.runtime.streams += [elsewhere("http://OTHER/a.deb"), FakeStream(200, length=1).give(b"x", b"")]
    assert world.octets(world.answer(DEB)) == [b"x"]
    (first, sent), (second, passed) = world.runtime.asked
    assert (first, sent["Authorization"]) == ("http://MIRROR/debian/pool/main/a/a.deb", "Basic dXNlcjpwQHNz")
    assert (second, "Authorization" in passed) == ("http://OTHER/a.deb", False)
    assert world.status()["upstream"] == ["http://MIRROR/debian"]
    world.runtime.streams.append(ConnectionError("refused"))
    assert "p%40ss" not in refused(world.answer("mirror/deb/pool/b.deb")).reason
    assert "p%40ss" not in str(world.status())


def test_a_redirection_on_the_same_server_keeps_the_password(world: World) -> None:
    there = elsewhere("/pool/a%2Bb.deb?x=1", 307)
    world.runtime.streams += [there, FakeStream(200, length=1).give(b"x", b"")]
    world.answer(DEB)
    url, sent = world.runtime.asked[1]
    assert (url, "Authorization" in sent, there.closed) == ("http://MIRROR/pool/a%2Bb.deb?x=1", True, True)


def test_redirections_end(world: World) -> None:
    world.runtime.streams += [elsewhere(f"/{number}") for number in range(9)]
    found = refused(world.answer(DEB))
    assert (found.status, "more than 5 redirections" in found.reason) == (502, True)
    assert len(world.runtime.asked) == 6


@pytest.mark.parametrize("target", ["", "file:///etc/passwd", "http://a:b@MIRROR/x", "http://x:y/"])
def test_a_redirection_to_no_possible_address(world: World, target: str) -> None:
    world.runtime.streams.append(elsewhere(target))
    found = refused(world.answer(DEB))
    assert (found.status, "no possible address" in found.reason) == (502, True)


def test_a_redirection_from_https_to_http_is_refused(tmp_path: Path) -> None:
    world = World(tmp_path, "https://MIRROR/debian")
    world.runtime.streams.append(elsewhere("http://MIRROR/x"))
    assert "from https to http" in refused(world.answer(DEB)).reason


def test_a_directory_is_not_a_file(world: World) -> None:
    world.runtime.streams.append(elsewhere("/debian/dists/", 301))
    assert refused(world.answer("mirror/deb/dists")).status == 404
    assert not (world.root / "mirror/deb/tree/dists").exists()


def test_an_encoded_answer_is_refused_unless_the_file_itself_is_compressed(world: World) -> None:
    packed = {"content-encoding": "gzip"}
    world.runtime.streams.append(FakeStream(200, packed, length=1).give(b"x", b""))
    assert "encoded (gzip)" in refused(world.answer("mirror/deb/dists/x/Release")).reason
    world.runtime.streams.append(FakeStream(200, packed, length=1).give(b"x", b""))
    assert world.octets(world.answer("mirror/deb/dists/x/Packages.gz")) == [b"x"]


def test_a_path_is_quoted(world: World) -> None:
    world.runtime.streams.append(FakeStream(404))
    world.answer("mirror/deb/a b/ü%41?x#y.deb")
    assert world.runtime.asked[0][0] == "http://MIRROR/debian/a%20b/%C3%BC%2541%3Fx%23y.deb"


@pytest.mark.parametrize(
    ("mirror", "rule"),
    [
        ({"upstream": "ftp://MIRROR/x"}, "a URL as in http://MIRROR/debian, a list of them, or apt"),
        ({"upstream": []}, "a URL as in"),
        ({"upstream": ["http://MIRROR/", "apt"]}, "a URL as in"),
        ({"upstream": "http://MIRROR/", "proxy": "socks://PROXY"}, "proxy: a URL as in"),
        ({"upstream": "http://MIRROR/", "proxy": "http://me:secret@PROXY"}, "proxy: a URL as in"),
        ({"upstream": "https://MIRROR/", "proxy": "http://PROXY:3128"}, "proxy: only http upstreams"),
        ({"upstream": "MIRROR"}, "a URL as in"),
        ({"upstream": "http://"}, "a URL as in"),
        ({"upstream": "http://MIRROR/x?y=1"}, "a URL as in"),
        ({"upstream": "http://MIRROR:x/"}, "a URL as in"),
        ({"upstream": "http://MIRROR/a b"}, "a URL as in"),
        ({"upstream": "http://MIRROR/", "suite": "bookworm"}, "suite: it chooses among the archives"),
        ({"upstream": "apt", "refresh_s": -1}, "refresh_s: seconds from 0 on"),
        ({"upstream": "apt", "keyring": "k.gpg"}, "keyring: an absolute path"),
        ({"upstream": "apt", "max_mb": -1}, "max_mb: megabytes from 0 on"),
        ({"upstream": "apt", "refresh": 1}, "unknown field"),
        ({}, "required field `upstream`"),
    ],
)
def test_wrong_settings_stop_the_start(mirror: dict[str, Any], rule: str) -> None:
    with pytest.raises(msgspec.ValidationError, match=rule):
        msgspec.convert({"mirrors": {"x": mirror}}, PLUGIN.settings)


@pytest.mark.parametrize("name", ["a/b", "..", "", "a\nb", " a"])
def test_a_wrong_name_stops_the_start(name: str) -> None:
    with pytest.raises(msgspec.ValidationError, match="a plain name is expected"):
        msgspec.convert({"mirrors": {name: {"upstream": "apt"}}}, PLUGIN.settings)


def test_sources_of_apt_in_both_forms(apt: Path) -> None:
    (apt / "sources.list").write_text(
        "# deb http://no/ x main\ndeb-src http://src/ x main\ndeb cdrom:[x]/ x main\n"
        "deb http://first/debian/ bookworm main contrib # remark\n"
    )
    (apt / "sources.list.d/b.list").write_text("deb [arch=amd64 signed-by=/k] https://sec/ x-security main\n")
    (apt / "sources.list.d/a.sources").write_text(
        "Types: deb\nEnabled: no\nURIs: http://off/debian\nSuites: x\n\n"
        "Types: deb deb-src\n# a remark\nURIs: http://one/debian/\n  http://two/debian\nSuites: x\n x-updates\n"
        "Components: main\n\n\nTypes: deb-src\nURIs: http://source/\nSuites: x\nComponents: main\n"
    )
    (apt / "sources.list.d/c.list.disabled").write_text("deb http://off/ x main\n")
    assert [(one.uri, one.suites, one.components) for one in read(apt)] == [
        ("http://first/debian", ("bookworm",), ("main", "contrib")),
        ("http://one/debian", ("x", "x-updates"), ("main",)),
        ("http://two/debian", ("x", "x-updates"), ("main",)),
        ("https://sec", ("x-security",), ("main",)),
    ]


def test_archives_of_a_suite_leave_out_others_and_third_parties(apt: Path) -> None:
    (apt / "sources.list").write_text(
        "deb http://third/ bookworm stable\ndeb http://main/ bookworm main\ndeb http://other/ trixie main\n"
        "deb http://sec/ bookworm-security main\n"
    )
    assert [one.uri for one in archives_of(apt, "bookworm", "")] == ["http://main", "http://sec"]
    assert [one.uri for one in archives_of(apt, "bookworm", "bookworm-security")] == ["http://sec", "http://main"]


def test_the_hosts_own_suite(tmp_path: Path) -> None:
    release = tmp_path / "os-release"
    release.write_text('NAME="x"\nVERSION_CODENAME=bookworm\n')
    assert codename(release) == "bookworm"
    release.write_text('VERSION_CODENAME="trixie"\n')
    assert codename(release) == "trixie"
    assert codename(tmp_path / "none") == ""


def test_archives_are_asked_in_turn(tmp_path: Path, apt: Path) -> None:
    (apt / "sources.list").write_text("deb http://main/ x main\ndeb http://u:p@sec/ x-security main\n")
    world = World(tmp_path, "apt", suite="x")
    world.runtime.streams += [FakeStream(404), FakeStream(200, length=1).give(b"s", b"")]
    assert world.octets(world.answer(DEB)) == [b"s"]
    assert [url.partition("/pool")[0] for url, _ in world.runtime.asked] == ["http://main", "http://sec"]
    world.runtime.streams.append(FakeStream(200, length=1).give(b"r", b""))
    world.answer("mirror/deb/dists/x-security/Release")
    assert world.runtime.asked[-1][0] == "http://sec/dists/x-security/Release"
    world.runtime.streams += [FakeStream(404), FakeStream(410)]
    assert refused(world.answer("mirror/deb/pool/none.deb")).status == 404
    world.runtime.streams += [ConnectionError("refused"), FakeStream(404)]
    found = refused(world.answer("mirror/deb/pool/perhaps.deb"))
    assert (found.status, found.reason.endswith("http://main: refused")) == (502, True)
    assert world.status()["upstream"] == ["http://main", "http://sec"]


def test_without_an_archive_of_the_suite_the_answer_is_one_sentence(tmp_path: Path, apt: Path) -> None:
    world = World(tmp_path, "apt", suite="bookworm")
    found = refused(world.answer("mirror/deb/dists/bookworm/Release"))
    assert found.status == 502
    sentence = "apt on this host has no archive for bookworm: set the mirror's upstream to a URL"
    assert found.reason.endswith(sentence)
    assert world.status()["upstream"] == [sentence]


def test_debian_is_there_without_configuration(tmp_path: Path, apt: Path) -> None:
    release = tmp_path / "os-release"
    release.write_text("VERSION_CODENAME=x\n")
    (apt / "sources.list").write_text("deb http://main/debian x main\n")
    assert Upstream(Mirror(upstream="apt"), apt, release).origins("pool/a.deb") == [origin("http://main/debian")]
    world = World(tmp_path)
    assert isinstance(world.hook("mirror/debian/pool/a.deb"), Content)


@pytest.mark.parametrize(
    ("answer", "fault"),
    [
        (FakeStream(200, length=0), ""),
        (FakeStream(403, length=0), ""),
        (FakeStream(503, length=0), "status 503"),
        (ConnectionError("refused"), "refused"),
        (TimeoutError("no answer in 5 s"), "no answer in 5 s"),
    ],
)
def test_check_asks_each_upstream_and_never_shows_its_password(world: World, answer: Any, fault: str) -> None:
    world.runtime.streams.append(answer)
    rows = world.run("mirror.check")
    assert world.runtime.asked[0][0] == "http://MIRROR/debian/"
    assert world.runtime.asked[0][1]["Authorization"] == "Basic dXNlcjpwQHNz"
    assert [(row["level"], row["text"]) for row in rows] == (
        [("warning", f"mirror deb: upstream http://MIRROR/debian gives no answer: {fault}")] if fault else []
    )
