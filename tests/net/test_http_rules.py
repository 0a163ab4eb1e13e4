from __future__ import annotations

import time

import pytest

from provd.model.scrub import scrub_path
from provd.net import http_rules
from provd.net.http_rules import BadTargetError, ByteRange, UnsatisfiableError


@pytest.mark.parametrize(
    ("target", "path"),
    [
        (b"/pxelinux.0", "pxelinux.0"),
        (b"//boot//a/./b", "boot/a/b"),
        (b"/boot\\x", "boot/x"),
        (b"/a%20b", "a b"),
        (b"/a%252e%252e/b", "a%2e%2e/b"),
        (b"/a?b=c#d", "a"),
        (b"http://10.0.0.1:8080/tree/debian/x", "tree/debian/x"),
        (b"/libstdc++6_1.2~b.deb", "libstdc++6_1.2~b.deb"),
    ],
)
def test_h09_targets_are_decoded_once_and_collapsed(target: bytes, path: str) -> None:
    assert http_rules.served_path(target) == path


@pytest.mark.parametrize(
    ("target", "status"),
    [
        (b"/../etc/passwd", 400),
        (b"/a/%2e%2e/b", 400),
        (b"/a/..%2fb", 400),
        (b"/a/..%5cb", 400),
        (b"/a\\..\\b", 400),
        (b"/a%00b", 400),
        (b"/a%0d%0aSet-Cookie: x", 400),
        (b"/%ff", 400),
        (b"*", 400),
        (b"a", 400),
        (b"ftp://x/y", 400),
        (b"/", 404),
        (b"/%2f%5c", 404),
    ],
)
def test_h09_bad_targets_are_refused(target: bytes, status: int) -> None:
    with pytest.raises(BadTargetError) as caught:
        http_rules.served_path(target)
    assert caught.value.status == status


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        (None, None),
        ("bytes=0-0", ByteRange(0, 1)),
        ("bytes=5-", ByteRange(5, 100)),
        ("bytes=-10", ByteRange(90, 100)),
        ("bytes=-1000", ByteRange(0, 100)),
        ("bytes=90-1000", ByteRange(90, 100)),
        ("bytes=9-3", None),
        ("bytes=-", None),
        ("bytes=a-b", None),
        ("lines=0-3", None),
        ("bytes=0-1,4-5", None),
        ("bytes=0-1" + ",0-1" * 2000, None),
        ("bytes=" + "9" * 5000 + "-", None),
    ],
)
def test_h02_h03_ranges(header: str | None, expected: ByteRange | None) -> None:
    assert http_rules.parse_range(header, 100) == expected


@pytest.mark.parametrize("header", ["bytes=100-", "bytes=100-200", "bytes=-0"])
def test_h02_unsatisfiable(header: str) -> None:
    with pytest.raises(UnsatisfiableError):
        http_rules.parse_range(header, 100)


NOW = 1_700_000_000.4
DATE = http_rules.http_date(NOW)
LATER = http_rules.http_date(NOW + 10)
EARLIER = http_rules.http_date(NOW - 10)


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 200),
        ({"if-none-match": '"e"'}, 304),
        ({"if-none-match": 'W/"e"'}, 304),
        ({"if-none-match": '"x", "e"'}, 304),
        ({"if-none-match": "*"}, 304),
        ({"if-none-match": '"x"'}, 200),
        ({"if-none-match": '"x"', "if-modified-since": LATER}, 200),
        ({"if-modified-since": DATE}, 304),
        ({"if-modified-since": LATER}, 304),
        ({"if-modified-since": EARLIER}, 200),
        ({"if-modified-since": "yesterday"}, 200),
        ({"if-match": '"e"'}, 200),
        ({"if-match": 'W/"e"'}, 412),
        ({"if-match": '"x"'}, 412),
        ({"if-unmodified-since": EARLIER}, 412),
        ({"if-unmodified-since": DATE}, 200),
    ],
)
def test_h04_conditions(headers: dict[str, str], status: int) -> None:
    assert http_rules.condition(headers, "e", NOW) == status


@pytest.mark.parametrize(
    ("validator", "applies"),
    [
        ('"e"', True),
        ('W/"e"', False),
        ('"x"', False),
        (DATE, True),
        (LATER, False),
        (EARLIER, False),
        ("rubbish", False),
    ],
)
def test_h04_if_range_compares_strongly(validator: str, applies: bool) -> None:
    assert http_rules.range_applies({"if-range": validator}, "e", NOW) is applies


@pytest.mark.parametrize(
    ("text", "clean"),
    [
        ("answer/s3cret/preseed.cfg", "answer/***/preseed.cfg"),
        ("/callback/s3cret", "/callback/***"),
        ("url=http://10.0.0.1/answer/s3cret/ks.cfg quiet", "url=http://10.0.0.1/answer/***/ks.cfg quiet"),
        ("answer//s3cret/x", "answer/***/x"),
        ("boot/debian-12/abcd/linux", "boot/debian-12/abcd/linux"),
    ],
)
def test_c18_tokens_are_cut_from_paths(text: str, clean: str) -> None:
    assert scrub_path(text) == clean


@pytest.mark.parametrize(
    "date", ["Sun, 06 Nov 1994 08:49:37 GMT", "Sunday, 06-Nov-94 08:49:37 GMT", "Sun Nov  6 08:49:37 1994"]
)
def test_h04_all_three_forms_of_a_date_are_utc(date: str, monkeypatch: pytest.MonkeyPatch) -> None:
    mtime = 784111777.0
    monkeypatch.setenv("TZ", "America/New_York")
    time.tzset()
    try:
        assert http_rules.condition({"if-modified-since": date}, "", mtime) == 304
        assert http_rules.condition({"if-modified-since": date}, "", mtime + 1) == 200
        assert http_rules.range_applies({"if-range": date}, "", mtime)
    finally:
        monkeypatch.undo()
        time.tzset()
