"""The network of a machine in words of no program: connections by hardware address or name, and what lies over what."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from ipaddress import IPv4Address, IPv4Interface
from typing import Any, TypeVar

from provd.core.bonding import OptionError, bond_in_kernel, bond_in_netplan, bridge_in_netplan

T = TypeVar("T")

_LONGEST_NAME = 15
"""Octets of a network interface's name (IFNAMSIZ of Linux without the final zero)."""
_NOT_IN_A_FILE_NAME = re.compile(r"[^A-Za-z0-9_.-]")
_PLAIN_NAME = re.compile(r"[A-Za-z0-9_.-]+")


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
    cards, links = named_cards(values), values["links"]
    return [*(_card(name, card, values) for name, card in cards.items()), *(_link(link, values) for link in links)]


def named_cards(values: Mapping[str, Any]) -> dict[str, Mapping[str, Any]]:
    """Every card by its name, ``nic0`` and so on where it has none; for families that need no :class:`Connection`.

    Raises:
        ValueError: as :func:`connections`.
    """
    if values["network"] not in ("dhcp", "static"):
        raise ValueError(f"answers.network is {values['network']!r}, must be one of dhcp, static")
    links, cards = values["links"], {card["name"] or f"nic{at}": card for at, card in enumerate(values["interfaces"])}
    _check(links, {*cards, *(link["name"] for link in links)})
    return cards


def with_booting(values: Mapping[str, Any]) -> Mapping[str, Any]:
    """The same values with the card that boots among the cards: a machine known by its UUID may not list it."""
    card, cards = values["interface"], values["interfaces"]
    known = any(one["mac"] == card["mac"] for one in cards)
    return values if known else {**values, "interfaces": [*cards, {**card, "name": f"nic{len(cards)}"}]}


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


def beneath_first(found: Sequence[Connection]) -> list[Connection]:
    """Cards, then links, each after what it is made of."""
    waiting, placed = list(found), list[Connection]()
    while waiting:
        names = {one.name for one in waiting}
        # A circle is no fault here: the check of systems names it.
        ready = [one for one in waiting if one.kind == "ethernet" or not names & set(parts(one, found))] or waiting
        placed += ready
        waiting = [one for one in waiting if one not in ready]
    return placed


def parts(link: Connection, found: Sequence[Connection]) -> tuple[str, ...]:
    """Names of what a link is made of, in the order of the machine; of a VLAN the one that carries it."""
    return (link.beneath,) if link.kind == "vlan" else tuple(one.name for one in found if one.over == link.name)


def bond_options(link: Connection) -> dict[str, str]:
    """Options of a bond as the module of the kernel calls them, ``mode`` first; active-backup where none is said.

    Raises:
        ValueError: an option that no bond has, or a value that it cannot have.
    """
    return kernel_options(link.name, link.options)


def bridge_options(link: Connection) -> dict[str, int]:
    """Options of a bridge as netplan calls them, times in seconds; ``stp`` is always there, 0 where it is not said.

    Raises:
        ValueError: an option that is none of these, or no number.
    """
    return _of_link(link.name, bridge_in_netplan, link.options)


def kernel_options(name: str, options: Mapping[str, object]) -> dict[str, str]:
    """Options of a bond as the module of the kernel calls them, ``mode`` first; see :func:`netplan_options`."""
    return _of_link(name, bond_in_kernel, options)


def netplan_options(name: str, kind: str, options: Mapping[str, object]) -> dict[str, object]:
    """Options of a bond or bridge as netplan calls them.

    Args:
        name: of the link, for the sentence of a refusal.
        kind: ``bond`` or ``bridge``.
        options: by the names of netplan or of the kernel.

    Raises:
        ValueError: an option that is none, or a value that it cannot have.
    """
    if kind == "bond":
        return _of_link(name, bond_in_netplan, options)
    found = _of_link(name, bridge_in_netplan, options)
    return {key: bool(value) if key == "stp" else value for key, value in found.items()}


def _of_link(name: str, make: Callable[[Mapping[str, object]], T], options: Mapping[str, object]) -> T:
    try:
        return make(options)
    except OptionError as error:
        raise ValueError(f"link {name}: {error}") from error


def plain_names(found: Sequence[Connection]) -> None:
    """Refuse names of links that a shell or a list with commas would read otherwise.

    Raises:
        ValueError: there is one.
    """
    for one in found:
        if one.kind != "ethernet" and not _PLAIN_NAME.fullmatch(one.name):
            raise ValueError(f"link {one.name!r}: letters, digits and the signs - _ . are expected in the name")
