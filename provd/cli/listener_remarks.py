"""What hinders the listeners that people reach: the JSON API and that of Cobbler's clients."""

from __future__ import annotations

import errno
import socket
from collections.abc import Iterator, Sequence
from ipaddress import IPv4Address
from pathlib import Path

from provd.config.schema import ServerConfig

_LOOPBACK = IPv4Address("127.0.0.1")
_EVERY = IPv4Address(0)


def listener_remarks(config: ServerConfig) -> Iterator[tuple[bool, str]]:
    """(is an error, sentence) for each address, port and file of theirs that cannot be used here and now."""
    api, cobbler = config.api, config.cobbler
    if api.enabled:
        yield from _port("api.port", api.addresses or (_LOOPBACK,), api.port)
        yield from _files("api", api.tls_certificate, api.tls_key)
    if cobbler.enabled:
        yield from _port("cobbler.port", cobbler.addresses or (_LOOPBACK,), cobbler.port)
        yield from _files("cobbler", cobbler.tls_certificate, cobbler.tls_key)
        if cobbler.tls_certificate:
            yield from _port("cobbler.tls_port", cobbler.tls_addresses or (_EVERY,), cobbler.tls_port)


def _port(key: str, addresses: Sequence[IPv4Address], port: int) -> Iterator[tuple[bool, str]]:
    for address in addresses:
        if fault := bind_fault(socket.SOCK_STREAM, str(address), port):
            yield fault[0], f"{key} {port}: {fault[1]}"


def _files(table: str, certificate: str, key: str) -> Iterator[tuple[bool, str]]:
    """The certificate and its key, where they are given."""
    if not certificate:
        return
    for name, file in (("tls_certificate", certificate), ("tls_key", key)):
        try:
            Path(file or certificate).open("rb").close()
        except OSError as error:
            denied = isinstance(error, PermissionError)  # perhaps of this user alone
            yield not denied, f"{table}.{name}: {file or certificate} cannot be read: {error.strerror}"
            if not key:
                return


def bind_fault(kind: socket.SocketKind, address: str, port: int) -> tuple[bool, str] | None:
    """(is an error, sentence) where the port cannot be bound."""
    with socket.socket(socket.AF_INET, kind) as probe:
        if kind == socket.SOCK_STREAM:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((address, port))
        except OSError as error:
            if error.errno == errno.EADDRINUSE:
                return False, "another program has it (a running provd, if this is its machine)"
            if error.errno == errno.EACCES:
                return False, "this user may not bind it; root or CAP_NET_BIND_SERVICE may"
            if error.errno == errno.EADDRNOTAVAIL:
                return True, f"{address} is no address of this machine"
            return True, str(error.strerror)
    return None
