"""What an import refuses before it begins: a name that is none, places that are taken, trees that reach outside."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable, Iterator
from pathlib import Path

from provd.config.layers import NAME
from provd.media.medium import MediumError


def check_name(name: str) -> None:
    """Refuse what the catalogue takes for no name; it becomes part of paths.

    Raises:
        MediumError: it is none.
    """
    if not NAME.fullmatch(name):
        raise MediumError(f"--name {name!r}: up to 64 letters, digits and . _ + - are expected, no sign first")


def check_free(targets: Iterable[Path]) -> None:
    """Refuse to write over anything: an import that fails removes its targets, so all of them must be its own.

    Raises:
        MediumError: one is there.
    """
    for target in targets:
        if os.path.lexists(target):
            raise MediumError(f"{target} is there already: choose another --name, or remove it")


def check_tree(root: Path, target: Path) -> None:
    """Refuse a tree whose copy would hold what is not the tree's.

    Args:
        root: the tree, resolved.
        target: where its copy goes.

    Raises:
        MediumError: the copy would lie in the tree itself, a link leads out of the tree, or something is no file.
    """
    if target.resolve().is_relative_to(root):
        raise MediumError(f"{root} cannot be copied to {target}, which is inside of it")
    for path in _entries(root):
        mode = path.lstat().st_mode
        if stat.S_ISLNK(mode):
            _check_link(root, path)
        elif not (stat.S_ISREG(mode) or stat.S_ISDIR(mode)):
            raise MediumError(f"{path} is neither a file nor a directory nor a link")


def _check_link(root: Path, path: Path) -> None:
    # An absolute link would lead from the copy back to the medium, wherever in the tree it points.
    goes = Path(path.readlink())
    try:
        inside = not goes.is_absolute() and path.resolve().is_relative_to(root)
    except (OSError, RuntimeError):
        raise MediumError(f"{path} is a link that goes in circles") from None
    if not inside:
        raise MediumError(f"{path} is a link to {goes}, which leaves the tree")


def _entries(root: Path) -> Iterator[Path]:
    def stop(error: OSError) -> None:
        raise error

    for folder, folders, files in os.walk(root, onerror=stop):
        yield from (Path(folder, name) for name in (*folders, *files))
