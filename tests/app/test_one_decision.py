"""One decision about a file serves TFTP and HTTP, also where a site's own plugin makes it (`provd_file`)."""

from __future__ import annotations

import os
import signal
import socket
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.app.running_server import RunningServer

PLUGIN = '''\
from provd.plugin.api import Content, NotFound, Plugin, Settings, hookimpl


class Nothing(Settings, frozen=True):
    """No settings."""


class Made:
    def __init__(self, settings):
        pass

    @hookimpl
    def provd_file(self, request):
        if request.path == "made/gone":
            return NotFound("not any more")
        if request.path.startswith("made/"):
            return Content.text(f"{request.path} for {request.peer} from {request.local}\\n" * 40)
        return None


PLUGIN = Plugin(name="made_files", settings=Nothing, build=Made)
'''


@pytest.fixture
def server(tmp_path: Path) -> Iterator[RunningServer]:
    (tmp_path / "own").mkdir(mode=0o755)
    (tmp_path / "own" / "made_files.py").write_text(PLUGIN)
    (tmp_path / "tree").mkdir()
    (tmp_path / "tree" / "some.efi").write_bytes(os.urandom(70_001))
    (tmp_path / "tree" / "link").symlink_to("/etc/passwd")
    served = f'\n[[plugins.static_files.directories]]\nprefix = "tree"\npath = "{tmp_path}/tree"\n'
    running = RunningServer(tmp_path, served)
    text = running.config.read_text()
    running.config.write_text(
        text.replace('"relay",', '"relay", "made_files",').replace(
            "user =", f'plugin_dirs = ["{tmp_path}/own"]\nuser ='
        )
    )
    running.start()
    yield running
    running.stop(signal.SIGKILL)


def over_http(server: RunningServer, path: str) -> bytes | int:
    """The file, or the status of a refusal."""
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{server.http}/{path}", timeout=5) as answer:
            body: bytes = answer.read()
            assert int(answer.headers["Content-Length"]) == len(body)
            return body
    except urllib.error.HTTPError as error:
        return error.code


def over_tftp(server: RunningServer, path: str) -> bytes | int:
    """The file in blocks of 512 octets, or the code of an error (RFC 1350 section 5)."""
    body = b""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as client:
        client.settimeout(5)
        client.sendto(b"\0\1" + path.encode() + b"\0octet\0", ("127.0.0.1", server.tftp))
        for number in range(1, 1000):
            packet, sender = client.recvfrom(2048)
            if packet[:2] == b"\0\5":
                return int.from_bytes(packet[2:4], "big")
            assert packet[:4] == b"\0\3" + number.to_bytes(2, "big")
            body += packet[4:]
            client.sendto(b"\0\4" + packet[2:4], sender)
            if len(packet) < 516:
                return body
    raise AssertionError("no end")


def test_H05_a_plugins_answer_and_a_file_are_the_same_over_tftp_and_http(server: RunningServer) -> None:
    made = b"made/x.cfg for 127.0.0.1 from 127.0.0.1\n" * 40
    for path, body in (("made/x.cfg", made), ("tree/some.efi", (server.folder / "tree" / "some.efi").read_bytes())):
        assert over_http(server, path) == body
        assert over_tftp(server, path) == body


@pytest.mark.parametrize(
    ("path", "status", "code"),
    [("made/gone", 404, 1), ("tree/nosuch", 404, 1), ("tree/link", 403, 2), ("tree/some.efi/x", 404, 1),
     ("nosuch", 404, 1)],
)  # fmt: skip
def test_what_is_nobodys_is_refused_by_both(server: RunningServer, path: str, status: int, code: int) -> None:
    assert over_http(server, path) == status
    assert over_tftp(server, path) == code
