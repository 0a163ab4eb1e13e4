"""Bonds, bridges and VLANs of a machine as tables of cloud-init's network configuration, version 2."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from provd.plugin.api import Connection, beneath_first, connections, netplan_options, parts, plain_names

MARK = "# provd: links\n"
"""Where the tables come in."""
_TABLES = {"bond": "bonds", "bridge": "bridges", "vlan": "vlans"}


def links(values: Mapping[str, Any]) -> str:
    """The tables, one link on a line; empty where there is none. Cards have the names of the template: ``nic0``.

    Raises:
        ValueError: a link names a member that the system has not, a name is odd, or ``network`` is another word.
    """
    found = beneath_first(connections(values))
    plain_names(found)
    cards = [one.name for one in connections(values) if one.mac]
    names = {one.name: f"nic{cards.index(one.name)}" if one.mac else one.name for one in found}
    lines = []
    for kind, table in _TABLES.items():
        rows = [
            f"  {json.dumps(one.name)}: {json.dumps(_link(one, found, names))}" for one in found if one.kind == kind
        ]
        lines += [f"{table}:", *rows] if rows else []
    return "".join(f"{line}\n" for line in lines)


def _link(one: Connection, found: Sequence[Connection], names: Mapping[str, str]) -> dict[str, Any]:
    made: dict[str, Any] = {"interfaces": [names[part] for part in parts(one, found)]}
    if one.kind == "vlan":
        made = {"id": one.vlan, "link": names[one.beneath]}
    elif one.kind == "bond" or one.options:
        made["parameters"] = options = netplan_options(one.name, one.kind, one.options)
        if "primary" in options:
            options["primary"] = names.get(str(options["primary"]), options["primary"])
    if one.method != "static":
        return {**made, "dhcp4": one.method == "dhcp"}
    made |= {"dhcp4": False, "addresses": [one.address]}
    if one.gateway:
        made["routes"] = [{"to": "0.0.0.0/0", "via": one.gateway}]
    if one.dns:
        search = {"search": [one.search]} if one.search else {}
        made["nameservers"] = {"addresses": list(one.dns), **search}
    return made
