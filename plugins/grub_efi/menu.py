"""The menu as GRUB shows it, with passwords as PBKDF2 hashes."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from provd.plugin.api import LOCAL, Menu, MenuEntry, screen_line

from .words import quoted

SUPERUSER = "admin"
OWN_DISK = "This machine's own disk"


def menu_text(menu: Menu, own_disk: str, path_of: Callable[[str], str]) -> str:
    """The whole configuration.

    Once any entry takes a password there is a superuser, without whom GRUB lets nobody edit an entry or type commands.

    Args:
        menu: what is shown; the own disk comes first.
        own_disk: commands that boot it.
        path_of: configuration of an entry, as GRUB names it.
    """
    # By number, the own disk is 0: GRUB 2.06 takes a name that begins with digits for the number that they are.
    at = next((number for number, entry in enumerate(menu.entries, 1) if entry.name == menu.default), 0)
    lines = [f"set default={at}", f"set timeout={menu.timeout_s or -1}", "set timeout_style=menu"]
    entries = list(menu.all_entries())
    if menu.hashes is not None or any(entry.protected for entry in entries):
        lines.append(f'set superusers="{SUPERUSER}"')
        lines += [f"password_pbkdf2 {SUPERUSER} {menu.hashes.pbkdf2}"] if menu.hashes is not None else []
        lines += [f"password_pbkdf2 {user(e)} {e.hashes.pbkdf2}" for e in entries if e.hashes is not None]
    lines += [f"menuentry {quoted(OWN_DISK)} --id {LOCAL} --unrestricted {{", own_disk.rstrip(), "}"]
    lines += _body(menu, path_of)
    return "\n".join(lines) + "\n"


def user(entry: MenuEntry) -> str:
    """Who types an entry's own password; never the superuser, whose password opens everything."""
    return f"{entry.name}-entry" if entry.name == SUPERUSER else entry.name


def _body(menu: Menu, path_of: Callable[[str], str]) -> Iterator[str]:
    for entry in menu.entries:
        yield f"menuentry {quoted(screen_line(entry.title))} --id {quoted(entry.name)}{_who(entry)} {{"
        yield f"configfile {quoted(path_of(entry.name))}"
        yield "}"
    for below in menu.menus:
        yield f"submenu {quoted(screen_line(below.title))} --unrestricted {{"
        yield from _body(below, path_of)
        yield "}"


def _who(entry: MenuEntry) -> str:
    """Without users an entry is for the superuser alone."""
    if not entry.protected:
        return " --unrestricted"
    return f" --users {quoted(user(entry))}" if entry.hashes is not None else ""
