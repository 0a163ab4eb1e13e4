"""The command ``provd replay``."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from provd.cli.context import Context, config_option, example, output_option, pass_context
from provd.cli.output import show, tell_faults
from provd.planning.command import CHANGED, systems_option

if TYPE_CHECKING:
    from provd.planning.replay import Exchange


@click.command(
    epilog=example(
        "provd replay web1.pcapng", "provd replay web1.pcapng --config ./changed/provd.toml --systems all.toml"
    )
)
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@systems_option
@config_option
@output_option
@pass_context
def replay(context: Context, file: Path, systems: Path | None, output: str) -> None:
    """Run the packets of FILE (see: provd record) against this configuration in memory; show what would differ.

    Nothing is sent, stored or changed. Exit code 0: every answer would be as it was recorded; 1: the recording or the
    configuration is broken, nothing was replayed; 2: some would differ, or wrong usage, which prints nothing on
    standard output.
    """
    from provd.config.errors import ConfigError
    from provd.plugin.errors import PluginError
    from provd.store.interface import StoreError
    from provd.wire.errors import WireError

    try:
        found, differing = _replayed(file, Path(context.config), systems)
    except WireError as error:
        raise click.ClickException(f"{file}: {error}") from error
    except (ConfigError, PluginError, StoreError, OSError) as error:
        raise click.ClickException(str(error)) from error
    if output == "table":
        for one in differing:
            click.echo(f"{one.at:9.3f}  {one.asked}")
            for line in one.differs:
                click.echo(f"             {line}")
        told = f"{len(differing)} of {len(found)} packets would be answered otherwise"
        click.echo(told if differing else f"nothing would differ: {len(found)} packets")
    else:
        rows = [{"at": round(one.at, 6), "asked": one.asked, "differs": one.differs} for one in differing]
        show(rows, output, noun="replay")
    if differing:
        sys.exit(CHANGED)


def _octets(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError as error:
        raise click.ClickException(f"{file}: {error.strerror}") from error


def _replayed(file: Path, config: Path, systems: Path | None) -> tuple[list[Exchange], list[Exchange]]:
    from provd.config.system_document import exported
    from provd.planning.replay import exchanges, replay, server_address
    from provd.testing.world import MemoryServer
    from provd.wire.pcapng import decode

    found = exchanges(decode(_octets(file)))
    address, interface = server_address(found)
    server = MemoryServer(config, address, interface)
    tell_faults(server.services.host.faults)
    server.listen_to_logs()
    for system in exported(systems) if systems else ():
        server.services.systems.add(system)
    server.turn()
    return found, replay(server, found)
