"""Content that carries an awaited body, over TFTP."""

from __future__ import annotations

from twisted.internet.defer import Deferred

from provd.model.content import AwaitedBody, Content, NotFound
from provd.net.tftp import Answer
from provd.wire import tftp
from tests.fakes.tftp_network import TftpWorld, error_of


def test_the_answer_is_awaited_once_and_sent_instead() -> None:
    coming: Deferred[Answer] = Deferred()
    asked: list[str] = []

    def answer() -> Deferred[Answer]:
        asked.append("once")
        return coming

    world = TftpWorld(lambda _: Content(AwaitedBody(answer), -1))
    assert world.rrq("file") == []
    assert world.rrq("file") == []
    coming.callback(Content(b"late", 4))
    assert [data for _, _, data in world.network.sent] == [tftp.encode_data(1, b"late")]
    assert asked == ["once"]


def test_there_may_be_nothing() -> None:
    async def nothing() -> Answer:
        return NotFound("upstream lacks it")

    world = TftpWorld(lambda _: Content(AwaitedBody(nothing), -1))
    assert error_of(world.rrq("file")) == tftp.ErrorCode.NOT_FOUND


def test_it_may_fail() -> None:
    async def failing() -> Answer:
        raise RuntimeError("boom")

    world = TftpWorld(lambda _: Content(AwaitedBody(failing), -1))
    assert error_of(world.rrq("file")) == tftp.ErrorCode.UNDEFINED
