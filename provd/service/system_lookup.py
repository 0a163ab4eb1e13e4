"""How operations look systems and their install states up."""

from __future__ import annotations

from typing import Protocol

from provd.model.mac import Mac
from provd.model.system import InstallState, System
from provd.service.operations import OperationError


class NamedSystems(Protocol):
    """Looks systems up."""

    def get(self, name: str) -> System | None:
        """The system of this name."""
        ...

    def of_mac(self, mac: bytes) -> System | None:
        """The system with this card."""
        ...


class StatesView(Protocol):
    """Install states by system name."""

    def get(self, system: str) -> InstallState:
        """The state, a fresh one where none is kept."""
        ...


def find_system(systems: NamedSystems, name: str) -> System:
    """A system by its name or one of its MACs.

    Raises:
        OperationError: nothing has this name or MAC.
    """
    found = systems.get(name)
    if found is None:
        try:
            found = systems.of_mac(Mac.parse(name).octets)
        except ValueError:
            found = None
    if found is None:
        raise OperationError(f"there is no system {name!r}", field="name", kind="not-found")
    return found
