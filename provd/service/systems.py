"""Systems from all their homes (store, TOML files, inventories) in one index, and every change to them."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace

from provd.core.boot_policy import after_release
from provd.model.client import ClientFacts
from provd.model.event import Event
from provd.model.system import System
from provd.plugin.contract import Change
from provd.service import audit
from provd.service.ports import ChangeHost, InstallStates, Publish, SystemStore
from provd.service.system_edits import ChangeRefusedError, Edit, Staged, Staging, home_of
from provd.service.system_fields import field_of
from provd.service.system_index import SystemIndex
from provd.store.interface import StaleWriteError, StoreError

__all__ = ["ChangeRefusedError", "Edit", "Systems", "check_owner"]


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
        self.index = SystemIndex()
        self._open: Staging | None = None
        self.problems: list[str] = []
        self.touched: Callable[[str | None], None] = lambda _name: None

    def rebuild(self, declared: Mapping[str, System] | None = None) -> None:
        """Build the index anew from the store, the declared systems and the last inventory snapshots."""
        if declared is not None:
            self._declared = dict(declared)
        self.index = SystemIndex()
        self.problems = []
        for system in (*self._declared.values(), *self._store.all(), *self._foreign()):
            self._index(system)
        self.touched(None)

    def _foreign(self) -> Iterable[System]:
        return (system for snapshot in self._inventories.values() for system in snapshot.values())

    def inventory(self, name: str, systems: Iterable[System]) -> None:
        """A new snapshot of an inventory replaces its last one."""
        self._inventories[name] = {system.name: replace(system, origin=f"inventory:{name}") for system in systems}
        self.rebuild()

    def _index(self, system: System) -> None:
        holders = (self.index.of_mac(card.mac.octets) for card in system.interfaces)
        clash = self.index.get(system.name) or next((one for one in holders if one is not None), None)
        if clash is not None:
            self.problems.append(
                f"system {system.name} ({home_of(system)}) clashes with {clash.name} ({home_of(clash)})"
            )
            return
        self.index.put(system)

    def find(self, client: ClientFacts) -> System | None:
        """As :meth:`provd.service.system_index.SystemIndex.find`."""
        return self.index.find(client)

    def find_leased(self, client: ClientFacts, leased_as: Callable[[bytes], str]) -> System | None:
        """As :meth:`provd.service.system_index.SystemIndex.find_leased`."""
        return self.index.find_leased(client, leased_as)

    def knows(self, mac: bytes, client_id: bytes) -> bool:
        """As :meth:`provd.service.system_index.SystemIndex.knows`."""
        return self.index.knows(mac, client_id)

    def of_mac(self, mac: bytes) -> System | None:
        """The system that has a card with this hardware address."""
        return self.index.of_mac(mac)

    def get(self, name: str) -> System | None:
        """The system of this name."""
        return self.index.get(name)

    def users(self, profile: str) -> Collection[str]:
        """Names of the systems of a profile."""
        return self.index.users(profile)

    def all(self) -> list[System]:
        """Every system, by name."""
        return self.index.all()

    def add(self, system: System) -> System:
        """Add a system to the store.

        Raises:
            ChangeRefusedError: the name or MAC is taken, a value is wrong, or a plugin refused.
        """
        return self.make(Edit("", system))

    def edit(self, name: str, after: System, *, expected: str) -> System:
        """Replace a system of the store; turning ``netboot`` on releases a held machine.

        Args:
            name: which system.
            after: its new definition; one with another name is renamed.
            expected: version the editor saw; empty skips the check.

        Raises:
            ChangeRefusedError: unknown, not ours to write, stale, wrong or refused by a plugin.
        """
        return self.make(Edit(name, after, expected))

    def remove(self, name: str) -> None:
        """Remove a system from the store; its leases live on to their end.

        Raises:
            ChangeRefusedError: unknown, not ours to write, or refused by a plugin.
        """
        self.change([Edit(name, None)])

    def make(self, edit: Edit, *, dry_run: bool = False) -> System:
        """Make one edit that is no removal.

        Raises:
            ChangeRefusedError: it is refused.
        """
        return next(system for system in self.change([edit], dry_run=dry_run) if system is not None)

    def change(
        self, edits: Sequence[Edit], *, dry_run: bool = False, between: Callable[[], None] = lambda: None
    ) -> list[System | None]:
        """Make several edits, each checked beside those before it: all, in one transaction of the store, or none.

        Args:
            edits: in their order.
            dry_run: check everything and do nothing.
            between: runs when all is checked and nothing is written; what it raises stops the change.

        Returns:
            The systems as they are, or would be, in the order of the edits; None for removed ones.

        Raises:
            ChangeRefusedError: an edit is refused; nothing is changed.
        """
        if self._open is not None:
            # Whoever began it keeps it or gives it up.
            staging, first = self._open, len(self._open.staged)
            self._stage(staging, edits)
            between()
        else:
            with self.several(dry_run=dry_run, between=between) as staging:
                first = 0
                self._stage(staging, edits)
        return [one.after for one in staging.staged[first:]]

    def _stage(self, staging: Staging, edits: Sequence[Edit]) -> None:
        for edit in edits:
            try:
                staging.stage(edit, self._writable(edit.name) if edit.name else None)
            except ChangeRefusedError as error:
                error.system = edit.after.name if edit.after else edit.name
                raise

    @contextmanager
    def several(self, *, dry_run: bool = False, between: Callable[[], None] = lambda: None) -> Iterator[Staging]:
        """Everything that is changed inside is kept at the end in one transaction of the store, or nothing of it.

        Args:
            dry_run: nothing is kept.
            between: runs when all is checked and nothing is kept; what it raises stops everything.

        Raises:
            ChangeRefusedError: the store could not keep it; nothing is changed.
        """
        staging = self._open = Staging(self.index, self._store, self._allowed)
        try:
            yield staging
            between()
            if not dry_run:
                staging.write()
        except StoreError as error:
            staging.undo()
            for name in staging.names():
                self._reread(name, error)
            raise ChangeRefusedError(f"{staging.told()}: {error}", kind="failed") from error
        except BaseException:
            staging.undo()
            raise
        finally:
            self._open = None
        if dry_run:
            staging.undo()
            audit.outcome("dry run")
            return
        self._tell(staging.staged)
        for work in staging.afterwards:
            work()

    def _tell(self, staged: Sequence[Staged]) -> None:
        for one in staged:
            before, after, verb = one.before, one.after, one.edit.verb()
            if verb == "rename" and before is not None and after is not None:
                # Under the old name nothing is known any more; what the machine has been through stays with it.
                state = self._states.get(before.name)
                self._states.remove(before.name)
                self._states.put(after.name, state)
                self._changed("removed", before, before)
                self._changed("renamed", after, None)
            elif after is None and before is not None:
                self._states.remove(before.name)
                self._changed("removed", before, before)
            elif after is not None:
                if before is not None and after.netboot and not before.netboot:
                    self._states.put(after.name, after_release(self._states.get(after.name)))
                self._changed("added" if before is None else "edited", after, before)

    def set_netboot(self, name: str, *, wanted: bool) -> None:
        """Ask for an install (which also releases a held machine), or call it off.

        Works for every system: where the definition is a file's or an inventory's, provd keeps the wish beside it.

        Raises:
            ChangeRefusedError: no such system.
        """
        system = self.index.get(name)
        if system is None:
            raise ChangeRefusedError(f"there is no system {name}", field="name", kind="not-found")
        check_owner(system)
        if self._open is not None:
            self._stage_netboot(self._open, system, wanted=wanted)
            return
        state = self._states.get(name)
        if wanted:
            state = after_release(state)
        if system.origin == "store":
            self.index.put(self._put_netboot(system, wanted=wanted))
            state = replace(state, netboot=None)
        else:
            state = replace(state, netboot=wanted)
        self._states.put(name, state)
        after = replace(self.index.by_name()[name], netboot=wanted)
        self._changed("netboot on" if wanted else "netboot off", after, system)

    def _stage_netboot(self, staging: Staging, system: System, *, wanted: bool) -> None:
        """Inside of several changes the wish waits with them; what else belongs to it follows when they are kept."""
        if system.origin == "store":
            self._stage(staging, [Edit(system.name, replace(system, netboot=wanted))])

        def follow() -> None:
            if self.index.get(system.name) is not None:
                self.set_netboot(system.name, wanted=wanted)

        staging.afterwards.append(follow)

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
            current = self.index.get(system.name)
            if current is None or current.version == system.version:
                raise
            return self._put(replace(current, netboot=wanted), expected=current.version)

    def _reread(self, name: str, error: StoreError) -> None:
        """A write that was given up as too slow became durable all the same: what the store has counts."""
        if not isinstance(error, StaleWriteError):
            return
        before = self.index.get(name)
        if before is not None and before.origin == "store":
            self.index.drop(before)
        stored = self._store.get(name)
        if stored is not None and self.index.get(name) is None:
            self.index.put(stored)

    def _writable(self, name: str) -> System:
        system = self.index.get(name)
        if system is None:
            raise ChangeRefusedError(f"there is no system {name}", field="name", kind="not-found")
        if system.origin != "store":
            raise ChangeRefusedError(f"system {name} is defined elsewhere ({home_of(system)}): change it there")
        check_owner(system)
        return system

    def _allowed(self, change: Change) -> None:
        if isinstance(change.after, System):
            others = (system for system in self.index.rivals(change.after) if system.name != change.name)
            wrong = self._check(change.after, others)
            if wrong:
                raise ChangeRefusedError("; ".join(wrong), field=field_of(wrong[0]))
        veto = self._host.change(change)
        if veto is not None:
            raise ChangeRefusedError(veto.reason)

    def _changed(self, what: str, system: System, before: System | None) -> None:
        self.touched(system.name)
        audit.changed(f"system {system.name}", before, None if what == "removed" else system)
        mac = str(system.interfaces[0].mac) if system.interfaces else ""
        self._publish(
            Event(kind="system.changed", at=self._wall(), system=system.name, mac=mac, fields={"change": what})
        )


def check_owner(system: System, done: str = "changed") -> None:
    """Refuse who may not do this to it; what provd does by itself nobody asked for.

    Args:
        system: the system.
        done: what is done to it, as the sentence says it.

    Raises:
        ChangeRefusedError: whoever asks is no owner.
    """
    caller = audit.caller()
    if caller is not None and not caller.owns(system.owners):
        owners = ", ".join(system.owners)
        raise ChangeRefusedError(f"system {system.name} may be {done} by its owners only ({owners})", kind="denied")
