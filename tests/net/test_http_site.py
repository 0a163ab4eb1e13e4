# mypy: disable-error-code="no-untyped-call, untyped-decorator"

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from twisted.internet.defer import Deferred
from twisted.internet.task import Clock
from twisted.logger import ILogObserver, LogEvent, globalLogPublisher
from zope.interface import provider

from provd.model.content import AwaitedBody, Content, FileBody, NotFound, StreamBody
from provd.net.http import HttpLimits, HttpSite
from tests.fakes.fake_http import PEER, FakeConnection, FakeTree, make_site

TOKEN = "CANARY-53cr3t"


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def tree(tmp_path: Path) -> FakeTree:
    kernel = tmp_path / "linux"
    kernel.write_bytes(bytes(range(256)) * 4)
    os.utime(kernel, (1_600_000_000, 1_600_000_000))
    return FakeTree(
        {
            "boot/linux": Content(FileBody(kernel), 1024),
            "boot/part": Content(FileBody(kernel, 256), 512),
            "grub.cfg": Content.text("set timeout=1\n"),
            f"answer/{TOKEN}/ks.cfg": Content.text("rootpw x\n", secret=True),
            "gone": Content(FileBody(tmp_path / "missing"), 10),
            "folder": Content(FileBody(tmp_path), 10),
            "held": NotFound(f"the machine is held, answer/{TOKEN}/x", status=409),
            "broken": RuntimeError("bug"),
            "a.efi": Content(b"MZ", 2),
            f"callback/{TOKEN}/log": Content.text("ok\n"),
        }
    )


@pytest.fixture
def site(tree: FakeTree, clock: Clock) -> HttpSite:
    return make_site(tree, clock)


@pytest.fixture
def web(site: HttpSite, clock: Clock) -> FakeConnection:
    return FakeConnection(site, clock)


def test_get_answers_from_the_address_that_was_asked(web: FakeConnection, tree: FakeTree) -> None:
    answer = web.get("/boot/linux", "User-Agent: UefiHttpBoot/1.0")
    assert (answer.status, len(answer.body)) == (200, 1024)
    asked = tree.asked[0]
    assert (asked.peer, asked.local, asked.local_port, asked.path) == ("10.88.0.31", "10.88.0.1", 8080, "boot/linux")
    assert asked.headers["user-agent"] == "UefiHttpBoot/1.0"


def test_h01_head_equals_get_without_body(web: FakeConnection) -> None:
    got, head = web.get("/boot/linux"), web.get("/boot/linux", method="HEAD")
    assert head.headers == got.headers
    assert head.headers["content-length"] == "1024"
    assert web.transport.value().endswith(b"\r\n\r\n")
    # One connection, as UEFI firmware does it: HEAD, then GET.
    assert web.get("/boot/linux").body == got.body
    assert not web.closed


def test_h02_ranges(web: FakeConnection) -> None:
    part = web.get("/boot/linux", "Range: bytes=10-19")
    assert (part.status, part.body) == (206, bytes(range(10, 20)))
    assert part.headers["content-range"] == "bytes 10-19/1024"
    inner = web.get("/boot/part", "Range: bytes=0-3")
    assert (inner.body, inner.headers["content-range"]) == (bytes(range(4)), "bytes 0-3/512")
    beyond = web.get("/boot/linux", "Range: bytes=1024-")
    assert (beyond.status, beyond.headers["content-range"], beyond.body) == (416, "bytes */1024", b"")
    assert web.get("/boot/linux", "Range: bytes=x").status == 200


def test_h03_many_ranges_cost_one_whole_answer(web: FakeConnection) -> None:
    flood = web.get("/boot/linux", "Range: bytes=" + ",".join(["0-"] * 1000))
    assert (flood.status, len(flood.body)) == (200, 1024)


def test_h04_validators(web: FakeConnection) -> None:
    first = web.get("/boot/linux")
    tag, date = first.headers["etag"], first.headers["last-modified"]
    assert web.get("/boot/linux", f"If-None-Match: {tag}").status == 304
    assert web.get("/boot/linux", f"If-Modified-Since: {date}").status == 304
    assert web.get("/boot/linux", f"If-Range: {tag}", "Range: bytes=0-1").status == 206
    assert web.get("/boot/linux", 'If-Range: "old"', "Range: bytes=0-1").status == 200


def test_h05_generated_files_have_a_length_and_secrets_are_not_stored(web: FakeConnection) -> None:
    plain, secret = web.get("/grub.cfg"), web.get(f"/answer/{TOKEN}/ks.cfg")
    assert plain.headers["content-length"] == "14"
    assert "transfer-encoding" not in plain.headers
    assert secret.headers["cache-control"] == "no-store"


