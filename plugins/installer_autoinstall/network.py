"""Netplan (version 2) of a machine: its cards by hardware address, and bonds, bridges and VLANs over them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from provd.plugin.api import Connection, connections, named_cards, netplan_options

_TABLES = {"bond": "bonds", "bridge": "bridges", "vlan": "vlans"}


def network(values: Mapping[str, Any]) -> dict[str, Any]:
    """The table ``network``: every card, and every link with its members.

    Raises:
        ValueError: a link names a member that the system has not or has a name that is too long, or ``network`` is
            another word.
    """
    cards, links = named_cards(values), values["links"]
    carried = {member for link in links if link["kind"] != "vlan" for member in link["members"]}
    made: dict[str, Any] = {"version": 2, "ethernets": {}}
    for name, card in cards.items():
        booting = card["mac"] == values["interface"]["mac"]
        made["ethernets"][name] = {
            "match": {"macaddress": card["mac"]},
            **({"dhcp4": False} if name in carried else _addresses(card, values, booting=booting)),
        }
    told = {one.name: one for one in connections(values) if not one.mac}
    for link in links:
        over = link["name"] in carried
        made.setdefault(_TABLES[link["kind"]], {})[link["name"]] = _link(link, told[link["name"]], over=over)
    return made


def _addresses(card: Mapping[str, Any], values: Mapping[str, Any], *, booting: bool) -> dict[str, Any]:
    """DHCP with the MAC as identifier, so that the address stays; or the leased address, written down."""
    if values["network"] == "dhcp" or not card["address"] or not card["prefix"]:
        return {"dhcp4": True, "dhcp-identifier": "mac", **({} if booting else {"optional": True})}
    gateway = card["gateway"] if booting else ""
    return _written(f"{card['address']}/{card['prefix']}", gateway, card["dns"], card["domain"])


def _written(address: str, gateway: str, dns: Sequence[str], search: str) -> dict[str, Any]:
    made: dict[str, Any] = {"dhcp4": False, "addresses": [address]}
    if gateway:
        made["routes"] = [{"to": "0.0.0.0/0", "via": gateway}]
    if dns:
        made["nameservers"] = {"addresses": list(dns), **({"search": [search]} if search else {})}
    return made


def _link(link: Mapping[str, Any], told: Connection, *, over: bool) -> dict[str, Any]:
    made: dict[str, Any]
    if link["kind"] == "vlan":
        made = {"id": link["vlan"], "link": link["members"][0]}
    else:
        made = {"interfaces": list(link["members"])}
        if link["kind"] == "bond" or link["options"]:
            made["parameters"] = netplan_options(link["name"], link["kind"], link["options"])
    if over:
        return {**made, "dhcp4": False}
    if told.method == "static":
        return {**made, **_written(told.address, told.gateway, told.dns, told.search)}
    return {**made, "dhcp4": True}
