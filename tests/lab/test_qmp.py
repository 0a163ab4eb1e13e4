"""QEMU's control channel, against a scripted peer."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Callable, Iterator

import pytest

from provd.lab.errors import LabError
from provd.lab.qmp import Qmp

Peer = Callable[[socket.socket], None]


@pytest.fixture
def connect() -> Iterator[Callable[[Peer], Qmp]]:
    opened: list[tuple[Qmp, socket.socket, threading.Thread]] = []

    def start(peer: Peer) -> Qmp:
        near, far = socket.socketpair()
        thread = threading.Thread(target=peer, args=(far,))
        thread.start()
        qmp = Qmp("m1", near)
        opened.append((qmp, far, thread))
        return qmp

    yield start
    for qmp, far, thread in opened:
        qmp.close()
        thread.join(5)
        far.close()


def say(far: socket.socket, **message: object) -> None:
    far.sendall(json.dumps(message).encode() + b"\r\n")


def greeting(far: socket.socket) -> None:
    say(far, QMP={"version": {}})
    assert json.loads(far.recv(4096)) == {"execute": "qmp_capabilities"}
    say(far, **{"return": {}})


def test_commands_and_events_are_told_apart(connect: Callable[[Peer], Qmp]) -> None:
    def peer(far: socket.socket) -> None:
        greeting(far)
        assert json.loads(far.recv(4096)) == {"execute": "query-status", "arguments": {"deep": True}}
        say(far, event="RESET", data={})
        say(far, **{"return": {"status": "running"}})
        say(far, event="RESET", data={})

    qmp = connect(peer)
    qmp.greet()
    assert qmp.execute("query-status", deep=True) == {"status": "running"}
    qmp.wait_event("RESET", 5, count=2)
    assert (qmp.count("RESET"), qmp.count("SHUTDOWN")) == (2, 0)


def test_a_refusal_names_machine_and_command(connect: Callable[[Peer], Qmp]) -> None:
    def peer(far: socket.socket) -> None:
        greeting(far)
        far.recv(4096)
        say(far, error={"class": "GenericError", "desc": "no such device"})

    qmp = connect(peer)
    qmp.greet()
    with pytest.raises(LabError, match="m1: QEMU refused eject: no such device"):
        qmp.execute("eject")


def test_an_ended_qemu_is_told_at_once(connect: Callable[[Peer], Qmp]) -> None:
    def peer(far: socket.socket) -> None:
        greeting(far)
        far.shutdown(socket.SHUT_RDWR)

    qmp = connect(peer)
    qmp.greet()
    with pytest.raises(LabError, match="m1: QEMU ended without event RESET number 1"):
        qmp.wait_event("RESET", 600)
