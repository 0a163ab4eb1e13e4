"""Operations on systems, each written once: add, list, show, find, edit, copy, rename, remove, export, import."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, TypeVar

import msgspec
from msgspec import UNSET

from provd.config.edits import changed
from provd.config.errors import ConfigError
from provd.config.system_document import document_of, systems_of
from provd.model.system import System
from provd.plugin.contract import Operation
from provd.service.find import page
from provd.service.operations import OperationError
from provd.service.operations_catalogue import Named
from provd.service.system_arguments import (
    OWN,
    AddSystem,
    CopySystem,
    EditSystem,
    ExportSystems,
    FindSystems,
    ImportSystems,
    ListSystems,
    RemoveSystem,
    RenameSystem,
    interfaces_of,
    links_of,
    uuid_of,
)
from provd.service.system_edits import ChangeRefusedError, Edit
from provd.service.system_find import find_systems
from provd.service.system_lookup import StatesView, find_system
from provd.service.system_views import differences, system_row, system_view
from provd.service.systems import Systems, check_owner

T = TypeVar("T")


class SystemOperations:
    """The operations, around the systems service and the install states."""

    def __init__(self, systems: Systems, states: StatesView) -> None:
        self._systems = systems
        self._states = states

    def operations(self) -> tuple[Operation, ...]:
        """Everything that can be done with systems, ``system.*``."""
        mac = "52:54:00:12:34:56"
        return (
            Operation(
                "system.add",
                "Add a machine.",
                "operate",
                AddSystem,
                self.add,
                f"provd system add web1 --mac {mac} --profile debian-12-image-server",
                result="The system, as `system.show`.",
            ),
            Operation(
                "system.list",
                "List machines.",
                "read",
                ListSystems,
                self.list,
                "provd system list",
                result="One row per system, by name; the name of the last is the cursor of the next page.",
            ),
            Operation(
                "system.show",
                "Show one machine.",
                "read",
                Named,
                self.show,
                "provd system show web1",
                result="Everything about the system; `revision` guards a later edit.",
            ),
            Operation(
                "system.find",
                "Find machines by patterns on any field.",
                "read",
                FindSystems,
                self.find,
                "provd system find 'web*' --profile 'debian-*'",
                result="One row per system that fits, by name, or the whole system with `full`.",
            ),
            Operation(
                "system.edit",
                "Change a machine; netboot on asks for an install and releases a held machine.",
                "operate",
                EditSystem,
                self.edit,
                "provd system edit web1 --netboot",
                result="The system as it is; of a dry run as it would be, with `changes` (`key`, `before`, `after`).",
            ),
            Operation(
                "system.copy",
                "Copy a machine; the copy has network cards of its own.",
                "operate",
                CopySystem,
                self.copy,
                f"provd system copy web1 web2 --mac {mac}",
                result="The copy.",
            ),
            Operation(
                "system.rename",
                "Rename a machine; an install that is running ends.",
                "operate",
                RenameSystem,
                self.rename,
                "provd system rename web1 web7",
                result="The system under its new name.",
            ),
            Operation(
                "system.remove",
                "Remove a machine.",
                "operate",
                RemoveSystem,
                self.remove,
                "provd system remove web1",
                result="`removed`: the name; of a dry run also `applied`: false.",
            ),
            Operation(
                "system.export",
                "Write machines as TOML, secrets included.",
                "admin",
                ExportSystems,
                self.export,
                "provd system export",
                result="`systems`: the names; `toml`: the document.",
            ),
            Operation(
                "system.import",
                "Add machines from TOML, all or none.",
                "operate",
                ImportSystems,
                self.import_,
                "provd system import -",
                result="`added` and `replaced`: names.",
            ),
        )

    def add(self, arguments: AddSystem) -> object:
        """Add a system to the store."""
        values = {name: value for name, value in _values(arguments).items() if name != "dry_run"}
        return self._made(Edit("", System(**_modelled(values))), dry_run=arguments.dry_run)

    def list(self, arguments: ListSystems) -> object:
        """One row per system."""
        index = self._systems.index
        by_name = index.by_name()
        rows = page(index.names(after=arguments.cursor), arguments.limit)
        return [self._row(by_name[name]) for name in rows]

    def show(self, arguments: Named) -> object:
        """Everything about one system."""
        return self._view(find_system(self._systems, arguments.name))

    def find(self, arguments: FindSystems) -> object:
        """One row per system that fits."""
        found = find_systems(
            self._systems.index,
            self._states,
            arguments.where,
            after=arguments.cursor,
            ignore_case=arguments.ignore_case,
        )
        return [(self._view if arguments.full else self._row)(one) for one in page(found, arguments.limit)]

    def edit(self, arguments: EditSystem) -> object:
        """Apply what is named; ``netboot`` works for declared systems as well."""
        before = find_system(self._systems, arguments.name)
        changes = _modelled({name: value for name, value in _values(arguments).items() if name not in OWN})
        netboot = arguments.netboot
        if not changes and netboot is UNSET:
            raise OperationError("nothing to change was named", kind="usage")
        expected = arguments.revision or arguments.version
        if expected and expected != before.version:
            raise OperationError(
                f"system {before.name} was changed meanwhile (revision {before.version}, not {expected})",
                field="revision" if arguments.revision else "version",
            )
        if arguments.in_place:
            changes = changed({name: getattr(before, name) for name in changes}, changes, merge=True)
        elif "templates" in changes:
            changes["templates"] = {name: one for name, one in changes["templates"].items() if one is not None}
        if changes and netboot is not UNSET:
            changes["netboot"] = netboot
        shown: object = None
        if arguments.dry_run:
            refused(lambda: check_owner(before))
            after = replace(before, **changes)
            if set(changes) - {"netboot"} or netboot is UNSET:
                after = refused(lambda: self._systems.make(Edit(before.name, after, expected), dry_run=True))
            return self._rehearsed(before, after, netboot)
        if changes:
            shown = self._made(Edit(before.name, replace(before, **changes), expected), dry_run=arguments.dry_run)
        if netboot is not UNSET and not arguments.dry_run:
            wanted = bool(netboot)
            refused(lambda: self._systems.set_netboot(before.name, wanted=wanted))
            shown = self._view(find_system(self._systems, before.name))
        return shown

    def copy(self, arguments: CopySystem) -> object:
        """A new system with everything of the other one but what only one machine can have."""
        source = find_system(self._systems, arguments.name)
        own: dict[str, Any] = {
            "uuid": "",
            "client_id": "",
            "circuit_id": "",
            "remote_id": "",
            "hostname": "",
            "power": {},
            "origin": "store",
        }
        cards = interfaces_of(arguments.interfaces)
        new = replace(source, name=arguments.new, interfaces=cards, netboot=True, file="", version="", **own)
        return self._made(Edit("", new), dry_run=arguments.dry_run)

    def rename(self, arguments: RenameSystem) -> object:
        """The same system under another name."""
        before = find_system(self._systems, arguments.name)
        if arguments.new == before.name:
            raise OperationError("the new name is the old one", field="new", kind="usage")
        after = replace(before, name=arguments.new)
        return self._made(Edit(before.name, after, arguments.revision), dry_run=arguments.dry_run)

    def remove(self, arguments: RemoveSystem) -> object:
        """Remove from the store."""
        system = find_system(self._systems, arguments.name)
        edit = Edit(system.name, None, arguments.revision)
        refused(lambda: self._systems.change([edit], dry_run=arguments.dry_run))
        return {"removed": system.name, **({"applied": False} if arguments.dry_run else {})}

    def export(self, arguments: ExportSystems) -> object:
        """TOML of a page of systems; declared ones are left out, as their files are there."""
        where = {**arguments.where, "origin": "store"}
        found = page(find_systems(self._systems.index, self._states, where, after=arguments.cursor), arguments.limit)
        return {"systems": [system.name for system in found], "toml": document_of(found)}

    def import_(self, arguments: ImportSystems) -> object:
        """Every system of a document."""
        try:
            systems = systems_of(arguments.toml)
        except ConfigError as error:
            raise OperationError(str(error), field=f"toml.{error.key}".rstrip("."), kind="usage") from error
        edits = []
        for system in systems:
            there = arguments.replace and self._systems.get(system.name) is not None
            edits.append(Edit(system.name if there else "", system))
        try:
            self._systems.change(edits, dry_run=arguments.dry_run)
        except ChangeRefusedError as error:
            whose, field = (f"system {error.system}: ", f"toml.system.{error.system}") if error.system else ("", "toml")
            raise OperationError(f"{whose}{error}", field=field, kind=error.kind) from error
        names = [(edit.name, system.name) for edit, system in zip(edits, systems, strict=True)]
        return {
            "added": [name for old, name in names if not old],
            "replaced": [name for old, name in names if old],
        }

    def _made(self, edit: Edit, *, dry_run: bool) -> object:
        return self._view(refused(lambda: self._systems.make(edit, dry_run=dry_run)))

    def _rehearsed(self, before: System, after: System, netboot: object) -> object:
        state = self._states.get(before.name)
        state_after = state if netboot is UNSET else replace(state, netboot=bool(netboot))
        view = system_view(after, state_after)
        return {**view, "applied": False, "changes": differences(before, after, system_view(before, state), view)}

    def _row(self, system: System) -> dict[str, object]:
        return system_row(system, self._states.get(system.name))

    def _view(self, system: System) -> Mapping[str, object]:
        return system_view(system, self._states.get(system.name))


def refused(work: Callable[[], T]) -> T:
    """Run a change; a refusal is the operation's."""
    try:
        return work()
    except ChangeRefusedError as error:
        raise OperationError(str(error), field=error.field, kind=error.kind) from error


def _values(arguments: msgspec.Struct) -> dict[str, Any]:
    return {name: value for name, value in msgspec.structs.asdict(arguments).items() if value is not UNSET}


def _modelled(values: dict[str, Any]) -> dict[str, Any]:
    """Values of the model for those arguments that are written differently."""
    convert: dict[str, Callable[[Any], Any]] = {"interfaces": interfaces_of, "links": links_of, "uuid": uuid_of}
    return {name: convert[name](value) if name in convert else value for name, value in values.items()}
