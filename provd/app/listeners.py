"""The sockets of a running server: DHCP on interfaces, TFTP and HTTP on addresses."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from typing import Any

from twisted.internet.error import CannotListenError
from twisted.internet.threads import deferToThreadPool

from provd.config.schema import ServerConfig
from provd.config.subnets import pxe_interfaces
from provd.core.tftp_negotiation import TransferLimits
from provd.model.content import Content, FileRequest, NotFound
from provd.model.dhcp import Destination
from provd.net.dhcp import DhcpListener
from provd.net.http import HttpLimits, HttpListener, HttpSite
from provd.net.syslog import Sink, SyslogListener
from provd.net.tftp import TftpCaps, TftpServer
from provd.net.tftp_single_port import SinglePortNetwork
from provd.net.tftp_socket import UdpNetwork
from provd.service.dhcp_ports import Arrival, Turn

OpenFile = Callable[[FileRequest], Content | NotFound]
OnEvent = Callable[[str, FileRequest, Mapping[str, object]], None]


class ListenError(Exception):
    """A port cannot be bound; the sentence says which and why."""


class Listeners:
    """Binds and closes everything that machines talk to.

    Args:
        reactor: the reactor.
        config: ports, addresses and limits.
        wall: seconds since the epoch, for the HTTP Date.
        received: gets every datagram of the DHCP port and of the PXE port.
        changed: the addresses of an interface changed.
        open_file: decides file requests.
        on_event: told of transfers.
        logs: takes log lines of installers.
        turn: told before and after DHCP datagrams that were read together.
    """

    def __init__(
        self,
        reactor: Any,
        config: ServerConfig,
        *,
        wall: Callable[[], float],
        received: Callable[[bytes, Arrival], None],
        changed: Callable[[], None],
        open_file: OpenFile,
        on_event: OnEvent,
        logs: Sink,
        turn: Turn,
    ) -> None:
        self._config = config
        names = [interface.name for interface in config.interfaces]
        self.dhcp = DhcpListener(
            reactor, reactor, names, received, changed=changed, server_port=config.listen.dhcp_port, turn=turn
        )
        self.pxe = DhcpListener(
            reactor, reactor, pxe_interfaces(config), _at_pxe_port(received), server_port=config.listen.pxe_port
        )
        self.tftp = TftpServer(
            clock=reactor,
            network=SinglePortNetwork(reactor) if config.tftp.single_port else UdpNetwork(reactor),
            open_file=open_file,
            on_event=on_event,
            limits=TransferLimits(blksize=config.tftp.blksize_max, windowsize=config.tftp.windowsize_max),
            caps=TftpCaps(config.tftp.transfers_max, config.tftp.transfers_per_client),
            wall=wall,
        )

        def in_thread(work: Callable[[], Any]) -> Awaitable[Any]:
            return deferToThreadPool(reactor, reactor.getThreadPool(), work)

        limits = HttpLimits(
            header_s=config.http.header_timeout_s,
            idle_s=config.http.idle_timeout_s,
            stall_s=config.http.idle_timeout_s,
            max_body=config.http.body_max,
            per_address=config.http.connections_per_client,
            total=config.http.connections_max,
        )
        site = HttpSite(reactor, wall, open_file, in_thread, on_event, limits)
        self.http = HttpListener(reactor, site)
        self.syslog = SyslogListener(reactor, logs)

    def send(self, interface: str, data: bytes, destination: Destination, local: int) -> None:
        """Send one DHCP reply."""
        self.dhcp.send(interface, data, destination, local)

    def send_service(self, interface: str, data: bytes, destination: Destination, local: int) -> None:
        """Send one answer of the PXE port."""
        self.pxe.send(interface, data, destination, local)

    def use(self, config: ServerConfig) -> None:
        """Take another list of interfaces, after a reload."""
        self.dhcp.use([interface.name for interface in config.interfaces])
        self.pxe.use(pxe_interfaces(config))

    def bind(self) -> None:
        """Bind everything; a DHCP interface that is missing is bound when it appears.

        Raises:
            ListenError: a TFTP or HTTP port is taken or not allowed.
        """
        listen = self._config.listen
        addresses = [str(address) for address in listen.addresses] or [""]
        for address in addresses:
            where = address or "every address"
            try:
                self.tftp.listen(address or "0.0.0.0", listen.tftp_port)  # noqa: S104  every address is the default
            except OSError as error:
                raise ListenError(f"TFTP port {listen.tftp_port} on {where}: {error.strerror}") from error
            try:
                self.http.listen(address, listen.http_port)
            except CannotListenError as error:
                reason = getattr(error.socketError, "strerror", error.socketError)
                raise ListenError(f"HTTP port {listen.http_port} on {where}: {reason}") from error
        if self._config.syslog.enabled:
            self.syslog.listen(addresses, self._config.syslog.port)
        self.dhcp.start()
        self.pxe.start()

    async def close(self) -> None:
        """Stop listening; transfers that run are given up, clients ask again."""
        self.dhcp.stop()
        self.pxe.stop()
        self.tftp.stop()
        await self.syslog.close()
        await self.http.close()


def _at_pxe_port(received: Callable[[bytes, Arrival], None]) -> Callable[[bytes, Arrival], None]:
    return lambda data, arrival: received(data, replace(arrival, pxe=True))
