"""The sender of a file, rule by rule, with a number for the time."""

from __future__ import annotations

import struct
from collections.abc import Mapping

import pytest

from provd.core.tftp_ahead import LOOK_AHEAD
from provd.core.tftp_negotiation import TransferLimits, negotiate
from provd.core.tftp_source import BlockSource, MemorySource, NetasciiSource
from provd.core.tftp_transfer import OutcomeKind, ReadTransfer
from provd.wire import tftp

LIMITS = TransferLimits()


def started(
    content: bytes | BlockSource,
    options: Mapping[str, str] | None = None,
    *,
    size: int = 0,
    limits: TransferLimits = LIMITS,
) -> tuple[ReadTransfer, list[bytes]]:
    source = MemorySource(content) if isinstance(content, bytes) else content
    size = len(content) if isinstance(content, bytes) else size
    request = tftp.Request(False, "file", "octet", options or {})
    transfer = ReadTransfer(source, negotiate(request, size, limits), limits, 0.0)
    return transfer, transfer.start(0.0)


def blocks(datagrams: list[bytes]) -> list[int]:
    return [struct.unpack("!HH", datagram[:4])[1] for datagram in datagrams]


def fetch(transfer: ReadTransfer, first: list[bytes], *, blksize: int, rollover: int = 0) -> bytes:
    """A perfect client: acknowledges the newest block of each flight, one millisecond later."""
    now, received, flight, expected = 0.0, bytearray(), first, 1
    while transfer.outcome is None:
        now += 0.001
        if flight[0][1] == tftp.OACK:
            flight = transfer.on_ack(0, now)
            continue
        for datagram in flight:
            number = struct.unpack("!HH", datagram[:4])[1]
            assert number == expected
            expected = rollover if expected == 65535 else expected + 1
            received += datagram[4:]
        flight = transfer.on_ack(number, now)
    assert len(datagram) - 4 < blksize
    return bytes(received)


@pytest.mark.parametrize("size", [0, 1, 511, 512, 513, 1024, 10_000])
@pytest.mark.parametrize("windowsize", ["1", "4", "64"])
def test_t06_every_size_ends_with_a_short_block(size: int, windowsize: str) -> None:
    content = bytes(range(256)) * 40
    transfer, first = started(content[:size], {"windowsize": windowsize})
    assert fetch(transfer, first, blksize=512) == content[:size]
    assert transfer.outcome is not None
    assert transfer.outcome.kind is OutcomeKind.FINISHED
    assert (transfer.octets, transfer.retries) == (size, 0)


