"""What an answer says and what is sent: files that become others meanwhile, octets in memory, secrets."""

# mypy: disable-error-code="no-untyped-call"

from __future__ import annotations

import errno
import os
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from twisted.internet.task import Clock

from provd.model.content import Content, FileBody, NotFound
from provd.plugin.beneath import etag_of, file_beneath
from tests.fakes.fake_http import FakeConnection, FakeTree, make_site

OLD, NEW = b"old" * 100, b"newer" * 100


def _content(folder: Path) -> Content:
    (folder / "kernel").write_bytes(OLD)
    found = file_beneath(folder, "kernel")
    assert isinstance(found, Content)
    return found


def _replace(folder: Path) -> None:
    (folder / "new").write_bytes(NEW)
    (folder / "new").rename(folder / "kernel")


def _web(content: Content) -> FakeConnection:
    clock = Clock()
    return FakeConnection(make_site(FakeTree({"kernel": content}), clock), clock)


def test_a_longer_file_in_its_place_is_sent_whole(tmp_path: Path) -> None:
    content = _content(tmp_path)
    _replace(tmp_path)
    answer = _web(content).get("/kernel")
    assert (answer.status, answer.body) == (200, NEW)
    assert answer.headers["etag"] == f'"{etag_of((tmp_path / "kernel").stat())}"'


def test_a_part_of_another_image_is_not_sent(tmp_path: Path) -> None:
    content = _content(tmp_path)
    part = replace(content, body=FileBody(tmp_path / "kernel", 3), length=3, etag=f"{content.etag}-3-3")
    assert _web(part).get("/kernel").body == b"old"
    _replace(tmp_path)
    assert _web(part).get("/kernel").status == 503


@pytest.mark.parametrize("etag", ["v1", "550e8400-e29b-41d4-a716", "a-b-" + "f" * 400])
def test_a_validator_of_a_plugins_own_says_nothing_of_the_file(tmp_path: Path, etag: str) -> None:
    content = replace(_content(tmp_path), etag=etag)
    assert _web(content).get("/kernel").body == OLD


def test_octets_in_memory_have_a_length() -> None:
    answer = _web(Content(OLD, -1)).get("/kernel")
    assert (answer.body, answer.headers["content-length"]) == (OLD, str(len(OLD)))


def test_C25_a_secret_has_no_parts_so_that_every_fetch_counts() -> None:
    counted: list[int] = []
    web = _web(replace(Content.text("rootpw x", secret=True), on_sent=counted.append))
    for header in ("Range: bytes=0-", "Range: bytes=0-6"):
        answer = web.get("/kernel", header)
        assert (answer.status, answer.body) == (200, b"rootpw x")
        assert "accept-ranges" not in answer.headers
    assert counted == [8, 8]


@pytest.mark.parametrize(
    ("why", "status"), [(errno.EMFILE, 503), (errno.ENOMEM, 503), (errno.EIO, 503), (errno.ENOENT, 404)]
)
def test_a_file_that_cannot_be_opened_now_is_not_said_to_be_missing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, why: int, status: int
) -> None:
    content = _content(tmp_path)
    web = _web(content)

    def refuses(*_arguments: Any, **_options: Any) -> int:
        raise OSError(why, os.strerror(why))

    monkeypatch.setattr(os, "open", refuses)
    assert web.get("/kernel").status == status
    asked = file_beneath(tmp_path, "kernel")
    assert isinstance(asked, NotFound)
    assert (asked.status, asked.reason) == (status, f"kernel: {os.strerror(why)}")
