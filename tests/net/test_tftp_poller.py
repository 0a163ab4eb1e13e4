"""Turns of the poller: all that is ready, one client followed, and never longer than a turn."""

from __future__ import annotations

import os
import threading
from typing import Any

from provd.net.tftp_poller import TftpPoller


class Reactor:
    def __init__(self) -> None:
        self.readers: list[Any] = []

    def addReader(self, reader: Any) -> None:
        self.readers.append(reader)

    def removeReader(self, reader: Any) -> None:
        self.readers.remove(reader)


class Pipe:
    """A transfer whose client answers when it is told."""

    def __init__(self) -> None:
        self.descriptor, self.other = os.pipe2(os.O_NONBLOCK)
        self.reads = self.waits = self.answers = 0

    def say(self) -> None:
        os.write(self.other, b"x")

    def read(self) -> bool:
        try:
            os.read(self.descriptor, 1)
        except BlockingIOError:
            self.waits += 1
            return self.waits <= self.answers
        self.reads += 1
        return True

    def close(self) -> None:
        os.close(self.descriptor)
        os.close(self.other)


def world(count: int) -> tuple[TftpPoller, Reactor, list[Pipe]]:
    """In a turn that never ends by its time."""
    reactor = Reactor()
    poller = TftpPoller(reactor, lambda: 0.0)  # type: ignore[arg-type]
    pipes = [Pipe() for _ in range(count)]
    for pipe in pipes:
        poller.add_transfer(pipe.descriptor, pipe)
    return poller, reactor, pipes


def test_all_that_are_ready_have_their_turn_and_nobody_is_followed() -> None:
    poller, _, pipes = world(3)
    for pipe in pipes:
        pipe.say()
    poller.doRead()
    assert [pipe.reads for pipe in pipes] == [1, 1, 1]
    assert [pipe.waits for pipe in pipes] == [0, 0, 0]
    for pipe in pipes:
        pipe.close()


def test_a_client_alone_is_followed_as_long_as_it_answers() -> None:
    poller, _, (pipe,) = world(1)
    pipe.answers = 5
    pipe.say()
    poller.doRead()
    assert (pipe.reads, pipe.waits) == (1, 6)
    pipe.close()


def test_one_that_does_not_answer_at_once_is_not_waited_for_again_soon() -> None:
    poller, _, (pipe,) = world(1)
    for _ in range(10):
        pipe.say()
        poller.doRead()
    assert (pipe.reads, pipe.waits) == (10, 1)
    pipe.close()


def test_a_turn_ends_though_the_client_answers_for_ever() -> None:
    now = iter(range(1_000_000))
    reactor = Reactor()
    poller = TftpPoller(reactor, lambda: next(now) / 10_000)  # type: ignore[arg-type]
    pipe = Pipe()
    pipe.answers = 1_000_000
    poller.add_transfer(pipe.descriptor, pipe)
    pipe.say()
    poller.doRead()
    assert pipe.waits <= 25
    pipe.close()


def test_nothing_is_held_open_without_transfers() -> None:
    poller, reactor, pipes = world(2)
    assert reactor.readers == [poller]
    before = poller.fileno()
    for pipe in pipes:
        poller.remove(pipe.descriptor)
        poller.remove(pipe.descriptor)
        pipe.close()
    assert reactor.readers == []
    assert before >= 0
    assert poller.fileno() == -1
    poller.doRead()


def test_who_asks_for_requests_alone_is_not_waited_for() -> None:
    poller, _, (pipe,) = world(1)
    poller.remove(pipe.descriptor)
    poller.add(pipe.descriptor, pipe)
    pipe.say()
    poller.doRead()
    assert (pipe.reads, pipe.waits) == (1, 0)
    pipe.close()


def test_several_clients_are_waited_for_until_the_turn_ends() -> None:
    poller, _, (first, second) = world(2)
    talk = threading.Timer(0.0001, second.say)

    class Starts(Pipe):
        def read(self) -> bool:
            talk.start()
            return super().read()

    starts = Starts()
    poller.add_transfer(starts.descriptor, starts)
    starts.say()
    for _ in range(10_000):
        poller.doRead()
        if second.reads:
            break
    talk.join()
    assert (starts.reads, second.reads, first.reads) == (1, 1, 0)
    for pipe in (first, second, starts):
        pipe.close()


def test_a_second_socket_counts_as_the_same_transfer() -> None:
    poller, _, (pipe,) = world(1)
    lane = Pipe()
    lane.answers = 3
    poller.add_lane(pipe.descriptor, lane.descriptor, lane)
    assert poller.lanes == 1
    lane.say()
    poller.doRead()
    assert (lane.reads, lane.waits, pipe.reads, pipe.waits) == (1, 4, 0, 0)
    poller.remove(pipe.descriptor)
    assert (poller.lanes, poller.fileno()) == (0, -1)
    for one in (pipe, lane):
        one.close()


def test_a_port_that_fails_stops_none_of_the_others() -> None:
    class Broken(Pipe):
        def read(self) -> bool:
            super().read()
            raise RuntimeError("boom")

    poller, reactor, (first, second) = world(2)
    broken = Broken()
    poller.add_transfer(broken.descriptor, broken)
    for pipe in (broken, first, second):
        pipe.say()
    poller.doRead()
    assert (broken.reads, first.reads, second.reads, len(reactor.readers)) == (1, 1, 1, 1)
    for pipe in (first, second):
        poller.remove(pipe.descriptor)
    broken.say()
    poller.doRead()
    assert broken.reads == 2
    for pipe in (first, second, broken):
        pipe.close()
