"""Log lines of installers as they travel (RFC 3164, RFC 5424), and cut out of a stream (RFC 6587)."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from provd.wire.syslog import FRAME_MAX, FrameError, Frames, LogLine, parse


@pytest.mark.parametrize(
    ("data", "line"),
    [
        # busybox's syslogd of the Debian installer, with and without a host
        (b"<13>Nov 27 04:00:01 main-menu[212]: INFO: Menu item 'netcfg' selected", (5, "main-menu", "INFO: Menu item")),
        (b"<30>Nov  7 04:00:01 web1 debootstrap: gpgv: Good", (6, "debootstrap", "gpgv: Good")),
        # rsyslog of anaconda
        (b"<14>Nov 27 04:00:01 localhost anaconda[1]: INF dnf: 12 of 300", (6, "anaconda", "INF dnf")),
        (b"<14>2026-11-27T04:00:01.123456+00:00 localhost NetworkManager[9]: up", (6, "NetworkManager", "up")),
        # journalctl -o short has no priority
        (b"Nov 27 04:00:01 ubuntu-server subiquity_log.3[8]: apt-get: done", (5, "subiquity_log.3", "apt-get")),
        # RFC 5424 section 6.5
        (
            b"<34>1 2003-10-11T22:14:15.003Z mymachine.example.com su - ID47 - \xef\xbb\xbf'su root' failed",
            (2, "su", "'su root' failed"),
        ),
        (
            b'<165>1 2003-10-11T22:14:15.003Z host evntslog - ID47 [a@32473 iut="3" x="q\\"]"][b@1 y="z"] An event',
            (5, "evntslog", "An event"),
        ),
        (b"<165>1 2003-10-11T22:14:15.003Z host evntslog - ID47 [a@32473]", (5, "evntslog", "")),
        (b"<165>1 - - - - - -", (5, "", "")),
        # nothing fits: all of it is the text
        (b"Use the BFG!", (5, "", "Use the BFG!")),
        (b"<999>odd", (5, "", "<999>odd")),
        (b"<1x3>odd", (5, "", "<1x3>odd")),
        (b"<0>Nov 27 04:00:01 words without a colon", (0, "", "words without a colon")),
        (b"", (5, "", "")),
        (b"\xff\xfe\x00", (5, "", "��")),
    ],
)
def test_log_line(data: bytes, line: tuple[int, str, str]) -> None:
    found = parse(data)
    assert (found.severity, found.program) == line[:2]
    assert found.text.startswith(line[2]) if line[2] else not found.text


@given(st.binary(max_size=400))
def test_any_datagram_is_a_line(data: bytes) -> None:
    assert isinstance(parse(data), LogLine)


STREAM = b"11 <13>a: one\n<13>b: two\n<13>c: three\x00" + b"19 <13>d: with\nnewline"
WHOLE = [b"<13>a: one\n", b"<13>b: two", b"<13>c: three", b"<13>d: with\nnewline"]


@pytest.mark.parametrize("size", [1, 2, 3, 7, 100])
def test_frames_of_both_kinds_in_pieces(size: int) -> None:
    frames, found = Frames(), []
    for at in range(0, len(STREAM), size):
        found += frames.feed(STREAM[at : at + size])
    assert found == WHOLE
    assert frames.rest() == b""


def test_a_line_that_begins_with_a_number_is_a_line() -> None:
    assert Frames().feed(b"12 packages\n2026-11-27 x\n") == [b"12 packages", b"2026-11-27 x"]


def test_what_has_no_end_is_told_when_the_sender_closes() -> None:
    frames = Frames()
    assert frames.feed(b"<13>last words") == []
    assert frames.rest() == b"<13>last words"
    assert frames.rest() == b""


@pytest.mark.parametrize("counted", [True, False])
def test_a_long_message_is_cut_and_the_next_one_is_whole(counted: bool) -> None:
    long = b"<13>" + b"x" * 30_000
    stream = (b"%d %s" % (len(long), long) if counted else long + b"\n") + b"<13>next\n"
    frames, found, most = Frames(), [], 0
    for at in range(0, len(stream), 1000):
        found += frames.feed(stream[at : at + 1000])
        most = max(most, len(frames._buffer))
    assert found == [long[:FRAME_MAX], b"<13>next"]
    assert most <= FRAME_MAX + 1000


def test_a_message_of_gigabytes_ends_the_stream() -> None:
    with pytest.raises(FrameError, match="99999999 octets is announced, at most 1048576"):
        Frames().feed(b"99999999 <13>x")


@given(st.lists(st.binary(max_size=300), max_size=20))
def test_no_stream_breaks_the_frames(pieces: list[bytes]) -> None:
    frames = Frames()
    for piece in pieces:
        try:
            frames.feed(piece)
        except FrameError:
            return
        assert len(frames._buffer) <= FRAME_MAX + 400