def test_h06_http_1_0_is_closed_after_the_answer(web: FakeConnection) -> None:
    web.send(b"GET /grub.cfg HTTP/1.0\r\nConnection: keep-alive\r\n\r\n")
    answer = web.answers()[0]
    assert (answer.status, answer.headers["connection"]) == (200, "close")
    assert web.closed


@pytest.mark.parametrize(
    "raw",
    [
        b"GET /grub.cfg HTTP/1.1\r\n\r\n",
        b"GET /grub.cfg HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",
        b"GET /grub.cfg HTTP/1.1\r\nHost: a\r\n folded: b\r\n\r\n",
        b"POST /callback/t/x HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        b"POST /callback/t/x HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\n0\r\n\r\n",
        b"POST /callback/t/x HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nContent-Length: 3\r\n\r\nabc",
        b"POST /callback/t/x HTTP/1.1\r\nContent-Length: 3\r\nContent-Length: 4\r\nHost: a\r\n\r\nabc",
        b"POST /callback/t/x HTTP/1.1\r\nHost: a\r\nContent-Length: +3\r\n\r\nabc",
        b"GET /grub.cfg HTTP/1.1\r\nHost: a\r\nX: a\rb\r\n\r\n",
        b"GET /grub.cfg HTTP/1.1\r\nX: a\nY: b\r\nHost: a\r\n\r\n",
        b"GET /grub.cfg HTTP/1.1\r\nBad Name: a\r\nHost: a\r\n\r\n",
        b"GET /grub.cfg HTTP/1.1\r\nno colon\r\nHost: a\r\n\r\n",
        b"GET /grub.cfg HTTP/2.0\r\nHost: a\r\n\r\n",
        b"GET  /grub.cfg HTTP/1.1\r\nHost: a\r\n\r\n",
        b"GET /grub.cfg HTTP/1.1\r\nHost: a\r\nX: " + b"y" * 20000 + b"\r\n\r\n",
    ],
)
def test_h07_hostile_framing_gets_one_400_and_no_answer(web: FakeConnection, tree: FakeTree, raw: bytes) -> None:
    web.send(raw + b"GET /grub.cfg HTTP/1.1\r\nHost: a\r\n\r\n")
    web.send(b"GET /grub.cfg HTTP/1.1\r\nHost: a\r\n\r\n")
    assert web.transport.value().count(b"HTTP/1.1 ") <= 1
    assert web.transport.value()[:12] in {b"HTTP/1.1 400", b""}
    assert web.closed
    assert tree.asked == []


def test_h08_uefi_media_types(web: FakeConnection) -> None:
    assert web.get("/a.efi").headers["content-type"] == "application/efi"


@pytest.mark.parametrize("target", ["/%2e%2e/x", "/a%00", "/a/..%5cb", "*"])
def test_h09_refused_paths_reach_nobody(web: FakeConnection, tree: FakeTree, target: str) -> None:
    assert web.get(target).status == 400
    assert tree.asked == []


def test_h10_errors_are_plain_and_reflect_nothing(web: FakeConnection) -> None:
    answer = web.get("/%3Cscript%3Ealert(1)%3C/script%3E")
    assert (answer.status, answer.body, answer.headers["content-type"]) == (
        404,
        b"Not Found\n",
        "text/plain; charset=utf-8",
    )
    wrong = web.get("/grub.cfg", method="DELETE")
    assert (wrong.status, wrong.headers["allow"]) == (405, "GET, HEAD")
    assert web.get("/grub.cfg", "Content-Length: 0", method="POST").status == 405
    assert web.get("/callback/t/x", method="PUT").headers["allow"] == "GET, HEAD, POST"


def test_h11_pipelined_requests_are_answered_in_order(site: HttpSite, tree: FakeTree, clock: Clock) -> None:
    slow: Deferred[Content | NotFound] = Deferred()
    tree.files["slow"] = slow
    web = FakeConnection(site, clock)
    web.send(b"GET /slow HTTP/1.1\r\nHost: a\r\n\r\nGET /grub.cfg HTTP/1.1\r\nHost: a\r\n\r\n")
    assert web.transport.value() == b""
    slow.callback(Content(b"first", 5))
    assert [answer.body for answer in web.answers()] == [b"first", b"set timeout=1\n"]


