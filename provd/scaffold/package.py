"""Writes the files of a new plugin package from the templates of its kind."""

from __future__ import annotations

import keyword
import re
import sys
from pathlib import Path
from typing import Final

from provd.plugin.discovery import discover
from provd.shipped import shipped_dir

_TEMPLATES: Final = Path(__file__).parent / "templates"
_NAME: Final = re.compile(r"[a-z][a-z0-9_]{1,40}")
KINDS: Final[dict[str, str]] = {
    "distro": "a distro family: installer, answer file, a distro and a profile",
    "loader": "a boot loader for machines of one architecture",
    "source": "a way to reach packages",
    "trigger": "something that is run on an event",
    "inventory": "systems known elsewhere",
    "operation": "a command of its own, in the CLI and every API",
}
"""What can be begun with, each in a few words."""


class ScaffoldError(ValueError):
    """The package cannot be written; one sentence."""


def write(name: str, kind: str, folder: Path) -> list[Path]:
    """Write a package.

    Args:
        name: of the plugin and its package: small letters, digits and underscores.
        kind: one of :data:`KINDS`.
        folder: where the package's folder ``name`` is made.

    Returns:
        The files, relative to ``folder``.

    Raises:
        ScaffoldError: no such kind, a name that cannot be one or is taken, or a folder that is there already.
        OSError: it cannot be written.
    """
    if kind not in KINDS:
        raise ScaffoldError(f"there is no kind {kind}: {', '.join(KINDS)}")
    if not _NAME.fullmatch(name) or keyword.iskeyword(name):
        raise ScaffoldError(f"{name!r} cannot be a plugin's name: small letters, digits and _, a letter first")
    if name in sys.stdlib_module_names or name == "provd":
        raise ScaffoldError(f"a package of this name would hide the Python module {name}: choose another name")
    if name in discover(shipped_dir("plugins"), []):
        raise ScaffoldError(f"there is a plugin {name} already: choose another name")
    root = folder / name
    if not folder.is_dir():
        raise ScaffoldError(f"there is no folder {folder}")
    if root.exists():
        raise ScaffoldError(f"{root} is there already: nothing was written")
    written = []
    for source, target in _files(kind, name):
        path = root / target
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(_render(source, name), encoding="utf-8")
        written.append(path.relative_to(folder))
    return sorted(written)


def _files(kind: str, name: str) -> list[tuple[Path, str]]:
    found: dict[str, Path] = {}
    for part in ("common", kind):
        # What a kind has of its own replaces what all have in common.
        for path in sorted((_TEMPLATES / part).rglob("*.txt")):
            relative = str(path.relative_to(_TEMPLATES / part)).removesuffix(".txt")
            found[relative.replace("NAME", name)] = path
    return [(path, target) for target, path in found.items()]


def _render(source: Path, name: str) -> str:
    """The file with the words for the plugin put in; answer file templates in it stay as they are."""
    words = {"name": name, "title": "".join(part.capitalize() for part in name.split("_"))}
    words["dashed"] = name.replace("_", "-")
    text = source.read_text(encoding="utf-8")
    for word, value in words.items():
        text = text.replace(f"<< {word} >>", value)
    return text
