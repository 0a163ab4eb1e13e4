"""Unknown machines that a plugin's rule knows become systems at their first DISCOVER."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Final

from twisted.logger import Logger

from provd.core.naming import name_of
from provd.model.client import ClientFacts
from provd.model.subnet import Subnet
from provd.model.system import Interface, System
from provd.plugin.contract import Adoption
from provd.service.system_edits import ChangeRefusedError, Edit
from provd.service.systems import Systems
from provd.store.interface import StoreError

_AGAIN_S: Final = 60.0
"""Seconds after which a machine that could not be adopted is tried again."""
_MOST: Final = 10_000
"""Machines that could not be adopted and are remembered."""


@dataclass(frozen=True, slots=True)
class Adopted:
    """What became of a machine's first DISCOVER.

    Attributes:
        system: what it is from now on; None: it stays unknown.
        told: kind and fields of the event that its boot's timeline gets; an empty kind for none.
        fields: see there.
    """

    system: System | None = None
    told: str = ""
    fields: Mapping[str, object] = field(default_factory=dict)


NOBODY: Final = Adopted()


class Adopter:
    """Makes systems of unknown machines.

    Args:
        ask: what the plugins say of a machine.
        systems: the systems service.
        subnet_of: the subnet of an address (dotted quad), or None.
        wall: seconds since the epoch.
    """

    def __init__(
        self,
        ask: Callable[[ClientFacts, Subnet], Adoption | None],
        systems: Systems,
        subnet_of: Callable[[str], Subnet | None],
        wall: Callable[[], float],
    ) -> None:
        self._ask, self._systems, self._subnet_of, self._wall = ask, systems, subnet_of, wall
        self._refused: OrderedDict[bytes, float] = OrderedDict()
        self._logger = Logger(namespace="provd.adoption")

    def adopt(self, client: ClientFacts, subnet: Subnet) -> Adopted:
        """Make it a system where a plugin wants it.

        Args:
            client: what its DISCOVER said; no system has its MAC or UUID.
            subnet: where it is.
        """
        wish = self._ask(client, subnet)
        if wish is None:
            return NOBODY
        return self._adopt_as(client, subnet, wish)

    def adopt_chosen(self, client: ClientFacts, peer: str, name: str, profile: str) -> System | str:
        """Make it a system because somebody chose an entry of its menu that installs; or say why not.

        Args:
            client: its facts.
            peer: its address (dotted quad).
            name: the pattern of its name.
            profile: what it will be installed with.
        """
        subnet = self._subnet_of(peer)
        if subnet is None:
            return f"{peer} is in no subnet"
        made = self._adopt_as(client, subnet, Adoption(name, profile, reason="chosen at the menu"))
        return made.system or str(made.fields.get("reason", "it was refused a moment ago"))

    def _adopt_as(self, client: ClientFacts, subnet: Subnet, wish: Adoption) -> Adopted:
        """Make it the system that is wished; one that could not be made a moment ago is left alone."""
        if self._wall() - self._refused.get(client.mac.octets, 0.0) < _AGAIN_S:
            return NOBODY
        name = name_of(wish.name, facts_of(client, subnet), lambda one: self._systems.get(one) is not None)
        if not name:
            return self._cannot(client, f"the name {wish.name} needs what this machine does not say")
        card = Interface("eth0", client.mac)
        system = System(name, wish.profile, (card,), uuid=client.uuid, tags=wish.tags, comment=wish.reason)
        try:
            made = self._make(system)
        except (ChangeRefusedError, StoreError) as error:
            return self._cannot(client, str(error))
        return Adopted(made, "machine.adopted", {"name": name, "profile": made.profile, "reason": wish.reason})

    def _make(self, system: System) -> System:
        try:
            return self._systems.make(Edit("", system))
        except ChangeRefusedError as error:
            if error.field != "uuid":
                raise
            # Some boards all have the same UUID: the hardware address alone must do.
            return self._systems.make(Edit("", replace(system, uuid="")))

    def _cannot(self, client: ClientFacts, why: str) -> Adopted:
        self._refused[client.mac.octets] = self._wall()
        self._refused.move_to_end(client.mac.octets)
        if len(self._refused) > _MOST:
            self._refused.popitem(last=False)
        self._logger.warn("{mac} is not adopted: {why}", mac=str(client.mac), why=why)
        return Adopted(None, "machine.refused", {"reason": why})


def facts_of(client: ClientFacts, subnet: Subnet) -> Mapping[str, str]:
    """What a name can be made of."""
    return {
        "mac": str(client.mac).replace(":", "-"),
        "uuid": client.uuid,
        "arch": client.arch.name if client.arch else "",
        "subnet": subnet.name,
        "port": port_of(client),
    }


def port_of(client: ClientFacts) -> str:
    """The relay's port (option 82, circuit-id) as text, or its octets in hex; empty on a local link."""
    octets = client.relay.circuit_id
    text = octets.decode("ascii", "replace")
    return text if text.isprintable() and octets.isascii() else octets.hex()
