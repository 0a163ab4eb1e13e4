"""Content of every kind through the TFTP server: late answers, files on disk, streams, netascii."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from twisted.internet.defer import Deferred
from twisted.logger import ILogObserver, LogEvent, formatEvent, globalLogPublisher
from zope.interface import provider

from provd.model.content import Content, FileBody, FileRequest, NotFound, StreamBody
from provd.net.tftp import Answer
from provd.plugin.beneath import file_beneath
from provd.wire import tftp
from tests.fakes.tftp_network import TftpWorld, error_of

FILE = bytes(range(256)) * 10


def test_an_answer_that_comes_later() -> None:
    coming: Deferred[Answer] = Deferred()
    world = TftpWorld(lambda _: coming)
    assert world.rrq("file") == []
    assert world.rrq("file") == []
    assert (world.server.transfers, world.server.counts["repeated"]) == (1, 1)
    coming.callback(Content(b"late", 4))
    assert [data for _, _, data in world.network.sent] == [tftp.encode_data(1, b"late")]


def test_an_answer_that_is_not_awaited_to_the_end() -> None:
    cancelled: list[object] = []
    first: Deferred[Answer] = Deferred(cancelled.append)
    answers: list[Answer | Deferred[Answer]] = [first, NotFound("no")]
    world = TftpWorld(lambda _: answers.pop(0))
    world.rrq("one")
    assert error_of(world.rrq("two")) == tftp.ErrorCode.NOT_FOUND
    assert cancelled == [first]
    assert world.server.transfers == 0


def test_an_answer_that_fails_later() -> None:
    async def failing() -> Answer:
        raise RuntimeError("boom")

    world = TftpWorld(lambda _: failing())
    assert error_of(world.rrq("file")) == tftp.ErrorCode.UNDEFINED


def test_what_fails_behind_an_answer_that_came_later_is_logged() -> None:
    coming: Deferred[Answer] = Deferred()
    world, lines = TftpWorld(lambda _: coming), list[str]()
    world.rrq("file")

    class Full(list[object]):
        def append(self, _event: object) -> None:
            raise RuntimeError("the disk is full")

    world.events = Full()  # type: ignore[assignment]

    @provider(ILogObserver)
    def observe(event: LogEvent) -> None:
        lines.append(formatEvent(event))

    globalLogPublisher.addObserver(observe)
    try:
        coming.callback(NotFound("no"))
    finally:
        globalLogPublisher.removeObserver(observe)
    assert lines == ["what follows an answer failed"]
    assert world.server.transfers == 0


def fetch(world: TftpWorld, name: str) -> bytes:
    """A client without options, one block at a time."""
    ((tid, data),) = world.rrq(name)
    received, block = b"", 0
    while tid in world.network.endpoints:
        if data[1] == tftp.DATA:
            received, block = received + data[4:], block + 1
        answers = world.answer(tid, tftp.encode_ack(block))
        data = answers[0] if answers else b""
    return received


@pytest.mark.parametrize("size", [0, 512, 1000, 65536, 65537, 300_000])
def test_files_on_disk(tmp_path: Path, size: int) -> None:
    content = bytes(number % 253 for number in range(size))
    path = tmp_path / "file"
    path.write_bytes(b"head" + content + b"tail")
    world = TftpWorld(lambda _: Content(FileBody(path, offset=4), size))
    assert fetch(world, "x") == content
    assert world.kinds() == ["tftp.request", "tftp.sent"]


def test_T23_no_link_below_a_served_directory_is_followed(tmp_path: Path) -> None:
    (tmp_path / "target").write_bytes(FILE)
    (tmp_path / "link").symlink_to(tmp_path / "target")
    world = TftpWorld(lambda request: Content(FileBody(tmp_path / request.path, beneath=tmp_path), len(FILE)))
    assert error_of(world.rrq("link")) == tftp.ErrorCode.UNDEFINED
    assert error_of(world.rrq("missing")) == tftp.ErrorCode.UNDEFINED
    assert "cannot be opened" in str(world.events[-1][2]["reason"])
    (tmp_path / "folder").mkdir()
    assert error_of(world.rrq("folder")) == tftp.ErrorCode.UNDEFINED
    assert len(world.rrq("target")) == 1


def test_a_file_that_shrinks_is_a_failure(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(bytes(200_000))
    world = TftpWorld(lambda _: Content(FileBody(path), 200_000))
    ((tid, _),) = world.rrq("x")
    path.write_bytes(b"")
    answers: list[bytes] = []
    while not world.events[1:]:
        answers += world.answer(tid, tftp.encode_ack(len(answers) + 1))
    # What was read before is sent; octets that are not there any more are not made up.
    assert answers.pop() == tftp.encode_error(0, "Transfer stopped")
    assert len(answers) < 128
    assert world.events[-1][2]["reason"] == "reading failed: the file became shorter while it was sent"


@pytest.mark.parametrize("size", [300, 60_000, 200_000])
def test_a_file_that_was_replaced_before_it_is_read_is_a_failure(tmp_path: Path, size: int) -> None:
    (tmp_path / "kernel").write_bytes(bytes(size))

    def answer(_: FileRequest) -> Answer:
        found = file_beneath(tmp_path, "kernel")
        if not world.events[1:]:
            (tmp_path / "new").write_bytes(bytes(size + 1))
            (tmp_path / "new").rename(tmp_path / "kernel")
        return found

    world = TftpWorld(answer)
    ((_, sent),) = world.rrq("kernel")
    assert tftp.decode(sent) == tftp.Error(0, "Transfer stopped" if size > 16384 else "Not available")
    assert "the file was replaced after it was asked for" in str(world.events[-1][2]["reason"])
    assert len(fetch(world, "kernel")) == size + 1


def test_a_starved_client_gets_the_block_that_is_due_as_soon_as_it_is_there() -> None:
    gates: list[Deferred[None]] = []

    async def chunks(_start: int, _stop: int) -> AsyncIterator[bytes]:
        for _ in range(200):
            yield bytes(512)
            gates.append(Deferred())
            await gates[-1]

    world = TftpWorld(lambda _: Content(StreamBody(chunks), 200 * 512))
    ((tid, _),) = world.rrq("x")
    for block in range(1, 5):
        assert world.answer(tid, tftp.encode_ack(block)) == []
        gates[-1].callback(None)
        assert world.network.sent[-1][2] == tftp.encode_data(block + 1, bytes(512))
    world.server.stop()


def test_a_stream_that_cannot_be_opened_is_a_failure_at_once() -> None:
    def refuses(_start: int, _stop: int) -> AsyncIterator[bytes]:
        raise RuntimeError("no upstream")

    world = TftpWorld(lambda _: Content(StreamBody(refuses), 1300))
    ((_, sent),) = world.rrq("x")
    assert sent == tftp.encode_error(0, "Transfer stopped")
    assert world.events[-1][2]["reason"] == "reading failed: the content broke off: no upstream"


def test_streams_are_read_ahead_and_awaited() -> None:
    gate: Deferred[None] = Deferred()
    closed: list[bool] = []

    async def chunks(start: int, stop: int) -> AsyncIterator[bytes]:
        try:
            assert (start, stop) == (0, 1300)
            yield bytes(600)
            await gate
            yield bytes(700)
        finally:
            closed.append(True)

    world = TftpWorld(lambda _: Content(StreamBody(chunks), 1300))
    ((tid, _),) = world.rrq("x")
    assert world.answer(tid, tftp.encode_ack(1)) == []
    gate.callback(None)
    assert world.network.sent[-1][2] == tftp.encode_data(2, bytes(512))
    assert world.answer(tid, tftp.encode_ack(2)) == [tftp.encode_data(3, bytes(276))]
    world.answer(tid, tftp.encode_ack(3))
    assert world.kinds() == ["tftp.request", "tftp.sent"]
    assert closed == [True]


def test_a_stream_that_breaks_or_ends_early_is_a_failure() -> None:
    async def broken(_start: int, _stop: int) -> AsyncIterator[bytes]:
        yield bytes(600)
        raise RuntimeError("upstream gone")

    async def short(_start: int, _stop: int) -> AsyncIterator[bytes]:
        yield bytes(600)

    for body, reason in (
        (broken, "the content broke off: upstream gone"),
        (short, "ended before its announced length"),
    ):
        world = TftpWorld(lambda _, body=body: Content(StreamBody(body), 1300))  # type: ignore[misc]
        ((tid, _),) = world.rrq("x")
        assert world.answer(tid, tftp.encode_ack(1)) == [tftp.encode_error(0, "Transfer stopped")]
        assert reason in str(world.events[-1][2]["reason"])


def test_a_long_stream_waits_for_the_client() -> None:
    taken: list[int] = []

    async def chunks(_start: int, _stop: int) -> AsyncIterator[bytes]:
        for number in range(64):
            taken.append(number)
            yield bytes((number,)) * 65536

    world = TftpWorld(lambda _: Content(StreamBody(chunks), 64 * 65536))
    ((tid, _),) = world.rrq("x", blksize="1468")
    assert len(taken) == 16
    received, data = b"", world.answer(tid, tftp.encode_ack(0))
    block = 0
    while data:
        block += 1
        received += data[0][4:]
        data = world.answer(tid, tftp.encode_ack(block))
    assert received == b"".join(bytes((number,)) * 65536 for number in range(64))
    assert world.kinds()[-1] == "tftp.sent"


def test_t12_netascii() -> None:
    world = TftpWorld(lambda _: Content(b"one\ntwo\r", 8))
    ((_, data),) = world.ask(b"\0\1f\0NetASCII\0tsize\x000\0")
    assert data == tftp.encode_data(1, b"one\r\ntwo\r\0")


def test_the_router_is_asked_once_for_a_file_and_never_for_a_block() -> None:
    asked: list[str] = []

    def open_file(request: FileRequest) -> Content:
        asked.append(request.path)
        return Content(bytes(100_000), 100_000)

    world = TftpWorld(open_file)
    ((tid, _),) = world.rrq("x")
    blocks = 1
    while not world.events[1:]:
        blocks += len(world.answer(tid, tftp.encode_ack(blocks)))
    assert blocks == 100_000 // 512 + 1
    assert asked == ["x"]
