"""Agama's ``network``: cards by hardware address, and bonds, bridges and VLANs over them, as connections."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from provd.plugin.api import connections as told
from provd.plugin.api import kernel_options, named_cards, netplan_options


def connections(values: Mapping[str, Any]) -> list[dict[str, Any]]:
    """One connection for each card and link.

    Raises:
        ValueError: a link names a member that the system has not or has a name that is too long, or ``network`` is
            another word.
    """
    cards, links = named_cards(values), values["links"]
    carried = {member for link in links if link["kind"] != "vlan" for member in link["members"]}
    return [
        *({"id": name, **_card(card, values, over=name in carried)} for name, card in cards.items()),
        *({"id": link["name"], **_link(link, values, cards, over=link["name"] in carried)} for link in links),
    ]


def _card(card: Mapping[str, Any], values: Mapping[str, Any], *, over: bool) -> dict[str, Any]:
    made: dict[str, Any] = {"macAddress": card["mac"].lower()}
    if over:
        return made
    booting = card["mac"] == values["interface"]["mac"]
    return made | _address(card["address"], card["prefix"], values, booting=booting)


def _address(address: str, prefix: int, values: Mapping[str, Any], *, booting: bool) -> dict[str, Any]:
    """DHCP, or the address with what only the card that boots knows: router and name servers."""
    if values["network"] == "dhcp" or not address or not prefix:
        return {"method4": "auto", "method6": "auto"}
    made: dict[str, Any] = {"method4": "manual", "method6": "auto", "addresses": [f"{address}/{prefix}"]}
    card = values["interface"]
    return made | _way_out(card["gateway"], card["dns"], card["domain"]) if booting else made


def _way_out(gateway: str, dns: Sequence[str], search: str) -> dict[str, Any]:
    """Router and name servers."""
    made: dict[str, Any] = {"gateway4": gateway} if gateway else {}
    if dns:
        made["nameservers"] = list(dns)
        if search:
            made["dnsSearchlist"] = [search]
    return made


def _link(
    link: Mapping[str, Any], values: Mapping[str, Any], cards: Mapping[str, Mapping[str, Any]], *, over: bool
) -> dict[str, Any]:
    made: dict[str, Any] = {"interface": link["name"]}
    if not over and link["address"]:
        # An address of a link is the operator's own, whatever the cards do.
        one = next(one for one in told(values) if one.name == link["name"])
        made |= {"method4": "manual", "method6": "auto", "addresses": [one.address]}
        made |= _way_out(one.gateway, one.dns, one.search)
    elif not over:
        made |= {"method4": "auto", "method6": "auto"}
    members = list(link["members"])
    if link["kind"] == "vlan":
        parent = members[0]
        if parent in cards and not cards[parent]["name"]:
            raise ValueError(f"link {link['name']}: Agama needs the name of the card under a VLAN, give it one")
        return {**made, "vlan": {"id": link["vlan"], "parent": parent}}
    if link["kind"] == "bridge":
        return {
            **made,
            "bridge": {"ports": members, "stp": netplan_options(link["name"], "bridge", link["options"])["stp"]},
        }
    options = kernel_options(link["name"], link["options"])
    mode = options.pop("mode")
    rest = " ".join(f"{key}={value}" for key, value in options.items())
    return {**made, "bond": {"ports": members, "mode": mode, "options": rest}}
