"""Drives a simulated client over real sockets, without root: on loopback, through high ports, as behind a relay."""

from __future__ import annotations

import errno
import http.client
import socket
from dataclasses import replace
from ipaddress import IPv4Address
from time import monotonic
from typing import Final
from urllib.parse import urlsplit

from provd.simulate.actions import DhcpSend, Fetched, HttpSend, TftpGet
from provd.simulate.tftp import TftpRead
from provd.wire.dhcp import decode, encode
from provd.wire.errors import WireError

_TRIES: Final = 5


class SocketDriver:
    """Carries out actions against a server.

    A client without an address cannot be reached without a raw socket, so the driver is also the relay: it sets giaddr,
    and replies come to that address (RFC 2131 section 4.1). On loopback every 127.0.0.0/8 address is local, so a pool
    there lets the client use the address it is given.

    Args:
        server: the server's address.
        relay: address of this machine that is the relay's.
        dhcp_port: UDP port of the server, and of the relay.
        pxe_port: UDP port of the PXE service.
        tftp_port: UDP port of the server.
        http_port: TCP port that replaces port 80 of URLs; 0 leaves URLs as they are.
        timeout_s: seconds to wait for one answer.
    """

    def __init__(
        self,
        server: str,
        relay: str,
        *,
        dhcp_port: int = 67,
        pxe_port: int = 4011,
        tftp_port: int = 69,
        http_port: int = 0,
        timeout_s: float = 2.0,
    ) -> None:
        self._server = server
        self._relay = relay
        self._dhcp_port = dhcp_port
        self._pxe_port = pxe_port
        self._tftp_port = tftp_port
        self._http_port = http_port
        self._timeout_s = timeout_s

    def dhcp(self, action: DhcpSend) -> list[bytes]:
        """Send through the relay and collect what comes back; the first reply ends the wait."""
        if action.service:
            return self._service(action)
        packet = decode(action.data)
        relayed = encode(replace(packet, giaddr=int(IPv4Address(self._relay)), hops=1), min_size=0, max_size=1500).data
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as link:
            link.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            _bind(link, self._relay, self._dhcp_port)
            link.sendto(relayed, (self._server, self._dhcp_port))
            return _reply(link, packet.xid, action.wait_s)

    def _service(self, action: DhcpSend) -> list[bytes]:
        """Ask the PXE port from the client's own address; it answers the port that asked."""
        source = str(IPv4Address(decode(action.data).ciaddr))
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as link:
            _bind(link, source)
            link.sendto(action.data, (action.service, self._pxe_port))
            return _reply(link, decode(action.data).xid, action.wait_s)

    def tftp(self, action: TftpGet) -> Fetched:
        """Read a file; a block that does not come is asked for again."""
        transfer = TftpRead(action)
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as link:
            _bind(link, action.source)
            link.settimeout(self._timeout_s)
            peer = (action.server, self._tftp_port)
            link.sendto(transfer.first(), peer)
            for _ in range(_TRIES):
                while transfer.result is None:
                    try:
                        data, peer = link.recvfrom(65536)
                    except TimeoutError:
                        break
                    for answer in transfer.received(data):
                        link.sendto(answer, peer)
                if transfer.result is not None:
                    return transfer.result
                link.sendto(transfer.again(), peer)
        return Fetched(500, error="TFTP: no answer")

    def http(self, action: HttpSend) -> Fetched:
        """Send one request on a connection of its own, from the client's address."""
        parts = urlsplit(action.url)
        port = parts.port or self._http_port or 80
        until = monotonic() + self._timeout_s * _TRIES
        with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
            _bind(probe, action.source)
        connection = http.client.HTTPConnection(
            parts.hostname or "", port, timeout=self._timeout_s * _TRIES, source_address=(action.source, 0)
        )
        try:
            connection.request(action.method, parts.path, action.body or None, dict(action.headers))
            response = connection.getresponse()
            body = response.read()
        except (OSError, http.client.HTTPException) as error:
            late = " (too late)" if monotonic() > until else ""
            return Fetched(599, error=f"HTTP: {error}{late}")
        finally:
            connection.close()
        return Fetched(response.status, body, {name.lower(): value for name, value in response.getheaders()})


def _bind(link: socket.socket, address: str, port: int = 0) -> None:
    """Bind to an address of the simulated machine, or of its relay.

    Raises:
        OSError: its text says what is missing.
    """
    try:
        link.bind((address, port))
    except OSError as error:
        if error.errno == errno.EADDRNOTAVAIL:
            add = f"as root: ip address add {address}/32 dev lo"
            raise OSError(error.errno, f"{address} is no address of this machine; {add}") from error
        if error.errno == errno.EACCES:
            raise OSError(error.errno, f"port {port} of {address} may be bound by root alone") from error
        raise


def _reply(link: socket.socket, xid: int, wait_s: float) -> list[bytes]:
    """The first reply to this exchange; what belongs to others or is no DHCP is passed over (RFC 2131 section 4.1)."""
    until = monotonic() + wait_s
    while (left := until - monotonic()) > 0:
        link.settimeout(left)
        try:
            data = link.recv(4096)
            if decode(data).xid == xid:
                return [data]
        except TimeoutError:
            return []
        except WireError:
            continue
    return []
