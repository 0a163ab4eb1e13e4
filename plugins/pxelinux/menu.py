"""The menu as pxelinux shows it: syslinux's menu.c32 with hashed passwords, or plain words where that is missing."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from provd.plugin.api import LOCAL, Menu, MenuEntry, PasswordHashes, screen_line

OWN_DISK = "This machine's own disk"
_STAYS_S = 600
"""Seconds after which the default is started although somebody pressed a key; noise on a serial line presses keys."""


def menu_text(menu: Menu, module: str, localboot: object, path_of: Callable[[str], str]) -> str:
    """The whole configuration.

    Args:
        menu: what is shown; the own disk comes first.
        module: ``menu.c32`` or ``vesamenu.c32``; empty: a prompt, which asks for no password, so what takes one is left
            out.
        localboot: what LOCALBOOT says.
        path_of: configuration of an entry.
    """
    lines = [f"UI {module}"] if module else [f"SAY {line}" for line in _words(menu)]
    # pxelinux 6.04: with NOESCAPE there would be no prompt either, and with IMPLICIT 0 no module would be loaded.
    lines += ["PROMPT 0", "NOESCAPE 1"] if module else ["PROMPT 1", "IMPLICIT 0"]
    lines += ["ALLOWOPTIONS 0", *_time(menu)]
    if module and menu.hashes is not None:
        lines.append(f"MENU MASTER PASSWD {menu.hashes.crypt}")
    lines += [f"MENU TITLE {screen_line(menu.title)}"] if module else [f"DEFAULT {menu.default}"]
    lines += [
        f"LABEL {LOCAL}",
        *([f"  MENU LABEL {OWN_DISK}", *_marked(menu, LOCAL)] if module else []),
        f"  LOCALBOOT {localboot}",
    ]
    lines += _body(menu, menu.hashes, path_of, module)
    return "\n".join(lines) + "\n"


def _time(menu: Menu) -> list[str]:
    if not menu.timeout_s:
        return []
    stays = max(10 * menu.timeout_s, _STAYS_S)
    return [f"TIMEOUT {menu.timeout_s * 10}", f"TOTALTIMEOUT {stays * 10}", f"ONTIMEOUT {menu.default}"]


def _body(menu: Menu, master: PasswordHashes | None, path_of: Callable[[str], str], module: str) -> Iterator[str]:
    for entry in menu.entries:
        if module or not entry.protected:
            yield from _entry(entry, master, path_of, module)
            yield from _marked(menu, entry.name) if module else ()
    for below in menu.menus:
        if module:
            yield f"MENU BEGIN {below.name}"
            yield f"MENU TITLE {screen_line(below.title)}"
            yield f"LABEL back-{below.name}"
            yield from ("  MENU LABEL Back", "  MENU EXIT")
        yield from _body(below, master, path_of, module)
        if module:
            yield "MENU END"


def _entry(
    entry: MenuEntry, master: PasswordHashes | None, path_of: Callable[[str], str], module: str
) -> Iterator[str]:
    yield f"LABEL {entry.name}"
    if module:
        yield f"  MENU LABEL {screen_line(entry.title).replace('^', '')}"
        # Without a hash nobody gets in: an empty MENU PASSWD is no password.
        hashes = entry.hashes or master
        if entry.protected and hashes is not None:
            yield f"  MENU PASSWD {hashes.crypt}"
    yield f"  CONFIG {path_of(entry.name)}"


def _marked(menu: Menu, name: str) -> list[str]:
    """The line that puts the bar on the default."""
    return ["  MENU DEFAULT"] if name == menu.default else []


def _words(menu: Menu) -> Iterator[str]:
    """The menu for a prompt."""
    yield screen_line(menu.title)
    yield f"  {LOCAL}: {OWN_DISK}"
    hidden = 0
    for entry in menu.all_entries():
        if entry.protected:
            hidden += 1
        else:
            yield f"  {entry.name}: {screen_line(entry.title)}"
    if hidden:
        yield f"Without menu.c32 no password can be asked for: {hidden} more cannot be chosen here."
    yield f"Type a name; {menu.default} starts after {menu.timeout_s} seconds." if menu.timeout_s else "Type a name."
