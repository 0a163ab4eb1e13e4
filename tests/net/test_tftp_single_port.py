"""TFTP with one port for everything, on real sockets (rule T01)."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import pytest_twisted
from twisted.internet.threads import deferToThread

from provd.model.content import Content, FileBody, FileRequest, NotFound
from provd.net.tftp import TftpServer
from provd.net.tftp_single_port import SinglePortNetwork
from provd.wire import tftp
from tests.net.test_tftp_loopback import SIZE, Client


@pytest.fixture
def served(tmp_path: Path) -> Iterator[tuple[TftpServer, int]]:
    from twisted.internet import reactor  # noqa: TID251 - these tests are about the real one

    (tmp_path / "file").write_bytes(hashlib.shake_256(b"provd").digest(SIZE))

    def open_file(request: FileRequest) -> Content | NotFound:
        return Content(FileBody(tmp_path / "file"), SIZE) if request.path == "file" else NotFound("no such file")

    real: Any = reactor
    network = SinglePortNetwork(real)
    server = TftpServer(clock=real, network=network, open_file=open_file, on_event=lambda *_: None)
    _, port = server.listen("0.0.0.0", 0)
    yield server, port
    server.stop()


@pytest.mark.parametrize(
    "options", [{"blksize": "1024", "tsize": "0"}, {"tsize": "0", "blksize": "1468", "windowsize": "16"}]
)
@pytest.mark.parametrize("local", ["127.0.0.1", "127.0.0.2"])
@pytest_twisted.ensureDeferred
async def test_T01_every_answer_comes_from_the_port_and_the_address_that_were_asked(
    served: tuple[TftpServer, int], local: str, options: dict[str, str]
) -> None:
    server, port = served
    client = Client((local, port))
    content, tid = await deferToThread(client.fetch, "file", options)
    assert content == hashlib.shake_256(b"provd").digest(SIZE)
    assert tid == (local, port)
    data, tid = await deferToThread(client.first, "nothing", {})
    assert (tftp.decode(data), tid) == (tftp.Error(1, "File not found"), (local, port))
    assert server.transfers == 0
    client.sock.close()


@pytest_twisted.ensureDeferred
async def test_T01_transfers_of_many_clients_do_not_mix(served: tuple[TftpServer, int]) -> None:
    _, port = served
    clients = [Client(("127.0.0.1", port)) for _ in range(5)]
    coming = [
        deferToThread(one.fetch, "file", {"blksize": str(1400 - n), "tsize": "0"}) for n, one in enumerate(clients)
    ]
    for client, fetched in zip(clients, coming, strict=True):
        content, _ = await fetched
        assert content == hashlib.shake_256(b"provd").digest(SIZE)
        client.sock.close()


@pytest_twisted.ensureDeferred
async def test_T01_what_belongs_to_no_transfer_is_counted_and_not_answered(served: tuple[TftpServer, int]) -> None:
    server, port = served
    client = Client(("127.0.0.1", port))
    client.sock.sendto(tftp.encode_ack(1), client.server)
    data, _ = await deferToThread(client.first, "nothing", {})
    assert tftp.decode(data) == tftp.Error(1, "File not found")
    assert server.counts["malformed"] == 1
    client.sock.close()


@pytest_twisted.ensureDeferred
async def test_T03_the_same_port_may_begin_anew(served: tuple[TftpServer, int]) -> None:
    server, port = served
    client = Client(("127.0.0.1", port))
    first, _ = await deferToThread(client.first, "file", {"blksize": "512"})
    assert tftp.decode(first) == tftp.OptionAck({"blksize": "512"})
    client.sock.sendto(tftp.encode_error(0, "changed my mind"), client.server)
    content, _ = await deferToThread(client.fetch, "file", {"blksize": "1024", "tsize": "0"})
    assert len(content) == SIZE
    assert server.transfers == 0
    client.sock.close()
