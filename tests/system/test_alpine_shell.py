"""Alpine's script with the programs it meets there: the shell, wget, awk and sed of busybox."""

from __future__ import annotations

import re
import subprocess
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from plugins.installer_alpine import Alpine
from provd.lab.unpacked import fetch
from provd.plugin.api import LogSettings
from provd.testing.documents import documents
from provd.testing.samples import DISTRO, plan, profile

pytestmark = pytest.mark.netns


class _Server(HTTPServer):
    posts: list[tuple[str, str, bytes]]


class _Handler(BaseHTTPRequestHandler):
    server: _Server

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.posts.append((self.path, self.headers["Content-Type"], body))
        self.send_response(200 if len(self.server.posts) > 1 else 503)
        self.send_header("Content-Length", "3")
        self.end_headers()
        self.wfile.write(b"ok\n")

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  the library's name
        """Nothing is printed."""


@pytest.fixture
def server() -> Iterator[_Server]:
    found = _Server(("127.0.0.1", 0), _Handler)
    found.posts = []
    thread = threading.Thread(target=found.serve_forever)
    thread.start()
    yield found
    found.shutdown()
    thread.join()
    found.server_close()


def script(port: int) -> str:
    """The script without what it does at its end."""
    (installer,) = Alpine(LogSettings()).provd_installers()
    distro = DISTRO.__class__(name="alpine-3.22", family="alpine", version="3.22", installer="alpine")
    made = plan(profile=profile(distro=distro), server="127.0.0.1", http_port=port)
    text = documents(installer, made)["install.sh"]
    return text[: text.index("provd_say started")]


def test_row36_reports_leave_by_busybox_and_are_tried_again(cache: Path, tmp_path: Path, server: _Server) -> None:
    busybox = fetch("busybox-static", cache).program("busybox")
    text = script(server.server_port).replace("/run/", f"{tmp_path}/")
    run = subprocess.run(
        [busybox, "sh"], input=f"{text}\nprovd_say finished 'it is \"done\" ü'\n".encode(), check=False, timeout=60,
        env={"PATH": "/bin:/usr/bin", "http_proxy": "http://127.0.0.1:1"},
    )  # fmt: skip
    assert run.returncode == 0
    expected = ("/callback/T/finished", "text/plain", 'it is "done" ü\n'.encode())
    assert server.posts == [expected, expected], "the first one was refused"


def test_names_of_cards_come_into_the_file_by_busybox(cache: Path, tmp_path: Path) -> None:
    busybox = fetch("busybox-static", cache).program("busybox")
    for name, mac in (("eth7", "52:54:00:aa:bb:cc"), ("lo", "00:00:00:00:00:00")):
        (tmp_path / "net" / name).mkdir(parents=True)
        (tmp_path / "net" / name / "address").write_text(f"{mac}\n")
    (tmp_path / "net/eth7/device").mkdir()
    (tmp_path / "etc/network").mkdir(parents=True)
    text = script(80).replace("/run/", f"{tmp_path}/").replace("/sys/class/net", f"{tmp_path}/net")
    text = re.sub("^target=.*$", f"target={tmp_path}", text, flags=re.MULTILINE)
    done = f"{text}\nprovd_network && provd_card 52:54:00:aa:bb:cc\nprovd_sectors 20G\n"
    run = subprocess.run([busybox, "sh"], input=done.encode(), capture_output=True, check=True, timeout=60)
    assert run.stdout == f"eth7\n{20 * 10**9 // 512}\n".encode()
    assert "auto eth7\niface eth7 inet dhcp\n" in (tmp_path / "etc/network/interfaces").read_text()
