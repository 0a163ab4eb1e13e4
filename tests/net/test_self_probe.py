"""A service that asks its own listeners: those that answer, those that are silent, those that are not there."""

from __future__ import annotations

import socket
import threading
from pathlib import Path

import pytest

from provd.net import self_probe
from provd.net.self_probe import Queue, queues


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(self_probe, "WAIT_S", 0.3)


def answering(kind: socket.SocketKind, reply: bytes) -> tuple[socket.socket, int]:
    """A port on loopback that says one thing."""
    sock = socket.socket(socket.AF_INET, kind)
    sock.bind(("127.0.0.1", 0))
    sock.settimeout(5)
    if kind == socket.SOCK_STREAM:
        sock.listen()

    def serve() -> None:
        if kind == socket.SOCK_DGRAM:
            _, peer = sock.recvfrom(2048)
            if reply:
                sock.sendto(reply, peer)
        else:
            taken, _ = sock.accept()
            with taken:
                taken.recv(2048)
                taken.sendall(reply)

    threading.Thread(target=serve, daemon=True).start()
    return sock, int(sock.getsockname()[1])


@pytest.mark.parametrize(
    ("reply", "fault"),
    [(b"\0\5\0\1no such file\0", ""), (b"", "no answer within 0 s"), (b"??", "packet: 2 octets, the shortest has 4")],
)
def test_tftp(reply: bytes, fault: str) -> None:
    sock, port = answering(socket.SOCK_DGRAM, reply)
    with sock:
        assert self_probe.tftp("127.0.0.1", port).startswith(fault)
        assert bool(self_probe.tftp("127.0.0.1", port)) or not fault


@pytest.mark.parametrize(("reply", "fault"), [(b"HTTP/1.1 404 x\r\n\r\n", ""), (b"220 hello", "it answers with b'220")])
def test_http(reply: bytes, fault: str) -> None:
    sock, port = answering(socket.SOCK_STREAM, reply)
    with sock:
        told = self_probe.http("127.0.0.1", port)
    assert told.startswith(fault) if fault else told == ""


def test_nobody_listens() -> None:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))
        port = sock.getsockname()[1]
    assert self_probe.http("127.0.0.1", port) == "Connection refused"
    assert self_probe.http("127.0.0.1", port, tls=True) == "Connection refused"
    assert self_probe.tftp("127.0.0.1", port) in {"Connection refused", "no answer within 0 s"}


def test_the_kernels_queues(tmp_path: Path) -> None:
    table = tmp_path / "udp"
    table.write_text(
        "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode ref pointer drops\n"
        "  123: 00000000:0043 00000000:0000 07 00000000:00000A00 00:00000000 00000000     0        0 1 2 0000 7\n"
        "broken line\n"
    )
    assert queues(table) == [Queue(67, 2560, 7)]
    assert queues(tmp_path / "none") == []
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.bind(("127.0.0.1", 0))
        assert sock.getsockname()[1] in {queue.port for queue in queues()}
