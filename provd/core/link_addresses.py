"""Addresses that the installed system would not have, because their card belongs to a bond or bridge."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from provd.model.system import Link, System


def lost_address(system: System, network: object) -> str:
    """The first reserved address that would be left out, with its key path and the cure; empty where none is.

    With ``network = "dhcp"`` none is lost: it is reserved for the card's MAC, which a bond or bridge over it has, too.
    With ``static`` addresses are written down, and one of a member has its place at a link.

    Args:
        system: cards and links.
        network: answer of this name.
    """
    if network != "static":
        return ""
    for at, card in enumerate(system.interfaces):
        name = card.name or f"nic{at}"
        over = next(((n, one) for n, one in enumerate(system.links) if _joins(one, name)), None)
        if card.address is not None and over is not None and not any(one.address for one in _above(name, system.links)):
            where, link = over
            return (
                f"interface[{at}].address: {card.address} of {name} would be left out, for {name} is a member of"
                f" {link.name}; say it as link[{where}].address (beside the card's, which is for booting)"
            )
    return ""


def _joins(link: Link, name: str) -> bool:
    return link.kind != "vlan" and name in link.members


def _above(name: str, links: Sequence[Link]) -> Iterator[Link]:
    """Every link that lies on this card, directly or over others; what goes in circles is told elsewhere."""
    waiting, seen = [name], set[str]()
    while waiting:
        below = waiting.pop()
        for link in links:
            if below in link.members and link.name not in seen:
                seen.add(link.name)
                waiting.append(link.name)
                yield link
