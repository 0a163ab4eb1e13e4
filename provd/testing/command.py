"""The command ``provd plugin check``."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path

import click

from provd.cli.context import REFUSED, example, output_option
from provd.cli.output import show


@click.command(
    epilog=example("provd plugin check acme", "provd plugin check ./by_name.py --settings provd.toml -o json")
)
@click.argument("plugin")
@click.option(
    "--settings", type=click.Path(dir_okay=False, path_type=Path),
    help="TOML file with [plugins.NAME]; without it, the one in the plugin's manual is taken.",
)  # fmt: skip
@output_option
def check(plugin: str, settings: Path | None, output: str) -> None:
    """Look whether PLUGIN (a name, or the path of its file or folder) keeps the rules for plugins, and why not."""
    from provd.config.errors import ConfigError
    from provd.plugin.errors import PluginError
    from provd.testing.conformance import examine, found_at

    try:
        found = found_at(plugin)
        verdicts = examine(found, _table(settings, found.name) if settings else None)
    except (LookupError, ConfigError, PluginError) as error:
        raise click.ClickException(str(error.args[0] if isinstance(error, LookupError) else error)) from error
    rows = [{"rule": one.rule, "kept": one.ok, "seen": one.text or one.promise} for one in verdicts]
    show(rows, output, ("rule", "kept", "seen"))
    if not all(one.ok for one in verdicts):
        sys.exit(REFUSED)


def _table(file: Path, name: str) -> Mapping[str, object]:
    from provd.config import toml

    table: Mapping[str, object] | None = toml.read(file).get("plugins", {}).get(name)
    if table is None:
        raise LookupError(f"{file} has no [plugins.{name}]")
    return table
