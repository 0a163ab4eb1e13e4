"""Netplan (version 2) of a machine: its cards by hardware address, and bonds, bridges and VLANs over them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from provd.plugin.api import named_cards, netplan_options

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
    for link in links:
        made.setdefault(_TABLES[link["kind"]], {})[link["name"]] = _link(link, values, over=link["name"] in carried)
    return made


def _addresses(card: Mapping[str, Any], values: Mapping[str, Any], *, booting: bool) -> dict[str, Any]:
    """DHCP with the MAC as identifier, so that the address stays; or the leased address, written down."""
    if values["network"] == "dhcp" or not card["address"] or not card["prefix"]:
        return {"dhcp4": True, "dhcp-identifier": "mac", **({} if booting else {"optional": True})}
    made: dict[str, Any] = {"dhcp4": False, "addresses": [f"{card['address']}/{card['prefix']}"]}
    if card["gateway"] and booting:
        made["routes"] = [{"to": "0.0.0.0/0", "via": card["gateway"]}]
    if card["dns"]:
        search = {"search": [card["domain"]]} if card["domain"] else {}
        made["nameservers"] = {"addresses": list(card["dns"]), **search}
    return made


def _link(link: Mapping[str, Any], values: Mapping[str, Any], *, over: bool) -> dict[str, Any]:
    made: dict[str, Any]
    if link["kind"] == "vlan":
        made = {"id": link["vlan"], "link": link["members"][0]}
    else:
        made = {"interfaces": list(link["members"])}
        if link["kind"] == "bond" or link["options"]:
            made["parameters"] = netplan_options(link["name"], link["kind"], link["options"])
    if over:
        return {**made, "dhcp4": False}
    if link["address"]:
        prefix = link["vars"].get("prefix") or values["interface"]["prefix"] or 24
        return {**made, "dhcp4": False, "addresses": [f"{link['address']}/{prefix}"]}
    return {**made, "dhcp4": True}
