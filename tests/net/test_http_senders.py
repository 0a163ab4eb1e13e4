"""Threads that send files: turns, clients that stall or go away, transfers given up, and threads that end."""

# mypy: disable-error-code="untyped-decorator"

from __future__ import annotations

import errno
import os
import select
import socket
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import cast

import pytest
import pytest_twisted
from twisted.internet.defer import CancelledError, Deferred
from twisted.internet.error import ConnectionAborted
from twisted.internet.interfaces import IReactorFromThreads
from twisted.internet.task import deferLater
from twisted.internet.threads import deferToThread

from provd.net import http_senders
from provd.net.http_body import ShortBodyError
from provd.net.http_senders import Sender, Senders
from provd.net.http_transfer import PIECE, Transfer

SIZE = 5 * PIECE + 77


@pytest.fixture
def pairs() -> Iterator[Callable[[], tuple[socket.socket, socket.socket]]]:
    opened: list[socket.socket] = []

    def pair() -> tuple[socket.socket, socket.socket]:
        ours, theirs = socket.socketpair()
        ours.setblocking(False)
        theirs.settimeout(10)
        opened.extend((ours, theirs))
        return ours, theirs

    yield pair
    for one in opened:
        one.close()


@pytest.fixture
def image(tmp_path: Path) -> Iterator[int]:
    (tmp_path / "image").write_bytes(os.urandom(SIZE))
    descriptor = os.open(tmp_path / "image", os.O_RDONLY)
    yield descriptor
    os.close(descriptor)


def _senders() -> Senders:
    from twisted.internet import reactor  # noqa: TID251 - these tests are about the real one

    return Senders(cast("IReactorFromThreads", reactor))


def _transfer(connection: socket.socket, file: int, stall_s: float = 10.0) -> Transfer:
    return Transfer(connection.fileno(), file, 0, PIECE, SIZE, stall_s)


def _all(connection: socket.socket, octets: int) -> bytes:
    parts = []
    while octets:
        parts.append(connection.recv(min(octets, 1 << 16)))
        octets -= len(parts[-1])
    return b"".join(parts)


def _references(file: int) -> int:
    place = Path(f"/proc/self/fd/{file}").readlink()
    return sum(one.readlink() == place for one in Path("/proc/self/fd").iterdir() if one.is_symlink())


async def _until(true: Callable[[], bool]) -> None:
    from twisted.internet import reactor  # noqa: TID251 - these tests are about the real one

    for _ in range(1000):
        if true():
            return
        await deferLater(reactor, 0.02)
    raise AssertionError("it does not become true")


@pytest_twisted.ensureDeferred
async def test_H12_several_connections_are_sent_to_side_by_side(
    image: int, pairs: Callable[[], tuple[socket.socket, socket.socket]]
) -> None:
    senders, wanted = _senders(), os.pread(image, SIZE, 0)
    connections = [pairs() for _ in range(5)]
    done = [senders.send(_transfer(ours, image)) for ours, _ in connections]
    for _, theirs in reversed(connections):
        assert await deferToThread(_all, theirs, SIZE) == wanted
    for one in done:
        await one
    assert _references(image) == 1


@pytest_twisted.ensureDeferred
async def test_H12_a_client_that_takes_nothing_ends_and_the_others_go_on(
    image: int, pairs: Callable[[], tuple[socket.socket, socket.socket]]
) -> None:
    senders = _senders()
    (stalls, _), (goes, theirs) = pairs(), pairs()
    stalled, going = senders.send(_transfer(stalls, image, stall_s=0.3)), senders.send(_transfer(goes, image))
    with pytest.raises(ConnectionAborted, match="takes nothing"):
        await stalled
    await deferToThread(_all, theirs, SIZE)
    await going
    assert _references(image) == 1