def test_grub_gets_no_error_body_because_it_would_run_it(web: FakeConnection) -> None:
    answer = web.get("/nothing.cfg", "User-Agent: GRUB 2.06-13")
    assert (answer.status, answer.body, answer.headers["content-length"]) == (404, b"", "0")


def test_files_that_cannot_be_read_are_not_found(web: FakeConnection) -> None:
    assert web.get("/gone").status == 404
    assert web.get("/folder").status == 404
    assert web.get("/held").status == 409


def test_a_bug_is_a_500_for_one_request_only(web: FakeConnection) -> None:
    assert web.get("/broken").status == 500
    assert web.get("/grub.cfg").status == 200


def test_post_is_taken_below_callback_only_and_capped(site: HttpSite, tree: FakeTree, clock: Clock) -> None:
    tree.files["callback/t/log"] = Content.text("ok\n")
    web = FakeConnection(site, clock)
    web.send(b"POST /callback/t/log HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello")
    assert (tree.asked[-1].method, tree.asked[-1].body) == ("POST", b"hello")
    web.send(b"POST /callback/t/log HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n")
    assert tree.asked[-1].body == b"abc"


@pytest.mark.parametrize("length", [b"Content-Length: 2000", b"Transfer-Encoding: chunked"])
def test_a_body_over_the_cap_is_refused_before_it_is_kept(tree: FakeTree, clock: Clock, length: bytes) -> None:
    web = FakeConnection(make_site(tree, clock, HttpLimits(max_body=1000, max_headers=500)), clock)
    web.send(b"POST /callback/t/log HTTP/1.1\r\nHost: a\r\n" + length + b"\r\n\r\n")
    for _ in range(40):
        web.send(b"40\r\n" + b"x" * 64 + b"\r\n")
    assert web.answers()[0].status == 413
    assert web.closed
    assert tree.asked == []


def test_a_body_with_get_is_refused(web: FakeConnection, tree: FakeTree) -> None:
    web.send(b"GET /grub.cfg HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc")
    assert web.answers()[0].status == 413
    assert tree.asked == []


def test_headers_that_trickle_end_after_ten_seconds(web: FakeConnection, clock: Clock) -> None:
    web.send(b"GET /grub.cfg HTTP/1.1\r\n")
    for _ in range(9):
        clock.advance(1)
        web.send(b"X: y\r\n")
    assert not web.closed
    clock.advance(1.1)
    assert web.closed


def test_a_silent_connection_is_dropped_and_an_idle_one_lives_a_minute(site: HttpSite, clock: Clock) -> None:
    silent, kept = FakeConnection(site, clock), FakeConnection(site, clock)
    kept.get("/grub.cfg")
    clock.advance(11)
    assert silent.closed
    assert not kept.closed
    assert kept.get("/grub.cfg").status == 200
    clock.advance(61)
    assert kept.closed


def test_caps_per_address_and_in_total(tree: FakeTree, clock: Clock) -> None:
    site = make_site(tree, clock, HttpLimits(per_address=2))
    first, _second = FakeConnection(site, clock), FakeConnection(site, clock)
    assert site.buildProtocol(PEER) is None
    first.lose()
    assert site.buildProtocol(PEER) is not None


def test_timeline_events_tell_bytes_seconds_and_failures(site: HttpSite, tree: FakeTree, clock: Clock) -> None:
    sent: list[int] = []
    tree.files["x"] = Content(b"12345", 5, on_sent=sent.append)
    web = FakeConnection(site, clock)
    web.get("/x")
    assert [event[0] for event in tree.events] == ["http.request", "http.sent"]
    assert tree.events[1][2] == {"bytes": 5, "seconds": 0.0, "status": 200}
    assert sent == [5]
    web.get("/x", method="HEAD")
    assert sent == [5]


def test_only_a_whole_file_is_told_as_sent(site: HttpSite, tree: FakeTree, clock: Clock) -> None:
    tree.files["search/1"] = NotFound("not this machine's", expected=True)
    web = FakeConnection(site, clock)
    tag = web.get("/boot/linux").headers["etag"]
    web.get("/boot/linux", "Range: bytes=0-9")
    web.get("/boot/linux", f"If-None-Match: {tag}")
    web.get("/boot/linux", "Range: bytes=9999-")
    web.get("/search/1")
    web.get("/gone")
    ends = [(kind, fields["status"]) for kind, _, fields in tree.events if kind != "http.request"]
    assert ends == [
        ("http.sent", 200), ("http.partial", 206), ("http.unchanged", 304), ("http.refused", 416), ("http.missed", 404),
        ("http.missed", 404),
    ]  # fmt: skip
    assert tree.events[-3][2] == {"reason": "not this machine's", "expected": True, "status": 404}


