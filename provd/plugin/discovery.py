"""Finds plugins: shipped folder, entry points, and the configured plugin directories.

Finding runs no plugin code: a plugin is imported when its ``Found.plugin`` is first read, so only enabled ones run.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping, Sequence
from importlib import metadata
from pathlib import Path

from provd.plugin.errors import PluginError
from provd.plugin.loading import Found, FoundFile, FoundInstalled, check_directory

GROUP = "provd.plugins"
"""Entry point group: a plugin's name, and where its ``PLUGIN`` is."""


def discover(shipped: Path, plugin_dirs: Sequence[Path]) -> dict[str, Found]:
    """Every plugin that could be enabled, by name.

    Args:
        shipped: the shipped folder.
        plugin_dirs: configured directories; only root or the service user may be able to write to them.

    Raises:
        PluginError: the same name twice, a directory that is missing or that others may write to.
    """
    found: dict[str, Found] = {}
    _add(found, _in_folder(shipped, "shipped", trusted=True))
    _add(found, _installed())
    for directory in plugin_dirs:
        check_directory(directory)
        _add(found, _in_folder(directory, str(directory), trusted=False))
    return found


def select_enabled(found: Mapping[str, Found], enabled: Sequence[str]) -> list[Found]:
    """The enabled plugins in the configured order, which is the call order.

    Raises:
        PluginError: a name nobody provides, or one that is listed twice.
    """
    chosen = []
    for position, name in enumerate(enabled):
        if name not in found:
            near = difflib.get_close_matches(name, found, n=1)
            hint = f"did you mean {near[0]}?" if near else f"there are {', '.join(sorted(found)) or 'none'}"
            raise PluginError(name, f"it is enabled, but nobody provides it; {hint}")
        if name in enabled[:position]:
            raise PluginError(name, "it is enabled twice; the list of enabled plugins is their order")
        chosen.append(found[name])
    return chosen


def _add(found: dict[str, Found], more: Iterable[Found]) -> None:
    for one in more:
        other = found.get(one.name)
        if other is not None:
            raise PluginError(one.name, f"two plugins have this name: {other.where} and {one.where}")
        found[one.name] = one


def _in_folder(folder: Path, origin: str, *, trusted: bool) -> list[Found]:
    plugins: list[Found] = []
    for path in sorted(folder.iterdir()):
        if path.name.startswith((".", "_")):
            continue
        if path.suffix == ".py" or (path / "__init__.py").is_file():
            plugins.append(FoundFile(path.stem if path.suffix == ".py" else path.name, origin, path, trusted=trusted))
    return plugins


def _installed() -> list[Found]:
    points = metadata.entry_points(group=GROUP)
    return [FoundInstalled(point) for point in sorted(points, key=lambda point: (point.name, point.value))]
