"""A plugin on the table: its source, its manual, its settings, its object in a host."""

from __future__ import annotations

import ast
import re
import textwrap
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from provd.config import toml
from provd.config.errors import ConfigError
from provd.plugin.host import PluginHost
from provd.plugin.loading import Found
from provd.plugin.settings import decode_settings

_BLOCK = re.compile(r"(?:^    .*\n|^\n)+", re.MULTILINE)


class Still:
    """A clock that stands, so that no slow machine opens a breaker in a test."""

    def __call__(self) -> float:
        """Seconds."""
        return 1000.0


@dataclass
class Examined:
    """One plugin.

    Attributes:
        found: where it was found.
        table: its ``[plugins.NAME]``, or None for the one in its manual.
        data_dir: an empty folder.
    """

    found: Found
    table: Mapping[str, object] | None
    data_dir: Path
    _told: dict[str, int] = field(default_factory=dict, repr=False)

    @property
    def name(self) -> str:
        """Its name."""
        return self.found.name

    @cached_property
    def sources(self) -> tuple[Path, ...]:
        """Its Python files."""
        path = self.found.path
        return tuple(sorted(path.rglob("*.py"))) if path.is_dir() else (path,)

    @cached_property
    def manual(self) -> str:
        """Docstring of its module."""
        path = self.found.path
        text = (path / "__init__.py" if path.is_dir() else path).read_text(encoding="utf-8")
        # as it stands: cleaning would take the indentation of TOML blocks where nothing else is indented less
        return ast.get_docstring(ast.parse(text), clean=False) or ""

    @cached_property
    def manual_toml(self) -> list[str]:
        """Blocks of the manual that configure it: indented, or paragraphs where a formatter took the indentation."""
        wanted = rf"\[plugins\.{re.escape(self.name)}\b"
        blocks = [textwrap.dedent(block) for block in _BLOCK.findall(self.manual + "\n") if re.search(wanted, block)]
        return blocks or [part for part in self.manual.split("\n\n") if re.match(rf"\s*\[?{wanted}", part)]

    @cached_property
    def settings_table(self) -> Mapping[str, object]:
        """The table it is built with.

        Raises:
            ValueError: the TOML of the manual is none.
        """
        if self.table is not None:
            return self.table
        try:
            tables = toml.parse("\n".join(self.manual_toml).encode(), "the manual")
        except ConfigError as error:
            raise ValueError(f"the TOML in its manual cannot be read: {error}") from error
        found: Any = tables.get("plugins", {}).get(self.name, {})
        return dict(found)

    def build(self) -> object:
        """A new object of it."""
        plugin = self.found.plugin
        return plugin.build(decode_settings(plugin, self.settings_table, data_dir=str(self.data_dir)))

    @cached_property
    def host(self) -> PluginHost:
        """A host with this plugin alone."""
        return PluginHost([self.found], {self.name: self.settings_table}, clock=Still(), data_dir=str(self.data_dir))

    def failures(self) -> list[str]:
        """Calls that raised or answered with a wrong value since the last look: the host hides them from requests."""
        if "host" not in self.__dict__:
            return []
        found = []
        for row in self.host.stats():
            if row.failures > self._told.get(row.hook, 0):
                found.append(f"{row.hook}: {row.last_error}")
            self._told[row.hook] = row.failures
        return found