@pytest.mark.parametrize("rollover", [0, 1])
@pytest.mark.parametrize("options", [{}, {"windowsize": "7"}])
def test_t07_block_numbers_roll_over(rollover: int, options: Mapping[str, str]) -> None:
    content = bytes(range(251)) * (8 * 66_000 // 251)
    limits = TransferLimits(rollover=rollover)
    transfer, first = started(content, {"blksize": "8", **options}, limits=limits)
    assert fetch(transfer, first, blksize=8, rollover=rollover) == content


def test_t14_no_option_accepted_means_plain_data() -> None:
    _, first = started(b"abc", {"blksize": "7", "multicast": "", "tsize": "x"})
    assert first == [tftp.encode_data(1, b"abc")]


@pytest.mark.parametrize("block", [1, 2, 65535])
def test_t15_only_ack_0_answers_an_oack(block: int) -> None:
    transfer, _ = started(MemorySource(bytes(3000)), {"blksize": "1024"})
    assert transfer.on_ack(block, 0.1) == []
    assert transfer.on_ack(0, 0.2) == [tftp.encode_data(1, bytes(1024))]


def test_t13_t15_oack_lists_what_was_asked_and_waits_for_ack_0() -> None:
    transfer, first = started(b"x" * 2000, {"tsize": "0", "utimeout": "9", "blksize": "1024"})
    assert tftp.decode(first[0]) == tftp.OptionAck({"tsize": "2000", "blksize": "1024"})
    assert transfer.on_ack(7, 0.1) == []
    assert transfer.on_timeout(0.9) == []
    assert transfer.on_timeout(1.0) == first
    assert blocks(transfer.on_ack(0, 1.1)) == [1]
    assert transfer.on_ack(0, 1.2) == []


@pytest.mark.parametrize(
    ("options", "accepted"),
    [
        ({"blksize": "8"}, {"blksize": "8"}),
        ({"blksize": "65464"}, {"blksize": "1468"}),
        ({"blksize": "1024"}, {"blksize": "1024"}),
        ({"blksize": "65465"}, {}),
        ({"blksize": "-512"}, {}),
        ({"blksize": "\u0665\u0661\u0662"}, {}),
        ({"blksize": ""}, {}),
        ({"blksize": "9" * 5000}, {}),
        ({"timeout": "1"}, {"timeout": "1"}),
        ({"timeout": "255"}, {"timeout": "255"}),
        ({"timeout": "0"}, {}),
        ({"timeout": "256"}, {}),
        ({"tsize": "0"}, {"tsize": "9000"}),
        ({"windowsize": "1"}, {"windowsize": "1"}),
        ({"windowsize": "65535"}, {"windowsize": "64"}),
        ({"windowsize": "0"}, {}),
        ({"windowsize": "65536"}, {}),
    ],
)
def test_t17_t18_t19_ranges_and_caps(options: Mapping[str, str], accepted: Mapping[str, str]) -> None:
    assert negotiate(tftp.Request(False, "f", "octet", options), 9000, LIMITS).accepted == accepted


def test_t18_no_size_where_it_would_be_wrong() -> None:
    assert negotiate(tftp.Request(False, "f", "netascii", {"tsize": "0"}), 9000, LIMITS).accepted == {}
    assert negotiate(tftp.Request(False, "f", "octet", {"tsize": "0"}), 0, LIMITS).accepted == {}


def test_t04_a_repeated_ack_sends_nothing_but_a_timeout_does() -> None:
    transfer, _ = started(bytes(2000))
    assert blocks(transfer.on_ack(1, 0.01)) == [2]
    assert transfer.on_ack(1, 0.02) == []
    assert transfer.on_ack(0, 0.02) == []
    assert transfer.on_ack(9, 0.02) == []
    assert blocks(transfer.on_timeout(transfer.deadline)) == [2]
    assert transfer.retries == 1


def test_t04_t19_with_a_window_a_repeated_ack_restarts_it_once() -> None:
    transfer, _ = started(bytes(512 * 20), {"windowsize": "4"})
    assert blocks(transfer.on_ack(0, 0.01)) == [1, 2, 3, 4]
    assert blocks(transfer.on_ack(4, 0.02)) == [5, 6, 7, 8]
    assert blocks(transfer.on_ack(4, 0.03)) == [5, 6, 7, 8]
    assert transfer.on_ack(4, 0.05) == []
    assert blocks(transfer.on_ack(8, 0.06)) == [9, 10, 11, 12]


def test_t19_an_ack_inside_the_window_continues_after_that_block() -> None:
    transfer, _ = started(bytes(512 * 20), {"windowsize": "4"})
    transfer.on_ack(0, 0.01)
    assert blocks(transfer.on_ack(2, 0.02)) == [3, 4, 5, 6]
    assert blocks(transfer.on_ack(6, 0.03)) == [7, 8, 9, 10]


def test_acks_of_an_earlier_flight_do_not_multiply_windows() -> None:
    transfer, _ = started(bytes(512 * 40), {"windowsize": "8"})
    transfer.on_ack(0, 0.1)
    assert blocks(transfer.on_ack(3, 0.2)) == list(range(4, 12))
    assert transfer.on_ack(4, 0.2001) == []
    assert transfer.on_ack(5, 0.2002) == []
    assert blocks(transfer.on_ack(11, 0.3)) == list(range(12, 20))


def test_t05_a_client_that_never_answers_is_given_up_silently() -> None:
    transfer, first = started(bytes(2000), {"blksize": "1024"})
    waits: list[float] = []
    sent = list(first)
    while transfer.outcome is None:
        waits.append(transfer.deadline - sum(waits))
        sent += transfer.on_timeout(transfer.deadline)
    assert waits == [1.0, 2.0, 4.0, 5.0, 5.0, 5.0]
    assert sent == first * 6
    assert transfer.outcome.reason == "the client never answered"
    assert not transfer.heard


def test_t25_a_silent_peer_costs_little() -> None:
    request = tftp.encode_request(tftp.Request(False, "pxelinux.0", "octet", {"blksize": "1432", "tsize": "0"}))
    transfer, sent = started(bytes(40_000), {"blksize": "1432", "tsize": "0"})
    while transfer.outcome is None:
        sent += transfer.on_timeout(transfer.deadline)
    assert sum(map(len, sent)) <= 12 * len(request)
    plain, sent = started(bytes(40_000))
    while plain.outcome is None:
        sent += plain.on_timeout(plain.deadline)
    assert len(sent) == 4


def test_t05_the_wait_adapts_to_the_round_trip() -> None:
    transfer, _ = started(bytes(512 * 100))
    now = 0.0
    for block in range(1, 30):
        now += 0.3
        transfer.on_ack(block, now)
    assert 0.3 < transfer.deadline - now < 0.5
    transfer.on_timeout(transfer.deadline)
    near, _ = started(bytes(512 * 100))
    near.on_ack(1, 0.0001)
    assert near.deadline == pytest.approx(0.0001 + LIMITS.min_timeout)
    near.on_ack(2, -5.0)
    assert near.deadline == pytest.approx(-5.0 + LIMITS.min_timeout)


def test_t18_the_clients_timeout_is_the_first_wait() -> None:
    assert started(b"", {"timeout": "3"})[0].deadline == 3.0
    assert started(b"", {"timeout": "200"})[0].deadline == LIMITS.max_timeout


def test_a_client_that_was_heard_has_patience() -> None:
    transfer, _ = started(bytes(512 * 100))
    transfer.on_ack(1, 0.5)
    while transfer.outcome is None:
        last = transfer.deadline
        transfer.on_timeout(last)
    assert 30.0 <= last - 0.5 <= 36.0
    assert transfer.outcome.kind is OutcomeKind.FAILED
    assert "the client was silent for" in transfer.outcome.reason


def test_t08_a_lost_final_ack_is_no_failure() -> None:
    transfer, _ = started(bytes(600))
    assert blocks(transfer.on_ack(1, 0.01)) == [2]
    again = 0
    while transfer.outcome is None:
        again += len(transfer.on_timeout(transfer.deadline))
    assert again == LIMITS.retries
    assert transfer.outcome.kind is OutcomeKind.FINISHED
    assert not transfer.outcome.confirmed


def test_t16_error_8_after_oack_is_the_end_of_a_size_probe() -> None:
    transfer, _ = started(bytes(2000), {"tsize": "0", "blksize": "1468", "windowsize": "4"})
    transfer.on_error(8, "User aborted the transfer")
    assert transfer.outcome is not None
    assert transfer.outcome.kind is OutcomeKind.ABORTED
    assert transfer.on_ack(0, 1.0) == transfer.on_timeout(9.0) == []


def test_an_error_in_the_middle_is_a_failure_with_clean_text() -> None:
    transfer, _ = started(bytes(2000))
    transfer.on_ack(1, 0.1)
    transfer.on_error(3, "disk\x1b[31m full" + "!" * 500)
    assert transfer.outcome is not None
    assert transfer.outcome.kind is OutcomeKind.FAILED
    assert transfer.outcome.reason.startswith("client sent error 3: disk?[31m full!!!")
    assert len(transfer.outcome.reason) < 120
    transfer.on_error(0, "again")
    transfer.stop(OutcomeKind.ABORTED, "late")
    assert transfer.outcome.kind is OutcomeKind.FAILED


class Trickle:
    """A source whose octets come later."""

    def __init__(self, content: bytes) -> None:
        self.content = content
        self.there = 0

    def read_at(self, offset: int, count: int) -> bytes | None:
        wanted = self.content[offset : offset + count]
        return wanted if offset + len(wanted) <= self.there else None


def test_content_that_comes_later() -> None:
    source = Trickle(bytes(range(200)) * 6)
    transfer, _ = started(source, {"windowsize": "2"}, size=1200)
    assert transfer.on_ack(0, 0.1) == []
    assert transfer.deadline == pytest.approx(0.1 + LIMITS.patience)
    source.there = 600
    assert blocks(transfer.on_content(0.2)) == [1]
    source.there = 1200
    assert blocks(transfer.on_content(0.3)) == [2]
    assert transfer.on_content(0.3) == []
    assert blocks(transfer.on_ack(2, 0.4)) == [3]
    assert transfer.on_ack(3, 0.5) == []
    assert transfer.outcome is not None
    assert transfer.octets == 1200


def test_content_that_never_comes() -> None:
    transfer, _ = started(Trickle(bytes(10)), {"tsize": "0"}, size=10)
    transfer.on_ack(0, 1.0)
    assert transfer.on_timeout(transfer.deadline) == []
    assert transfer.outcome is not None
    assert transfer.outcome.reason == "the content did not come for 30 s"


@pytest.mark.parametrize("blksize", [8, 9, 512])
def test_t12_netascii_across_block_borders(blksize: int) -> None:
    content = b"\n\r\r\n" * 700 + b"text\n" * 9000 + b"\r"
    expected = content.replace(b"\r", b"\r\0").replace(b"\n", b"\r\n")
    transfer, first = started(
        NetasciiSource(MemorySource(content), retain=blksize * (LOOK_AHEAD + 1)), {"blksize": str(blksize)}
    )
    assert fetch(transfer, first, blksize=blksize) == expected


def test_t12_netascii_of_content_that_comes_later() -> None:
    inner = Trickle(b"a\nb")
    source = NetasciiSource(inner, retain=512)
    assert source.read_at(0, 512) is None
    inner.there = 3
    assert source.read_at(0, 512) == b"a\r\nb"
