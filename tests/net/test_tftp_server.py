"""The TFTP server on a fake network, rule by rule."""

from __future__ import annotations

import pytest
from twisted.logger import ILogObserver, LogEvent, formatEvent, globalLogPublisher
from zope.interface import provider

from provd.model.content import Content, FileRequest, NotFound
from provd.net.tftp import TftpCaps
from provd.net.tftp_socket import _asked_address
from provd.wire import tftp
from tests.fakes.tftp_network import CLIENT, SERVER, TftpWorld, error_of

FILE = bytes(range(256)) * 10


def serve(request: FileRequest) -> Content | NotFound:
    """A little tree of answers."""
    if request.path == "file":
        return Content(FILE, len(FILE))
    if request.path == "secret":
        return NotFound("kept for others", status=403)
    if request.path == "broken":
        raise RuntimeError("boom")
    if request.path == "gone":
        return Content(b"", 0, status=410)
    if request.path == "endless":
        return Content(FILE, -1)
    return NotFound("nobody serves it")


@pytest.fixture
def world() -> TftpWorld:
    return TftpWorld(serve)


def test_t01_a_transfer_has_a_port_of_its_own_on_the_address_that_was_asked(world: TftpWorld) -> None:
    first = world.rrq("file")
    second = world.ask(b"\0\1file\0octet\0", ("10.0.0.51", 2070), "10.9.9.9")
    assert first[0][0][0] == SERVER
    assert second[0][0][0] == "10.9.9.9"
    assert len({69, first[0][0][1], second[0][0][1]}) == 3
    assert [request.local for _, request, _ in world.events] == [SERVER, "10.9.9.9"]


def test_a_whole_transfer_is_told_with_its_figures() -> None:
    sent: list[int] = []
    world = TftpWorld(lambda _: Content(FILE, len(FILE), on_sent=sent.append))
    (tid, oack), *_ = world.rrq("/boot\\file", blksize="1024", tsize="0")
    assert tftp.decode(oack) == tftp.OptionAck({"blksize": "1024", "tsize": "2560"})
    received = b""
    for block in range(3):
        world.clock.advance(0.01)
        (data,) = world.answer(tid, tftp.encode_ack(block))
        received += data[4:]
    assert received == FILE
    assert sent == []
    assert world.answer(tid, tftp.encode_ack(3)) == []
    assert sent == [len(FILE)]
    assert world.kinds() == ["tftp.request", "tftp.sent"]
    _, request, fields = world.events[-1]
    assert (request.protocol, request.path, request.peer, request.local_port) == ("tftp", "boot/file", CLIENT[0], 69)
    assert request.headers == {"blksize": "1024", "tsize": "0"}
    assert dict(fields) == {
        "bytes": 2560,
        "seconds": pytest.approx(0.03),
        "retries": 0,
        "blksize": 1024,
        "windowsize": 1,
    }
    assert list(world.network.endpoints) == [(SERVER, 69)]
    assert world.clock.getDelayedCalls() == []
    assert world.server.transfers == 0


def test_t02_a_stranger_gets_error_5_and_the_transfer_goes_on(world: TftpWorld) -> None:
    ((tid, _),) = world.rrq("file")
    stranger = ("10.0.0.66", 1)
    assert world.answer(tid, tftp.encode_ack(1), stranger) == [tftp.encode_error(5, "Unknown transfer ID")]
    assert world.answer(tid, tftp.encode_error(0, "x"), stranger) == []
    assert len(world.answer(tid, tftp.encode_ack(1))) == 1


def test_t03_a_repeated_request_starts_nothing(world: TftpWorld) -> None:
    ((tid, _),) = world.rrq("file")
    assert world.rrq("file") == []
    world.answer(tid, tftp.encode_ack(1))
    assert world.rrq("file") == []
    assert world.server.counts["repeated"] == 2
    assert world.server.transfers == 1


def test_t03_the_same_port_may_begin_anew(world: TftpWorld) -> None:
    ((tid, _),) = world.rrq("file")
    world.answer(tid, tftp.encode_ack(1))
    world.clock.advance(3.0)
    fresh = world.rrq("file")
    assert len(fresh) == 1
    assert fresh[0][0] != tid
    assert world.server.transfers == 1
    assert error_of(world.rrq("other")) == tftp.ErrorCode.NOT_FOUND
    assert world.server.transfers == 0
    assert world.kinds().count("tftp.aborted") == 2


