"""Finds systems by patterns; what an index can answer looks at few systems, everything else at each of them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Final, Protocol

from provd.model.mac import Mac
from provd.model.system import InstallState, System
from provd.service.find import Condition, Values, conditions_of
from provd.service.system_index import SystemIndex

TABLES: Final = ("answers", "vars", "options", "power")

_FIELDS: Final[Mapping[str, Values]] = {
    "name": lambda system: (system.name,),
    "profile": lambda system: (system.profile,),
    "mac": lambda system: [card.mac.octets.hex(":") for card in system.interfaces],
    "address": lambda system: [card.address for card in system.interfaces if card.address is not None],
    "interface": lambda system: [card.name for card in system.interfaces],
    "link": lambda system: [link.name for link in system.links],
    "hostname": lambda system: (system.host,),
    "uuid": lambda system: (system.uuid,),
    "client_id": lambda system: (system.client_id,),
    "circuit_id": lambda system: (system.circuit_id,),
    "remote_id": lambda system: (system.remote_id,),
    "policy": lambda system: (system.policy,),
    "kernel_args": lambda system: system.kernel_args,
    "installer": lambda system: (system.installer,),
    "source": lambda system: (system.source,),
    "boot_loaders": lambda system: system.boot_loaders,
    "comment": lambda system: (system.comment,),
    "tags": lambda system: system.tags,
    "groups": lambda system: system.groups,
    "owners": lambda system: system.owners,
    "origin": lambda system: (system.file or system.origin,),
}

FIELDS: Final = (*_FIELDS, "netboot", "state")
"""What systems can be found by, besides keys of :data:`TABLES`."""


class States(Protocol):
    """Install states by system name."""

    def get(self, system: str) -> InstallState:
        """The state, a fresh one where none is kept."""
        ...


def find_systems(
    index: SystemIndex, states: States, where: Mapping[str, Any], *, after: str = "", ignore_case: bool = False
) -> Iterator[System]:
    """Systems for which every condition holds, by name.

    Args:
        index: the systems.
        states: for the fields ``netboot`` and ``state``.
        where: field to pattern or patterns.
        after: only names behind this one.
        ignore_case: upper and lower case letters are the same; of a MAC or UUID they always are.

    Raises:
        provd.service.operations.OperationError: a wrong condition.
    """
    conditions = conditions_of(_lowered(where), _fields(states), TABLES, ignore_case=ignore_case)
    candidates = _candidates(index, () if ignore_case else conditions, after)
    for condition in conditions:
        candidates = filter(condition.holds, candidates)
    return candidates


def _fields(states: States) -> Mapping[str, Values]:
    def netboot(system: System) -> Sequence[object]:
        wish = states.get(system.name).netboot
        return (system.netboot if wish is None else wish,)

    return {**_FIELDS, "netboot": netboot, "state": lambda system: (states.get(system.name).state,)}


def _lowered(where: Mapping[str, Any]) -> Mapping[str, Any]:
    """Hardware addresses and UUIDs are kept in lower case."""
    return {field: _lower(wanted) if field in {"mac", "uuid"} else wanted for field, wanted in where.items()}


def _lower(wanted: Any) -> Any:
    if isinstance(wanted, list | tuple):
        return [_lower(one) for one in wanted]
    return wanted.lower() if isinstance(wanted, str) else wanted


def _candidates(index: SystemIndex, conditions: Sequence[Condition], after: str) -> Iterator[System]:
    """The fewest systems that an index can narrow the search to, in the order of names."""
    by_name = index.by_name()
    for condition in conditions:
        names = _exact(index, condition)
        if names is None:
            names = _fitting(index, condition)
        if names is not None:
            return (by_name[name] for name in sorted(set(names)) if name > after and name in by_name)
    prefix = next((one.prefix() for one in conditions if one.field == "name"), "")
    return (by_name[name] for name in list(index.names(prefix=prefix, after=after)))


def _exact(index: SystemIndex, condition: Condition) -> Iterable[str] | None:
    exact = condition.exact()
    if not exact:
        return None
    if condition.field == "name":
        return exact
    if condition.field == "profile":
        return [name for profile in exact for name in index.users(profile)]
    if condition.field == "uuid" and "" not in exact:
        return [system.name for uuid in exact if (system := index.of_uuid(uuid)) is not None]
    if condition.field == "mac":
        return [system.name for text in exact if (system := _of_mac(index, text)) is not None]
    return None


def _fitting(index: SystemIndex, condition: Condition) -> Iterable[str] | None:
    """Names by a pattern of hardware addresses, which are there without looking into the systems."""
    if condition.field != "mac" or condition.match("") is not None:
        return None
    return [system.name for text, system in index.macs() if condition.match(text) is not None]


def _of_mac(index: SystemIndex, text: str) -> System | None:
    try:
        return index.of_mac(Mac.parse(text).octets)
    except ValueError:
        return None
