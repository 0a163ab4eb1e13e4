"""The command ``provd``."""

from __future__ import annotations

from collections.abc import Callable
from os import environ
from pathlib import Path

import click

from provd.cli import check, images, leases, migrate, offline, queries, system_documents, systems
from provd.cli.context import DEFAULT_CONFIG, EXIT_CODES, Client, Context, example, local_client
from provd.cli.dynamic import OperationGroup


def build_cli(run: Callable[[Path], int], make_client: Callable[[str], Client] = local_client) -> click.Group:
    """The whole command line.

    Args:
        run: runs the service and returns its exit code; it lies above this floor and is handed down.
        make_client: makes a client for a socket path.
    """
    # The help of the whole lists the operations of the service before any option was read.
    first = Context(environ.get("PROVD_CONFIG", DEFAULT_CONFIG), environ.get("PROVD_SOCKET", ""), run, make_client)
    settings = {"help_option_names": ["-h", "--help"], "obj": first}

    @click.group(cls=OperationGroup, epilog=EXIT_CODES, context_settings=settings)
    @click.option(
        "--config", envvar="PROVD_CONFIG", default=DEFAULT_CONFIG, show_default=True, help="Configuration file."
    )
    @click.option(
        "--socket", envvar="PROVD_SOCKET", default="", help="Local socket, where it is not the configured one."
    )
    @click.version_option(package_name="provd")
    @click.pass_context
    def provd(ctx: click.Context, config: str, socket: str) -> None:
        """Turn bare machines into installed ones: DHCP, TFTP, HTTP and unattended answers in one process."""
        ctx.obj = Context(config, socket, run, make_client)

    _add_commands(provd)
    return provd


def _group(name: str, text: str, line: str) -> OperationGroup:
    return OperationGroup(name, noun=name, help=text, epilog=example(line))


def _add_commands(provd: click.Group) -> None:
    distro = _group("distro", "Distros: what can be installed.", "provd distro list")
    profile = _group("profile", "Profiles: a distro and choices.", "provd profile list")
    system = _group("system", "Machines.", "provd system list")
    lease = _group("lease", "Leases.", "provd lease list")
    plugin = _group("plugin", "Plugins.", "provd plugin list")
    queries.catalogue_commands(distro, profile)
    queries.listing_commands(system, plugin)
    for command in (leases.list_, leases.show_, leases.release):
        lease.add_command(command)
    for command in (systems.add, systems.edit, systems.remove, system_documents.export, system_documents.import_):
        system.add_command(command)
    for command in (distro, profile, system, lease, plugin, images.image, offline.config, migrate.migrate):
        provd.add_command(command)
    for command in (offline.run, offline.fetch, offline.demo):
        provd.add_command(command)
    for command in (check.check, queries.status, queries.boots, queries.trace, queries.explain, queries.reload):
        provd.add_command(command)
