"""The local socket with its real client."""

# mypy: disable-error-code="no-untyped-call, untyped-decorator"

from __future__ import annotations

import http.client
import socket
import stat
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import pytest_twisted
from twisted.internet.defer import maybeDeferred
from twisted.internet.threads import deferToThread

from provd.api.client import ApiError, LocalClient, NotReachableError
from provd.api.server import MAX_BODY, ApiSite, listen, local_caller, nesting
from provd.model.account import Caller
from tests.fakes.fake_api import Backend


async def _served(path: Path, use: Callable[[], Any], caller: Callable[[Any], Caller | None] = local_caller) -> Any:
    from twisted.internet import reactor  # noqa: TID251 - these tests are about the real one

    site = ApiSite(reactor, Backend().table, caller)
    port = listen(reactor, str(path), site)  # type: ignore[arg-type]
    try:
        return await deferToThread(use)
    finally:
        await maybeDeferred(port.stopListening)


def _raw(path: Path, body: bytes, headers: dict[str, str] | None = None) -> tuple[int, bytes]:
    with socket.socket(socket.AF_UNIX) as connection:
        connection.connect(str(path))
        extra = "".join(f"{name}: {value}\r\n" for name, value in (headers or {}).items())
        head = f"POST /v1/call/system.list HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: {len(body)}\r\n{extra}\r\n"
        connection.sendall(head.encode() + body)
        response = http.client.HTTPResponse(connection)
        response.begin()
        return response.status, response.read()


@pytest_twisted.ensureDeferred
async def test_operations_over_the_socket(tmp_path: Path) -> None:
    path = tmp_path / "run" / "provd.sock"
    client = LocalClient(path, timeout=5)

    def use() -> None:
        assert client.call("system.show", {"name": "web1"})["profile"] == "web"
        assert client.call("system.show", name="web1")["profile"] == "web"
        assert {one["name"] for one in client.operations()} >= {"status", "explain"}
        assert stat.S_IMODE(path.stat().st_mode) == 0o660
        with pytest.raises(ApiError, match="there is no system 'x'") as caught:
            client.call("system.show", {"name": "x"})
        assert (caught.value.field, caught.value.kind) == ("name", "not-found")

    await _served(path, use)
    with pytest.raises(NotReachableError, match="no service answers at"):
        client.call("status")


@pytest_twisted.ensureDeferred
async def test_somebody_else_is_refused(tmp_path: Path) -> None:
    def use() -> None:
        with pytest.raises(ApiError, match="only root and the user of the service"):
            LocalClient(tmp_path / "s").call("status")

    await _served(tmp_path / "s", use, lambda _transport: None)


@pytest.mark.parametrize(
    ("body", "headers", "sentence"),
    [
        (b"[" * 40 + b"]" * 40, {}, b"nested deeper than 32 levels"),
        (b'{"a": ' + b"[" * 100_000, {}, b"nested deeper"),
        (b"{" + b" " * MAX_BODY + b"}", {}, b"longer than 1048576 octets"),
        (b"{nonsense", {}, b"not JSON"),
        (b"\xff\xfe", {}, b"not JSON"),
        (b"{}", {"Content-Encoding": "gzip"}, b"encoded requests are refused"),
    ],
)
@pytest_twisted.ensureDeferred
async def test_c27_hostile_bodies_get_one_sentence(
    tmp_path: Path, body: bytes, headers: dict[str, str], sentence: bytes
) -> None:
    status, answer = await _served(tmp_path / "s", partial(_raw, tmp_path / "s", body, headers))
    assert status == 400
    assert sentence in answer


def test_nesting_counts_outside_of_texts_only() -> None:
    assert nesting(b'{"a": "[[[[", "b": [1, {"c": "\\"[["}]}') == 3
