"""Arguments of the operations on systems, and how they become values of the model."""

from __future__ import annotations

from ipaddress import AddressValueError, IPv4Address
from typing import Annotated, Any, Final, Literal
from uuid import UUID

import msgspec
from msgspec import UNSET, Meta, UnsetType

from provd.model.mac import Mac
from provd.model.system import Interface, Link
from provd.service.find import Cursor, IgnoreCase, Limit, Where
from provd.service.operations import Arguments, OperationError

Policy = Literal["once", "always", "never"]
DryRun = Annotated[bool, Meta(description="Tell what would be done, and do nothing.")]
Revision = Annotated[str, Meta(description="Refuse where the object has another revision now.")]


class Card(Arguments, frozen=True):
    """One network card."""

    mac: str
    name: str = ""
    address: str = ""
    hostname: str = ""
    vars: dict[str, Any] = msgspec.field(default_factory=dict)


class LinkArgument(Arguments, frozen=True):
    """A bond, bridge or VLAN."""

    name: str
    kind: Literal["bond", "bridge", "vlan"]
    members: tuple[str, ...] = ()
    vlan: int = 0
    address: str = ""
    options: dict[str, Any] = msgspec.field(default_factory=dict)
    vars: dict[str, Any] = msgspec.field(default_factory=dict)


class AddSystem(Arguments, frozen=True):
    """A new system."""

    name: str
    interfaces: tuple[Card, ...]
    links: tuple[LinkArgument, ...] = ()
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
    groups: tuple[str, ...] = ()
    owners: tuple[str, ...] = ()
    installer: str = ""
    source: str = ""
    boot_loaders: tuple[str, ...] = ()
    loader: dict[str, dict[str, Any]] = msgspec.field(default_factory=dict)
    templates: dict[str, str] = msgspec.field(default_factory=dict)
    dry_run: DryRun = False


class EditSystem(Arguments, frozen=True):
    """Changes to a system; what is not named stays, and a named revision guards against edits made meanwhile."""

    name: str
    version: Annotated[str, Meta(description="The same as revision.")] = ""
    revision: Revision = ""
    in_place: Annotated[bool, Meta(description="Tables change only the keys that are named in them.")] = False
    dry_run: DryRun = False
    interfaces: tuple[Card, ...] | UnsetType = UNSET
    links: tuple[LinkArgument, ...] | UnsetType = UNSET
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
    groups: tuple[str, ...] | UnsetType = UNSET
    owners: tuple[str, ...] | UnsetType = UNSET
    installer: str | UnsetType = UNSET
    source: str | UnsetType = UNSET
    boot_loaders: tuple[str, ...] | UnsetType = UNSET
    loader: dict[str, dict[str, Any]] | UnsetType = UNSET
    templates: dict[str, str] | UnsetType = UNSET


class RemoveSystem(Arguments, frozen=True):
    """A system by name."""

    name: str
    revision: Revision = ""
    dry_run: DryRun = False


class CopySystem(Arguments, frozen=True):
    """A copy under a new name, with network cards of its own."""

    name: str
    new: Annotated[str, Meta(description="Name of the copy.")]
    interfaces: Annotated[
        tuple[Card, ...], Meta(description="Its network cards: no two systems have the same hardware address.")
    ]
    dry_run: DryRun = False


class RenameSystem(Arguments, frozen=True):
    """A new name."""

    name: str
    new: Annotated[str, Meta(description="The new name.")]
    revision: Revision = ""
    dry_run: DryRun = False


class ListSystems(Arguments, frozen=True):
    """One page of a list; the name of its last row is the cursor of the next page."""

    limit: Limit = 0
    cursor: Cursor = ""


class FindSystems(Arguments, frozen=True):
    """Conditions."""

    where: Where = msgspec.field(default_factory=dict)
    ignore_case: IgnoreCase = False
    full: Annotated[bool, Meta(description="Everything about each of them, instead of a row.")] = False
    limit: Limit = 0
    cursor: Cursor = ""


class ExportSystems(Arguments, frozen=True):
    """Which systems."""

    where: Where = msgspec.field(default_factory=dict)
    limit: Annotated[int, Meta(description="At most so many.", ge=1, le=1000)] = 200
    cursor: Cursor = ""


class ImportSystems(Arguments, frozen=True):
    """Systems as they were exported."""

    toml: Annotated[str, Meta(description="TOML with one table `[system.NAME]` for each.")]
    replace: Annotated[bool, Meta(description="Systems that exist are replaced; else they are an error.")] = False
    dry_run: DryRun = False


OWN: Final = frozenset({"name", "version", "revision", "in_place", "dry_run", "netboot"})
"""Arguments of an edit that are no values of the system, or change by a way of their own."""


def interfaces_of(cards: tuple[Card, ...]) -> tuple[Interface, ...]:
    """Network cards of the model; none for a machine whose cards are not known yet.

    Raises:
        OperationError: a malformed address; ``field`` names it.
    """
    return tuple(_card(index, card) for index, card in enumerate(cards))


def _card(index: int, card: Card) -> Interface:
    address = _address(card.address, f"interfaces[{index}].address")
    try:
        return Interface(card.name or f"eth{index}", Mac.parse(card.mac), address, card.hostname, card.vars)
    except ValueError as error:
        raise OperationError(str(error), field=f"interfaces[{index}].mac", kind="usage") from error


def links_of(links: tuple[LinkArgument, ...]) -> tuple[Link, ...]:
    """Links of the model.

    Raises:
        OperationError: a malformed address; ``field`` names it.
    """
    return tuple(
        Link(
            one.name, one.kind, one.members, one.vlan, _address(one.address, f"links[{index}].address"), one.options,
            one.vars,
        )
        for index, one in enumerate(links)
    )  # fmt: skip


def _address(text: str, field: str) -> IPv4Address | None:
    try:
        return IPv4Address(text) if text else None
    except AddressValueError as error:
        raise OperationError(f"{text!r} is not an IPv4 address", field=field, kind="usage") from error


def uuid_of(text: str) -> str:
    """A UUID in lower case.

    Raises:
        OperationError: it is none.
    """
    try:
        return str(UUID(text)) if text else ""
    except ValueError as error:
        raise OperationError(f"{text!r} is not a UUID", field="uuid", kind="usage") from error
