"""Which ports machines must reach, as rules of nftables and as port types of SELinux."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import click

from provd.config.schema import ServerConfig
from provd.config.subnets import pxe_interfaces

#: Ports that the reference policy labels already, by protocol and number.
_LABELLED: Final[Mapping[tuple[str, int], str]] = {
    ("udp", 67): "dhcpd_port_t",
    ("udp", 69): "tftp_port_t",
    ("udp", 514): "syslogd_port_t",
    ("tcp", 514): "rsh_port_t",
    ("udp", 4011): "pxe_port_t",
    ("tcp", 80): "http_port_t",
    ("tcp", 8008): "http_port_t",
    ("tcp", 8443): "http_port_t",
}
_WORD: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_/\\.-]*")
_FAMILIES: Final = ("inet", "ip")


@dataclass(frozen=True, slots=True)
class Opening:
    """One port.

    Attributes:
        service: name for people.
        port: number.
        protocol: ``udp`` or ``tcp``.
        interfaces: names; empty where none is configured.
        selinux_type: port type of the reference policy.
    """

    service: str
    port: int
    protocol: str
    interfaces: tuple[str, ...]
    selinux_type: str


def openings(config: ServerConfig) -> list[Opening]:
    """Every port that machines must reach."""
    listen, names = config.listen, tuple(interface.name for interface in config.interfaces)
    found = [
        Opening("DHCP", listen.dhcp_port, "udp", names, "dhcpd_port_t"),
        Opening("TFTP", listen.tftp_port, "udp", names, "tftp_port_t"),
        Opening("HTTP", listen.http_port, "tcp", names, "http_port_t"),
    ]
    pxe = tuple(pxe_interfaces(config))
    if pxe:
        found.append(Opening("PXE", listen.pxe_port, "udp", pxe, "pxe_port_t"))
    if config.syslog.enabled:
        port = config.syslog.port
        # The reference policy has given 514/tcp to rsh, and one port has one type.
        found.append(Opening("syslog", port, "udp", names, "syslogd_port_t"))
        found.append(Opening("syslog", port, "tcp", names, "rsh_port_t" if port == 514 else "syslogd_port_t"))
    return found


def nftables(config: ServerConfig, table: str = "inet filter", chain: str = "input") -> str:
    """A ruleset for ``nft -f -``.

    Args:
        config: interfaces and ports.
        table: family and name.
        chain: of the table; made as a base chain of the input hook where it is missing.

    Raises:
        click.BadParameter: a name that nft could read as something else.
    """
    family, _, name = table.partition(" ")
    if family not in _FAMILIES or not _WORD.fullmatch(name) or not _WORD.fullmatch(chain):
        raise click.BadParameter(f"table {table!r} and chain {chain!r} must be like 'inet filter' and 'input'")
    where = f"{family} {name} {chain}"
    lines = [
        f"# provd: what machines must reach. The rules stand in front of what chain {chain} of table {table} has.",
        f"add table {family} {name}",
        f"add chain {where} {{ type filter hook input priority filter; }}",
        "# TFTP sends each file from a port of its own; what comes back there belongs to what provd began.",
        f'insert rule {where} ct state established,related accept comment "provd: transfers"',
    ]
    for one in openings(config):
        for interface in one.interfaces:
            if '"' in interface or not interface.isprintable():
                raise click.BadParameter(f"interface {interface!r} has a name that nft cannot be given")
            rule = f'iifname "{interface}" {one.protocol} dport {one.port} accept comment "provd: {one.service}"'
            lines.append(f"insert rule {where} {rule}")
    if not config.interfaces:
        lines.append("# No [[interface]] is configured.")
    return "\n".join(lines) + "\n"


def semanage(config: ServerConfig) -> list[str]:
    """Commands for SELinux, one per line; ports that have their label already are comments."""
    lines = [
        "# provd has no SELinux domain of its own: systemd starts it as unconfined_service_t, and SELinux can stay on.",
        "# Only the types of its ports matter, so that no confined program takes one.",
    ]
    for one in openings(config):
        have = _LABELLED.get((one.protocol, one.port))
        if have == one.selinux_type:
            lines.append(f"# {one.service}: {one.port}/{one.protocol} is {have} already")
        else:
            # -a is refused where another type has the port; then -m is right.
            how = f"-t {one.selinux_type} -p {one.protocol} {one.port}"
            lines.append(f"semanage port -a {how} || semanage port -m {how}")
    return lines
