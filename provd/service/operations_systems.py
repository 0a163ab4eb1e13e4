"""Operations on systems: add, list, show, edit, remove."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from ipaddress import AddressValueError, IPv4Address
from typing import Any, Literal, Protocol
from uuid import UUID

import msgspec
from msgspec import UNSET, UnsetType

from provd.model.mac import Mac
from provd.model.system import InstallState, Interface, System
from provd.plugin.contract import Operation
from provd.plugin.scrub import scrub_value
from provd.service.operations import Arguments, NoArguments, OperationError
from provd.service.operations_catalogue import Named
from provd.service.systems import ChangeRefusedError

Policy = Literal["once", "always", "never"]


class SystemsView(Protocol):
    """The systems service."""

    def get(self, name: str) -> System | None:
        """The system of this name."""
        ...

    def of_mac(self, mac: bytes) -> System | None:
        """The system with this card."""
        ...

    def all(self) -> list[System]:
        """Every system."""
        ...

    def add(self, system: System) -> System:
        """Add to the store."""
        ...

    def edit(self, name: str, after: System, *, expected: str) -> System:
        """Replace in the store."""
        ...

    def remove(self, name: str) -> None:
        """Remove from the store."""
        ...

    def set_netboot(self, name: str, *, wanted: bool) -> None:
        """Ask for an install, or call it off."""
        ...


class StatesView(Protocol):
    """Install states by system name."""

    def get(self, system: str) -> InstallState:
        """The state, a fresh one where none is kept."""
        ...


class Card(Arguments, frozen=True):
    """One network card."""

    mac: str
    name: str = ""
    address: str = ""
    hostname: str = ""


class AddSystem(Arguments, frozen=True):
    """A new system."""

    name: str
    interfaces: tuple[Card, ...]
    profile: str = ""
    hostname: str = ""
    uuid: str = ""
    client_id: str = ""
    circuit_id: str = ""
    remote_id: str = ""
    netboot: bool = True
    policy: Policy = "once"
    kernel_args: tuple[str, ...] = ()
    answers: dict[str, Any] = msgspec.field(default_factory=dict)
    vars: dict[str, Any] = msgspec.field(default_factory=dict)
    options: dict[str, Any] = msgspec.field(default_factory=dict)
    comment: str = ""
    tags: tuple[str, ...] = ()


class EditSystem(Arguments, frozen=True):
    """Changes to a system; what is not named stays. ``version`` guards against edits made meanwhile."""

    name: str
    version: str = ""
    interfaces: tuple[Card, ...] | UnsetType = UNSET
    profile: str | UnsetType = UNSET
    hostname: str | UnsetType = UNSET
    uuid: str | UnsetType = UNSET
    client_id: str | UnsetType = UNSET
    circuit_id: str | UnsetType = UNSET
    remote_id: str | UnsetType = UNSET
    netboot: bool | UnsetType = UNSET
    policy: Policy | UnsetType = UNSET
    kernel_args: tuple[str, ...] | UnsetType = UNSET
    answers: dict[str, Any] | UnsetType = UNSET
    vars: dict[str, Any] | UnsetType = UNSET
    options: dict[str, Any] | UnsetType = UNSET
    comment: str | UnsetType = UNSET
    tags: tuple[str, ...] | UnsetType = UNSET


class RemoveSystem(Arguments, frozen=True):
    """A system by name."""

    name: str


def find_system(systems: SystemsView, name: str) -> System:
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


class SystemOperations:
    """The operations, around the systems service and the install states."""

    def __init__(self, systems: SystemsView, states: StatesView) -> None:
        self._systems = systems
        self._states = states

    def operations(self) -> tuple[Operation, ...]:
        """``system.add``, ``system.list``, ``system.show``, ``system.edit`` and ``system.remove``."""
        mac = "52:54:00:12:34:56"
        return (
            Operation(
                "system.add", "Add a machine.", "operate", AddSystem, self.add,
                f"provd system add web1 --mac {mac} --profile debian-12-image-server",
            ),
            Operation("system.list", "List machines.", "read", NoArguments, self.list, "provd system list"),
            Operation("system.show", "Show one machine.", "read", Named, self.show, "provd system show web1"),
            Operation(
                "system.edit", "Change a machine; netboot on asks for an install and releases a held machine.",
                "operate", EditSystem, self.edit, "provd system edit web1 --netboot",
            ),
            Operation(
                "system.remove", "Remove a machine.", "operate", RemoveSystem, self.remove, "provd system remove web1"
            ),
        )  # fmt: skip

    def add(self, arguments: AddSystem) -> object:
        """Add a system to the store."""
        system = System(
            name=arguments.name,
            profile=arguments.profile,
            interfaces=_cards(arguments.interfaces),
            uuid=_uuid(arguments.uuid),
            client_id=arguments.client_id,
            circuit_id=arguments.circuit_id,
            remote_id=arguments.remote_id,
            hostname=arguments.hostname,
            netboot=arguments.netboot,
            policy=arguments.policy,
            kernel_args=arguments.kernel_args,
            answers=arguments.answers,
            vars=arguments.vars,
            options=arguments.options,
            comment=arguments.comment,
            tags=arguments.tags,
        )
        try:
            return self._view(self._systems.add(system))
        except ChangeRefusedError as error:
            raise OperationError(str(error)) from error

    def list(self, _arguments: object) -> object:
        """One row per system."""
        return [self._row(system) for system in self._systems.all()]

    def show(self, arguments: Named) -> object:
        """Everything about one system; values that look secret are hidden."""
        return self._view(find_system(self._systems, arguments.name))

    def edit(self, arguments: EditSystem) -> object:
        """Apply what is named; ``netboot`` works for declared systems as well."""
        before = find_system(self._systems, arguments.name)
        changes: dict[str, Any] = {
            name: value
            for name, value in msgspec.structs.asdict(arguments).items()
            if name not in {"name", "version", "netboot"} and value is not UNSET
        }
        if "interfaces" in changes:
            changes["interfaces"] = _cards(changes["interfaces"])
        if "uuid" in changes:
            changes["uuid"] = _uuid(changes["uuid"])
        if not changes and arguments.netboot is UNSET:
            raise OperationError("nothing to change was named", kind="usage")
        if arguments.version and arguments.version != before.version:
            raise OperationError(
                f"system {before.name} was changed meanwhile (version {before.version}, not {arguments.version})",
                field="version",
            )
        try:
            if changes:
                self._systems.edit(before.name, replace(before, **changes), expected=arguments.version)
            if arguments.netboot is not UNSET:
                self._systems.set_netboot(before.name, wanted=arguments.netboot)
        except ChangeRefusedError as error:
            raise OperationError(str(error)) from error
        return self._view(find_system(self._systems, before.name))

    def remove(self, arguments: RemoveSystem) -> object:
        """Remove from the store."""
        system = find_system(self._systems, arguments.name)
        try:
            self._systems.remove(system.name)
        except ChangeRefusedError as error:
            raise OperationError(str(error)) from error
        return {"removed": system.name}

    def _row(self, system: System) -> dict[str, object]:
        state = self._states.get(system.name)
        return {
            "name": system.name,
            "profile": system.profile,
            "macs": [str(card.mac) for card in system.interfaces],
            "addresses": [str(card.address) for card in system.interfaces if card.address],
            "netboot": system.netboot if state.netboot is None else state.netboot,
            "state": state.state,
            "origin": system.file or system.origin,
        }

    def _view(self, system: System) -> Mapping[str, object]:
        state = self._states.get(system.name)
        return {
            **self._row(system),
            "interfaces": [_card_row(card) for card in system.interfaces],
            "uuid": system.uuid,
            "client_id": system.client_id,
            "circuit_id": system.circuit_id,
            "remote_id": system.remote_id,
            "hostname": system.host,
            "policy": system.policy,
            "kernel_args": system.kernel_args,
            "answers": scrub_value(system.answers),
            "vars": scrub_value(system.vars),
            "options": scrub_value(system.options),
            "comment": system.comment,
            "tags": system.tags,
            "version": system.version,
            "attempts": state.attempts,
            "installed_at": state.installed_at or None,
            "held_reason": state.held_reason,
        }


def _card_row(card: Interface) -> dict[str, str]:
    address = str(card.address) if card.address else ""
    return {"name": card.name, "mac": str(card.mac), "address": address, "hostname": card.hostname}


def _cards(cards: tuple[Card, ...]) -> tuple[Interface, ...]:
    if not cards:
        raise OperationError("a system needs at least one interface with a MAC", field="interfaces", kind="usage")
    return tuple(_card(index, card) for index, card in enumerate(cards))


def _card(index: int, card: Card) -> Interface:
    try:
        address = IPv4Address(card.address) if card.address else None
    except AddressValueError as error:
        rule = f"{card.address!r} is not an IPv4 address"
        raise OperationError(rule, field=f"interfaces[{index}].address", kind="usage") from error
    try:
        return Interface(card.name or f"eth{index}", Mac.parse(card.mac), address, card.hostname)
    except ValueError as error:
        raise OperationError(str(error), field=f"interfaces[{index}].mac", kind="usage") from error


def _uuid(text: str) -> str:
    try:
        return str(UUID(text)) if text else ""
    except ValueError as error:
        raise OperationError(f"{text!r} is not a UUID", field="uuid", kind="usage") from error
