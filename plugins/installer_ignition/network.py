"""The network of a machine in words of no program: connections by hardware address or name, and what lies over what."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from ipaddress import IPv4Address, IPv4Interface
from typing import Any

_LONGEST_NAME = 15
"""Octets of a network interface's name (IFNAMSIZ of Linux without the final zero)."""
_NOT_IN_A_FILE_NAME = re.compile(r"[^A-Za-z0-9_.-]")


@dataclass(frozen=True, slots=True)
class Connection:
    """A card, bond, bridge or VLAN of the installed system.

    Attributes:
        name: as the operator calls it; a link has this name in the installed system.
        kind: ``ethernet``, ``bond``, ``bridge`` or ``vlan``.
        mac: of a card.
        over: name of the bond or bridge that it belongs to, with ``over_kind``.
        beneath: of a VLAN: what carries it.
        vlan: identifier of a VLAN.
        vlans: names of the VLANs that it carries.
        options: how a bond or bridge is made.
        method: ``dhcp``, ``static`` or ``none``.
        address: with its prefix, for ``static``.
        needed: the system is only online with it.
    """

    name: str
    kind: str
    mac: str = ""
    over: str = ""
    over_kind: str = ""
    beneath: str = ""
    vlan: int = 0
    vlans: tuple[str, ...] = ()
    options: Mapping[str, object] = field(default_factory=dict)
    method: str = "dhcp"
    address: str = ""
    gateway: str = ""
    dns: tuple[str, ...] = ()
    search: str = ""
    needed: bool = True

    @property
    def file_name(self) -> str:
        """Its name where only plain characters may stand."""
        return _NOT_IN_A_FILE_NAME.sub("-", self.name)


def connections(values: Mapping[str, Any]) -> list[Connection]:
    """Every card and link of the machine.

    Raises:
        ValueError: a link names a member that the system has not, a name is too long, or ``network`` is another word.
    """
    if values["network"] not in ("dhcp", "static"):
        raise ValueError(f"answers.network is {values['network']!r}, must be one of dhcp, static")
    links, cards = values["links"], _named(values["interfaces"])
    _check(links, {*cards, *(link["name"] for link in links)})
    return [*(_card(name, card, values) for name, card in cards.items()), *(_link(link, values) for link in links)]


def _named(cards: Sequence[Mapping[str, Any]]) -> dict[str, Mapping[str, Any]]:
    return {card["name"] or f"nic{index}": card for index, card in enumerate(cards)}


def _check(links: Sequence[Mapping[str, Any]], known: set[str]) -> None:
    for link in links:
        if len(str(link["name"]).encode()) > _LONGEST_NAME:
            raise ValueError(f"link {link['name']}: the name of an interface has at most {_LONGEST_NAME} octets")
        for member in link["members"]:
            if member not in known:
                raise ValueError(f"link {link['name']}: {member!r} is neither an interface nor a link of this system")


def _over(name: str, links: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """The bond or bridge above, and the VLANs."""
    above = next((link for link in links if link["kind"] != "vlan" and name in link["members"]), None)
    vlans = tuple(str(link["name"]) for link in links if link["kind"] == "vlan" and name in link["members"])
    if above is None:
        return {"vlans": vlans}
    return {"vlans": vlans, "over": above["name"], "over_kind": above["kind"], "method": "none"}


def _card(name: str, card: Mapping[str, Any], values: Mapping[str, Any]) -> Connection:
    place = _over(name, values["links"])
    booting = card["mac"] == values["interface"]["mac"]
    if "method" in place or values["network"] == "dhcp" or not card["address"] or not card["prefix"]:
        return Connection(name, "ethernet", card["mac"], needed=booting, **place)
    address = f"{card['address']}/{card['prefix']}"
    servers = tuple(card["dns"])
    gateway = card["gateway"] if booting else ""
    static: dict[str, Any] = {"method": "static", "address": address, "gateway": gateway, "dns": servers}
    return Connection(name, "ethernet", card["mac"], search=card["domain"], needed=booting, **static, **place)


def _link(link: Mapping[str, Any], values: Mapping[str, Any]) -> Connection:
    name, kind = str(link["name"]), str(link["kind"])
    made: dict[str, Any] = {"options": link["options"], **_over(name, values["links"])}
    if kind == "vlan":
        made |= {"vlan": link["vlan"], "beneath": link["members"][0]}
    if "method" not in made and link["address"]:
        made |= _static(link, values["interface"])
    return Connection(name, kind, **made)


def _static(link: Mapping[str, Any], card: Mapping[str, Any]) -> dict[str, Any]:
    """The link's own address; the router of the subnet goes with it where the address is of that subnet."""
    address = IPv4Interface(f"{link['address']}/{link['vars'].get('prefix') or card['prefix'] or 24}")
    router = str(link["vars"].get("gateway") or "")
    if not router and card["gateway"] and IPv4Address(card["gateway"]) in address.network:
        router = card["gateway"]
    found: dict[str, Any] = {"method": "static", "address": str(address), "gateway": router}
    return {**found, "dns": tuple(card["dns"]), "search": card["domain"]} if router else found
