"""The TFTP server on real sockets: loopback, no root."""

from __future__ import annotations

import errno
import hashlib
import os
import socket
import struct
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import pytest_twisted
from twisted.internet.threads import deferToThread

from provd.model.content import Content, FileBody, FileRequest, NotFound
from provd.net.tftp import TftpServer
from provd.net.tftp_socket import UdpNetwork
from provd.wire import tftp

SIZE = 3_000_001


@pytest.fixture
def served(tmp_path: Path) -> Iterator[tuple[TftpServer, int, list[tuple[str, FileRequest, Mapping[str, object]]]]]:
    from twisted.internet import reactor  # noqa: TID251 - these tests are about the real one

    content = hashlib.shake_256(b"provd").digest(SIZE)
    (tmp_path / "file").write_bytes(content)
    events: list[tuple[str, FileRequest, Mapping[str, object]]] = []

    def open_file(request: FileRequest) -> Content | NotFound:
        return Content(FileBody(tmp_path / "file"), SIZE) if request.path == "file" else NotFound("no such file")

    real: Any = reactor
    server = TftpServer(
        clock=real,
        network=UdpNetwork(real),
        open_file=open_file,
        on_event=lambda kind, request, fields: events.append((kind, request, fields)),
    )
    _, port = server.listen("0.0.0.0", 0)
    yield server, port, events
    server.stop()


class Client:
    """A blocking client with a socket of its own, run in a thread."""

    def __init__(self, server: tuple[str, int]) -> None:
        self.server = server
        self.sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.sock.settimeout(10)

    def first(self, name: str, options: dict[str, str]) -> tuple[bytes, tuple[str, int]]:
        self.sock.sendto(tftp.encode_request(tftp.Request(False, name, "octet", options)), self.server)
        data, tid = self.sock.recvfrom(2048)
        return data, tid

    def fetch(self, name: str, options: dict[str, str]) -> tuple[bytes, tuple[str, int]]:
        data, tid = self.first(name, options)
        accepted = tftp.decode(data)
        assert isinstance(accepted, tftp.OptionAck)
        assert accepted.options["tsize"] == str(SIZE)
        blksize, window = int(accepted.options["blksize"]), int(accepted.options.get("windowsize", "1"))
        self.sock.sendto(tftp.encode_ack(0), tid)
        received, block = bytearray(), 0
        while True:
            data, source = self.sock.recvfrom(2048)
            opcode, number = struct.unpack("!HH", data[:4])
            assert (opcode, source) == (tftp.DATA, tid)
            if number != (block + 1) & 0xFFFF:
                continue
            block += 1
            received += data[4:]
            last = len(data) - 4 < blksize
            if last or block % window == 0:
                self.sock.sendto(tftp.encode_ack(block), tid)
            if last:
                return bytes(received), tid


@pytest.mark.parametrize(
    "options",
    [
        {"blksize": "1024", "tsize": "0"},
        {"tsize": "0", "blksize": "1468", "windowsize": "4"},
        {"tsize": "0", "blksize": "1468", "windowsize": "64"},
    ],
)
@pytest.mark.parametrize("local", ["127.0.0.1", "127.0.0.2"])
@pytest_twisted.ensureDeferred
async def test_a_file_arrives_from_the_address_that_was_asked(
    served: tuple[TftpServer, int, list[Any]], local: str, options: dict[str, str]
) -> None:
    server, port, events = served
    client = Client((local, port))
    content, tid = await deferToThread(client.fetch, "file", options)
    assert content == hashlib.shake_256(b"provd").digest(SIZE)
    assert tid[0] == local
    assert tid[1] != port
    await deferToThread(client.first, "nothing", {})
    assert [kind for kind, _, _ in events] == ["tftp.request", "tftp.sent", "tftp.request", "tftp.missed"]
    assert events[1][1].local == local
    assert events[1][2]["bytes"] == SIZE
    assert server.transfers == 0
    client.sock.close()


