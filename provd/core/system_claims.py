"""What each system has for itself alone: name, hardware addresses, reserved addresses, UUID, client-id, relay port."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress

from provd.model.system import System, octets_of

Claim = tuple[str, object]


def claims_of(system: System) -> Iterator[Claim]:
    """Everything that no second system may have; identifiers that are malformed claim nothing."""
    yield "name", system.name
    for card in system.interfaces:
        yield "mac", card.mac.octets
        if card.address is not None:
            yield "address", card.address
    if system.uuid:
        yield "uuid", system.uuid
    if system.client_id:
        with suppress(ValueError):
            yield "client-id", octets_of(system.client_id)
    if system.circuit_id or system.remote_id:
        with suppress(ValueError):
            yield "port", system.port


class Claims:
    """Who has what; a new system is compared with those that it could clash with, not with all."""

    def __init__(self) -> None:
        self._holders: dict[Claim, list[System]] = {}

    def add(self, system: System) -> None:
        """The system is there now."""
        for claim in claims_of(system):
            self._holders.setdefault(claim, []).append(system)

    def remove(self, system: System) -> None:
        """The system is gone; it must be the value that was added."""
        for claim in claims_of(system):
            holders = [one for one in self._holders.get(claim, ()) if one is not system]
            if holders:
                self._holders[claim] = holders
            else:
                self._holders.pop(claim, None)

    def rivals(self, system: System) -> list[System]:
        """Systems that have something that this one claims, in the order in which they came."""
        found: dict[int, System] = {}
        for claim in claims_of(system):
            for other in self._holders.get(claim, ()):
                found.setdefault(id(other), other)
        return list(found.values())
