"""The menu as iPXE shows it; it cannot check a hash, so what takes a password cannot be chosen."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from provd.plugin.api import LOCAL, Menu, screen_line

OWN_DISK = "This machine's own disk"


def menu_lines(menu: Menu, own_disk: str, url_of: Callable[[str], str], words: Callable[[str], str]) -> Iterator[str]:
    """Lines of the script.

    Args:
        menu: what is shown; the own disk comes first.
        own_disk: lines that boot it.
        url_of: script of an entry.
        words: makes a text harmless.
    """
    timeout = f"--default {menu.default} --timeout {menu.timeout_s * 1000} " if menu.timeout_s else ""
    yield from _menu(menu, timeout, f"entry_{LOCAL}", words, top=True)
    yield f":entry_{LOCAL}"
    yield own_disk
    for entry in menu.all_entries():
        if not entry.protected:
            yield f":entry_{entry.name}"
            yield f"chain --replace --autofree {url_of(entry.name)} || goto menu_{menu.name}"


def _menu(menu: Menu, timeout: str, back: str, words: Callable[[str], str], *, top: bool) -> Iterator[str]:
    yield f":menu_{menu.name}"
    yield f"menu {words(screen_line(menu.title))}"
    if top:
        yield f"item {LOCAL} {OWN_DISK}"
    yield from (f"item {e.name} {words(screen_line(e.title))}" for e in menu.entries if not e.protected)
    yield from (f"item /{below.name} {words(screen_line(below.title))} ..." for below in menu.menus)
    hidden = sum(entry.protected for entry in menu.entries)
    if hidden:
        yield f"item --gap iPXE cannot check passwords: {hidden} more cannot be chosen here"
    yield f"choose {timeout}chosen || goto {back}"
    # Names of menus begin with a slash, which no profile's does.
    yield "goto entry_${chosen}"
    for below in menu.menus:
        yield f":entry_/{below.name}"
        yield from _menu(below, "", f"menu_{menu.name}", words, top=False)
