"""Tables of ``provd.toml`` on what people and their programs reach: the JSON API, XML-RPC for Cobbler."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv4Network
from typing import Annotated

from provd.config.keys import Port, Table, key


class ApiConfig(Table, frozen=True):
    """``[api]``: every operation as JSON over HTTPS, live events, metrics."""

    enabled: Annotated[bool, key("Answer the JSON API over TCP.", applies="restart")] = False
    addresses: Annotated[
        tuple[IPv4Address, ...],
        key("Addresses of the listener; empty for loopback, `0.0.0.0` for all.", applies="restart"),
    ] = ()
    port: Annotated[Port, key("TCP port, always with TLS.", applies="restart")] = 8443
    tls_certificate: Annotated[
        str,
        key(
            "PEM file with the certificate, chain included; empty for one that provd makes for itself, whose "
            "fingerprint is in the log.",
            applies="restart",
        ),
    ] = ""
    tls_key: Annotated[str, key("PEM file with its private key.", applies="restart")] = ""


class CobblerConfig(Table, frozen=True):
    """``[cobbler]``: XML-RPC for Cobbler's clients."""

    enabled: Annotated[
        bool, key("Answer Cobbler's command and Ansible's modules for Cobbler (XML-RPC).", applies="restart")
    ] = False
    addresses: Annotated[
        tuple[IPv4Address, ...],
        key(
            "Addresses of the plain listener; empty for loopback, because passwords and tokens go over it.",
            applies="restart",
        ),
    ] = ()
    port: Annotated[Port, key("TCP port of the plain listener, where Cobbler's command looks.", applies="restart")] = (
        25151
    )
    tls_certificate: Annotated[
        str,
        key("PEM file with the certificate of a listener with TLS, chain included; empty for none.", applies="restart"),
    ] = ""
    tls_key: Annotated[str, key("PEM file with its private key.", applies="restart")] = ""
    tls_addresses: Annotated[
        tuple[IPv4Address, ...], key("Addresses of the listener with TLS; empty for all.", applies="restart")
    ] = ()
    tls_port: Annotated[Port, key("TCP port of the listener with TLS.", applies="restart")] = 25152
    secret_file: Annotated[
        str,
        key(
            "File with the secret of local commands, written anew at every start, readable by root and provd; "
            "Cobbler's command reads `/var/lib/cobbler/web.ss`. Empty for `web.ss` in `data_dir`.",
            applies="restart",
        ),
    ] = ""
    secret_group: Annotated[
        str, key("Group that may read the secret too, which makes its members administrators.", applies="restart")
    ] = ""
    task_log: Annotated[
        str,
        key(
            "File that Cobbler's command follows while a task runs: `/var/log/cobbler/cobbler.log`; empty for none.",
            applies="restart",
        ),
    ] = ""
    anonymous_read_from: Annotated[
        tuple[IPv4Network, ...],
        key("Networks whose machines may read without logging in, besides this machine; secrets are masked."),
    ] = ()
