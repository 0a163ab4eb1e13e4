"""Menus stand in menus: each parent is there, and none is inside itself."""

from __future__ import annotations

from collections.abc import Iterator

from provd.config.errors import Problem
from provd.config.sources import Sources


def menu_problems(sources: Sources) -> Iterator[Problem]:
    """Menus and images whose menu is not there, and menus that are inside themselves."""
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
