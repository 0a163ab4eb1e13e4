"""AutoYaST's ``networking``: cards by hardware address, and bonds, bridges and VLANs over them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from provd.plugin.api import connections, kernel_options, named_cards, netplan_options

_NAME = re.compile(r"[A-Za-z0-9._-]{1,15}")
"""What Linux takes for a network card's name, and udev's rules (IFNAMSIZ)."""


def networking(values: Mapping[str, Any], *, old: bool) -> dict[str, Any]:
    """The section, for SLES 12 where ``old``.

    Raises:
        ValueError: a link names a member that the system has not, a card or link has a name that none can have, or
            ``network`` is another word.
    """
    cards, links = named_cards(values), values["links"]
    for name in cards:
        if not _NAME.fullmatch(name):
            rule = "so letters, digits and . _ - are expected, at most 15"
            raise ValueError(f"card {name!r}: AutoYaST gives a card its name, {rule}")
    carried = {member for link in links if link["kind"] != "vlan" for member in link["members"]}
    # An address of a link is the operator's own, whatever the cards do; its router comes with it.
    routers = [one.gateway for one in connections(values) if not one.mac and one.gateway]
    fixed = values["network"] == "static"
    made: dict[str, Any] = {"dns": _dns(values, old=old, fixed=fixed or bool(routers)), "keep_install_network": False}
    made["interfaces"] = [
        *({"device": name, **_card(card, values, over=name in carried)} for name, card in cards.items()),
        *({"device": link["name"], **_link(link, values, over=link["name"] in carried)} for link in links),
    ]
    made["net-udev"] = [
        {"name": name, "rule": "ATTR{address}", "value": card["mac"].lower()} for name, card in cards.items()
    ]
    gateway = routers[0] if routers else values["interface"]["gateway"] if fixed else ""
    if gateway:
        made["routing"] = {"routes": [{"destination": "default", "gateway": gateway, "netmask": "-", "device": "-"}]}
    return made


def _dns(values: Mapping[str, Any], *, old: bool, fixed: bool) -> dict[str, Any]:
    """Version 12 has the domain apart; a host name has at most 64 octets (HOST_NAME_MAX)."""
    whole = str(values["hostname"])
    label, _, domain = whole.partition(".")
    made: dict[str, Any] = {"dhcp_hostname": False, "hostname": label if old or len(whole.encode()) > 64 else whole}
    if old and domain:
        made["domain"] = domain
    card = values["interface"]
    if fixed and card["dns"]:
        made["nameservers"] = list(card["dns"])
        if card["domain"]:
            made["searchlist"] = [card["domain"]]
    return made


def _card(card: Mapping[str, Any], values: Mapping[str, Any], *, over: bool) -> dict[str, Any]:
    booting = card["mac"] == values["interface"]["mac"]
    start = {"startmode": "auto" if booting or over else "hotplug"}
    if over:
        return {"bootproto": "none", **start}
    if values["network"] == "dhcp" or not card["address"] or not card["prefix"]:
        return {"bootproto": "dhcp", **start}
    return {"bootproto": "static", "ipaddr": card["address"], "prefixlen": card["prefix"], **start}


def _link(link: Mapping[str, Any], values: Mapping[str, Any], *, over: bool) -> dict[str, Any]:
    made: dict[str, Any] = {"bootproto": "none" if over else "dhcp", "startmode": "auto"}
    if link["address"] and not over:
        prefix = link["vars"].get("prefix") or values["interface"]["prefix"] or 24
        made |= {"bootproto": "static", "ipaddr": link["address"], "prefixlen": prefix}
    members = list(link["members"])
    if link["kind"] == "vlan":
        return {**made, "etherdevice": members[0], "vlan_id": link["vlan"]}
    if link["kind"] == "bridge":
        stp = "on" if netplan_options(link["name"], "bridge", link["options"])["stp"] else "off"
        return {**made, "bridge": "yes", "bridge_ports": " ".join(members), "bridge_stp": stp}
    options = " ".join(f"{key}={value}" for key, value in kernel_options(link["name"], link["options"]).items())
    slaves = {f"bonding_slave{index}": member for index, member in enumerate(members)}
    return {
        **made,
        "bonding_master": "yes",
        "bonding_module_opts": options,
        **slaves,
    }
