"""Builds plugin objects one by one, each with what is wrong with it."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from provd.plugin.contract import Plugin
from provd.plugin.errors import PluginError
from provd.plugin.faults import PluginFault
from provd.plugin.instance import Instance
from provd.plugin.loading import Found
from provd.plugin.settings import read_settings, trigger_names
from provd.plugin.stand_in import stand_in
from provd.plugin.verify import verify


class Builder:
    """Makes instances from what was found.

    Args:
        data_dir: fills empty ``data_dir`` fields of settings.
        critical: plugins in whose place everything is refused where they are off.
        file: configuration file, for error sentences.
    """

    def __init__(self, data_dir: str, critical: Collection[str], file: str) -> None:
        self._data_dir, self._critical, self._file = data_dir, critical, file

    def build(self, found: Found, table: Mapping[str, object]) -> tuple[Instance | None, tuple[PluginFault, ...]]:
        """The object, or None where there is none, and what is wrong."""
        try:
            read = read_settings(found.plugin, table, data_dir=self._data_dir, file=self._file)
            if read.settings is None:
                return None, read.faults
            return _built(found.plugin, read.settings), read.faults
        except PluginError as error:
            return None, (self.fault(found, table, error),)

    def fault(self, found: Found, table: Mapping[str, object], error: PluginError) -> PluginFault:
        """The fault of a plugin that is off for another reason than its settings."""
        plugin = _value(found)
        return PluginFault(found.name, error.rule, trigger_names(plugin, table) if plugin else ())

    def place(self, found: Found, table: Mapping[str, object], name: str) -> str:
        """Where a trigger stands in the settings, for the beginning of a sentence; empty where that is not known."""
        plugin = _value(found)
        names = trigger_names(plugin, table) if plugin else ()
        if plugin is None or name not in names:
            return ""
        return f"{self._file}: plugins.{found.name}.{plugin.triggers}[{names.index(name)}]: "

    def guards(self, name: str, found: Found | None) -> bool:
        """Whether everything is refused in the place of a plugin that is off."""
        plugin = _value(found) if found else None
        return name in self._critical or (plugin is not None and plugin.guards)

    def stand_in(self, name: str, found: Found | None, why: str) -> Instance | None:
        """What refuses in the place of a plugin that is off; None where it is no guard."""
        if not self.guards(name, found):
            return None
        target = stand_in(name, why, _value(found) if found else None)
        return Instance(name, target, verify(name, target))


def _value(found: Found) -> Plugin[Any] | None:
    try:
        return found.plugin
    except PluginError:
        return None


def _built(plugin: Plugin[Any], settings: object) -> Instance:
    try:
        target = plugin.build(settings)
    except Exception as error:
        raise PluginError(plugin.name, f"it cannot be built: {type(error).__name__}: {error}") from error
    return Instance(plugin.name, target, verify(plugin.name, target))
