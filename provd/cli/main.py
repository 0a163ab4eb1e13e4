"""The command ``provd``."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from os import environ
from pathlib import Path
from types import MappingProxyType

import click

from provd.cli import (
    bundle,
    check,
    cobbler_habits,
    completion,
    daemons,
    doctor,
    events,
    images,
    importing,
    leases,
    lint,
    listings,
    manual,
    migrate,
    mirrors,
    offline,
    plugins,
    record,
    reports,
    servers,
    system_documents,
    systems,
    trace,
    triggers,
)
from provd.cli.context import DEFAULT_CONFIG, EXIT_CODES, Client, Context, example, local_client
from provd.cli.dynamic import Extras, OperationGroup
from provd.cli.server_profiles import complete_server

NONE_ABOVE: Mapping[str, Sequence[click.Command]] = MappingProxyType({})


def build_cli(
    run: Callable[[Path], int],
    make_client: Callable[[str], Client] = local_client,
    above: Mapping[str, Sequence[click.Command]] = NONE_ABOVE,
    in_memory: Callable[[Path], Client] | None = None,
) -> OperationGroup:
    """The whole command line.

    Args:
        run: runs the service and returns its exit code; it lies above this floor and is handed down.
        make_client: makes a client for a socket path.
        above: commands by their group (empty for the top level), from floors above this one.
        in_memory: makes a client of a provd in memory, from a floor above, too.
    """
    # The help of the whole lists the operations of the service before any option was read.
    file, socket = environ.get("PROVD_CONFIG", DEFAULT_CONFIG), environ.get("PROVD_SOCKET", "")
    first = Context(file, socket, run, make_client, in_memory=in_memory)
    settings = {"help_option_names": ["-h", "--help"], "obj": first}

    @click.group(cls=OperationGroup, epilog=EXIT_CODES, context_settings=settings)
    @click.option(
        "--config", envvar="PROVD_CONFIG", default=DEFAULT_CONFIG, show_default=True, help="Configuration file."
    )
    @click.option(
        "--socket", envvar="PROVD_SOCKET", default="", help="Local socket, where it is not the configured one."
    )
    @click.option(
        "--server",
        envvar="PROVD_SERVER",
        default="",
        metavar="NAME",
        shell_complete=complete_server,
        help="A remote server (see: provd server); else the service of this machine.",
    )
    @click.version_option(package_name="provd")
    @click.pass_context
    def provd(ctx: click.Context, config: str, socket: str, server: str) -> None:
        """Turn bare machines into installed ones: DHCP, TFTP, HTTP and unattended answers in one process."""
        ctx.obj = Context(config, socket, run, make_client, server, in_memory)

    _add_commands(provd)
    for name, commands in above.items():
        group = provd.commands[name] if name else provd
        assert isinstance(group, click.Group)  # noqa: S101  a programmer's error
        for command in commands:
            group.add_command(command)
    return provd


def _group(name: str, text: str, line: str) -> OperationGroup:
    return OperationGroup(name, noun=name, extras=EXTRAS, help=text, epilog=example(line))


EXTRAS = Extras(
    {
        **systems.REFINED,
        "system.export": system_documents.EXPORT,
        "lint": lint.LINT,
        "mirror.prefetch": mirrors.PREFETCH,
        "trigger.test": triggers.RUN,
        "trigger.replay": triggers.RUN,
    },
    {"list": listings.paged, "find": listings.found},
)

_GROUPS = (
    ("distro", "Distros: what can be installed.", "provd distro list"),
    ("profile", "Profiles: a distro and choices.", "provd profile list"),
    ("system", "Machines.", "provd system list"),
    ("repo", "Repos: packages beside those of the distro.", "provd repo list"),
    ("image", "Disk images, and images that machines boot as they are.", "provd image list"),
    ("menu", "Menus: what a person chooses from at a machine.", "provd menu list"),
    ("template", "Templates and snippets of the site.", "provd template list"),
    ("lease", "Leases.", "provd lease list"),
    ("plugin", "Plugins.", "provd plugin list"),
    ("user", "Users and what they may do.", "provd user list"),
    ("token", "Tokens for scripts.", "provd token list"),
    ("audit", "Who changed what.", "provd audit list --limit 20"),
    ("answer", "Answer files.", "provd answer preview web1"),
    ("unknown", "Machines that booted and belong to no system.", "provd unknown list"),
    ("held", "Machines that provd holds after fruitless installations.", "provd held list"),
    ("queue", "Machines that wait for a place to install.", "provd queue list"),
    ("power", "Power of machines, switched by their boards.", "provd power status web1"),
    ("trigger", "What runs on events, and how it fared.", "provd trigger list"),
    ("mirror", "Mirrors that packages come through.", "provd mirror status"),
    ("recording", "Recordings of machines' packets (see: provd record).", "provd recording begin web1"),
    ("rogue", "Other DHCP servers.", "provd rogue check"),
)


def _add_commands(provd: OperationGroup) -> None:
    provd.extras = EXTRAS
    groups = {name: _group(name, text, line) for name, text, line in _GROUPS}
    for group in groups.values():
        provd.add_command(group)
    groups["lease"].add_command(leases.list_)
    groups["system"].add_command(system_documents.import_)
    groups["plugin"].add_command(plugins.new)
    for command in (images.image_build, images.image_import, images.image_deployer, images.image_disks):
        groups["image"].add_command(command)
    for kind in ("system", "profile"):
        groups[kind].add_command(cobbler_habits.autoinstall_command(kind))
    for kind in reports.KINDS:
        groups[kind].add_command(reports.report_command(kind))
    provd.add_command(importing.import_)
    provd.add_command(bundle.bundle)
    provd.add_command(daemons.daemon)
    provd.add_command(doctor.doctor)
    provd.add_command(record.record)
    for command in (offline.run, offline.fetch, offline.demo, offline.config, migrate.migrate, check.check):
        provd.add_command(command)
    provd.add_command(offline.rehearse)
    for further in (
        servers.server,
        servers.login,
        servers.logout,
        trace.trace,
        events.events,
        completion.completion,
        manual.man,
    ):
        provd.add_command(further)
