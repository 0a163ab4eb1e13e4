"""Finds plugins: shipped folder, entry points, and the configured plugin directories.

Finding runs no plugin code: a plugin is imported when its ``Found.plugin`` is first read, so only enabled ones run.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from importlib import metadata
from pathlib import Path

from provd.plugin.errors import PluginError
from provd.plugin.faults import PluginFault, Tell, raise_fault
from provd.plugin.loading import Found, FoundFile, FoundInstalled, check_directory
from provd.plugin.near import did_you_mean

GROUP = "provd.plugins"
"""Entry point group: a plugin's name, and where its ``PLUGIN`` is."""


def discover(shipped: Path, plugin_dirs: Sequence[Path], tell: Tell | None = None) -> dict[str, Found]:
    """Every plugin that could be enabled, by name.

    Args:
        shipped: the shipped folder.
        plugin_dirs: configured directories; only root or the service user may be able to write to them.
        tell: hears of a directory that cannot be used, from which nothing is run then, and of a name that is taken,
            which stays with whom was found first; None to raise instead.

    Raises:
        PluginError: what ``tell`` would hear, where there is none.
    """
    found: dict[str, Found] = {}
    tell = tell or raise_fault
    _add(found, _in_folder(shipped, "shipped", trusted=True), tell)
    _add(found, _installed(), tell)
    for directory in plugin_dirs:
        try:
            check_directory(directory)
        except PluginError as error:
            tell(PluginFault(error.plugin, error.rule, kind="folder"))
            continue
        _add(found, _in_folder(directory, str(directory), trusted=False), tell)
    return found


def select_enabled(found: Mapping[str, Found], enabled: Sequence[str], tell: Tell | None = None) -> list[Found]:
    """The enabled plugins in the configured order, which is the call order.

    Args:
        found: every plugin by name.
        enabled: names.
        tell: hears of a name that nobody provides, and of one that is listed again; None to raise instead.

    Raises:
        PluginError: what ``tell`` would hear, where there is none.
    """
    chosen = []
    tell = tell or raise_fault
    for position, name in enumerate(enabled):
        if name in enabled[:position]:
            rule = "it is enabled twice; the list of enabled plugins is their order"
            tell(PluginFault(name, rule, kind="second", whole=False))
        elif name not in found:
            hint = did_you_mean(name, found, f"; there are {', '.join(sorted(found)) or 'none'}")
            tell(PluginFault(name, f"it is enabled, but nobody provides it{hint}"))
        else:
            chosen.append(found[name])
    return chosen


def _add(found: dict[str, Found], more: Iterable[Found], tell: Tell) -> None:
    for one in more:
        other = found.get(one.name)
        if other is not None:
            rule = f"two plugins have this name: {other.where} and {one.where}"
            tell(PluginFault(one.name, rule, kind="second", whole=False))
        else:
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
