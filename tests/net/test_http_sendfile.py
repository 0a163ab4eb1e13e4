"""Large files by sendfile on real sockets: whole, in ranges, cut short, from a disk that is slow, to clients that stall."""

# mypy: disable-error-code="no-untyped-call, untyped-decorator"

from __future__ import annotations

import hashlib
import os
import socket
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import pytest_twisted
from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.task import deferLater
from twisted.internet.threads import deferToThread

from provd.model.content import Content, FileBody
from provd.net.http import HttpLimits, HttpListener, HttpSite
from provd.net.http_sendfile import SendFile
from provd.net.http_transfer import PIECE, Transfer, in_memory
from tests.fakes.fake_http import FakeTree

SIZE = 3 * PIECE + 12_345


@pytest.fixture
def octets(tmp_path: Path) -> bytes:
    content = hashlib.shake_256(b"sendfile").digest(SIZE + 100)
    (tmp_path / "image").write_bytes(content)
    return content


def _start(
    tree: FakeTree, limits: HttpLimits | None = None, threads: list[int] | None = None
) -> tuple[HttpListener, int]:
    from twisted.internet import reactor  # noqa: TID251 - these tests are about the real one

    async def in_thread(call: Callable[[], Any]) -> Any:
        if threads is not None:
            threads.append(1)
        return await deferToThread(call)

    listener = HttpListener(reactor, HttpSite(reactor, lambda: 1.7e9, tree.open_file, in_thread, tree.on_event, limits))
    return listener, listener.listen("127.0.0.1", 0)


def _descriptors() -> int:
    """Sockets and files that are open; a sending thread's own epoll is neither."""
    places = (os.path.realpath(one) for one in Path("/proc/self/fd").iterdir())
    return sum("anon_inode:" not in place for place in places)


def _ask(port: int, *requests: str) -> bytes:
    """Everything that comes back until the connection ends."""
    with socket.create_connection(("127.0.0.1", port), timeout=20) as connection:
        connection.sendall("".join(requests).encode())
        parts = []
        while more := connection.recv(1 << 16):
            parts.append(more)
        return b"".join(parts)


def _get(path: str = "image", version: str = "1.0", headers: str = "") -> str:
    return f"GET /{path} HTTP/{version}\r\nHost: x\r\n{headers}\r\n"


@pytest_twisted.ensureDeferred
async def test_H12_H02_whole_and_in_ranges_behind_an_offset(tmp_path: Path, octets: bytes) -> None:
    sent: list[int] = []
    content = Content(FileBody(tmp_path / "image", offset=100), SIZE, on_sent=sent.append)
    listener, port = _start(FakeTree({"image": content}))
    try:
        head, _, body = (await deferToThread(partial(_ask, port, _get()))).partition(b"\r\n\r\n")
        assert f"Content-Length: {SIZE}".encode() in head
        assert body == octets[100:]
        answer = await deferToThread(partial(_ask, port, _get(headers="Range: bytes=70000-1000000\r\n")))
        head, _, body = answer.partition(b"\r\n\r\n")
        assert head.startswith((b"HTTP/1.0 206", b"HTTP/1.1 206"))
        assert body == octets[70_100:1_000_101]
    finally:
        await listener.close()
    assert sent == [SIZE]


@pytest_twisted.ensureDeferred
async def test_H11_large_and_small_answers_of_one_connection_keep_their_order(tmp_path: Path, octets: bytes) -> None:
    tree = FakeTree({"image": Content(FileBody(tmp_path / "image"), SIZE), "small": Content.text("small")})
    listener, port = _start(tree)
    asked = [_get("image", "1.1"), _get("small", "1.1"), _get("image", "1.1", "Connection: close\r\n")]
    try:
        answer = await deferToThread(partial(_ask, port, *asked))
    finally:
        await listener.close()
    first, second = answer.find(octets[:SIZE]), answer.rfind(octets[:SIZE])
    assert 0 < first < answer.find(b"\r\n\r\nsmall") < second
    assert len(answer) == second + SIZE


@pytest_twisted.ensureDeferred
async def test_a_file_that_becomes_shorter_ends_the_connection_and_not_the_server(tmp_path: Path) -> None:
    (tmp_path / "image").write_bytes(bytes(SIZE - 200_000))
    tree = FakeTree({"image": Content(FileBody(tmp_path / "image"), SIZE)})
    listener, port = _start(tree)
    try:
        answer = await deferToThread(partial(_ask_broken, port))
        assert len(answer) < SIZE
    finally:
        await listener.close()
    assert [kind for kind, _, _ in tree.events][-1] == "http.failed"


