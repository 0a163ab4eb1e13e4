"""Connections as files of systemd-networkd, for Flatcar (systemd.network(5), systemd.netdev(5))."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from provd.plugin.api import Connection

from .pieces import file

FOLDER = "/etc/systemd/network"
_OPTIONS: Mapping[str, tuple[str, str]] = {
    "mode": ("Mode", ""),
    "miimon": ("MIIMonitorSec", "ms"),
    "mii-monitor-interval": ("MIIMonitorSec", "ms"),
    "lacp_rate": ("LACPTransmitRate", ""),
    "lacp-rate": ("LACPTransmitRate", ""),
    "xmit_hash_policy": ("TransmitHashPolicy", ""),
    "transmit-hash-policy": ("TransmitHashPolicy", ""),
    "updelay": ("UpDelaySec", "ms"),
    "downdelay": ("DownDelaySec", "ms"),
    "stp": ("STP", ""),
    "priority": ("Priority", ""),
    "forward-delay": ("ForwardDelaySec", "s"),
}
"""Options as the kernel's module and netplan call them, and the unit of what they count in."""


def files(connections: Iterable[Connection], _system: str) -> list[dict[str, Any]]:
    """A file for each connection, and one more for each that networkd makes itself."""
    made: list[dict[str, Any]] = []
    for one in connections:
        if one.kind != "ethernet":
            made.append(file(f"{FOLDER}/20-{one.file_name}.netdev", netdev(one)))
        made.append(file(f"{FOLDER}/{10 if one.mac else 20}-{one.file_name}.network", network(one)))
    return made


def netdev(one: Connection) -> str:
    """How a bond, bridge or VLAN is made."""
    text = f"[NetDev]\nName={one.name}\nKind={one.kind}\n"
    if one.kind == "vlan":
        return f"{text}\n[VLAN]\nId={one.vlan}\n"
    lines = [_option(key, value) for key, value in one.options.items()]
    return "\n".join([text, f"[{one.kind.title()}]", *lines]) + "\n" if lines else text


def _option(key: str, value: object) -> str:
    name, unit = _OPTIONS.get(key, (key, ""))
    plain = str(value).lower() if isinstance(value, bool) else str(value)
    return f"{name}={plain}{unit if plain.isdigit() else ''}"


def network(one: Connection) -> str:
    """What a connection is given. A bond takes its ports' address on, so a card is known by its permanent one."""
    lines = ["[Match]", f"PermanentMACAddress={one.mac}" if one.mac else f"Name={one.name}"]
    if not one.needed:
        lines += ["", "[Link]", "RequiredForOnline=no"]
    lines += ["", "[Network]"]
    if one.over:
        lines.append(f"{one.over_kind.title()}={one.over}")
    lines += [f"VLAN={name}" for name in one.vlans]
    match one.method:
        case "dhcp":
            lines += ["DHCP=ipv4", "", "[DHCPv4]", "ClientIdentifier=mac"]
        case "static":
            lines.append(f"Address={one.address}")
            lines += [f"Gateway={one.gateway}"] if one.gateway else []
            lines += [f"DNS={server}" for server in one.dns]
            lines += [f"Domains={one.search}"] if one.search else []
        case _:
            lines.append("LinkLocalAddressing=no")
    return "\n".join(lines) + "\n"
