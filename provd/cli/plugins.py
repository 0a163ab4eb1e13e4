"""The command ``provd plugin new``."""

from __future__ import annotations

from pathlib import Path

import click

from provd.cli.context import example, output_option
from provd.cli.output import show

# As in provd.scaffold, which is not imported for every command's help.
KINDS = ("distro", "loader", "source", "trigger", "inventory", "operation")


@click.command(
    epilog=example("provd plugin new acme --kind distro", "provd plugin new pager --kind trigger --in ~/src")
)
@click.argument("name")
@click.option("--kind", type=click.Choice(KINDS), required=True, help="What the plugin brings.")
@click.option(
    "--in", "folder", type=click.Path(file_okay=False, path_type=Path), default=".", show_default=True,
    help="Where the package's folder is made.",
)  # fmt: skip
@output_option
def new(name: str, kind: str, folder: Path, output: str) -> None:
    """Write a package NAME with a working plugin and its tests."""
    from provd.scaffold import ScaffoldError, write

    try:
        files = write(name, kind, folder)
    except (ScaffoldError, OSError) as error:
        raise click.ClickException(str(error)) from error
    show([{"file": str(file)} for file in files], output)
    if output == "table":
        click.echo(f"\nNext: cd {folder / name}; pip install --editable . ; pytest ; provd plugin check {name}")
