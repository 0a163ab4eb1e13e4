"""Compares two catalogues machine by machine; machines that differ in nothing but who they are are looked at once."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace

from provd.model.mac import Mac
from provd.model.system import System
from provd.planning.outcome import Side, keys_of

_NOBODY = Mac(bytes((2, 0, 0, 0, 0, 0)))


@dataclass(slots=True)
class Change:
    """What changes for some machines in the same way.

    Attributes:
        kind: ``changed``, ``added`` or ``removed``.
        systems: names.
        lines: what changes, as of the first of them: ``key: before -> after``, and for texts a unified diff.
    """

    kind: str
    systems: list[str]
    lines: list[str] = field(default_factory=list)


def plan(before: Side, after: Side, old: Mapping[str, System], new: Mapping[str, System]) -> list[Change]:
    """Every change, grouped; empty where no machine would notice.

    Args:
        before: the catalogue in force.
        after: the changed one.
        old: machines that there are, by name.
        new: machines as they would be.
    """
    changes: dict[object, Change] = {}
    seen: dict[object, tuple[str, ...]] = {}
    for name in sorted(old.keys() & new.keys()):
        one, other = old[name], new[name]
        key = (_class(one), _class(other)) if _identity(one) == _identity(other) else (name, name)
        if key not in seen:
            seen[key] = tuple(_lines(before, after, one, other))
        if seen[key]:
            changes.setdefault(seen[key], Change("changed", [], list(seen[key]))).systems.append(name)
    found = list(changes.values())
    found += [Change("added", [name]) for name in sorted(new.keys() - old.keys())]
    found += [Change("removed", [name]) for name in sorted(old.keys() - new.keys())]
    return found


def _identity(system: System) -> object:
    told = (system.uuid, system.client_id, system.circuit_id, system.remote_id)
    return system.name, system.hostname, told, system.interfaces, system.links


def _class(system: System) -> str:
    """The system without who it is, as text: of its cards their number and what templates read of them counts."""
    cards = tuple(
        replace(card, name=f"eth{at}", mac=_NOBODY, address=None, hostname="")
        for at, card in enumerate(system.interfaces)
    )
    nobody = dict.fromkeys(("name", "hostname", "uuid", "client_id", "circuit_id", "remote_id"), "")
    return repr(replace(system, **nobody, interfaces=cards, version="", comment="", file="", origin=""))  # type: ignore[arg-type]


def _lines(before: Side, after: Side, one: System, other: System) -> Iterator[str]:
    old, new = before.outcome(one), after.outcome(other)
    for key in keys_of(old, new):
        yield from _difference(key, old.get(key), new.get(key))


def _difference(key: str, old: str | None, new: str | None) -> Iterator[str]:
    if old is not None and new is not None and ("\n" in old or "\n" in new):
        yield f"{key}:"
        for line in list(difflib.unified_diff(old.splitlines(), new.splitlines(), lineterm="", n=1))[2:]:
            yield f"    {line}"
        return
    yield f"{key}: {_shown(old)} -> {_shown(new)}"


def _shown(value: str | None) -> str:
    return "(none)" if value in {None, ""} else repr(value)[:300]


def declared(side: Side) -> dict[str, System]:
    """Machines of the site's files on one side."""
    return dict(side.server.loaded.catalogue.systems)