def test_t03_a_client_that_gives_up_its_options_is_served_without_them(world: TftpWorld) -> None:
    ((tid, oack),) = world.rrq("file", blksize="1468", tsize="0")
    assert world.rrq("file", tsize="0", blksize="1468") == []
    world.clock.advance(1.0)
    assert world.network.sent[-1][2] == oack
    ((fresh, data),) = world.rrq("file")
    assert (fresh != tid, data) == (True, tftp.encode_data(1, FILE[:512]))
    assert (world.server.transfers, world.server.counts["repeated"]) == (1, 1)


def test_a_file_that_nobody_can_give_now_is_missed_as_one_that_is_not_there() -> None:
    world = TftpWorld(lambda _: NotFound("nobody serves it: plugin x keeps failing", status=503))
    assert error_of(world.rrq("file")) == tftp.ErrorCode.UNDEFINED
    assert world.kinds()[-1] == "tftp.missed"


def test_c18_no_token_in_the_log_when_an_answer_fails(capsys: pytest.CaptureFixture[str]) -> None:
    lines: list[str] = []

    @provider(ILogObserver)
    def observe(event: LogEvent) -> None:
        lines.append(formatEvent(event))

    def fails(_request: FileRequest) -> Content:
        raise RuntimeError("boom")

    globalLogPublisher.addObserver(observe)
    try:
        assert error_of(TftpWorld(fails).rrq("answer/CANARY-53cr3t/ks.cfg")) == 0
    finally:
        globalLogPublisher.removeObserver(observe)
    assert [line for line in lines if "failed" in line]
    assert "CANARY" not in "".join(lines) + capsys.readouterr().err


def test_t05_retransmission_by_the_clock_then_silence(world: TftpWorld) -> None:
    ((_, oack),) = world.rrq("file", tsize="0")
    world.clock.pump([0.5] * 100)
    assert [data for _, _, data in world.network.sent] == [oack] * 6
    assert world.kinds() == ["tftp.request", "tftp.failed"]
    assert world.events[-1][2]["reason"] == "the client never answered"
    assert list(world.network.endpoints) == [(SERVER, 69)]
    assert world.clock.getDelayedCalls() == []


def test_a_near_client_is_not_kept_waiting_by_the_first_timer(world: TftpWorld) -> None:
    ((tid, _),) = world.rrq("file")
    world.clock.advance(0.001)
    (second,) = world.answer(tid, tftp.encode_ack(1))
    before = len(world.network.sent)
    world.clock.advance(0.12)
    assert [data for _, _, data in world.network.sent[before:]] == [second]


def test_t16_a_size_probe_is_no_failure(world: TftpWorld) -> None:
    ((tid, _),) = world.rrq("file", tsize="0", blksize="1468", windowsize="4")
    assert world.answer(tid, tftp.encode_error(8, "User aborted the transfer")) == []
    assert world.kinds() == ["tftp.request", "tftp.aborted"]
    assert len(world.rrq("file", blksize="1468", windowsize="4")) == 1


@pytest.mark.parametrize(
    ("name", "code", "kind"),
    [
        ("nothing", tftp.ErrorCode.NOT_FOUND, "tftp.missed"),
        ("gone", tftp.ErrorCode.NOT_FOUND, "tftp.missed"),
        ("secret", tftp.ErrorCode.ACCESS_VIOLATION, "tftp.failed"),
        ("endless", tftp.ErrorCode.UNDEFINED, "tftp.failed"),
    ],
)
def test_t10_what_is_not_served(world: TftpWorld, name: str, code: int, kind: str) -> None:
    sent = world.rrq(name)
    assert error_of(sent) == code
    assert sent[0][0][1] != 69
    assert b"kept for others" not in sent[0][1]
    assert world.kinds() == ["tftp.request", kind]
    assert list(world.network.endpoints) == [(SERVER, 69)]


def test_a_failing_service_does_not_stop_the_listener(world: TftpWorld) -> None:
    assert error_of(world.rrq("broken")) == tftp.ErrorCode.UNDEFINED
    assert len(world.rrq("file")) == 1


