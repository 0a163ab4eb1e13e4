"""Menus: what stands in each, and whether each parent and profile is there and none is inside itself."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from provd.config.errors import Problem
from provd.config.further_objects import MenuEntryTable, MenuFile
from provd.config.reader import Read
from provd.config.sources import Sources
from provd.model.menu import LOCAL, Menu, MenuEntry
from provd.model.profile import Profile


def menu_problems(sources: Sources, profiles: Mapping[str, Profile]) -> Iterator[Problem]:
    """Menus and images whose menu is not there, menus that are inside themselves, entries that are nowhere."""
    menus = sources.good("menus")
    for name, image in sorted(sources.good("images").items()):
        if image.value.menu and image.value.menu not in menus:
            yield Problem(image.file, "menu", f"no menu has the name {image.value.menu!r}", subject=f"image {name}")
    for name, read in sorted(menus.items()):
        above = [name]
        while (parent := menus[above[-1]].value.parent) and parent in menus and parent not in above:
            above.append(parent)
        if parent and parent not in menus and len(above) == 1:
            yield Problem(read.file, "parent", f"no menu has the name {parent!r}", subject=f"menu {name}")
        elif parent == name:
            yield Problem(
                read.file, "parent", f"menus in a circle: {' -> '.join([*above, name])}", subject=f"menu {name}"
            )
        for key, rule in _entry_faults(read, menus, profiles):
            yield Problem(read.file, key, rule, subject=f"menu {name}")


def _entry_faults(
    read: Read[MenuFile], menus: Mapping[str, Read[MenuFile]], profiles: Mapping[str, Profile]
) -> Iterator[tuple[str, str]]:
    for number, entry in enumerate(read.value.entries):
        if entry.profile not in profiles:
            yield f"entry[{number}].profile", f"no profile that can be booted has the name {entry.profile!r}"
    default = read.value.default
    if default and default not in {entry.name for entry in _entries(read, menus, profiles)}:
        yield "default", f"{default!r} is no entry of this menu"


def menus_of(sources: Sources, profiles: Mapping[str, Profile]) -> Mapping[str, Menu]:
    """Every menu at the top with all that stands in it."""
    menus = sources.good("menus")
    tops = (name for name, read in sorted(menus.items()) if not read.value.parent)
    return {name: _menu(name, menus, profiles, frozenset()) for name in tops}


def _menu(
    name: str, menus: Mapping[str, Read[MenuFile]], profiles: Mapping[str, Profile], above: frozenset[str]
) -> Menu:
    read, above = menus[name], above | {name}
    below = sorted(one for one, other in menus.items() if other.value.parent == name and one not in above)
    return Menu(
        name,
        read.value.title or name,
        tuple(_entries(read, menus, profiles)),
        tuple(_menu(one, menus, profiles, above) for one in below),
        read.value.timeout_s,
        read.value.default or LOCAL,
        read.value.protect,
        read.value.password,
    )


def _entries(
    read: Read[MenuFile], menus: Mapping[str, Read[MenuFile]], profiles: Mapping[str, Profile]
) -> Iterator[MenuEntry]:
    """Those with a table first, then the profiles that name the menu; each profile is in one menu, where it is told."""
    told = {entry.profile: entry for entry in read.value.entries}
    elsewhere = {entry.profile for other in menus.values() if other is not read for entry in other.value.entries}
    named = (name for name, one in sorted(profiles.items()) if one.menu == read.name and name not in elsewhere)
    for name in dict.fromkeys((*told, *named)):
        if name in profiles and name != LOCAL:
            yield _entry(profiles[name], told.get(name))


def _entry(profile: Profile, told: MenuEntryTable | None) -> MenuEntry:
    title = (told.title if told is not None else "") or profile.comment or profile.name
    return MenuEntry(profile.name, title, password=told.password if told is not None else None)
