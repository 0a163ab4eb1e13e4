"""The listener on real sockets: what a transport in memory cannot show."""

# mypy: disable-error-code="no-untyped-call, untyped-decorator"

from __future__ import annotations

import hashlib
import resource
import socket
from collections.abc import AsyncIterator, Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest_twisted
from twisted.internet.defer import Deferred
from twisted.internet.task import deferLater
from twisted.internet.threads import deferToThread

from provd.model.content import Content, FileBody, StreamBody
from provd.net.http import HttpLimits, HttpListener, HttpSite
from tests.fakes.fake_http import FakeTree


async def _in_thread(call: Callable[[], Any]) -> Any:
    return await deferToThread(call)


def _start(tree: FakeTree, limits: HttpLimits | None = None, address: str = "127.0.0.1") -> tuple[HttpListener, int]:
    from twisted.internet import reactor  # noqa: TID251 - these tests are about the real one

    site = HttpSite(reactor, lambda: 1.7e9, tree.open_file, _in_thread, tree.on_event, limits)
    listener = HttpListener(reactor, site)
    return listener, listener.listen(address, 0)


def _get(port: int, path: str, address: str = "127.0.0.1") -> tuple[bytes, str, int]:
    """Head, SHA-256 of the body, octets."""
    with socket.create_connection((address, port), timeout=20) as connection:
        connection.sendall(f"GET /{path} HTTP/1.0\r\n\r\n".encode())
        head, digest, size, raw = b"", hashlib.sha256(), 0, b""
        while b"\r\n\r\n" not in raw:
            more = connection.recv(4096)
            assert more, "the connection ended before the headers did"
            raw += more
        head, _, rest = raw.partition(b"\r\n\r\n")
        while rest:
            digest.update(rest)
            size += len(rest)
            rest = connection.recv(1 << 20)
        return head, digest.hexdigest(), size


@pytest_twisted.ensureDeferred
async def test_h12_large_files_leave_whole_in_little_memory(tmp_path: Path) -> None:
    big = tmp_path / "image"
    with big.open("wb") as out:
        for number in range(64):
            out.write(bytes([number]) * (1 << 20))
    want = hashlib.sha256(big.read_bytes()).hexdigest()
    sent: list[int] = []
    tree = FakeTree({"image": Content(FileBody(big), 64 << 20, on_sent=sent.append)})
    listener, port = _start(tree)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    try:
        for _ in range(4):
            head, digest, size = await deferToThread(partial(_get, port, "image"))
            assert (size, digest) == (64 << 20, want)
            assert head.startswith(b"HTTP/1.0 200")
    finally:
        await listener.close()
    assert sent == [64 << 20] * 4
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 40 * 1024


@pytest_twisted.ensureDeferred
async def test_a_body_in_memory_counts_as_sent_when_it_has_left_and_not_before() -> None:
    from twisted.internet import reactor  # noqa: TID251 - these tests are about the real one

    body = bytes(32 << 20)
    sent: list[int] = []
    tree = FakeTree({"image": Content(body, len(body), on_sent=sent.append)})
    listener, port = _start(tree)
    client = socket.create_connection(("127.0.0.1", port), timeout=20)
    try:
        client.sendall(b"GET /image HTTP/1.0\r\n\r\n")
        await deferToThread(partial(client.recv, 4096))
        await deferLater(reactor, 0.1, lambda: None)
        assert sent == []
        await deferToThread(partial(_drain, client))
        assert sent == [len(body)]
    finally:
        client.close()
        await listener.close()


def _drain(client: socket.socket) -> None:
    while client.recv(1 << 20):
        pass


@pytest_twisted.ensureDeferred
async def test_a_slow_client_holds_back_the_stream_and_is_dropped_when_it_stalls() -> None:
    from twisted.internet import reactor  # noqa: TID251 - these tests are about the real one

    made: list[int] = []

    async def chunks(_start: int, _stop: int) -> AsyncIterator[bytes]:
        for number in range(1000):
            made.append(number)
            yield b"x" * (1 << 18)

    tree = FakeTree({"stream": Content(StreamBody(chunks), 1000 << 18)})
    listener, port = _start(tree, HttpLimits(stall_s=0.5))
    client = socket.create_connection(("127.0.0.1", port))
    try:
        client.sendall(b"GET /stream HTTP/1.1\r\nHost: a\r\n\r\n")
        waited: Deferred[None] = deferLater(reactor, 1.0)
        await waited
    finally:
        client.close()
        await listener.close()
    assert 0 < len(made) < 100
    assert tree.events[-1][0] == "http.failed"


@pytest_twisted.ensureDeferred
async def test_each_answer_knows_the_address_that_was_asked() -> None:
    tree = FakeTree({"x": Content(b"1", 1)})
    listener, port = _start(tree, address="127.0.0.2")
    second = listener.listen("127.0.0.3", 0)
    try:
        await deferToThread(partial(_get, port, "x", "127.0.0.2"))
        await deferToThread(partial(_get, second, "x", "127.0.0.3"))
        assert listener.bound == (("127.0.0.2", port), ("127.0.0.3", second))
    finally:
        await listener.close()
    assert [(asked.local, asked.local_port) for asked in tree.asked] == [("127.0.0.2", port), ("127.0.0.3", second)]
    assert not listener.bound
