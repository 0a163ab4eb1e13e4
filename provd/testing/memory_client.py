"""Operations of a provd in memory, for commands that need no running service."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click


class MemoryClient:
    """Asks a provd of this configuration that answers nobody else: its files are read, nothing is sent or kept.

    Args:
        file: ``provd.toml``.

    Raises:
        click.ClickException: the configuration or a plugin is wrong.
    """

    def __init__(self, file: Path) -> None:
        from provd.app.operations import linter_of
        from provd.config.errors import ConfigError
        from provd.plugin.errors import PluginError
        from provd.service.access import at_once
        from provd.service.operations import OperationTable
        from provd.testing.world import MemoryServer

        try:
            services = MemoryServer(file, "127.0.0.1", "lo").services
        except (ConfigError, PluginError, OSError) as error:
            raise click.ClickException(str(error)) from error
        self._table = OperationTable()
        self._table.add(linter_of(services, at_once).operations())

    def call(self, operation: str, given: Mapping[str, object] | None = None, /, **arguments: object) -> Any:
        """Run an operation.

        Raises:
            provd.api.client.ApiError: it is refused.
        """
        from provd.api.client import ApiError
        from provd.model.account import Caller
        from provd.service.operations import OperationError
        from provd.testing.runtime import run_now

        try:
            caller = Caller("", "admin")
            return run_now(self._table.call(operation, {**(given or {}), **arguments}, caller=caller))
        except OperationError as error:
            raise ApiError(str(error), error.field, error.kind) from error

    def operations(self) -> list[dict[str, Any]]:
        """None that the command line does not know."""
        return []
