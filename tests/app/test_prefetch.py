"""A suite through a real service: command line, API, mirror, HTTP upstream."""

from __future__ import annotations

import functools
import http.server
import json
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.app.running_server import RunningServer
from tests.plugins.test_source_mirror_whole import SUITE, Archive

ENABLED = '"installer_kickstart"]'


class _Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_words: object) -> None:
        pass


@pytest.fixture
def upstream(tmp_path: Path) -> Iterator[str]:
    made = Archive(tmp_path / "unused")
    made.suite(SUITE)
    for path, octets in made.files.items():
        target = tmp_path / "upstream" / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(octets)
    handler = functools.partial(_Quiet, directory=str(tmp_path / "upstream"))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()
        thread.join(10)


def test_row_26_whole_suite(tmp_path: Path, upstream: str) -> None:
    server = RunningServer(tmp_path, f'[plugins.source_mirror.mirrors.deb]\nupstream = "{upstream}"\n')
    server.config.write_text(server.config.read_text().replace(ENABLED, '"installer_kickstart", "source_mirror"]'))
    server.start()
    try:
        words = ("mirror", "prefetch", "deb", "--suites", "s", "--wait", "-o", "json", "--config", str(server.config))
        done = subprocess.run([sys.executable, "-m", "provd", *words], capture_output=True, text=True, timeout=60)  # noqa: PLW1510
        assert done.returncode == 0, done.stderr + server.text()
        told = json.loads(done.stdout)
        assert (told["phase"], told["failed"], told["done"]) == ("done", 0, told["total"])
        assert told["bytes_done"] == told["bytes_total"]
        assert "still to be fetched" in done.stderr
        kept = tmp_path / "data/mirror/deb/tree"
        for path in ("pool/a.deb", "pool/u.udeb", "dists/s/InRelease", "dists/s/main/binary-amd64/Packages.xz"):
            assert (kept / path).read_bytes() == (tmp_path / "upstream" / path).read_bytes()
        assert not (kept / "pool/arm.deb").exists()
    finally:
        assert server.stop() == 0
