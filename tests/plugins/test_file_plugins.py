"""static_files and source_http: files of this server, and nothing beside them (security row C20)."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import pytest

from provd.model.content import Content, FileBody, NotFound
from provd.plugin.api import Location
from provd.plugin.errors import PluginError
from provd.plugin.host import PluginHost
from tests.fakes.plugin_world import PLAN, file_request
from tests.fakes.shipped_plugins import shipped


@pytest.fixture
def site(tmp_path: Path) -> Path:
    for path, text in {
        "data/a.txt": "inside",
        "data/sub/b.bin": "below",
        "data-private/secret": "sibling",
        "outside": "outside",
    }.items():
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text(text)
    (tmp_path / "data" / "link").symlink_to(tmp_path / "outside")
    (tmp_path / "data" / "dirlink").symlink_to(tmp_path / "data-private")
    (tmp_path / "data" / "inner").symlink_to(tmp_path / "data" / "a.txt")
    os.mkfifo(tmp_path / "data" / "pipe")
    return tmp_path


@pytest.fixture
def static(site: Path) -> PluginHost:
    directories = [
        {"prefix": "data", "path": str(site / "data")},
        {"prefix": "data/deep", "path": str(site / "data" / "sub")},
    ]
    return shipped("static_files", {"directories": directories})


def test_a_file_is_served_with_length_type_and_validator(static: PluginHost, site: Path) -> None:
    content = static.file(file_request("data/a.txt"))
    assert isinstance(content, Content)
    assert content.body == FileBody(site / "data" / "a.txt", beneath=site / "data")
    assert (content.length, content.media_type) == (6, "text/plain; charset=utf-8")
    assert content.mtime == (site / "data" / "a.txt").stat().st_mtime
    before = content.etag
    (site / "data" / "a.txt").write_text("changed")
    again = static.file(file_request("data/a.txt"))
    assert isinstance(again, Content)
    assert again.etag != before


def test_the_longest_prefix_wins(static: PluginHost, site: Path) -> None:
    content = static.file(file_request("data/deep/b.bin"))
    assert isinstance(content, Content)
    assert content.body == FileBody(site / "data" / "sub" / "b.bin", beneath=site / "data" / "sub")


@pytest.mark.parametrize("path", ["data-private/secret", "dat/a.txt", "a.txt", "", "Data/a.txt"])
def test_other_paths_are_somebody_elses(static: PluginHost, path: str) -> None:
    assert static.file(file_request(path)) is None


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("data", 403),
        ("data/", 403),
        ("data//a.txt", 403),
        ("data/../outside", 403),
        ("data/./a.txt", 403),
        ("data/sub/../../outside", 403),
        ("data/link", 403),
        ("data/inner", 403),
        ("data/dirlink/secret", 403),
        ("data/a.txt/", 403),
        ("data/a\0.txt", 403),
        ("data/a.txt/x", 404),
        ("data/sub", 404),
        ("data/none", 404),
        ("data/pipe", 404),
        ("data/..\\outside", 404),
        ("data/%2e%2e/outside", 404),
        ("data/" + "x" * 5000, 404),
    ],
)
def test_c20_nothing_else_is_readable_and_nobody_else_is_asked(static: PluginHost, path: str, status: int) -> None:
    answer = static.file(file_request(path))
    assert isinstance(answer, NotFound)
    assert answer.status == status


def test_static_files_are_read_only(static: PluginHost) -> None:
    answer = static.file(file_request("data/a.txt", "POST"))
    assert isinstance(answer, NotFound)
    assert answer.status == 405


@pytest.mark.parametrize(
    ("directory", "sentence"),
    [
        ({"prefix": "../x", "path": "/srv"}, "prefix '../x' must be plain names"),
        ({"prefix": "/x", "path": "/srv"}, "prefix '/x' must be plain names"),
        ({"prefix": "x", "path": "srv"}, "path 'srv' must be absolute"),
    ],
)
def test_wrong_directories_stop_the_start(directory: dict[str, str], sentence: str) -> None:
    with pytest.raises(PluginError) as caught:
        shipped("static_files", {"directories": [directory]})
    assert sentence in str(caught.value)
    assert str(caught.value).startswith("plugin static_files: provd.toml: plugins.static_files.directories[0]: ")


@pytest.fixture
def http(site: Path) -> PluginHost:
    (site / "tree" / "debian-12").mkdir(parents=True)
    (site / "tree" / "debian-12" / "Release").write_text("x")
    return shipped("source_http", {"trees": {"rocky-9": str(site / "data")}}, data_dir=str(site))


@pytest.mark.parametrize(
    "url",
    [
        "http://mirror.example/debian/",
        "https://mirror.example:8443/a b/",
        "http://[2001:db8::1]:8080/x",
        "http://MIRROR.example/x",
        "https://mirror.example/",
    ],
)
def test_external_urls_pass_untouched(http: PluginHost, url: str) -> None:
    location = http.install_sources["http"].resolve(url, PLAN)
    assert location is not None
    assert location.url == url


@pytest.mark.parametrize(
    "url", ["ftp://h/x", "http:///x", "http://u:p@h/x", "http://h/x?y", "http://h:99999/x", "..", ""]
)
def test_what_cannot_be_a_location_is_none(http: PluginHost, url: str) -> None:
    assert http.install_sources["http"].resolve(url, PLAN) is None


def test_local_trees_are_served_by_us(http: PluginHost, site: Path) -> None:
    resolve = http.install_sources["http"].resolve
    assert resolve("debian-12", PLAN) == Location("http", "10.0.0.1", "/tree/debian-12")
    assert resolve("debian-12/sub/", PLAN) == Location("http", "10.0.0.1", "/tree/debian-12/sub")
    assert resolve(str(site / "data" / "sub"), PLAN) == Location("http", "10.0.0.1", "/tree/rocky-9/sub")
    assert resolve(str(site / "data"), replace(PLAN, http_port=8080)) == Location(
        "http", "10.0.0.1", "/tree/rocky-9", 8080
    )
    assert resolve(str(site / "tree" / "debian-12"), PLAN) == Location("http", "10.0.0.1", "/tree/debian-12")
    assert resolve(str(site / "data-private"), PLAN) is None
    assert resolve("/etc", PLAN) is None


def test_local_trees_hold_what_they_hold(http: PluginHost, site: Path) -> None:
    content = http.file(file_request("tree/debian-12/Release"))
    assert isinstance(content, Content)
    assert content.body == FileBody(site / "tree" / "debian-12" / "Release", beneath=site / "tree" / "debian-12")
    for path in (
        "tree/rocky-9/link",
        "tree/debian-12/../../outside",
        "tree/none/x",
        "tree/../outside",
        "tree/debian-12",
    ):
        assert isinstance(http.file(file_request(path)), NotFound), path
    assert http.file(file_request("trees/x")) is None
