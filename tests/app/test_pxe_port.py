"""Port 4011 of a real `provd run` (here a high port): bound where it is promised, answered from the real socket (P09)."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import UUID

import pytest

from provd.simulate.actions import DhcpSend
from provd.simulate.firmware import BIOS_IPXE, Machine, service_request
from provd.simulate.sockets import SocketDriver
from provd.wire.dhcp import decode
from tests.app.running_server import RunningServer, free_ports

MACHINE = Machine(bytes.fromhex("525400880031"), UUID(int=31))
SYSTEM = 'netboot = false\n[[interface]]\nmac = "52:54:00:88:00:31"\n'
CLIENT, SERVER = 0x7F000907, "127.0.0.1"


@contextmanager
def running(folder: Path, mode: str) -> Iterator[int]:
    """A server with a subnet of this mode; its PXE port, bound or not."""
    server = RunningServer(folder)
    (port,) = free_ports(1)
    text = server.config.read_text().replace("[listen]\n", f"[listen]\npxe_port = {port}\n")
    pool = 'pool = "127.0.9.1-127.0.9.200"'
    assert pool in text
    server.config.write_text(text.replace(pool, f'mode = "{mode}"' if mode == "proxy" else f'{pool}\nmode = "{mode}"'))
    (folder / "data/payload/loaders").mkdir(parents=True)
    (folder / "data/payload/loaders/pxelinux.0").write_bytes(b"pxelinux")
    (folder / "site/systems/web1.toml").write_text(SYSTEM)
    server.start()
    try:
        yield port
    finally:
        assert server.stop() == 0, server.text()


@pytest.mark.parametrize("mode", ["proxy", "combined"])
def test_P09_row_37_the_port_is_answered_where_a_subnet_promises_it(tmp_path: Path, mode: str) -> None:
    with running(tmp_path, mode) as port:
        driver = SocketDriver(SERVER, SERVER, pxe_port=port)
        asked = service_request(BIOS_IPXE, MACHINE, 7, CLIENT)
        (reply,) = driver.dhcp(DhcpSend(asked, wait_s=10.0, service=SERVER))
    packet = decode(reply)
    assert (packet.message_type, packet.yiaddr, packet.ciaddr) == (5, 0, CLIENT)
    assert (packet.file, packet.options[60]) == (b"pxelinux.0", b"PXEClient")


def test_P09_row_37_the_port_is_closed_where_none_does(tmp_path: Path) -> None:
    with running(tmp_path, "dhcp") as port, socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as link:
        link.connect((SERVER, port))
        link.settimeout(10.0)
        link.send(b"anybody there?")
        with pytest.raises(ConnectionRefusedError):
            link.recv(1)
