"""Connections as files of systemd-networkd, for Flatcar (systemd.network(5), systemd.netdev(5))."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from provd.plugin.api import Connection, bond_options, netplan_options

from .pieces import file

FOLDER = "/etc/systemd/network"
_BOND: Mapping[str, tuple[str, str]] = {
    "mode": ("Mode", ""),
    "miimon": ("MIIMonitorSec", "ms"),
    "updelay": ("UpDelaySec", "ms"),
    "downdelay": ("DownDelaySec", "ms"),
    "lacp_rate": ("LACPTransmitRate", ""),
    "xmit_hash_policy": ("TransmitHashPolicy", ""),
    "ad_select": ("AdSelect", ""),
    "min_links": ("MinLinks", ""),
    "primary_reselect": ("PrimaryReselectPolicy", ""),
    "fail_over_mac": ("FailOverMACPolicy", ""),
    "arp_interval": ("ARPIntervalSec", "ms"),
    "arp_ip_target": ("ARPIPTargets", ""),
    "arp_validate": ("ARPValidate", ""),
    "arp_all_targets": ("ARPAllTargets", ""),
    "all_slaves_active": ("AllSlavesActive", ""),
    "num_grat_arp": ("GratuitousARP", ""),
    "packets_per_slave": ("PacketsPerSlave", ""),
    "resend_igmp": ("ResendIGMP", ""),
    "lp_interval": ("LearnPacketIntervalSec", "s"),
}
"""Options as the kernel's module calls them, and the unit of what they count in; ``primary`` is said at the card."""
_BRIDGE: Mapping[str, tuple[str, str]] = {
    "stp": ("STP", ""),
    "priority": ("Priority", ""),
    "forward-delay": ("ForwardDelaySec", "s"),
    "hello-time": ("HelloTimeSec", "s"),
    "max-age": ("MaxAgeSec", "s"),
    "ageing-time": ("AgeingTimeSec", "s"),
}
"""Likewise, as netplan calls them."""


def files(connections: Iterable[Connection], _system: str) -> list[dict[str, Any]]:
    """A file for each connection, and one more for each that networkd makes itself."""
    made: list[dict[str, Any]] = []
    found = list(connections)
    first = {(one.name, bond_options(one).get("primary")) for one in found if one.kind == "bond"}
    for one in found:
        if one.kind != "ethernet":
            made.append(file(f"{FOLDER}/20-{one.file_name}.netdev", netdev(one)))
        made.append(
            file(
                f"{FOLDER}/{10 if one.mac else 20}-{one.file_name}.network",
                network(one, first=(one.over, one.name) in first),
            )
        )
    return made


def netdev(one: Connection) -> str:
    """How a bond, bridge or VLAN is made."""
    text = f"[NetDev]\nName={one.name}\nKind={one.kind}\n"
    if one.kind == "vlan":
        return f"{text}\n[VLAN]\nId={one.vlan}\n"
    if one.kind == "bond":
        lines = [_option(_BOND[key], value) for key, value in bond_options(one).items() if key != "primary"]
    else:
        options = netplan_options(one.name, one.kind, one.options) if one.options else {}
        lines = [_option(_BRIDGE[key], value) for key, value in options.items()]
    return "\n".join([text, f"[{one.kind.title()}]", *lines]) + "\n" if lines else text


def _option(named: tuple[str, str], value: object) -> str:
    name, unit = named
    plain = str(value).lower() if isinstance(value, bool) else str(value).replace(",", " ")
    return f"{name}={plain}{unit if plain.isdigit() else ''}"


def network(one: Connection, *, first: bool = False) -> str:
    """What a connection is given. A bond takes its ports' address on, so a card is known by its permanent one.

    Args:
        one: the connection.
        first: it is the primary one of its bond.
    """
    lines = ["[Match]", f"PermanentMACAddress={one.mac}" if one.mac else f"Name={one.name}"]
    if not one.needed:
        lines += ["", "[Link]", "RequiredForOnline=no"]
    lines += ["", "[Network]"]
    if one.over:
        lines.append(f"{one.over_kind.title()}={one.over}")
        lines += ["PrimarySlave=true"] if first else []
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
