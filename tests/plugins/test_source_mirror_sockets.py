"""The package mirror between two real HTTP servers on loopback, through the plugin host."""

from __future__ import annotations

import http.client
from collections.abc import AsyncIterator, Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import pytest_twisted
from twisted.internet.defer import DeferredList
from twisted.internet.threads import deferToThread

from provd.model.content import Content, NotFound, StreamBody
from provd.net.http import HttpListener, HttpSite
from provd.net.runtime import TwistedRuntime
from provd.plugin.host import PluginHost
from provd.plugin.loading import FoundFile
from provd.shipped import shipped_dir
from tests.fakes.fake_http import FakeTree
from tests.fakes.plugin_world import FakeClock

BIG = bytes(range(256)) * 8192


async def _in_thread(call: Callable[[], Any]) -> Any:
    return await deferToThread(call)


def _get(
    port: int, path: str, headers: Mapping[str, str] | None = None, method: str = "GET"
) -> tuple[int, bytes, str | None]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
    try:
        connection.request(method, path, headers=dict(headers or {}))
        response = connection.getresponse()
        return response.status, response.read(), response.getheader("Content-Length")
    except (http.client.IncompleteRead, ConnectionError):
        return 0, b"", None
    finally:
        connection.close()


async def _half(_start: int, _stop: int) -> AsyncIterator[bytes]:
    yield BIG[: len(BIG) // 2]
    raise ConnectionError("the disk of upstream is broken")


async def _parts(start: int, stop: int) -> AsyncIterator[bytes]:
    yield BIG


UPSTREAM: dict[str, Any] = {
    "debian/pool/big.deb": Content(BIG, len(BIG)),
    "debian/pool/empty.deb": Content(b"", 0),
    "debian/pool/half.deb": Content(StreamBody(_half), len(BIG)),
    "debian/pool/chunked.deb": Content(StreamBody(_parts), -1),
}


@pytest_twisted.ensureDeferred
async def test_many_machines_and_one_upstream(tmp_path: Path) -> None:
    from twisted.internet import reactor  # noqa: TID251 - this test is about the real one

    upstream = FakeTree(dict(UPSTREAM))
    above = HttpListener(reactor, HttpSite(reactor, lambda: 1.7e9, upstream.open_file, _in_thread))
    base = f"http://127.0.0.1:{above.listen('127.0.0.1', 0)}/debian"
    found = FoundFile("source_mirror", "shipped", shipped_dir("plugins") / "source_mirror", trusted=True)
    settings = {"source_mirror": {"mirrors": {"deb": {"upstream": base}}}}
    host = PluginHost([found], settings, clock=FakeClock(), data_dir=tmp_path)
    host.start(TwistedRuntime(reactor))
    below = HttpListener(
        reactor, HttpSite(reactor, lambda: 1.7e9, lambda asked: host.file(asked) or NotFound("no"), _in_thread)
    )
    port = below.listen("127.0.0.1", 0)

    async def get(path: str, **more: Any) -> tuple[int, bytes, str | None]:
        return await deferToThread(partial(_get, port, f"/mirror/deb/pool/{path}", **more))

    try:
        together = [deferToThread(partial(_get, port, "/mirror/deb/pool/big.deb")) for _ in range(6)]
        answers = await DeferredList(together, fireOnOneErrback=True)
        assert [answer == (200, BIG, str(len(BIG))) for _, answer in answers] == [True] * 6
        assert await get("big.deb", headers={"Range": "bytes=256-511"}) == (206, bytes(range(256)), "256")
        assert await get("empty.deb") == (200, b"", "0")
        assert await get("big.deb", method="HEAD") == (200, b"", str(len(BIG)))
        assert (await get("none.deb"))[0] == 404
        assert [asked.path for asked in upstream.asked].count("debian/pool/big.deb") == 1
        assert await get("chunked.deb") == (200, BIG, str(len(BIG)))
        assert (await get("half.deb"))[0] == 0
        assert not (tmp_path / "mirror/deb/tree/pool/half.deb").exists()
        assert host.stats()[0].failures == 0
        await above.close()
        assert (await get("other.deb"))[:2] == (502, b"Bad Gateway\n")
        assert (await get("big.deb"))[1] == BIG
    finally:
        host.close()
        await below.close()
