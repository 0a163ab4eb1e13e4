"""``/etc/network/interfaces`` of the installed system, as ifupdown-ng reads it (interfaces(5)).

A card is written as ``@52:54:00:aa:bb:cc@``: only the machine knows what its kernel calls it, and puts that name in.
"""

from __future__ import annotations

from collections.abc import Mapping
from ipaddress import IPv4Address, IPv4Interface
from typing import Any

from provd.plugin.api import kernel_options, named_cards, netplan_options

_BRIDGE: Mapping[str, tuple[str, int]] = {
    "forward-delay": ("fd", 100),
    "hello-time": ("hello", 100),
    "max-age": ("maxage", 100),
    "ageing-time": ("ageing", 100),
    "priority": ("bridgeprio", 1),
}
"""Names of netplan, as ifupdown-ng calls them; it hands seconds to iproute2, which counts hundredths."""


def interfaces(values: Mapping[str, Any]) -> str:
    """The text: stanzas with an empty line between them.

    Raises:
        ValueError: a link names a member that the system has not, a name is too long, or ``network`` is another word.
    """
    cards, links = named_cards(values), values["links"]
    names = {own: f"@{card['mac']}@" for own, card in cards.items()} | {link["name"]: link["name"] for link in links}
    carried = {member for link in links if link["kind"] != "vlan" for member in link["members"]}
    stanzas = ["auto lo\niface lo inet loopback"]
    for own, card in cards.items():
        booting = card["mac"] == values["interface"]["mac"]
        stanzas.append(_stanza(names[own], "manual" if own in carried else "", _card(card, values, booting=booting)))
    for link in links:
        lines = _made(link, [names[member] for member in link["members"]], names)
        own = str(link["name"])
        method = "manual" if own in carried else "" if link["address"] else "dhcp"
        address = {} if method or not link["address"] else _static(link, values["interface"])
        stanzas.append(_stanza(own, method, address, lines))
    return "\n\n".join(stanzas)


def _stanza(name: str, method: str, address: Mapping[str, str], lines: list[str] | None = None) -> str:
    words = [f"    {key} {value}" for key, value in address.items()] if method != "manual" else []
    return "\n".join(
        [
            f"auto {name}",
            f"iface {name} inet {method or ('static' if address else 'dhcp')}",
            *words,
            *(f"    {line}" for line in lines or ()),
        ]
    )


def _card(card: Mapping[str, Any], values: Mapping[str, Any], *, booting: bool) -> dict[str, str]:
    """The leased address, written down; empty for DHCP."""
    if values["network"] == "dhcp" or not card["address"] or not card["prefix"]:
        return {}
    made = {"address": f"{card['address']}/{card['prefix']}"}
    return made | {"gateway": card["gateway"]} if card["gateway"] and booting else made


def _static(link: Mapping[str, Any], card: Mapping[str, Any]) -> dict[str, str]:
    """The link's own address; the router of the subnet goes with it where the address is of that subnet."""
    address = IPv4Interface(f"{link['address']}/{link['vars'].get('prefix') or card['prefix'] or 24}")
    router = str(link["vars"].get("gateway") or "")
    if not router and card["gateway"] and IPv4Address(card["gateway"]) in address.network:
        router = card["gateway"]
    return {"address": str(address)} | ({"gateway": router} if router else {})


def _made(link: Mapping[str, Any], members: list[str], names: Mapping[str, str]) -> list[str]:
    """How a link is made."""
    match link["kind"]:
        case "vlan":
            return [f"vlan-id {link['vlan']}", f"vlan-raw-device {members[0]}"]
        case "bond":
            found = kernel_options(link["name"], link["options"])
            if "primary" in found:
                found["primary"] = names.get(found["primary"], found["primary"])
            return [f"bond-members {' '.join(members)}", *(f"bond-{key} {value}" for key, value in found.items())]
        case _:
            options = netplan_options(link["name"], "bridge", link["options"])
            return [f"bridge-ports {' '.join(members)}", *(_bridge(key, value) for key, value in options.items())]


def _bridge(key: str, value: object) -> str:
    name, times = _BRIDGE.get(key, (key, 1))
    if isinstance(value, bool):
        return f"bridge-{name} {'yes' if value else 'no'}"
    return f"bridge-{name} {int(str(value)) * times}"
