"""Tables of ``provd.toml`` on what machines reach: ports, TFTP, HTTP, log lines."""

from __future__ import annotations

from ipaddress import IPv4Address
from typing import Annotated

from provd.config.keys import Port, Table, key


class ListenConfig(Table, frozen=True):
    """``[listen]``: where the listeners are bound."""

    addresses: Annotated[
        tuple[IPv4Address, ...],
        key("Addresses that TFTP and HTTP are bound to; empty for all.", applies="restart"),
    ] = ()
    dhcp_port: Annotated[Port, key("UDP port that DHCP requests arrive at.", applies="restart")] = 67
    dhcp_client_port: Annotated[Port, key("UDP port that DHCP replies to clients go to.", applies="restart")] = 68
    tftp_port: Annotated[Port, key("UDP port of the TFTP listener.", applies="restart")] = 69
    pxe_port: Annotated[
        Port,
        key(
            "UDP port of the PXE boot service; bound only where a subnet's mode is `proxy` or `combined`.",
            applies="restart",
        ),
    ] = 4011
    http_port: Annotated[
        Port, key("TCP port of the HTTP listener; URLs given to machines carry it.", applies="restart")
    ] = 80


class TftpConfig(Table, frozen=True):
    """``[tftp]``: limits of the TFTP listener."""

    blksize_max: Annotated[
        int,
        key("Largest block in octets (RFC 2348); 1468 fits one Ethernet frame.", applies="restart", ge=512, le=65464),
    ] = 1468
    windowsize_max: Annotated[int, key("Most blocks in flight (RFC 7440).", applies="restart", ge=1, le=65535)] = 64
    transfers_max: Annotated[int, key("Transfers at the same time.", applies="restart", ge=1)] = 4000
    transfers_per_client: Annotated[int, key("Transfers of one address at the same time.", applies="restart", ge=1)] = (
        32
    )
    single_port: Annotated[
        bool,
        key("Answer from the TFTP port itself, for firewalls that let no other port through.", applies="restart"),
    ] = False


class HttpConfig(Table, frozen=True):
    """``[http]``: limits of the HTTP listener."""

    connections_max: Annotated[int, key("Connections at the same time.", applies="restart", ge=1)] = 1024
    connections_per_client: Annotated[
        int, key("Connections of one address at the same time.", applies="restart", ge=1)
    ] = 64
    header_timeout_s: Annotated[
        int, key("Seconds in which a request's headers must arrive.", applies="restart", ge=1)
    ] = 10
    idle_timeout_s: Annotated[
        int, key("Seconds without progress after which a connection is closed.", applies="restart", ge=1)
    ] = 60
    body_max: Annotated[int, key("Longest posted body in octets.", applies="restart", ge=0)] = 1 << 20


class SyslogConfig(Table, frozen=True):
    """``[syslog]``: log lines of running installers, for their timelines; of other machines nothing is taken."""

    enabled: Annotated[
        bool,
        key(
            "Take lines by UDP and TCP on the addresses of `[listen]`, and tell installers to send them. Where the "
            "port is taken, as by a syslog daemon of this machine, provd warns and goes on without.",
            applies="restart",
        ),
    ] = True
    port: Annotated[Port, key("UDP and TCP port.", applies="restart")] = 514
    lines_per_second: Annotated[
        int, key("Lines of one machine that are kept in a second, ten times as many at once.", ge=1)
    ] = 200
    lines_per_boot: Annotated[int, key("Lines of one boot that are kept.", ge=1, le=100000)] = 5000
    line_max: Annotated[int, key("Characters of a line that are kept.", ge=80, le=8192)] = 500
