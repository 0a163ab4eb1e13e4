"""The package mirror with the real runtime: an upstream that breaks off for real, and gpgv(1) without capabilities."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
import pytest_twisted

from plugins.source_mirror import SourceMirror
from plugins.source_mirror.settings import Mirror, SettingsOfSourceMirror
from provd.net.runtime import TwistedRuntime
from tests.fakes.archive_key import Signer
from tests.plugins.test_source_mirror_signed import INDEX, LISTED, OCTETS, release

BIG = bytes(range(256)) * 4096


class _Archive(BaseHTTPRequestHandler):
    """Sends half of ``big.rpm`` at the first time; the rest where a range with the right validator is asked for."""

    server: Any

    def do_GET(self) -> None:
        body = self.server.bodies.get(self.path)
        self.server.asked.append((self.path, self.headers.get("Range"), self.headers.get("If-Range")))
        if body is None:
            self.send_error(404)
            return
        start = 0
        if self.headers.get("If-Range") == '"one"':
            start = int(self.headers["Range"].removeprefix("bytes=").removesuffix("-"))
        self.send_response(206 if start else 200)
        self.send_header("ETag", '"one"')
        self.send_header("Content-Length", str(len(body) - start))
        if start:
            self.send_header("Content-Range", f"bytes {start}-{len(body) - 1}/{len(body)}")
        self.end_headers()
        breaks = self.path.endswith("big.rpm") and not start
        self.wfile.write(body[start : len(body) // 2 if breaks else None])
        self.close_connection = True

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def archive() -> Iterator[Any]:
    server: Any = ThreadingHTTPServer(("127.0.0.1", 0), _Archive)
    server.bodies, server.asked = {"/big.rpm": BIG}, []
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    yield server
    server.shutdown()
    server.server_close()
    thread.join()


def _plugin(archive: Any, root: Path, **more: Any) -> SourceMirror:
    from twisted.internet import reactor  # noqa: TID251 - this test is about the real one

    mirror = Mirror(upstream=f"http://127.0.0.1:{archive.server_address[1]}", **more)
    plugin = SourceMirror(SettingsOfSourceMirror(mirrors={"m": mirror}, data_dir=str(root)))
    plugin.start(TwistedRuntime(reactor))
    return plugin


async def _prefetch(plugin: SourceMirror, *paths: str) -> list[str]:
    """What went wrong."""
    (operation,) = [one for one in plugin.provd_operations() if one.name == "mirror.prefetch"]
    told: Any = await operation.run(operation.arguments(name="m", paths=paths, wait=True))  # type: ignore[misc]
    assert told["done"] == len(paths)
    return list(told["failures"])


@pytest_twisted.ensureDeferred
async def test_what_breaks_off_is_completed_by_a_range(archive: Any, tmp_path: Path) -> None:
    plugin = _plugin(archive, tmp_path)
    try:
        assert await _prefetch(plugin, "big.rpm") == []
    finally:
        plugin.close()
    assert (tmp_path / "mirror/m/tree/big.rpm").read_bytes() == BIG
    assert archive.asked[0] == ("/big.rpm", None, None)
    assert archive.asked[1] == ("/big.rpm", f"bytes={len(BIG) // 2}-", '"one"')


@pytest_twisted.ensureDeferred
async def test_gpgv_is_asked_and_a_wrong_package_refused(archive: Any, tmp_path: Path) -> None:
    signer = Signer()
    packages = "dists/bookworm/main/binary-amd64/Packages.xz"
    archive.bodies["/dists/bookworm/InRelease"] = signer.sign(release(**LISTED))
    archive.bodies["/" + packages] = INDEX
    archive.bodies["/pool/main/a/a_1+b~c.deb"] = OCTETS
    archive.bodies["/pool/b.deb"] = b"wrong"
    plugin = _plugin(archive, tmp_path, keyring=str(signer.keyring))
    try:
        assert await _prefetch(plugin, packages) == []
        assert await _prefetch(plugin, "pool/main/a/a_1+b~c.deb") == []
        (why,) = await _prefetch(plugin, "pool/b.deb")
        assert "its SHA-256 is" in why
    finally:
        plugin.close()
        signer.close()
    assert (tmp_path / "mirror/m/tree/pool/main/a/a_1+b~c.deb").read_bytes() == OCTETS
    assert not (tmp_path / "mirror/m/tree/pool/b.deb").exists()
