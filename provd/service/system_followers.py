"""Keeps systems, DHCP's reservations and install tokens in step where one of them changes."""

from __future__ import annotations

from collections.abc import Iterable

from provd.config.catalogue import Catalogue
from provd.model.event import Event
from provd.model.system import System
from provd.service.current import Current
from provd.service.dhcp import DhcpService
from provd.service.installs import Installs
from provd.service.systems import Systems


class SystemFollowers:
    """Hears of each change, and tells those whom it concerns.

    Args:
        current: the catalogue in force.
        systems: the systems service.
        dhcp: the DHCP service.
        installs: the installs service.
    """

    def __init__(self, current: Current, systems: Systems, dhcp: DhcpService, installs: Installs) -> None:
        self._current, self._systems, self._dhcp, self._installs = current, systems, dhcp, installs

    def catalogue_changed(self, catalogue: Catalogue) -> None:
        """Put a changed catalogue into force; running boots keep their plans."""
        before, self._current.catalogue = self._current.catalogue, catalogue
        if catalogue.systems is not before.systems and catalogue.systems != before.systems:
            self._systems.rebuild(catalogue.systems)
        self._dhcp.forget()

    def inventory_loaded(self, name: str, systems: Iterable[System]) -> None:
        """An inventory has a new snapshot."""
        self._systems.inventory(name, systems)
        self._dhcp.reserve(self._systems.all())

    def on_event(self, event: Event) -> None:
        """Follow ``system.changed`` of the event bus."""
        if event.kind == "system.changed":
            system = self._systems.get(event.system)
            self._dhcp.follow(event.system, system)
            if system is None:
                self._installs.revoke(event.system)
