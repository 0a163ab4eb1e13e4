"""How many machines install at a time: caps by subnet and by install source, and who of those that wait is next.

The order is fair: a machine that has waited longer keeps a free place against one that came later, as long as both want
the same place; one that waits for a busy source holds up nobody who wants another.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Limits:
    """Installations at a time; 0 is any number.

    Attributes:
        per_subnet: in a subnet that :attr:`subnets` does not name.
        per_source: from an install source that :attr:`sources` does not name.
        subnets: by the subnet's name.
        sources: by source, as :func:`source_of` names it.
    """

    per_subnet: int = 0
    per_source: int = 0
    subnets: Mapping[str, int] = field(default_factory=dict)
    sources: Mapping[str, int] = field(default_factory=dict)

    @property
    def any(self) -> bool:
        """Something is limited at all."""
        return bool(self.per_subnet or self.per_source or any(self.subnets.values()) or any(self.sources.values()))

    def of(self, place: Place) -> int:
        """The cap of one place."""
        kind, name = place
        if kind == "subnet":
            return self.subnets.get(name) or self.per_subnet
        return self.sources.get(name) or self.per_source


Place = tuple[str, str]
"""``("subnet", NAME)`` or ``("source", NAME)``."""


@dataclass(frozen=True, slots=True)
class Claim:
    """What one installation takes up.

    Attributes:
        session: id of its boot session.
        subnet: name of its subnet, empty where nobody knows it.
        source: its install source, empty for provd itself.
    """

    session: str
    subnet: str = ""
    source: str = ""

    @property
    def places(self) -> tuple[Place, ...]:
        """Where it counts."""
        subnet: tuple[Place, ...] = (("subnet", self.subnet),) if self.subnet else ()
        return (*subnet, ("source", self.source or OWN))


OWN = "provd"
"""Name of the source of installations that fetch nothing from elsewhere, as disk images do."""


def source_of(url: str) -> str:
    """The install source that a URL is of: scheme and host, or scheme and name (``mirror:debian``, ``iso:rocky-9``)."""
    scheme, colon, rest = url.partition(":")
    if not colon:
        return OWN
    if rest.startswith("//"):
        return f"{scheme}://{rest[2:].partition('/')[0].rpartition('@')[2]}"
    return f"{scheme}:{rest.strip('/').partition('/')[0]}"


def counted(running: Iterable[Claim]) -> Counter[Place]:
    """Installations by place."""
    return Counter(place for claim in running for place in claim.places)


def full(claim: Claim, taken: Mapping[Place, int], limits: Limits) -> Place | None:
    """The first place that has no room for this installation, or None."""
    return next((one for one in claim.places if (most := limits.of(one)) and taken.get(one, 0) >= most), None)


def obstacle(claim: Claim, running: Counter[Place], ahead: Iterable[Claim], limits: Limits) -> Place | None:
    """What keeps an installation waiting: a full place, or one whose last room belongs to somebody who waited longer.

    Args:
        claim: the installation that asks.
        running: installations by place, from :func:`counted`.
        ahead: those that have waited longer, the longest first, and still ask.
        limits: the caps.
    """
    busy = full(claim, running, limits)
    if busy is not None:
        return busy
    taken = Counter(running)
    for one in ahead:
        if full(one, taken, limits) is None:
            taken.update(one.places)
            busy = full(claim, taken, limits)
            if busy is not None:
                return busy
    return None
