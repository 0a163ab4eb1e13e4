"""All systems as :class:`provd.plugin.machines.Machine`, made one by one: there may be tens of thousands."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from provd.model.system import InstallState, System
from provd.plugin.machines import Machine


def _own_macs(system: System) -> Iterator[bytes]:
    return (card.mac.octets for card in system.interfaces)


def machines(
    systems: Iterable[System],
    state_of: Callable[[str], InstallState],
    address_of: Callable[[bytes], str],
    macs_of: Callable[[System], Iterable[bytes]] = _own_macs,
) -> Iterator[Machine]:
    """Each system with its state and address, in the order given.

    Args:
        systems: all of them.
        state_of: what earlier installs of a name came to.
        address_of: address that a hardware address has now, or empty.
        macs_of: hardware addresses by which a system is known to be somewhere; those of its cards.
    """
    for system in systems:
        state = state_of(system.name)
        addresses = map(address_of, macs_of(system))
        yield Machine(
            system.name,
            system.hostname or system.name,
            system.profile,
            tuple(str(card.mac) for card in system.interfaces),
            next((address for address in addresses if address), ""),
            state.state,
            state.installed_at,
            system.tags,
            system.groups,
        )
