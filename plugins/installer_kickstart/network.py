"""Kickstart's ``network`` commands: cards by hardware address, and bonds, bridges and VLANs over them.

What a bond, bridge or VLAN is made of must be said by the names of the kernel, which only the machine knows: there a
card is written as ``@52:54:00:aa:bb:cc@``, and the pre-script puts the name in.
"""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from ipaddress import IPv4Interface
from typing import Any

from provd.plugin.api import (
    Connection,
    beneath_first,
    bond_options,
    bridge_options,
    connections,
    parts,
    plain_names,
    with_booting,
)

MARK = "# provd: network"
"""Where the commands come in."""
_LONGEST_HOST = 64
"""Octets of a host name (HOST_NAME_MAX of Linux); anaconda takes no longer one."""
_LINKS_SINCE = 7
_BRIDGED_BOND_SINCE = 9


def commands(values: Mapping[str, Any], version: int, *, search: bool) -> list[str]:
    """One command for each card and link, the host name in the first.

    Cards beside the booting one are only told of where they have something to do: others keep what anaconda gives them.

    Args:
        values: of the template.
        version: major version of a rebuild of RHEL, higher for Fedora.
        search: this version knows the search list of names.

    Raises:
        ValueError: what this version of Kickstart cannot express, in one sentence.
    """
    found = beneath_first(connections(with_booting(values)))
    plain_names(found)
    links = [one for one in found if one.kind != "ethernet"]
    _check(links, found, version)
    booting = [one for one in found if one.mac == values["interface"]["mac"]]
    cards = booting + [one for one in found if one.mac and one not in booting and (one.method == "static" or one.vlans)]
    names = {one.name: f"@{one.mac}@" if one.mac else one.name for one in found}
    told = [one for one in [*cards, *links] if not (one.mac and one.over)]
    made = [_told(one, found, names, search=search) for one in told]
    whole = str(values["hostname"])
    host = f"--hostname={shlex.quote(whole if len(whole.encode()) <= _LONGEST_HOST else whole.partition('.')[0])}"
    first = "--onboot=yes" if version < _LINKS_SINCE else "--activate"
    return [
        f"network {line} {host} {first}" if not at else f"network {line} --onboot=yes" for at, line in enumerate(made)
    ]


def _check(links: Sequence[Connection], found: Sequence[Connection], version: int) -> None:
    cards = {one.name for one in found if one.mac}
    bonds = {one.name for one in links if one.kind == "bond"}
    for link in links:
        if version < _LINKS_SINCE:
            raise ValueError(f"link {link.name}: Kickstart of version {version} has no place for a {link.kind}")
        if not parts(link, found):
            raise ValueError(f"link {link.name}: Kickstart needs at least one member of a {link.kind}")
        may = cards | bonds if link.kind == "bridge" and version >= _BRIDGED_BOND_SINCE else cards
        odd = [name for name in parts(link, found) if name not in may]
        if link.kind != "vlan" and odd:
            things = "cards and bonds" if bonds & may else "cards"
            raise ValueError(f"link {link.name}: Kickstart makes a {link.kind} of {things} only, and {odd[0]} is none")


def _told(one: Connection, found: Sequence[Connection], names: Mapping[str, str], *, search: bool) -> str:
    words = _address(one, search=search)
    if one.mac:
        return " ".join([words[0], f"--device={one.mac}", *words[1:]])
    members = [names[name] for name in parts(one, found)]
    if one.kind == "vlan":
        made = [f"--device={members[0]}", f"--vlanid={one.vlan}", f"--interfacename={one.name}"]
    elif one.kind == "bond":
        made = [f"--device={one.name}", f"--bondslaves={','.join(members)}", f"--bondopts={_bond(one, names)}"]
    else:
        made = [f"--device={one.name}", f"--bridgeslaves={','.join(members)}", f"--bridgeopts={_bridge(one)}"]
    return " ".join([words[0], *made, *words[1:]])


def _bond(one: Connection, names: Mapping[str, str]) -> str:
    """Separated by commas, or by semicolons where a value has commas."""
    options = bond_options(one)
    if "primary" in options:
        options["primary"] = names.get(options["primary"], options["primary"])
    lists = any("," in value for value in options.values())
    return shlex.quote((";" if lists else ",").join(f"{key}={value}" for key, value in options.items()))


def _bridge(one: Connection) -> str:
    options = bridge_options(one)
    return ",".join(f"{key}={('no', 'yes')[value != 0] if key == 'stp' else value}" for key, value in options.items())


def _address(one: Connection, *, search: bool) -> list[str]:
    if one.over:
        return ["--bootproto=dhcp", "--noipv4", "--noipv6"]
    if one.method == "dhcp":
        return ["--bootproto=dhcp"]
    address = IPv4Interface(one.address)
    words = ["--bootproto=static", f"--ip={address.ip}", f"--netmask={address.netmask}"]
    if one.gateway:
        words.append(f"--gateway={one.gateway}")
    if one.dns:
        words.append(f"--nameserver={','.join(one.dns)}")
        if one.search and search:
            words.append(f"--ipv4-dns-search={shlex.quote(one.search)}")
    return words
