"""Finds systems by everything that means one of them; kept up to date change by change."""

from __future__ import annotations

from bisect import bisect_left, bisect_right, insort
from collections.abc import Callable, Collection, Iterator, Mapping
from types import MappingProxyType

from provd.core.system_claims import Claims
from provd.model.client import ClientFacts
from provd.model.system import System, octets_of


class SystemIndex:
    """Systems by all their identifiers and by profile; one change costs the same for any number of them."""

    def __init__(self) -> None:
        self._by_name: dict[str, System] = {}
        self._names: list[str] = []
        self._by_mac: dict[bytes, System] = {}
        self._by_uuid: dict[str, System] = {}
        self._by_client_id: dict[bytes, System] = {}
        self._by_port: dict[tuple[bytes, bytes], System] = {}
        self._by_profile: dict[str, dict[str, None]] = {}
        self._bare: set[str] = set()
        self._claims = Claims()

    def __len__(self) -> int:
        return len(self._by_name)

    def put(self, system: System) -> None:
        """Add a system, or replace the one of its name where both have the same identifiers."""
        replaced = self._by_name.get(system.name)
        if replaced is not None:
            self._claims.remove(replaced)
            self._unuse(replaced)
        # Systems of a file come sorted, so most names belong at the end.
        elif not self._names or self._names[-1] < system.name:
            self._names.append(system.name)
        else:
            insort(self._names, system.name)
        self._claims.add(system)
        self._by_name[system.name] = system
        self._by_profile.setdefault(system.profile, {})[system.name] = None
        self._bare.discard(system.name)
        if not system.interfaces and (system.uuid or system.client_id):
            self._bare.add(system.name)
        self._point(system)

    def _point(self, system: System) -> None:
        """All that a client may say of this machine leads to it."""
        for card in system.interfaces:
            self._by_mac[card.mac.octets] = system
        if system.uuid:
            self._by_uuid[system.uuid] = system
        identifier = octets_of(system.client_id)
        if identifier:  # a store from before may hold one of no octets, which every client without option 61 has
            self._by_client_id[identifier] = system
        if system.circuit_id or system.remote_id:
            self._by_port[system.port] = system

    def drop(self, system: System) -> None:
        """Take a system out; it must be the value that was put in."""
        self._claims.remove(self._by_name.pop(system.name))
        self._bare.discard(system.name)
        self._unuse(system)
        del self._names[bisect_left(self._names, system.name)]
        for card in system.interfaces:
            self._by_mac.pop(card.mac.octets, None)
        self._by_uuid.pop(system.uuid, None)
        self._by_client_id.pop(octets_of(system.client_id), None)
        self._by_port.pop(system.port, None)
        for other in self._claims.rivals(system):
            # A file's system may say what this one said, too: it is found again.
            self._point(other)

    def _unuse(self, system: System) -> None:
        users = self._by_profile[system.profile]
        del users[system.name]
        if not users:
            del self._by_profile[system.profile]

    def find(self, client: ClientFacts) -> System | None:
        """The system of a client: by MAC, by UUID (a machine with a new card keeps its name), by client-id, by port.

        A port is what a relay says of it: one that names circuit and remote is looked up by both, then by each alone.
        """
        found = self._by_mac.get(client.mac.octets) or (self._by_uuid.get(client.uuid) if client.uuid else None)
        if found is None and self._by_client_id:
            found = self._by_client_id.get(client.client_id)
        if found is None and self._by_port:
            circuit, remote = client.relay.circuit_id, client.relay.remote_id
            for port in ((circuit, remote), (circuit, b""), (b"", remote)):
                found = found or (self._by_port.get(port) if port != (b"", b"") else None)
        return found

    def find_leased(self, client: ClientFacts, leased_as: Callable[[bytes], str]) -> System | None:
        """The system without a card that a hardware address had its lease as.

        Firmware says UUID and client identifier of a machine; the installer and the system that it starts say neither.

        Args:
            client: what :meth:`find` does not know.
            leased_as: name of that system by hardware address, or empty.
        """
        if not self._bare or client.is_netboot:
            return None
        name = leased_as(client.mac.octets)
        system = self._by_name[name] if name in self._bare else None
        return system if system is not None and client.uuid in {"", system.uuid} else None

    def knows(self, mac: bytes, client_id: bytes) -> bool:
        """Whether this hardware address or client-id may mean a system; UUID and port are not weighed."""
        return mac in self._by_mac or client_id in self._by_client_id

    def of_mac(self, mac: bytes) -> System | None:
        """The system that has a card with this hardware address."""
        return self._by_mac.get(mac)

    def macs(self) -> Iterator[tuple[str, System]]:
        """Every hardware address as text, with its system."""
        return ((octets.hex(":"), system) for octets, system in self._by_mac.items())

    def of_uuid(self, uuid: str) -> System | None:
        """The system with this UUID, in lower case."""
        return self._by_uuid.get(uuid)

    def get(self, name: str) -> System | None:
        """The system of this name."""
        return self._by_name.get(name)

    def names(self, *, prefix: str = "", after: str = "") -> Iterator[str]:
        """Names in order that begin with ``prefix`` and come behind ``after``; systems may be changed meanwhile."""
        at = max(bisect_left(self._names, prefix), bisect_right(self._names, after) if after else 0)
        for name in self._names[at:]:
            if not name.startswith(prefix):
                return
            yield name

    def users(self, profile: str) -> Collection[str]:
        """Names of the systems of a profile."""
        return tuple(self._by_profile.get(profile, ()))

    def profiles(self) -> Collection[str]:
        """Names of the profiles that systems name; the empty one too."""
        return self._by_profile.keys()

    def rivals(self, system: System) -> list[System]:
        """Systems that have something that this one claims."""
        return self._claims.rivals(system)

    def all(self) -> list[System]:
        """Every system, by name."""
        return [self._by_name[name] for name in self._names]

    def by_name(self) -> Mapping[str, System]:
        """Every system by name, as it is now and will be."""
        return MappingProxyType(self._by_name)
