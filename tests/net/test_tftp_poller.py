"""Turns of the poller: all that is ready, one client followed, and never longer than a turn."""

from __future__ import annotations

import os
import time
from typing import Any

from provd.net.tftp_poller import TransferPoller


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

    def read(self) -> None:
        os.read(self.descriptor, 1)
        self.reads += 1

    def wait(self) -> bool:
        self.waits += 1
        if self.waits > self.answers:
            time.sleep(0.001)
            return False
        return True

    def close(self) -> None:
        os.close(self.descriptor)
        os.close(self.other)


def world(count: int) -> tuple[TransferPoller, Reactor, list[Pipe]]:
    """In a turn that never ends by its time."""
    reactor = Reactor()
    poller = TransferPoller(reactor, lambda: 0.0)  # type: ignore[arg-type]
    pipes = [Pipe() for _ in range(count)]
    for pipe in pipes:
        poller.add(pipe.descriptor, pipe)
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
    poller = TransferPoller(reactor, lambda: next(now) / 10_000)  # type: ignore[arg-type]
    pipe = Pipe()
    pipe.answers = 1_000_000
    poller.add(pipe.descriptor, pipe)
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
