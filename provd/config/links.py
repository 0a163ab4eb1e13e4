"""Rules of bonds, bridges and VLANs over the network cards of a system."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Final

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
    yield from _circles(links)


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
