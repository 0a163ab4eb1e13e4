"""Systems from all their homes (store, TOML files, inventories) in one index, and every change to them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace

from provd.core.boot_policy import after_release
from provd.core.system_claims import Claims
from provd.model.client import ClientFacts
from provd.model.event import Event
from provd.model.system import System, octets_of
from provd.plugin.contract import Change
from provd.service import audit
from provd.service.ports import ChangeHost, InstallStates, Publish, SystemStore
from provd.store.interface import StaleWriteError, StoreError


class ChangeRefusedError(Exception):
    """A change is not made; the sentence says why."""


class Systems:
    """Finds systems by name, MAC, UUID and changes them.

    Files win over the store and the store over inventories where they clash; a clash is a problem that names both. A
    change is durable when its method returns; the store raises where it could not be, and nothing is changed then.
    """

    def __init__(
        self,
        *,
        store: SystemStore,
        host: ChangeHost,
        states: InstallStates,
        check: Callable[[System, Iterable[System]], Sequence[str]],
        publish: Publish,
        wall: Callable[[], float],
    ) -> None:
        """Take collaborators.

        Args:
            store: where operators' systems are kept.
            host: asks plugins for vetoes.
            states: install states, which hold ``netboot`` for systems that are not ours to write.
            check: sentences on what is wrong with a system beside the others.
            publish: event bus.
            wall: seconds since the epoch.
        """
        self._store = store
        self._host = host
        self._states = states
        self._check = check
        self._publish = publish
        self._wall = wall
        self._declared: dict[str, System] = {}
        self._inventories: dict[str, dict[str, System]] = {}
        self._by_name: dict[str, System] = {}
        self._by_mac: dict[bytes, System] = {}
        self._by_uuid: dict[str, System] = {}
        self._by_client_id: dict[bytes, System] = {}
        self._by_port: dict[tuple[bytes, bytes], System] = {}
        self._claims = Claims()
        self.problems: list[str] = []

    def rebuild(self, declared: Mapping[str, System] | None = None) -> None:
        """Build the index anew from the store, the declared systems and the last inventory snapshots."""
        if declared is not None:
            self._declared = dict(declared)
        self._by_name, self._by_mac, self._by_uuid = {}, {}, {}
        self._by_client_id, self._by_port, self._claims = {}, {}, Claims()
        self.problems = []
        for system in (*self._declared.values(), *self._store.all(), *self._foreign()):
            self._index(system)

    def _foreign(self) -> Iterable[System]:
        return (system for snapshot in self._inventories.values() for system in snapshot.values())

    def inventory(self, name: str, systems: Iterable[System]) -> None:
        """A new snapshot of an inventory replaces its last one."""
        self._inventories[name] = {system.name: replace(system, origin=f"inventory:{name}") for system in systems}
        self.rebuild()

    def _index(self, system: System) -> None:
        clash = self._by_name.get(system.name) or next(
            (self._by_mac[card.mac.octets] for card in system.interfaces if card.mac.octets in self._by_mac), None
        )
        if clash is not None:
            self.problems.append(f"system {system.name} ({_home(system)}) clashes with {clash.name} ({_home(clash)})")
            return
        self._put_index(system)

    def _put_index(self, system: System) -> None:
        replaced = self._by_name.get(system.name)
        if replaced is not None:
            self._claims.remove(replaced)
        self._claims.add(system)
        self._by_name[system.name] = system
        for card in system.interfaces:
            self._by_mac[card.mac.octets] = system
        if system.uuid:
            self._by_uuid[system.uuid] = system
        if system.client_id:
            self._by_client_id[octets_of(system.client_id)] = system
        if system.circuit_id or system.remote_id:
            self._by_port[system.port] = system

    def _drop_index(self, system: System) -> None:
        self._claims.remove(self._by_name.pop(system.name))
        for card in system.interfaces:
            self._by_mac.pop(card.mac.octets, None)
        self._by_uuid.pop(system.uuid, None)
        self._by_client_id.pop(octets_of(system.client_id), None)
        self._by_port.pop(system.port, None)

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

    def knows(self, mac: bytes, client_id: bytes) -> bool:
        """Whether this hardware address or client-id may mean a system; UUID and port are not weighed."""
        return mac in self._by_mac or client_id in self._by_client_id

    def of_mac(self, mac: bytes) -> System | None:
        """The system that has a card with this hardware address."""
        return self._by_mac.get(mac)

    def get(self, name: str) -> System | None:
        """The system of this name."""
        return self._by_name.get(name)

    def all(self) -> list[System]:
        """Every system, by name."""
        return [self._by_name[name] for name in sorted(self._by_name)]

    def add(self, system: System) -> System:
        """Add a system to the store.

        Raises:
            ChangeRefusedError: the name or MAC is taken, a value is wrong, or a plugin refused.
        """
        if system.name in self._by_name:
            raise ChangeRefusedError(f"system {system.name} exists already ({_home(self._by_name[system.name])})")
        self._allowed(Change("system.add", system.name, None, system))
        kept = self._put(system, expected="")
        self._put_index(kept)
        self._changed("added", kept, None)
        return kept

    def edit(self, name: str, after: System, *, expected: str) -> System:
        """Replace a system of the store; turning ``netboot`` on releases a held machine.

        Args:
            name: which system.
            after: its new definition.
            expected: version the editor saw; empty skips the check.

        Raises:
            ChangeRefusedError: unknown, not ours to write, stale, wrong or refused by a plugin.
        """
        before = self._writable(name)
        if expected and expected != before.version:
            raise ChangeRefusedError(f"system {name} was changed meanwhile (version {before.version}, not {expected})")
        self._allowed(Change("system.edit", name, before, after))
        kept = self._put(after, expected=before.version)
        self._drop_index(before)
        self._put_index(kept)
        self._changed("edited", kept, before)
        return kept

    def remove(self, name: str) -> None:
        """Remove a system from the store; its leases live on to their end.

        Raises:
            ChangeRefusedError: unknown, not ours to write, or refused by a plugin.
        """
        before = self._writable(name)
        self._allowed(Change("system.remove", name, before, None))
        try:
            self._store.remove(name, expected=before.version)
        except StoreError as error:
            self._reread(name, error)
            raise ChangeRefusedError(f"system {name} could not be removed: {error}") from error
        self._states.remove(name)
        self._drop_index(before)
        self._changed("removed", before, before)

    def set_netboot(self, name: str, *, wanted: bool) -> None:
        """Ask for an install (which also releases a held machine), or call it off.

        Works for every system: where the definition is a file's or an inventory's, provd keeps the wish beside it.

        Raises:
            ChangeRefusedError: no such system.
        """
        system = self._by_name.get(name)
        if system is None:
            raise ChangeRefusedError(f"there is no system {name}")
        state = self._states.get(name)
        if wanted:
            state = after_release(state)
        if system.origin == "store":
            self._put_index(self._put_netboot(system, wanted=wanted))
            state = replace(state, netboot=None)
        else:
            state = replace(state, netboot=wanted)
        self._states.put(name, state)
        after = replace(self._by_name[name], netboot=wanted)
        self._changed("netboot on" if wanted else "netboot off", after, system)

    def _put(self, system: System, *, expected: str) -> System:
        try:
            return self._store.put(system, expected=expected)
        except StoreError as error:
            self._reread(system.name, error)
            raise ChangeRefusedError(f"system {system.name} could not be stored: {error}") from error

    def _put_netboot(self, system: System, *, wanted: bool) -> System:
        """Whether to install is a wish of its own: it is written into whatever the store has now."""
        try:
            return self._put(replace(system, netboot=wanted), expected=system.version)
        except ChangeRefusedError:
            current = self._by_name.get(system.name)
            if current is None or current.version == system.version:
                raise
            return self._put(replace(current, netboot=wanted), expected=current.version)

    def _reread(self, name: str, error: StoreError) -> None:
        """A write that was given up as too slow became durable all the same: what the store has counts."""
        if not isinstance(error, StaleWriteError):
            return
        before = self._by_name.get(name)
        if before is not None and before.origin == "store":
            self._drop_index(before)
        stored = next((system for system in self._store.all() if system.name == name), None)
        if stored is not None and name not in self._by_name:
            self._put_index(stored)

    def _writable(self, name: str) -> System:
        system = self._by_name.get(name)
        if system is None:
            raise ChangeRefusedError(f"there is no system {name}")
        if system.origin != "store":
            raise ChangeRefusedError(f"system {name} is defined elsewhere ({_home(system)}): change it there")
        return system

    def _allowed(self, change: Change) -> None:
        if isinstance(change.after, System):
            others = (system for system in self._claims.rivals(change.after) if system.name != change.name)
            wrong = self._check(change.after, others)
            if wrong:
                raise ChangeRefusedError("; ".join(wrong))
        veto = self._host.change(change)
        if veto is not None:
            raise ChangeRefusedError(veto.reason)

    def _changed(self, what: str, system: System, before: System | None) -> None:
        audit.changed(f"system {system.name}", before, None if what == "removed" else system)
        mac = str(system.interfaces[0].mac) if system.interfaces else ""
        self._publish(
            Event(kind="system.changed", at=self._wall(), system=system.name, mac=mac, fields={"change": what})
        )


def _home(system: System) -> str:
    return system.file or system.origin
