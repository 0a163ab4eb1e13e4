"""A web server that is ill: its answers are not taken for a medium without the file, nor half a kernel for a whole one."""

from __future__ import annotations

import http.server
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from provd.media.medium import MediumError, UrlMedium, open_medium

FILE = b"kernel" * 1000


class _Server(http.server.ThreadingHTTPServer):
    """Answers every request alike.

    Attributes:
        status: of each answer.
        cut: octets that are missing at the end of the body.
        chunked: the body has no length that is told.
    """

    status = 200
    cut = 0
    chunked = False


class _Handler(http.server.BaseHTTPRequestHandler):
    server: _Server
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        self.send_response(self.server.status)
        if self.server.chunked:
            self.send_header("Transfer-Encoding", "chunked")
        else:
            self.send_header("Content-Length", str(len(FILE)))
        self.end_headers()
        self.close_connection = True
        if self.command == "GET":
            self.wfile.write(b"%x\r\n" % len(FILE) if self.server.chunked else b"")
            self.wfile.write(FILE[: len(FILE) - self.server.cut])

    def do_HEAD(self) -> None:
        self.do_GET()

    def log_message(self, *_words: object) -> None:
        """Silent."""


@pytest.fixture
def web() -> Iterator[_Server]:
    server = _Server(("127.0.0.1", 0), _Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


def _medium(web: _Server) -> UrlMedium:
    return UrlMedium(f"http://127.0.0.1:{web.server_port}/tree")


@pytest.mark.parametrize("status", [403, 404, 410])
def test_a_file_that_is_not_there(web: _Server, status: int) -> None:
    web.status = status
    assert _medium(web).read("media.1/media") is None
    assert not _medium(web).has("media.1/media")


@pytest.mark.parametrize("asks", [lambda medium: medium.read(".treeinfo"), lambda medium: medium.has(".treeinfo")])
@pytest.mark.parametrize("status", [401, 429, 500, 503])
def test_a_server_that_fails_is_told_with_its_answer(
    web: _Server, status: int, asks: Callable[[UrlMedium], object]
) -> None:
    web.status = status
    with pytest.raises(MediumError, match=rf"/tree/\.treeinfo: the server answered {status} ") as refused:
        asks(_medium(web))
    assert "\n" not in str(refused.value)


def test_half_a_file_is_no_file(web: _Server, tmp_path: Path) -> None:
    web.cut = 1
    with pytest.raises(MediumError, match=r"/tree/vmlinuz: 5999 of 6000 octets came"):
        _medium(web).copy("vmlinuz", tmp_path / "vmlinuz", lambda _octets: None)


@pytest.mark.parametrize("cut", [0, 1, 5999])
def test_half_a_file_without_a_length_is_told_in_a_sentence(web: _Server, tmp_path: Path, cut: int) -> None:
    web.chunked, web.cut = True, cut
    with pytest.raises(MediumError, match=r"/tree/vmlinuz: the transfer broke off"):
        _medium(web).copy("vmlinuz", tmp_path / "vmlinuz", lambda _octets: None)
    with pytest.raises(MediumError, match=r"/tree/\.treeinfo: the transfer broke off"):
        _medium(web).read(".treeinfo")


def test_a_whole_file_with_progress(web: _Server, tmp_path: Path) -> None:
    told: list[int] = []
    _medium(web).copy("vmlinuz", tmp_path / "vmlinuz", told.append)
    assert ((tmp_path / "vmlinuz").read_bytes(), sum(told)) == (FILE, len(FILE))


@pytest.mark.parametrize(
    "url",
    ["http://h/a?b=c", "http://h/a#b", "http://h:none/a", "http://[::1", "http:///a", "ftp://h/a", "http://h:99999/a"],
)
def test_what_is_no_url_of_a_directory_is_refused(url: str) -> None:
    with pytest.raises(MediumError, match="is no http or https URL of a directory"):
        open_medium(url)


def test_an_image_on_a_web_server_is_to_be_fetched() -> None:
    with pytest.raises(MediumError, match="is an image: fetch it to this machine, and import the file"):
        open_medium("http://h/Rocky-9.ISO")


@pytest.mark.parametrize("nothing", ["", "  "])
def test_no_name_is_no_medium(nothing: str) -> None:
    with pytest.raises(MediumError, match="the medium has no name"):
        open_medium(nothing)


def test_blanks_and_letters_of_a_url_go_over_the_wire_as_such() -> None:
    assert open_medium("http://h:8080/Röck y/9%20x/").where == "http://h:8080/R%C3%B6ck%20y/9%20x"