def _ask_broken(port: int) -> bytes:
    with socket.create_connection(("127.0.0.1", port), timeout=20) as connection:
        connection.sendall(_get().encode())
        parts = []
        try:
            while more := connection.recv(1 << 16):
                parts.append(more)
        except ConnectionResetError:
            pass
        return b"".join(parts)


@pytest_twisted.ensureDeferred
async def test_a_client_that_takes_nothing_is_dropped_and_leaves_nothing_open(tmp_path: Path) -> None:
    from twisted.internet import reactor  # noqa: TID251 - these tests are about the real one

    (tmp_path / "image").write_bytes(bytes(40 << 20))
    tree = FakeTree({"image": Content(FileBody(tmp_path / "image"), 40 << 20)})
    listener, port = _start(tree, HttpLimits(stall_s=0.3))
    before = _descriptors()
    connection = socket.create_connection(("127.0.0.1", port))
    try:
        connection.sendall(_get().encode())
        await deferLater(reactor, 1.0)
        assert [kind for kind, _, _ in tree.events] == ["http.request", "http.failed"]
        assert _descriptors() <= before + 1
    finally:
        connection.close()
        await listener.close()


@pytest_twisted.ensureDeferred
async def test_a_client_that_goes_away_is_told_apart_from_a_fault(tmp_path: Path) -> None:
    from twisted.internet import reactor  # noqa: TID251 - these tests are about the real one

    (tmp_path / "image").write_bytes(bytes(40 << 20))
    tree = FakeTree({"image": Content(FileBody(tmp_path / "image"), 40 << 20)})
    listener, port = _start(tree)
    connection = socket.create_connection(("127.0.0.1", port))
    connection.sendall(_get().encode())
    await deferLater(reactor, 0.1)
    connection.close()
    await deferLater(reactor, 0.3)
    await listener.close()
    kind, _, fields = tree.events[-1]
    assert (kind, fields["reason"]) == ("http.failed", "the client closed the connection")


@pytest_twisted.ensureDeferred
async def test_what_is_not_in_memory_is_read_by_a_thread(
    tmp_path: Path, octets: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in ("http_sendfile", "http_transfer"):
        monkeypatch.setattr(f"provd.net.{module}.in_memory", lambda _file, octet: octet < PIECE)
    threads: list[int] = []
    tree = FakeTree({"image": Content(FileBody(tmp_path / "image"), SIZE)})
    listener, port = _start(tree, threads=threads)
    try:
        answer = await deferToThread(partial(_ask, port, _get()))
    finally:
        await listener.close()
    assert answer.endswith(octets[:SIZE])
    assert len(threads) == 3


def test_the_kernel_is_asked_whether_an_octet_is_in_memory(tmp_path: Path) -> None:
    (tmp_path / "image").write_bytes(bytes(PIECE))
    with (tmp_path / "image").open("rb") as file:
        assert in_memory(file.fileno(), PIECE - 1)


def test_a_turn_gives_one_piece_though_the_connection_takes_more(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "image").write_bytes(bytes(2 * PIECE + 5))
    given: list[int] = []

    def sendfile(_out: int, _in: int, _at: int, count: int) -> int:
        given.append(count)
        return count

    monkeypatch.setattr(os, "sendfile", sendfile)
    with (tmp_path / "image").open("rb") as file:
        transfer = Transfer(-1, file.fileno(), 0, PIECE, 2 * PIECE + 5, 1.0)
        transfer.write()
        assert given == [PIECE]
        assert transfer.extend()
        transfer.write()
        assert transfer.extend()
        transfer.write()
        assert not transfer.extend()
    assert given == [PIECE, PIECE, 5]


@pytest.mark.parametrize("left", [0, 1])
def test_a_client_that_hangs_up_after_the_last_octet_has_the_whole_file(
    octets: bytes, tmp_path: Path, left: int
) -> None:
    class LateSenders:
        """Its thread has sent all but so many octets when the connection ends, and nobody was told yet."""

        def send(self, transfer: Transfer) -> Deferred[None]:
            transfer.at = transfer.stop - left
            return Deferred()

    async def in_thread(call: Callable[[], Any]) -> Any:
        return call()

    ours, theirs = socket.socketpair()
    ours.setblocking(False)
    with ours, theirs, (tmp_path / "image").open("rb") as file:
        sending = SendFile(
            LateSenders(),  # type: ignore[arg-type]
            ours.fileno(), file.fileno(), 0, PIECE, in_thread=in_thread, stall_s=9.0,
        )  # fmt: skip
        done: list[object] = []
        work = Deferred.fromCoroutine(sending.run())
        work.addBoth(done.append)
        work.cancel()
    if left:
        assert getattr(done[0], "type", None) is CancelledError
    else:
        assert done == [PIECE]