@pytest_twisted.ensureDeferred
async def test_t02_a_stranger_is_told_though_the_client_has_a_socket_of_its_own(
    served: tuple[TftpServer, int, list[Any]],
) -> None:
    server, port, events = served
    client, stranger = Client(("127.0.0.1", port)), Client(("127.0.0.1", port))

    def half(blocks: int) -> tuple[str, int]:
        data, tid = client.first("file", {"blksize": "1024", "tsize": "0"})
        for block in range(blocks):
            client.sock.sendto(tftp.encode_ack(block), tid)
            data, _ = client.sock.recvfrom(2048)
            assert data[:4] == struct.pack("!HH", tftp.DATA, block + 1)
        return tid

    tid = await deferToThread(half, 100)
    descriptors = _sockets_on(tid[1])
    assert descriptors == 2
    stranger.sock.sendto(tftp.encode_ack(100), tid)
    data, source = await deferToThread(stranger.sock.recvfrom, 2048)
    assert tftp.decode(data) == tftp.Error(5, "Unknown transfer ID")
    assert source == tid
    client.sock.sendto(tftp.encode_ack(100), tid)
    data, source = await deferToThread(client.sock.recvfrom, 2048)
    assert (data[:4], source) == (struct.pack("!HH", tftp.DATA, 101), tid)
    assert server.transfers == 1
    client.sock.sendto(tftp.encode_error(3, "disk full"), tid)
    await _over(server)
    assert events[-1][0] == "tftp.failed"
    assert events[-1][2]["reason"] == "client sent error 3: disk full"
    assert _sockets_on(tid[1]) == 0
    client.sock.close()
    stranger.sock.close()


@pytest_twisted.ensureDeferred
async def test_transfers_beyond_the_second_sockets_go_on_with_one(
    served: tuple[TftpServer, int, list[Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> socket.socket:
        raise OSError(errno.EMFILE, "Too many open files")

    monkeypatch.setattr("provd.net.tftp_socket.connected", full)
    _, port, _ = served
    client = Client(("127.0.0.1", port))
    content, _ = await deferToThread(client.fetch, "file", {"blksize": "1024", "tsize": "0"})
    assert content == hashlib.shake_256(b"provd").digest(SIZE)
    client.sock.close()


async def _over(server: TftpServer) -> None:
    """The last acknowledgement has come."""
    for _ in range(1000):
        if not server.transfers:
            return
        await deferToThread(time.sleep, 0.01)


def _sockets_on(port: int) -> int:
    table = Path("/proc/net/udp").read_text().splitlines()[1:]
    return sum(int(line.split()[1].split(":")[1], 16) == port for line in table)


@pytest.mark.parametrize("window", ["1", "4"])
@pytest_twisted.ensureDeferred
async def test_what_cannot_leave_the_short_way_takes_the_longer_one(
    served: tuple[TftpServer, int, list[Any]], window: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    refused: list[int] = []

    def write(_descriptor: int, octets: bytes) -> int:
        refused.append(len(octets))
        raise OSError(errno.EINVAL, "Invalid argument")

    monkeypatch.setattr("provd.net.tftp_lane.os", SimpleNamespace(read=os.read, write=write))
    server, port, events = served
    client = Client(("127.0.0.1", port))
    options = {"blksize": "1024", "tsize": "0", "windowsize": window}
    content, _ = await deferToThread(client.fetch, "file", options)
    await _over(server)
    assert content == hashlib.shake_256(b"provd").digest(SIZE)
    assert set(refused) == {1028 * int(window)}
    assert events[-1][2]["retries"] == 0
    client.sock.close()


@pytest_twisted.ensureDeferred
async def test_rubbish_does_not_stop_the_real_listener(served: tuple[TftpServer, int, list[Any]]) -> None:
    server, port, _ = served
    client = Client(("127.0.0.1", port))
    for rubbish in (b"", b"\0", b"\xff" * 2000, b"\0\1" + b"a" * 1000, b"\0\5\0\0\0", b"\0\4\0\1"):
        client.sock.sendto(rubbish, client.server)
    for _ in range(4):
        data, _ = await deferToThread(client.sock.recvfrom, 2048)
        assert tftp.decode(data) == tftp.Error(4, "Illegal operation")
    data, _ = await deferToThread(client.first, "file", {"blksize": "512"})
    assert tftp.decode(data) == tftp.OptionAck({"blksize": "512"})
    assert server.transfers == 1
    client.sock.close()


@pytest_twisted.ensureDeferred
async def test_t20_a_broadcast_request_is_not_answered(served: tuple[TftpServer, int, list[Any]]) -> None:
    server, port, _ = served
    client = Client(("127.255.255.255", port))
    client.sock.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
    client.sock.sendto(b"\0\1file\0octet\0", client.server)
    client.server = ("127.0.0.1", port)
    data, _ = await deferToThread(client.first, "nothing", {})
    assert tftp.decode(data) == tftp.Error(1, "File not found")
    assert server.counts["requests"] == 1
    client.sock.close()


def test_an_address_in_use_is_said_at_once(served: tuple[TftpServer, int, list[Any]]) -> None:
    server, port, _ = served
    with pytest.raises(OSError, match="in use"):
        server.listen("0.0.0.0", port)
    with pytest.raises(OSError, match="assign"):
        server.listen("203.0.113.7", 0)