@pytest_twisted.ensureDeferred
async def test_a_client_that_takes_little_is_none_that_takes_nothing(
    image: int, pairs: Callable[[], tuple[socket.socket, socket.socket]]
) -> None:
    """The kernel asks for more only when much of its buffer has left: a slow client needs longer for that."""
    ours, theirs = pairs()
    ours.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1 << 20)
    done = _senders().send(_transfer(ours, image, stall_s=0.8))

    def slowly() -> bytes:
        began = b""
        for _ in range(18):
            began += theirs.recv(10_000)
            time.sleep(0.1)
        return began + _all(theirs, SIZE - len(began))

    assert await deferToThread(slowly) == os.pread(image, SIZE, 0)
    await done


@pytest_twisted.ensureDeferred
async def test_a_client_that_goes_away_ends_its_transfer(
    image: int, pairs: Callable[[], tuple[socket.socket, socket.socket]]
) -> None:
    ours, theirs = pairs()
    done = _senders().send(_transfer(ours, image))
    theirs.close()
    with pytest.raises(ConnectionAborted):
        await done
    assert _references(image) == 1


@pytest_twisted.ensureDeferred
async def test_a_transfer_that_was_given_up_frees_its_descriptors_at_once(
    image: int, pairs: Callable[[], tuple[socket.socket, socket.socket]]
) -> None:
    ours, _ = pairs()
    done: Deferred[None] = _senders().send(_transfer(ours, image))
    assert _references(image) == 2
    done.cancel()
    with pytest.raises(CancelledError):
        await done
    await _until(lambda: _references(image) == 1)


@pytest_twisted.ensureDeferred
async def test_a_thread_without_work_ends_and_the_next_transfer_starts_another(
    image: int, pairs: Callable[[], tuple[socket.socket, socket.socket]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(http_senders, "_IDLE_S", 0.1)
    over: list[BaseException | None] = []
    sender = Sender(lambda _transfer, fault: over.append(fault), time.monotonic)

    def running() -> int:
        return len(set(threading.enumerate()) - before)

    # A thread that does what this test waits for is there from now on.
    await deferToThread(int)
    before = set(threading.enumerate())
    for round_ in (1, 2):
        ours, theirs = pairs()
        transfer = _transfer(ours, image)
        transfer.hold()
        sender.submit(transfer)
        assert running() == 1
        await deferToThread(_all, theirs, SIZE)
        await _until(lambda count=round_: len(over) == count)  # type: ignore[misc]
        await _until(lambda: running() == 0)
    assert over == [None, None]
    assert sender.load == 0


@pytest_twisted.ensureDeferred
async def test_a_file_that_became_shorter_is_told(
    tmp_path: Path, pairs: Callable[[], tuple[socket.socket, socket.socket]]
) -> None:
    (tmp_path / "short").write_bytes(bytes(1000))
    ours, _ = pairs()
    with (tmp_path / "short").open("rb") as file:
        done = _senders().send(Transfer(ours.fileno(), file.fileno(), 0, 2000, 2000, 10.0))
        with pytest.raises(ShortBodyError, match="ends at octet 1000, 2000 were announced"):
            await done


@pytest_twisted.ensureDeferred
async def test_a_thread_that_cannot_have_its_epoll_leaves_no_transfer_waiting(
    image: int, pairs: Callable[[], tuple[socket.socket, socket.socket]], monkeypatch: pytest.MonkeyPatch
) -> None:
    def full() -> None:
        raise OSError(errno.EMFILE, "Too many open files")

    monkeypatch.setattr(http_senders, "_IDLE_S", 0.1)
    over: list[BaseException | None] = []
    sender = Sender(lambda _transfer, fault: over.append(fault))
    ours, theirs = pairs()
    transfer = _transfer(ours, image)
    transfer.hold()
    with monkeypatch.context() as short:
        short.setattr(select, "epoll", full)
        with pytest.raises(OSError, match="Too many open files"):
            sender.submit(transfer)
    assert sender.load == 0
    sender.submit(transfer)
    await deferToThread(_all, theirs, SIZE)
    await _until(lambda: over == [None])
