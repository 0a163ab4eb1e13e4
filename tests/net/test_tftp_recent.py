"""Files that are asked for again and again: read once, never served when they have changed."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from provd.core.tftp_ahead import LOOK_AHEAD
from provd.model.content import Content, FileBody, FileRequest, StreamBody
from provd.net.tftp_recent import RecentBlocks, RecentFiles, key_of
from provd.net.tftp_source import open_source
from provd.plugin.beneath import file_beneath
from provd.wire import tftp
from tests.fakes.tftp_network import CLIENT, TftpWorld

NOW = 1_700_000_000.0


def content_of(folder: Path, octets: bytes, *, age_s: float = 60.0) -> Content:
    (folder / "file").write_bytes(octets)
    os.utime(folder / "file", (NOW - age_s, NOW - age_s))
    content = file_beneath(folder, "file")
    assert isinstance(content, Content)
    return content


def read(content: Content, recent: RecentFiles) -> bytes | None:
    source = open_source(content, netascii=False, window=512, retain=512, ready=lambda: None, recent=recent)
    try:
        return source.read_at(0, content.length)
    finally:
        source.close()


@pytest.mark.parametrize("size", [1, 5_000, 50_000])
def test_a_small_file_is_read_once(tmp_path: Path, size: int) -> None:
    recent = RecentFiles(lambda: NOW)
    octets = os.urandom(size)
    content = content_of(tmp_path, octets)
    assert read(content, recent) == octets
    (tmp_path / "file").unlink()
    assert read(content, recent) == octets
    assert recent.octets == size


def test_what_has_just_changed_is_not_kept(tmp_path: Path) -> None:
    recent = RecentFiles(lambda: NOW)
    read(content_of(tmp_path, os.urandom(50_000), age_s=1.9), recent)
    assert recent.octets == 0


def test_a_file_that_was_replaced_after_its_decision_is_not_kept_as_the_old_one(tmp_path: Path) -> None:
    recent = RecentFiles(lambda: NOW)
    old = content_of(tmp_path, bytes(50_000))
    content_of(tmp_path, os.urandom(50_000), age_s=30.0)
    read(old, recent)
    assert recent.octets == 0


def test_content_without_a_validator_or_a_file_has_no_key() -> None:
    body = FileBody(Path("/srv/file"))
    assert key_of(Content(body, 5, etag="1-2-3")) is not None
    assert key_of(Content(body, 5)) is None
    assert key_of(Content(FileBody(Path("/srv/image.iso"), 2048), 5, etag="1-2-3")) is None
    assert key_of(Content(b"12345", 5, etag="1-2-3")) is None
    assert key_of(Content(StreamBody(lambda _start, _stop: None), 5, etag="1-2-3")) is None  # type: ignore[arg-type, return-value]


def test_what_was_not_asked_for_longest_goes_first() -> None:
    recent = RecentFiles(lambda: NOW, limit=100)
    recent.keep(("a",), "A", 40)
    recent.keep(("b",), "B", 40)
    assert recent.get(("a",)) == "A"
    recent.keep(("c",), "C", 40)
    assert [recent.get((key,)) for key in "abc"] == ["A", None, "C"]
    recent.keep(("a",), "AA", 60)
    assert recent.octets == 100
    recent.keep(("huge",), "H", 101)
    assert (recent.octets, recent.get(("huge",))) == (0, None)


def test_blocks_of_an_unsteady_source_are_not_kept() -> None:
    class Source:
        steady = False

    recent = RecentFiles(lambda: NOW)
    blocks = RecentBlocks(recent, ("file", 512, 0), Source())
    blocks.keep(0, [(b"ack", bytes(516))])
    assert blocks.get(0) is None
    Source.steady = True
    blocks.keep(0, [(b"ack", bytes(516))])
    assert blocks.get(0) == [(b"ack", bytes(516))]
    assert RecentBlocks(recent, ("file", 1024, 0), Source()).get(0) is None


@pytest.mark.parametrize("changes", [False, True])
def test_two_machines_get_the_same_file_and_a_third_what_replaced_it(tmp_path: Path, changes: bool) -> None:
    octets = os.urandom(512 * (3 * LOOK_AHEAD + 7) + 100)
    content_of(tmp_path, octets)

    def open_file(_request: FileRequest) -> Content:
        found = file_beneath(tmp_path, "file")
        assert isinstance(found, Content)
        return found

    world = TftpWorld(open_file, wall=lambda: NOW)
    assert fetch(world, 2001) == octets
    if changes:
        octets = os.urandom(len(octets))
        content_of(tmp_path, octets, age_s=30.0)
    assert fetch(world, 2002) == octets


def fetch(world: TftpWorld, port: int) -> bytes:
    peer = (CLIENT[0], port)
    ((tid, data),) = world.rrq("file", peer)
    received = b""
    for block in range(1, 1000):
        packet = tftp.decode(data)
        assert isinstance(packet, tftp.Data)
        assert packet.block == block
        received += packet.octets
        answer = world.answer(tid, tftp.encode_ack(block), peer)
        if len(packet.octets) < 512:
            break
        (data,) = answer
    return received