def test_a_lost_client_cancels_the_answer(site: HttpSite, tree: FakeTree, clock: Clock) -> None:
    cancelled: list[bool] = []
    sent: list[int] = []

    async def chunks(_start: int, _stop: int) -> AsyncIterator[bytes]:
        try:
            yield b"one"
            await Deferred()
        finally:
            cancelled.append(True)

    tree.files["stream"] = Content(StreamBody(chunks), 6, on_sent=sent.append)
    web = FakeConnection(site, clock)
    web.send(b"GET /stream HTTP/1.1\r\nHost: a\r\n\r\n")
    assert web.transport.value().endswith(b"one")
    web.lose()
    assert cancelled == [True]
    assert sent == []
    assert tree.events[-1][0] == "http.failed"


def test_a_stream_that_ends_early_breaks_the_connection(site: HttpSite, tree: FakeTree, clock: Clock) -> None:
    async def chunks(_start: int, _stop: int) -> AsyncIterator[bytes]:
        yield b"one"

    sent: list[int] = []
    tree.files["short"] = Content(StreamBody(chunks), 6, on_sent=sent.append)
    web = FakeConnection(site, clock)
    web.send(b"GET /short HTTP/1.1\r\nHost: a\r\n\r\n")
    assert web.closed
    assert sent == []
    assert tree.events[-1][0] == "http.failed"


def test_a_body_that_raises_is_a_failed_transfer(site: HttpSite, tree: FakeTree, clock: Clock) -> None:
    async def chunks(_start: int, _stop: int) -> AsyncIterator[bytes]:
        yield b"one"
        raise RuntimeError("upstream is gone")

    tree.files["broken/stream"] = Content(StreamBody(chunks), 6)
    web = FakeConnection(site, clock)
    web.send(b"GET /broken/stream HTTP/1.1\r\nHost: a\r\n\r\n")
    assert web.closed
    assert tree.events[-1][0] == "http.failed"
    assert tree.events[-1][2]["reason"] == "upstream is gone"


def test_an_awaited_answer_is_served_as_what_it_comes_to(site: HttpSite, tree: FakeTree, clock: Clock) -> None:
    async def found() -> Content | NotFound:
        return Content(b"0123456789", 10, etag="e")

    async def missing() -> Content | NotFound:
        return NotFound("upstream lacks it", status=502)

    tree.files["found"] = Content(AwaitedBody(found), -1)
    tree.files["missing"] = Content(AwaitedBody(missing), -1)
    web = FakeConnection(site, clock)
    assert web.get("/found", "Range: bytes=2-3").body == b"23"
    assert web.get("/found", method="HEAD").headers["content-length"] == "10"
    assert web.get("/found", 'If-None-Match: "e"').status == 304
    assert web.get("/missing").status == 502


def test_a_stream_of_unknown_length_is_chunked_for_1_1_and_closed_for_1_0(
    site: HttpSite, tree: FakeTree, clock: Clock
) -> None:
    async def chunks(start: int, stop: int) -> AsyncIterator[bytes]:
        assert (start, stop) == (0, -1)
        yield b"one"
        yield b"two"

    tree.files["stream"] = Content(StreamBody(chunks), -1)
    new, old = FakeConnection(site, clock), FakeConnection(site, clock)
    new.send(b"GET /stream HTTP/1.1\r\nHost: a\r\n\r\n")
    assert new.transport.value().endswith(b"3\r\none\r\n3\r\ntwo\r\n0\r\n\r\n")
    old.send(b"GET /stream HTTP/1.0\r\n\r\n")
    assert old.transport.value().endswith(b"\r\n\r\nonetwo")
    assert old.closed


def test_c18_no_token_in_any_log_line(web: FakeConnection, tree: FakeTree) -> None:
    seen: list[str] = []

    @provider(ILogObserver)
    def observe(event: LogEvent) -> None:
        seen.append(repr(event))

    tree.files[f"answer/{TOKEN}/broken"] = RuntimeError("no")
    globalLogPublisher.addObserver(observe)
    try:
        for path in (f"answer/{TOKEN}/ks.cfg", f"answer/{TOKEN}/none", "held", f"answer/{TOKEN}/broken"):
            web.get("/" + path)
    finally:
        globalLogPublisher.removeObserver(observe)
    assert any("answer/***/none" in line for line in seen)
    assert TOKEN not in "".join(seen)
