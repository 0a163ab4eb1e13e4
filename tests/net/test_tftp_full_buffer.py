"""Datagrams that do not leave: a paused link or a shaped one holds up one client, and nobody else."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from provd.net.tftp_lane import connected
from provd.net.tftp_poller import TftpPoller
from provd.net.tftp_socket import UdpNetwork, _TransferSocket
from tests.net.test_tftp_poller import Reactor


@pytest.fixture
def full(tmp_path: Path) -> Iterator[tuple[_TransferSocket, str]]:
    """A transfer's socket and the place of one that takes datagrams and reads none: local ones wait for room."""
    name = str(tmp_path / "client")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as deaf:
        deaf.bind(name)
        ours = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        port = _TransferSocket(TftpPoller(Reactor()), ours, lambda _data, _peer: None)  # type: ignore[arg-type]
        yield port, name
    # Without a reader what waits fails, so no thread stays behind.
    port.close()


@pytest.mark.parametrize(
    "send",
    [
        lambda port, name: [port.send(bytes(512), name) for _ in range(30)],
        lambda port, name: [port.send_all([bytes(512)] * 64, name) for _ in range(30)],
    ],
)
def test_a_full_buffer_is_a_loss(full: tuple[_TransferSocket, str], send: Callable[[Any, str], object]) -> None:
    sending = threading.Thread(target=send, args=full, daemon=True)
    sending.start()
    sending.join(5.0)
    assert not sending.is_alive()


def test_what_finds_no_room_takes_the_rest_with_it(full: tuple[_TransferSocket, str]) -> None:
    port, name = full
    tried: list[int] = []

    class Counted:
        def __init__(self, sock: socket.socket) -> None:
            self._sock = sock

        def sendmsg(self, *arguments: Any) -> int:
            tried.append(1)
            return self._sock.sendmsg(*arguments)

        def close(self) -> None:
            self._sock.close()

    port._socket = Counted(port._socket)  # type: ignore[assignment]
    port._segments = False
    port.send_all([bytes(512)] * 5000, name)  # type: ignore[arg-type]
    assert len(tried) < 1000


def test_a_lane_does_not_wait_either() -> None:
    port = UdpNetwork(Reactor()).open("127.0.0.1", ("127.0.0.1", 9), lambda _data, _peer: None)  # type: ignore[arg-type]
    assert isinstance(port, _TransferSocket)
    with connected(port._socket, ("127.0.0.1", 9), 0) as lane:
        assert lane.getsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, 16) != bytes(16)
    port.close()
