"""Systems: those declared in files, and the rules that every system must keep beside the others."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Sequence
from typing import Final
from uuid import UUID

from provd.config.decode import near_miss
from provd.config.errors import ConfigError, Problem
from provd.config.layers import NAME
from provd.config.links import link_faults
from provd.config.objects import SystemFile
from provd.config.options import faults
from provd.config.reader import Read, answer_faults, argument_faults, secret_faults, template_faults
from provd.config.values import value_faults
from provd.core.system_claims import Claims
from provd.model.mac import Mac
from provd.model.subnet import Subnet, edges
from provd.model.system import Interface, Link, System, octets_fault, octets_of

HOST: Final = re.compile(
    r"(?=.{1,253}$)[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?(\.[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?)*"
)
"""A host name (RFC 1123 section 2.1)."""

MOST_PARTS: Final = 256
"""Interfaces, and links, of one system."""

_NO_MAC: Final = Mac(bytes(6))
"""What firmware shows of a card whose address was never written to it."""

POLICIES: Final = ("once", "until-finished", "always", "never", "menu")


def to_system(read: Read[SystemFile]) -> System:
    """The model's system, of origin ``file``.

    Raises:
        ConfigError: a MAC or the UUID is not one.
    """
    value = read.value
    interfaces: list[Interface] = []
    for index, card in enumerate(value.interfaces):
        try:
            mac = Mac.parse(card.mac)
        except ValueError as error:
            raise ConfigError(read.file, f"interface[{index}].mac", str(error)) from error
        interfaces.append(Interface(card.name or f"eth{index}", mac, card.address, card.hostname, card.vars))
    try:
        uuid = str(UUID(value.uuid)) if value.uuid else ""
    except ValueError:
        raise ConfigError(read.file, "uuid", f"{value.uuid!r} is not a UUID") from None
    return System(
        name=read.name,
        profile=value.profile,
        interfaces=tuple(interfaces),
        uuid=uuid,
        client_id=value.client_id,
        circuit_id=value.circuit_id,
        remote_id=value.remote_id,
        hostname=value.hostname,
        netboot=value.netboot,
        policy=value.policy,
        max_attempts=value.max_attempts,
        kernel_args=value.kernel_args,
        answers=value.answers,
        vars=value.vars,
        options=value.options,
        comment=value.comment,
        tags=value.tags,
        groups=value.groups,
        owners=value.owners,
        installer=value.installer,
        source=value.source,
        boot_loaders=value.boot_loaders,
        loader=value.loader,
        templates=value.templates,
        power=value.power,
        links=tuple(
            Link(link.name, link.kind, link.members, link.vlan, link.address, link.options, link.vars)
            for link in value.links
        ),
        origin="file",
        file=read.file,
        version=read.revision,
    )


def check_system(
    system: System, others: Iterable[System], profiles: Collection[str], subnets: Sequence[Subnet] | None
) -> tuple[str, ...]:
    """What is wrong with a system, one sentence each.

    Args:
        system: the system as it would be.
        others: other systems, wherever they are kept, at least those that could clash with it
            (:class:`provd.core.system_claims.Claims`); for an edit without the one that is replaced.
        profiles: names of profiles that can be installed.
        subnets: the configured subnets; None leaves addresses unchecked.
    """
    return (
        *own_faults(system),
        *profile_faults(system, profiles),
        *address_faults(system, subnets),
        *(fault for other in others for fault in clashes(system, other)),
    )


def check_systems(
    systems: Sequence[System], profiles: Collection[str], subnets: Sequence[Subnet] | None
) -> tuple[Problem, ...]:
    """What is wrong with all systems together; each clash is told once."""
    found: list[Problem] = []
    before = Claims()
    for system in systems:
        name = f"system {system.name}"
        rules = check_system(system, before.rivals(system), profiles, subnets)
        before.add(system)
        found.extend(Problem(system.file, "", f"{name}: {rule}", subject=name) for rule in rules)
    return tuple(found)


def clashes(system: System, other: System) -> Iterator[str]:
    """What two systems may not share: a name, a MAC, a reserved address, a UUID."""
    whom = f"system {other.name} ({other.file or other.origin})"
    if system.name == other.name:
        yield f"the name is already that of {whom}"
    if system.uuid and system.uuid == other.uuid:
        yield f"UUID {system.uuid} is already that of {whom}"
    if system.client_id and _same(system.client_id, other.client_id):
        yield f"client identifier {system.client_id} is already that of {whom}"
    if (system.circuit_id or system.remote_id) and _same_port(system, other):
        yield f"relay port {system.circuit_id or system.remote_id} is already that of {whom}"
    macs = {card.mac for card in other.interfaces}
    addresses = {card.address for card in other.interfaces if card.address is not None}
    for card in system.interfaces:
        if card.mac in macs:
            yield f"MAC {card.mac} is already that of {whom}"
        if card.address in addresses:
            yield f"address {card.address} is already that of {whom}"


def _same(one: str, other: str) -> bool:
    """The same octets, however they are written."""
    try:
        return bool(other) and octets_of(one) == octets_of(other)
    except ValueError:
        return False


def _same_port(one: System, other: System) -> bool:
    try:
        return one.port == other.port
    except ValueError:
        return False


def own_faults(system: System) -> Iterator[str]:
    """What is wrong with a system by itself."""
    for part, several in (("interfaces", system.interfaces), ("links", system.links)):
        if len(several) > MOST_PARTS:
            yield f"{part}: {len(several)} are more than the {MOST_PARTS} that one system may have"
            return
    if not NAME.fullmatch(system.name):
        yield f"{system.name!r} is not a name: letters, digits and . _ + - are expected, a letter or digit first"
    if not HOST.fullmatch(system.host):
        cure = "" if system.hostname else ", so hostname must be set"
        yield f"{system.host!r} is not a host name (RFC 1123){cure}"
    if system.policy and system.policy not in POLICIES:
        yield f"policy {system.policy!r} is not one of {', '.join(POLICIES)}"
    if system.max_attempts < 0:
        yield f"max_attempts {system.max_attempts} is less than 0"
    told = (system.interfaces, system.uuid, system.client_id, system.circuit_id, system.remote_id)
    if not any(told) and system.origin != "store":
        yield "nothing says which machine it is: an interface with a MAC, or uuid, client_id or circuit_id, is needed"
    yield from _identifier_faults(system)
    yield from _card_faults(system)
    yield from link_faults(system.interfaces, system.links)
    broken = tuple(_value_faults(system))
    yield from (f"{key}: {rule}" for key, rule in broken)
    if broken:
        return
    rules = (
        *template_faults(system.templates),
        *answer_faults(system.answers),
        *secret_faults(system.power, "power"),
        *argument_faults(system.kernel_args),
        *faults(system.options),
    )
    for key, rule in rules:
        yield f"{key}: {rule}"


def _card_faults(system: System) -> Iterator[str]:
    for field in ("name", "mac", "address"):
        values = [getattr(card, field) for card in system.interfaces]
        for value in dict.fromkeys(value for value in values if value and values.count(value) > 1):
            yield f"two interfaces have the {field} {value}"
    for card in system.interfaces:
        if card.hostname and not HOST.fullmatch(card.hostname):
            yield f"interface {card.name}: {card.hostname!r} is not a host name (RFC 1123)"
        if card.mac.octets[0] & 1:
            yield f"interface {card.name}: MAC {card.mac} is a group address"
        if card.mac == _NO_MAC:
            yield f"interface {card.name}: MAC {card.mac} is that of a card without one"


def _value_faults(system: System) -> Iterator[tuple[str, str]]:
    for name in (
        "answers", "vars", "options", "kernel_args", "tags", "groups", "owners", "comment", "installer", "source",
        "boot_loaders", "loader", "templates", "power",
    ):  # fmt: skip
        yield from value_faults(getattr(system, name), name)
    for index, card in enumerate(system.interfaces):
        yield from value_faults(card.vars, f"interfaces[{index}].vars")
        yield from value_faults(card.name, f"interfaces[{index}].name")
    for index, link in enumerate(system.links):
        yield from value_faults(link.vars, f"links[{index}].vars")
        yield from value_faults(link.options, f"links[{index}].options")


def _identifier_faults(system: System) -> Iterator[str]:
    for field in ("client_id", "circuit_id", "remote_id"):
        fault = octets_fault(getattr(system, field))
        if fault:
            yield f"{field} {fault}"
        elif field == "client_id" and len(octets_of(system.client_id)) == 1:
            yield "client_id has one octet, so it is no identity (RFC 2132 section 9.14)"


def plugin_faults(system: System, installers: Collection[str], boot_loaders: Collection[str]) -> Iterator[str]:
    """What a system names itself and no plugin brings.

    Args:
        system: the system.
        installers: names of those that enabled plugins bring.
        boot_loaders: the same.
    """
    if system.installer and system.installer not in installers:
        near = near_miss(system.installer, list(installers))
        yield f"installer: no enabled plugin brings the installer {system.installer!r}{near}"
    for name in system.boot_loaders:
        if name not in boot_loaders:
            near = near_miss(name, list(boot_loaders))
            yield f"boot_loaders: no enabled plugin brings the boot loader {name!r}{near}"


def profile_faults(system: System, profiles: Collection[str]) -> Iterator[str]:
    """The profile is not there; the machine keeps its name and address, and is held when it boots."""
    if system.profile and system.profile not in profiles:
        near = near_miss(system.profile, list(profiles))
        yield f"no profile that can be installed has the name {system.profile!r}{near}"


def address_faults(system: System, subnets: Sequence[Subnet] | None) -> Iterator[str]:
    """Reserved addresses that no subnet can give; None for ``subnets`` leaves them unchecked."""
    for card in system.interfaces:
        if subnets is None or card.address is None:
            continue
        subnet = next((subnet for subnet in subnets if card.address in subnet.network), None)
        if subnet is None:
            known = ", ".join(str(subnet.network) for subnet in subnets) or "none"
            yield f"address {card.address} lies outside every subnet; known: {known}"
        elif card.address in edges(subnet.network):
            yield f"address {card.address} is the network or broadcast address of {subnet.network}"
        elif card.address in (*subnet.routers, subnet.server_address):
            yield f"address {card.address} is a router or provd's own in subnet {subnet.name}"


def without_clashing(systems: Iterable[System]) -> tuple[tuple[System, ...], tuple[Problem, ...]]:
    """Of declared systems, those that clash with no earlier one, and a problem for each of the others."""
    kept: list[System] = []
    problems: list[Problem] = []
    claims = Claims()
    for system in systems:
        rule = next((fault for other in claims.rivals(system) for fault in clashes(system, other)), "")
        if rule:
            problems.append(Problem(system.file, "", rule, subject=f"system {system.name}"))
        else:
            kept.append(system)
            claims.add(system)
    return tuple(kept), tuple(problems)
