"""Arguments of the operations on systems, and how they become values of the model."""

from __future__ import annotations

from ipaddress import AddressValueError, IPv4Address
from typing import Annotated, Any, Final, Literal
from uuid import UUID

import msgspec
from msgspec import UNSET, Meta, UnsetType

from provd.model.mac import Mac
from provd.model.system import Interface, Link
from provd.service.find import Cursor, IgnoreCase, Limit, where_meta
from provd.service.operations import Arguments, DryRun, OperationError, Revision
from provd.service.system_find import FIELDS, TABLES

Policy = Literal["", "once", "until-finished", "always", "never", "menu"]
Where = Annotated[dict[str, Any], where_meta(FIELDS, TABLES)]


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


Cards = Annotated[tuple[Card, ...], Meta(description="Network cards, in order.")]
Links = Annotated[tuple[LinkArgument, ...], Meta(description="Bonds, bridges and VLANs.")]
ProfileName = Annotated[str, Meta(description="Profile to install.")]
Hostname = Annotated[str, Meta(description="Host name of the installed system; the name where it is empty.")]
Uuid = Annotated[str, Meta(description="SMBIOS UUID.")]
ClientId = Annotated[
    str, Meta(description="Client identifier (option 61) that means this machine, as text or 0x and hex.")
]
CircuitId = Annotated[str, Meta(description="Relay port (option 82) that this machine is at, as text or 0x and hex.")]
RemoteId = Annotated[str, Meta(description="Relay (option 82) that this machine is behind, as text or 0x and hex.")]
Netboot = Annotated[bool, Meta(description="Whether an install is wanted.")]
When = Annotated[Policy, Meta(description="When network boots install; empty for the profile's policy.")]
Attempts = Annotated[
    int, Meta(description="Fruitless installations before it is held; 0 for the profile's number.", ge=0)
]
KernelArgs = Annotated[
    tuple[str, ...], Meta(description="Kernel arguments to append; `!ARG` removes an inherited one.")
]
Answers = Annotated[dict[str, Any], Meta(description="What the installer is told, over the profile's answers.")]
Variables = Annotated[dict[str, Any], Meta(description="Free values for templates.")]
DhcpOptions = Annotated[dict[str, Any], Meta(description="DHCP options by name or number.")]
Comment = Annotated[str, Meta(description="Free text.")]
Tags = Annotated[tuple[str, ...], Meta(description="Free words.")]
Groups = Annotated[tuple[str, ...], Meta(description="Groups that it belongs to.")]
Owners = Annotated[tuple[str, ...], Meta(description="Users or their groups who may change it besides administrators.")]
Installer = Annotated[str, Meta(description="Installer; empty for that of the profile.")]
Source = Annotated[str, Meta(description="URL of the install source; empty for that of the profile.")]
BootLoaders = Annotated[
    tuple[str, ...], Meta(description="Boot loaders in the order they are tried; empty for those of the profile.")
]
Loader = Annotated[dict[str, dict[str, Any]], Meta(description="Settings of single boot loaders, `[loader.NAME]`.")]
Templates = Annotated[
    dict[str, str], Meta(description="Document name to template of the site, where the installer's is replaced.")
]
Power = Annotated[
    dict[str, Any],
    Meta(description="How its power is switched: `driver`, `address`, `user`, `password` (a secret's reference), ..."),
]
EditedTemplates = Annotated[
    dict[str, str | None],
    Meta(description="Document name to template of the site; null takes one out, in place."),
]


class AddSystem(Arguments, frozen=True):
    """A new system."""

    name: str
    interfaces: Cards
    links: Links = ()
    profile: ProfileName = ""
    hostname: Hostname = ""
    uuid: Uuid = ""
    client_id: ClientId = ""
    circuit_id: CircuitId = ""
    remote_id: RemoteId = ""
    netboot: Netboot = True
    policy: When = ""
    max_attempts: Attempts = 0
    kernel_args: KernelArgs = ()
    answers: Answers = msgspec.field(default_factory=dict)
    vars: Variables = msgspec.field(default_factory=dict)
    options: DhcpOptions = msgspec.field(default_factory=dict)
    comment: Comment = ""
    tags: Tags = ()
    groups: Groups = ()
    owners: Owners = ()
    installer: Installer = ""
    source: Source = ""
    boot_loaders: BootLoaders = ()
    loader: Loader = msgspec.field(default_factory=dict)
    templates: Templates = msgspec.field(default_factory=dict)
    power: Power = msgspec.field(default_factory=dict)
    dry_run: DryRun = False


class EditSystem(Arguments, frozen=True):
    """Changes to a system; what is not named stays, and a named revision guards against edits made meanwhile."""

    name: str
    version: Annotated[str, Meta(description="The same as revision.")] = ""
    revision: Revision = ""
    in_place: Annotated[bool, Meta(description="Tables change only the keys that are named in them.")] = False
    dry_run: DryRun = False
    interfaces: Cards | UnsetType = UNSET
    links: Links | UnsetType = UNSET
    profile: ProfileName | UnsetType = UNSET
    hostname: Hostname | UnsetType = UNSET
    uuid: Uuid | UnsetType = UNSET
    client_id: ClientId | UnsetType = UNSET
    circuit_id: CircuitId | UnsetType = UNSET
    remote_id: RemoteId | UnsetType = UNSET
    netboot: Netboot | UnsetType = UNSET
    policy: When | UnsetType = UNSET
    max_attempts: Attempts | UnsetType = UNSET
    kernel_args: KernelArgs | UnsetType = UNSET
    answers: Answers | UnsetType = UNSET
    vars: Variables | UnsetType = UNSET
    options: DhcpOptions | UnsetType = UNSET
    comment: Comment | UnsetType = UNSET
    tags: Tags | UnsetType = UNSET
    groups: Groups | UnsetType = UNSET
    owners: Owners | UnsetType = UNSET
    installer: Installer | UnsetType = UNSET
    source: Source | UnsetType = UNSET
    boot_loaders: BootLoaders | UnsetType = UNSET
    loader: Loader | UnsetType = UNSET
    templates: EditedTemplates | UnsetType = UNSET
    power: Power | UnsetType = UNSET


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
