"""The driver over real sockets: a whole boot on loopback through high ports, as behind a relay."""

from __future__ import annotations

import socket
from functools import partial
from ipaddress import IPv4Address
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
import pytest_twisted
from twisted.internet.protocol import DatagramProtocol
from twisted.internet.threads import deferToThread

from provd.model.content import Content, FileRequest
from provd.net.http import HttpListener, HttpSite
from provd.net.tftp import TftpServer
from provd.net.tftp_socket import UdpNetwork
from provd.service.dhcp_ports import Arrival
from provd.simulate.actions import DhcpSend, HttpSend, TftpGet
from provd.simulate.boot import simulate
from provd.simulate.sockets import SocketDriver
from provd.testing.world import MACHINE
from provd.wire.dhcp import DhcpPacket, encode
from tests.fakes.simulated_server import KERNEL, SimulatedServer

SERVER, RELAY = "127.9.0.1", "127.9.1.1"


class _Dhcp(DatagramProtocol):
    """Hands datagrams to the service and sends its replies to the relay."""

    def __init__(self, server: SimulatedServer, port: int) -> None:
        self._server = server
        self._port = port

    def datagramReceived(self, datagram: bytes, addr: Any) -> None:
        self._server.sent.clear()
        own = int(IPv4Address(SERVER))
        self._server.services.dhcp.handle(
            datagram, Arrival("eth0", own, int(IPv4Address(addr[0])), addr[1], unicast=True)
        )
        self._server.turn()
        assert self.transport is not None
        for reply in self._server.sent:
            self.transport.write(reply, (RELAY, self._port))


def _free_port() -> int:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.bind((SERVER, 0))
        return int(probe.getsockname()[1])


@pytest_twisted.ensureDeferred
async def test_a_whole_boot_over_loopback_without_root(tmp_path: Path) -> None:
    from twisted.internet import reactor  # noqa: TID251 - this test is about the real one

    port, http_port = _free_port(), _free_port()
    far = (
        '\n[[subnet]]\nname = "far"\nnetwork = "127.9.1.0/24"\nserver_address = "127.9.0.1"\n'
        'pool = {first = "127.9.1.100", last = "127.9.1.110"}\n'
        f"[listen]\nhttp_port = {http_port}\n"
    )
    server = SimulatedServer(tmp_path, more=far)
    server.add()

    async def in_thread(call: Any) -> Any:
        return await deferToThread(call)

    def on_event(kind: str, request: FileRequest, fields: Any) -> None:
        server.services.file_events.on_event(kind, request, fields)
        server.turn()

    def open_file(request: FileRequest) -> Any:
        return server.services.files.open(request)

    dhcp = reactor.listenUDP(port, _Dhcp(server, port), SERVER)  # type: ignore[attr-defined]
    web = HttpListener(reactor, HttpSite(reactor, lambda: 1.7e9, open_file, in_thread, on_event))
    web.listen(SERVER, http_port)
    tftp = TftpServer(clock=reactor, network=UdpNetwork(reactor), open_file=open_file, on_event=on_event)
    tftp_port = _free_port()
    tftp.listen(SERVER, tftp_port)
    driver = SocketDriver(SERVER, RELAY, dhcp_port=port, tftp_port=tftp_port)
    try:
        for firmware in ("bios", "x64-uefi"):
            server.services.systems.set_netboot("web1", wanted=True)
            boot = await deferToThread(partial(simulate, driver, MACHINE, firmware, seed=len(firmware)))
            assert boot.outcome == "installed", boot.text()
            assert boot.address == boot.installer_address == "127.9.1.100"
            assert boot.started is not None
            assert boot.started.kernel == KERNEL
    finally:
        await web.close()
        tftp.stop()
        await dhcp.stopListening()
    assert isinstance(open_file(FileRequest("tftp", "pxelinux.0", "127.9.1.100", SERVER)), Content)


def _message(op: int, xid: int) -> bytes:
    packet = DhcpPacket(op, 1, 6, 0, xid, 0, 0, 0, 0, 0, 0, b"\2\0\0\0\0\1" + bytes(10), b"", b"", {53: bytes([op])})
    return encode(packet, min_size=0, max_size=1500).data


def test_replies_of_other_exchanges_and_noise_are_passed_over() -> None:
    port = _free_port()
    discover, own, others = (_message(op, xid) for op, xid in ((1, 7), (2, 7), (2, 8)))

    def answer() -> None:
        _asked, relay = server.recvfrom(4096)
        for data in (b"noise", others, own):
            server.sendto(data, relay)

    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server:
        server.bind((SERVER, port))
        thread = Thread(target=answer, daemon=True)
        thread.start()
        assert SocketDriver(SERVER, RELAY, dhcp_port=port).dhcp(DhcpSend(discover)) == [own]
        thread.join(5)
    assert not thread.is_alive()


def test_an_address_that_this_machine_does_not_have_is_told_with_the_command_that_gives_it() -> None:
    """A pool on a real network is no 127.0.0.0/8."""
    driver = SocketDriver("127.9.0.1", "127.9.1.1")
    wanted = "198.51.100.7 is no address of this machine; as root: ip address add 198.51.100.7/32 dev lo"
    get = HttpSend("http://127.9.0.1/x", source="198.51.100.7")
    for act in (
        lambda: driver.tftp(TftpGet("127.9.0.1", "x", source="198.51.100.7")),
        lambda: driver.http(get),
        lambda: SocketDriver("127.9.0.1", "198.51.100.7", dhcp_port=6767).dhcp(DhcpSend(_message(1, 7))),
    ):
        with pytest.raises(OSError, match=wanted) as caught:
            act()
        assert caught.value.strerror == wanted
