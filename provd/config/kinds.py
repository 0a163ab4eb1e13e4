"""The kinds of objects that are files: folder, structure, and which keys of which kinds name them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Final

from provd.config.further_objects import ImageFile, MenuFile, RepoFile
from provd.config.keys import Table
from provd.config.objects import DistroFile, ProfileFile


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind.

    Attributes:
        name: as operations call it.
        folder: of its files.
        type: structure of a file.
        users: kind and key of what may name an object of this kind; the key holds a name, or a list of names.
    """

    name: str
    folder: str
    type: type[Table]
    users: tuple[tuple[str, str], ...] = ()


KINDS: Final[Mapping[str, Kind]] = MappingProxyType(
    {
        kind.name: kind
        for kind in (
            Kind("distro", "distros", DistroFile, (("profile", "distro"),)),
            Kind("profile", "profiles", ProfileFile, (("profile", "parent"),)),
            Kind("repo", "repos", RepoFile, (("profile", "repos"),)),
            Kind("image", "images", ImageFile),
            Kind("menu", "menus", MenuFile, (("profile", "menu"), ("menu", "parent"), ("image", "menu"))),
        )
    }
)
"""Kinds that are changed through operations, by name."""

SINGULAR: Final[Mapping[str, str]] = MappingProxyType({kind.folder: kind.name for kind in KINDS.values()})
"""Name of a kind by its folder."""


def named_by(value: Table, key: str) -> tuple[str, ...]:
    """The names that a key of an object holds."""
    held: Any = getattr(value, key)
    return tuple(held) if isinstance(held, tuple | list) else (held,) if held else ()


def references(kind: str, value: Table) -> Iterator[tuple[str, str, str]]:
    """Key, kind and name of everything that an object of a kind names."""
    for other in KINDS.values():
        for user, key in other.users:
            if user == kind:
                yield from ((key, other.name, name) for name in named_by(value, key))