@pytest.mark.parametrize(
    "data", [b"", b"\0", b"\0\1", b"\0\1\0\0", b"\0\x09ab", b"\0\1f\0mail\0", b"\0\1" + b"x" * 600]
)
def test_t10_t11_t22_bad_requests_get_error_4(world: TftpWorld, data: bytes) -> None:
    assert error_of(world.ask(data)) == tftp.ErrorCode.ILLEGAL_OPERATION
    assert world.server.counts["malformed"] == 1


@pytest.mark.parametrize("data", [b"\0\5\0\1x\0", b"\0\5", b"\0\4\0\1", b"\0\3\0\1x", b"\0\6a\x001\0"])
def test_t09_errors_and_strays_on_the_request_port_get_no_answer(world: TftpWorld, data: bytes) -> None:
    assert world.ask(data) == []


def test_t20_broadcast_requests_are_not_heard() -> None:
    def asked(destination: bytes, local: bytes) -> str:
        return _asked_address([(0, 8, (3).to_bytes(4, "little") + local + destination)])

    assert asked(b"\x0a\0\0\1", b"\x0a\0\0\1") == "10.0.0.1"
    assert asked(b"\xff\xff\xff\xff", b"\x0a\0\0\1") == ""
    assert asked(b"\xe0\0\0\1", b"\x0a\0\0\1") == ""
    assert _asked_address([]) == ""


def test_t21_writing_is_refused(world: TftpWorld) -> None:
    assert error_of(world.ask(b"\0\2file\0octet\0")) == tftp.ErrorCode.ACCESS_VIOLATION
    assert world.events == []


@pytest.mark.parametrize("name", ["../etc/passwd", "a/../../x", "..\\x", "/..", "//"])
def test_t23_c20_paths_out_of_the_tree_are_refused_before_anybody_is_asked(world: TftpWorld, name: str) -> None:
    assert error_of(world.rrq(name)) == tftp.ErrorCode.ACCESS_VIOLATION
    assert world.events == []


def test_t24_caps_per_address_and_in_all() -> None:
    world = TftpWorld(serve, caps=TftpCaps(transfers=3, per_address=2))
    heard = world.rrq("file", ("10.0.0.2", 1))[0][0]
    world.answer(heard, tftp.encode_ack(1), ("10.0.0.2", 1))
    assert len(world.rrq("file", ("10.0.0.2", 2))) == 1
    assert world.rrq("file", ("10.0.0.2", 3)) == []
    assert world.server.counts["busy"] == 1
    assert len(world.rrq("file", ("10.0.0.3", 1))) == 1
    assert len(world.rrq("file", ("10.0.0.4", 1))) == 1
    assert world.server.transfers == 3
    assert world.events[-2][0] == "tftp.failed"
    assert world.events[-2][2]["reason"] == "the server is full and the client never answered"
    assert heard in world.network.endpoints


def test_t24_a_server_full_of_living_clients_answers_nobody_else() -> None:
    world = TftpWorld(serve, caps=TftpCaps(transfers=1))
    ((tid, _),) = world.rrq("file")
    world.answer(tid, tftp.encode_ack(1))
    assert world.rrq("file", ("10.0.0.9", 9)) == []
    world.answer(tid, tftp.encode_error(0, "bye"))
    assert len(world.rrq("file", ("10.0.0.9", 9))) == 1


def test_without_descriptors_the_oldest_silent_client_goes() -> None:
    world = TftpWorld(serve)
    world.network.full = 2
    for port in range(1, 6):
        assert len(world.rrq("file", ("10.0.0.9", port))) == 1
    assert world.server.transfers == 2


def test_stopping_tells_the_clients_that_are_there(world: TftpWorld) -> None:
    ((tid, _),) = world.rrq("file")
    world.answer(tid, tftp.encode_ack(1))
    world.rrq("file", ("10.0.0.9", 9))
    before = len(world.network.sent)
    world.server.stop()
    assert [(to, data[1]) for _, to, data in world.network.sent[before:]] == [(CLIENT, tftp.ERROR)]
    assert world.network.endpoints == {}
    assert world.clock.getDelayedCalls() == []


def test_c24_rubbish_on_a_transfer_port_is_ignored(world: TftpWorld) -> None:
    ((tid, _),) = world.rrq("file")
    for opcode in range(256):
        for size in range(5):
            datagram = bytes((0, opcode, 0xFF, 0xFE))[:size]
            if opcode != tftp.ERROR:
                assert world.answer(tid, datagram) == []
    assert len(world.answer(tid, tftp.encode_ack(1))) == 1
