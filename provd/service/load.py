"""Reads configuration, plugins and catalogue: the part of a start that `provd check` and a reload share."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from provd.config.catalogue import Catalogue
from provd.config.layers import layers
from provd.config.profiles import settings_level
from provd.config.quirks import read_quirks
from provd.config.schema import ServerConfig
from provd.config.settings import load, tables_of_nobody
from provd.plugin.discovery import discover, select_enabled
from provd.plugin.faults import PluginFault
from provd.plugin.host import PluginHost
from provd.plugin.loading import Found
from provd.plugin.processor_wait import thread_waited_s
from provd.shipped import shipped_dir


@dataclass(frozen=True, slots=True)
class Loaded:
    """What the files say.

    Attributes:
        config: ``provd.toml``.
        catalogue: distros, profiles and declared systems.
        found: every plugin that could be enabled.
        faults: plugins that are configured or enabled, and that cannot be had.
    """

    config: ServerConfig
    catalogue: Catalogue
    found: Mapping[str, Found]
    faults: tuple[PluginFault, ...] = ()


def read(path: Path, before: Catalogue | None = None) -> Loaded:
    """Read everything; only errors of ``provd.toml`` itself stop it: an object or a plugin that is wrong is left out.

    Args:
        path: ``provd.toml``.
        before: the catalogue in force; only what was written to since is read anew.

    Raises:
        ConfigError: ``provd.toml`` or ``quirks.toml`` has an error.
    """
    config = load(path)
    read_quirks(config.site_dir)  # read again where they are used; what is wrong is told here
    faults: list[PluginFault] = []
    found = discover(shipped_dir("plugins"), [Path(folder) for folder in config.plugin_dirs], faults.append)
    select_enabled(found, config.enabled, faults.append)
    faults += [PluginFault(name, rule) for name, rule in tables_of_nobody(config, found.keys(), str(path))]
    return Loaded(config, read_catalogue(config, before, str(path)), found, tuple(faults))


def read_catalogue(config: ServerConfig, before: Catalogue | None = None, file: str = "provd.toml") -> Catalogue:
    """The catalogue of all layers; ``file`` is the configuration's, for the origins of its defaults."""
    return Catalogue.load(layers(config.plugin_dirs, config.site_dir), before, settings_level(config.defaults, file))


def build_host(loaded: Loaded, path: Path, clock: Callable[[], float] = time.monotonic) -> PluginHost:
    """The enabled plugins, built and checked; what is wrong is left out, and told in the host's ``faults``.

    Args:
        loaded: what the files say.
        path: ``provd.toml``, for error sentences.
        clock: monotonic seconds, for slow calls and breakers; another one than the machine's tells nothing of what its
            calls waited for a processor.
    """
    config = loaded.config
    return PluginHost(
        select_enabled(loaded.found, config.enabled, lambda _told_already: None),
        config.plugins,
        clock=clock,
        data_dir=config.data_dir,
        critical=config.critical,
        file=str(path),
        faults=loaded.faults,
        waited=thread_waited_s if clock is time.monotonic else lambda: 0.0,
    )
