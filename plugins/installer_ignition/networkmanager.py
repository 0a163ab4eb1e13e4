"""Connections as files of NetworkManager, for Fedora CoreOS (nm-settings-keyfile(5))."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping
from typing import Any

from provd.plugin.api import Connection, bond_options, netplan_options

from .pieces import file

FOLDER = "/etc/NetworkManager/system-connections"
_SPACE = uuid.UUID("5d0dbb7c-2a3c-5d8e-9d5c-6f0a4a1f3f10")
"""Any constant: a connection's identifier depends on machine and name only, so that it stays over installations."""


def files(connections: Iterable[Connection], system: str) -> list[dict[str, Any]]:
    """A file for each connection; only root may read them, or NetworkManager leaves them out."""
    return [file(f"{FOLDER}/{one.file_name}.nmconnection", keyfile(one, system), 0o600) for one in connections]


def keyfile(one: Connection, system: str) -> str:
    """The file's text."""
    head: dict[str, object] = {"id": one.name, "uuid": _identifier(system, one.name), "type": one.kind}
    if one.kind != "ethernet":
        head["interface-name"] = one.name
    if one.over:
        # the names of before version 1.46, which later ones still read
        head |= {"master": _identifier(system, one.over), "slave-type": one.over_kind}
    sections: dict[str, Mapping[str, object]] = {"connection": head}
    if one.mac:
        sections["ethernet"] = {"mac-address": one.mac.upper()}
    if one.kind == "vlan":
        sections["vlan"] = {"flags": 1, "id": one.vlan, "parent": _identifier(system, one.beneath)}
    elif one.kind == "bond":
        sections["bond"] = bond_options(one)
    elif one.options:
        options = netplan_options(one.name, one.kind, one.options)
        sections[one.kind] = {key: _plain(value) for key, value in options.items()}
    if not one.over:
        sections["ipv4"] = _ipv4(one)
    return "\n".join(_section(name, values) for name, values in sections.items())


def _identifier(system: str, name: str) -> str:
    return str(uuid.uuid5(_SPACE, f"{system}/{name}"))


def _plain(value: object) -> object:
    return str(value).lower() if isinstance(value, bool) else value


def _ipv4(one: Connection) -> dict[str, object]:
    if one.method == "dhcp":
        return {"method": "auto", "dhcp-client-id": "mac"}
    made: dict[str, object] = {"method": "manual"}
    made["address1"] = f"{one.address},{one.gateway}" if one.gateway else one.address
    if one.dns:
        made["dns"] = "".join(f"{server};" for server in one.dns)
    if one.search:
        made["dns-search"] = f"{one.search};"
    return made


def _section(name: str, values: Mapping[str, object]) -> str:
    return f"[{name}]\n" + "".join(f"{key}={value}\n" for key, value in values.items())
