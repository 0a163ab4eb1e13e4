"""An FTP client that sends where there is only to receive."""

# mypy: disable-error-code="no-untyped-call, untyped-decorator"

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import pytest
import pytest_twisted
from twisted.internet.threads import deferToThread
from twisted.protocols import ftp

from plugins.source_ftp import SettingsOfSourceFtp
from tests.plugins.test_source_ftp import FILES, Served, _client, _retrieve


@pytest.fixture
def served() -> Iterator[Served]:
    plugin = Served(SettingsOfSourceFtp(passive=(), connections_max=2))
    yield plugin
    plugin.close()


@pytest_twisted.ensureDeferred
async def test_what_a_client_sends_over_the_data_connection_is_not_kept(
    served: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened: list[Any] = []
    made = ftp.DTP.connectionMade

    def noted(self: Any) -> None:
        made(self)
        opened.append(self)

    monkeypatch.setattr(ftp.DTP, "connectionMade", noted)
    port = served.begin()

    def send() -> None:
        with _client(port) as client:
            place = client.makepasv()
            with socket.create_connection(place, timeout=10) as data, suppress(OSError):
                for _ in range(40):
                    data.sendall(bytes(1 << 16))
                client.voidcmd("NOOP")

    await deferToThread(send)
    assert sum(map(len, opened[0]._buffer)) == 0
    assert await deferToThread(lambda: _retrieve(port, "tree/rocky/a.rpm")) == FILES["tree/rocky/a.rpm"]
