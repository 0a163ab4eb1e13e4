"""The package mirror behind the real listener, with a real upstream."""

# mypy: disable-error-code="no-untyped-call, untyped-decorator"

from __future__ import annotations

import http.client
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import pytest_twisted
from twisted.internet.defer import DeferredList
from twisted.internet.threads import deferToThread

from plugins.source_mirror import PLUGIN, SourceMirror
from plugins.source_mirror.settings import Mirror, SettingsOfSourceMirror
from provd.model.content import Content, FileRequest, NotFound
from provd.net.http import HttpListener, HttpSite
from provd.net.runtime import TwistedRuntime
from tests.fakes.fake_http import FakeTree

BIG = bytes(range(256)) * 8192


async def _in_thread(call: Callable[[], Any]) -> Any:
    return await deferToThread(call)


def _get(port: int, path: str, headers: Mapping[str, str] | None = None) -> tuple[int, bytes, str | None]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
    try:
        connection.request("GET", path, headers=dict(headers or {}))
        response = connection.getresponse()
        return response.status, response.read(), response.getheader("Content-Length")
    finally:
        connection.close()


@pytest_twisted.ensureDeferred
async def test_many_machines_and_one_upstream(tmp_path: Path) -> None:
    from twisted.internet import reactor  # noqa: TID251 - this test is about the real one

    upstream = FakeTree({"debian/pool/big.deb": Content(BIG, len(BIG)), "debian/pool/empty.deb": Content(b"", 0)})
    above = HttpListener(reactor, HttpSite(reactor, lambda: 1.7e9, upstream.open_file, _in_thread))
    mirror = Mirror(upstream=f"http://127.0.0.1:{above.listen('127.0.0.1', 0)}/debian")
    plugin = SourceMirror(SettingsOfSourceMirror(mirrors={"deb": mirror}, data_dir=str(tmp_path)))
    plugin.start(TwistedRuntime(reactor))

    def open_file(request: FileRequest) -> Content | NotFound:
        return plugin.provd_file(request) or NotFound("not a mirror's")

    below = HttpListener(reactor, HttpSite(reactor, lambda: 1.7e9, open_file, _in_thread))
    get = partial(_get, below.listen("127.0.0.1", 0))
    try:
        together = [deferToThread(partial(get, "/mirror/deb/pool/big.deb")) for _ in range(6)]
        found = await DeferredList(together, fireOnOneErrback=True)
        assert [answer == (200, BIG, str(len(BIG))) for _, answer in found] == [True] * 6
        part = await deferToThread(partial(get, "/mirror/deb/pool/big.deb", {"Range": "bytes=256-511"}))
        assert part == (206, bytes(range(256)), "256")
        assert (await deferToThread(partial(get, "/mirror/deb/pool/empty.deb")))[:2] == (200, b"")
        assert (await deferToThread(partial(get, "/mirror/deb/pool/none.deb")))[0] == 404
        assert [(one.method, one.path) for one in upstream.asked].count(("GET", "debian/pool/big.deb")) == 1
        await above.close()
        gone = await deferToThread(partial(get, "/mirror/deb/pool/other.deb"))
        assert gone[:2] == (502, b"Bad Gateway\n")
        assert (await deferToThread(partial(get, "/mirror/deb/pool/big.deb")))[1] == BIG
    finally:
        plugin.close()
        await below.close()
    assert PLUGIN.name == "source_mirror"
