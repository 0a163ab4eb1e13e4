"""Cobbler's XML-RPC in a running server: its secret, its files, its listener."""

from __future__ import annotations

import grp
import os
import secrets
from collections.abc import Awaitable, Callable, Mapping
from ipaddress import AddressValueError, IPv4Address
from pathlib import Path
from typing import Any, Final

from twisted.internet.defer import maybeDeferred
from twisted.internet.error import CannotListenError
from twisted.internet.interfaces import IListeningPort
from twisted.internet.task import deferLater
from twisted.web.server import Site

from provd.api.cobbler.call import Bridge, Secret
from provd.api.cobbler.dispatch import Dispatcher
from provd.api.cobbler.resource import CobblerResource, site_of
from provd.api.cobbler.tasks import Tasks
from provd.api.cobbler.writing import Drafts
from provd.app.listeners import ListenError
from provd.app.services import Services
from provd.app.tls import context
from provd.config.schema import ServerConfig
from provd.service.operations import OperationTable

_LOOPBACK: Final = IPv4Address("127.0.0.1")


class CobblerListener:
    """Binds and closes the listener.

    Args:
        reactor: the reactor.
        services: the services.
        table: the operations.
        in_thread: runs what takes long off the reactor's thread.

    Attributes:
        resource: what answers, for another site to mount.
    """

    def __init__(
        self,
        reactor: Any,
        services: Services,
        table: OperationTable,
        in_thread: Callable[[Callable[[], Any]], Awaitable[Any]],
    ) -> None:
        self._reactor, self._services = reactor, services
        config = services.current.config
        self._config = config.cobbler
        log = Path(self._config.task_log) if self._config.task_log else None
        bridge = Bridge(
            table=table,
            access=services.access,
            secret=write_secret(secret_path(config), self._config.secret_group),
            anonymous=self._anonymous,
            tasks=Tasks(services.wall, log),
            drafts=Drafts(),
            facts=lambda: facts(services),
            in_thread=in_thread,
            pause=lambda: deferLater(reactor, 0),
        )
        self.resource = CobblerResource(Dispatcher(bridge))
        self._ports: list[IListeningPort] = []

    def bind(self) -> None:
        """Bind.

        Raises:
            ListenError: the port is taken or not allowed.
        """
        site, config = site_of(self._reactor, self.resource), self._config
        for address in config.addresses or (_LOOPBACK,):
            self._listen(config.port, site, address)
        if config.tls_certificate:
            given = context(config.tls_certificate, config.tls_key or config.tls_certificate, "cobbler.tls_certificate")
            for address in config.tls_addresses or (IPv4Address(0),):
                self._listen(config.tls_port, site, address, given)

    def _listen(self, port: int, site: Site, address: IPv4Address, tls: object = None) -> None:
        try:
            if tls is None:
                self._ports.append(self._reactor.listenTCP(port, site, interface=str(address)))
            else:
                self._ports.append(self._reactor.listenSSL(port, site, tls, interface=str(address)))
        except CannotListenError as error:
            reason = getattr(error.socketError, "strerror", error.socketError)
            raise ListenError(f"Cobbler's port {port} on {address}: {reason}") from error

    async def close(self) -> None:
        """Stop listening."""
        for port in self._ports:
            await maybeDeferred(port.stopListening)

    def _anonymous(self, peer: str) -> bool:
        try:
            address = IPv4Address(peer)
        except AddressValueError:
            return False
        return any(address in network for network in self._services.current.config.cobbler.anonymous_read_from)


def secret_path(config: ServerConfig) -> Path:
    """Where the secret of local commands is."""
    return Path(config.cobbler.secret_file or Path(config.data_dir) / "web.ss")


def write_secret(path: Path, group: str) -> Secret:
    """Make a new secret and write it, mode 0600, or 0640 for a group.

    Raises:
        ListenError: it cannot be written, so nobody could show it.
    """
    text = secrets.token_urlsafe(48)
    beside = path.with_name(f".{path.name}.new")
    try:
        number = grp.getgrnam(group).gr_gid if group else -1
        beside.unlink(missing_ok=True)
        handle = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
        with os.fdopen(handle, "w", encoding="ascii") as file:
            file.write(text)
            if group:
                os.fchown(file.fileno(), -1, number)
                os.fchmod(file.fileno(), 0o640)
        beside.replace(path)
    except KeyError as error:
        raise ListenError(f"cobbler.secret_group: there is no group {group!r}") from error
    except OSError as error:
        raise ListenError(f"cobbler.secret_file {path}: {error.strerror}") from error
    return Secret(text.encode())


def facts(services: Services) -> Mapping[str, object]:
    """Settings by Cobbler's names, as far as clients look at them; none of them is secret."""
    config = services.current.config
    server = services.whereabouts.server_of(None)
    return {
        "allow_dynamic_settings": False,
        "allow_duplicate_hostnames": False,
        "allow_duplicate_ips": False,
        "allow_duplicate_macs": False,
        "autoinstall": "",
        "default_name_servers": [],
        "default_name_servers_search": [],
        "default_ownership": ["admin"],
        "default_virt_bridge": "virbr0",
        "default_virt_disk_driver": "raw",
        "default_virt_file_size": 5.0,
        "default_virt_ram": 512,
        "default_virt_type": "kvm",
        "enable_ipxe": False,
        "enable_menu": False,
        "http_port": config.listen.http_port,
        "manage_dhcp": True,
        "manage_dns": False,
        "manage_tftpd": True,
        "next_server_v4": server,
        "next_server_v6": "",
        "power_management_default_type": "ipmilan",
        "proxy_url_ext": "",
        "proxy_url_int": "",
        "pxe_just_once": True,
        "register_new_installs": False,
        "run_install_triggers": True,
        "server": server,
        "virt_auto_boot": True,
        "xmlrpc_port": config.cobbler.port,
    }
