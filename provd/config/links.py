"""Rules of bonds, bridges and VLANs over the network cards of a system."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

from provd.core.bonding import option_fault
from provd.model.system import Interface, Link

KINDS: Final = ("bond", "bridge", "vlan")


def link_faults(cards: Sequence[Interface], links: Sequence[Link]) -> Iterator[str]:
    """What is wrong with the links of one system, one sentence each."""
    names = [card.name for card in cards] + [link.name for link in links]
    for link in links:
        if not link.name or names.count(link.name) > 1:
            yield f"link {link.name!r}: the name is empty or taken by another interface or link"
        if link.kind not in KINDS:
            yield f"link {link.name}: kind {link.kind!r} is not one of {', '.join(KINDS)}"
        for member in link.members:
            if member not in names:
                yield f"link {link.name}: there is no interface or link {member!r}"
        if link.kind == "vlan" and (len(link.members) != 1 or not 1 <= link.vlan <= 4094):
            yield f"link {link.name}: a VLAN has one member and an identifier from 1 to 4094 (IEEE 802.1Q)"
        if link.kind != "vlan" and link.vlan:
            yield f"link {link.name}: a {link.kind} has no VLAN identifier"
        if rule := option_fault(link.kind, link.options):
            yield f"link {link.name}: {rule}"
    yield from _shared(links)
    yield from _circles(links)


def _shared(links: Sequence[Link]) -> Iterator[str]:
    """Members that two bonds or bridges want, or that have an address; any number of VLANs may lie on one."""
    addresses = {link.name: (at, link.address) for at, link in enumerate(links) if link.address is not None}
    taken: dict[str, str] = {}
    for at, link in enumerate(links):
        for which, member in enumerate(link.members if link.kind in {"bond", "bridge"} else ()):
            if member in taken:
                whose = (
                    "it already" if taken[member] == link.name else f"{taken[member]} already; it can be in one only"
                )
                yield f"link {link.name}: link[{at}].members[{which}]: {member} is a member of {whose}"
            elif member in addresses:
                number, address = addresses[member]
                yield (
                    f"link {member}: link[{number}].address: a member of {link.name} has no address of its own;"
                    f" {address} belongs to link[{at}]"
                )
            taken.setdefault(member, link.name)


def _circles(links: Sequence[Link]) -> Iterator[str]:
    below = {link.name: link.members for link in links}
    for link in links:
        seen, waiting = set[str](), list(link.members)
        while waiting:
            member = waiting.pop()
            if member == link.name:
                yield f"link {link.name} is made of itself"
                break
            if member not in seen:
                seen.add(member)
                waiting += below.get(member, ())
