"""The plan of a boot that is under way: made again after a restart, after waiting, or where somebody chose."""

from __future__ import annotations

from collections.abc import Callable

from provd.model.boot import BootPlan
from provd.model.system import System
from provd.service.boot import BootDirector, Sending
from provd.service.sessions import Boot
from provd.service.systems import Systems
from provd.service.whereabouts import Whereabouts


class BootPlans:
    """Asks the director with what a boot's session says of its machine.

    Args:
        director: boot decisions.
        systems: the systems service.
        whereabouts: where machines are.
        http_port: port of the HTTP listener.
    """

    def __init__(
        self, director: BootDirector, systems: Systems, whereabouts: Whereabouts, http_port: Callable[[], int]
    ) -> None:
        self._director, self._systems, self._whereabouts, self._http_port = director, systems, whereabouts, http_port

    def plan_of(self, boot: Boot) -> BootPlan:
        """The plan of a boot, made again after a restart."""
        return self._director.plan_of(boot, self._system(boot), self._sending(boot))

    def renewed(self, boot: Boot) -> BootPlan:
        """The plan of a boot that waits, made anew where what it was made of has changed."""
        return self._director.renewed(boot, self._system(boot), self._sending(boot))

    def chosen(self, boot: Boot, system: System | None) -> BootPlan:
        """The plan of a boot in which somebody chose from the menu.

        Args:
            boot: the boot.
            system: what its machine is from now on; None: nobody assigned it.
        """
        return self._director.anew(boot, system, self._sending(boot))

    def _system(self, boot: Boot) -> System | None:
        return self._systems.get(boot.session.system) if boot.session.system else None

    def _sending(self, boot: Boot) -> Sending:
        subnet = self._whereabouts.subnet_of(boot.session.address) if boot.session.address else None
        return Sending(self._whereabouts.server_of(subnet), self._http_port())
