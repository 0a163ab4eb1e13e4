"""Shipped plugins as a test gets them: found in the shipped folder, settings decoded, behind a host."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from provd.plugin.host import PluginHost
from provd.plugin.loading import FoundFile
from provd.shipped import shipped_dir
from tests.fakes.plugin_world import FakeClock


def shipped(name: str, table: Mapping[str, Any] | None = None, *, data_dir: str = "") -> PluginHost:
    """A host with one shipped plugin."""
    folder = shipped_dir("plugins") / name
    path = folder if folder.is_dir() else folder.with_suffix(".py")
    found = FoundFile(name, "shipped", path, trusted=True)
    return PluginHost([found], {name: table or {}}, clock=FakeClock(), data_dir=data_dir, file="provd.toml")
