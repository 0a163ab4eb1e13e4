"""Which menu a machine is shown, and which entries of it are for this machine."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

from provd.core.programs import boots_on
from provd.model.arch import Arch
from provd.model.menu import LOCAL, Menu, MenuEntry
from provd.model.profile import Profile


def menu_named(menus: Mapping[str, Menu], name: str) -> Menu | str:
    """The menu of this name, or the only one where none is named; else one sentence on why there is none.

    Args:
        menus: those at the top.
        name: as ``boot.menu`` says, or empty.
    """
    if name:
        return menus.get(name) or f"policy menu: no menu at the top has the name {name!r}"
    if len(menus) == 1:
        return next(iter(menus.values()))
    return (
        f"policy menu: there are {len(menus)} menus at the top ({', '.join(menus)}); boot.menu says which"
        if menus
        else "policy menu: there is no menu (menus/NAME.toml)"
    )


def menu_for(
    menu: Menu,
    *,
    arch: Arch | None,
    known: bool,
    profile_of: Callable[[str], Profile | None],
    installs: Callable[[Profile], bool],
) -> Menu:
    """The menu with the entries that this machine can boot, each told whether it installs and takes a password.

    An unknown machine installs only what a password protects, and only where the menu says how it is named then. What
    installs never starts by itself.

    Args:
        menu: as the catalogue has it.
        arch: of the machine's firmware, None where it was not said.
        known: it is a system.
        profile_of: a profile by name.
        installs: whether a profile's installer installs anything.
    """
    opens, protect = menu.password is not None, menu.protect

    def shown(entry: MenuEntry) -> MenuEntry | None:
        profile = profile_of(entry.name)
        if profile is None or (arch is not None and not boots_on(profile.distro, arch)):
            return None
        wanted = protect == "all" or (protect == "installs" and installs(profile))
        protected = entry.password is not None or (opens and wanted)
        if installs(profile) and not known and not (protected and menu.adopt_as):
            return None
        return replace(entry, installs=installs(profile), protected=protected)

    def pruned(one: Menu) -> Menu:
        entries = tuple(found for entry in one.entries if (found := shown(entry)) is not None)
        below = tuple(kept for each in one.menus if (kept := pruned(each)).entries or kept.menus)
        return replace(one, entries=entries, menus=below, default=LOCAL)

    made = pruned(menu)
    default = next((entry for entry in made.entries if entry.name == menu.default), None)
    by_itself = default is not None and not default.installs and not default.protected
    return replace(made, default=menu.default if by_itself else LOCAL)
