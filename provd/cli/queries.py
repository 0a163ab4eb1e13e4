"""Commands that ask the running service and change nothing."""

from __future__ import annotations

import time
from typing import Any

import click

from provd.cli.context import Context, example, output_option, pass_context, sentences
from provd.cli.output import show

_ARCHS = (
    "bios",
    "ia32-uefi",
    "x64-uefi",
    "arm32-uefi",
    "arm64-uefi",
    "x64-uefi-http",
    "arm64-uefi-http",
    "riscv64-uefi",
)
_DISTRO_COLUMNS = ("name", "family", "version", "arch", "installer", "file")
_PROFILE_COLUMNS = ("name", "distro", "installer", "source", "file")
_SYSTEM_COLUMNS = ("name", "profile", "macs", "addresses", "netboot", "state", "origin")
_BOOT_COLUMNS = ("session", "system", "mac", "started_at", "seconds", "action", "step", "outcome", "address")
_PLUGIN_COLUMNS = ("name", "enabled", "origin", "version", "sha256", "calls", "failures", "breaker")
_FOLLOW_S = 1.0


def add_listing(group: click.Group, operation: str, columns: tuple[str, ...], text: str, line: str) -> None:
    """A command that prints the rows of one operation."""

    @group.command(operation.rpartition(".")[2], help=text, epilog=example(line))
    @output_option
    @pass_context
    @sentences
    def listing(context: Context, output: str) -> None:
        show(context.client.call(operation), output, columns)


def add_showing(group: click.Group, operation: str, text: str, line: str) -> None:
    """A command that prints one object by name."""

    @group.command(operation.rpartition(".")[2], help=text, epilog=example(line))
    @click.argument("name")
    @output_option
    @pass_context
    @sentences
    def showing(context: Context, name: str, output: str) -> None:
        show(context.client.call(operation, {"name": name}), output)


def catalogue_commands(distro: click.Group, profile: click.Group) -> None:
    """``distro list/show`` and ``profile list/show``."""
    add_listing(distro, "distro.list", _DISTRO_COLUMNS, "List distros.", "provd distro list")
    add_showing(distro, "distro.show", "Show one distro.", "provd distro show debian-12")
    add_listing(profile, "profile.list", _PROFILE_COLUMNS, "List profiles.", "provd profile list -o json")
    add_showing(
        profile, "profile.show", "Show one profile and its origins.", "provd profile show debian-12-image-server"
    )


def listing_commands(system: click.Group, plugin: click.Group) -> None:
    """``system list/show`` and ``plugin list``."""
    add_listing(system, "system.list", _SYSTEM_COLUMNS, "List machines.", "provd system list")
    add_showing(system, "system.show", "Show one machine.", "provd system show web1")
    add_listing(plugin, "plugin.list", _PLUGIN_COLUMNS, "List plugins and their counters.", "provd plugin list")


@click.command(epilog=example("provd status"))
@output_option
@pass_context
@sentences
def status(context: Context, output: str) -> None:
    """Show what the running service is doing."""
    show(context.client.call("status"), output)


@click.command(epilog=example("provd boots --limit 5", "provd boots web1"))
@click.argument("system", required=False, default="")
@click.option("--limit", type=click.IntRange(1, 1000), default=20, show_default=True, help="Boots to list.")
@output_option
@pass_context
@sentences
def boots(context: Context, system: str, limit: int, output: str) -> None:
    """List boots, the newest first; of one SYSTEM (name or MAC) where it is given."""
    show(context.client.call("boots", {"system": system, "limit": limit}), output, _BOOT_COLUMNS)


@click.command(epilog=example("provd trace web1", "provd trace 52:54:00:12:34:56 --follow"))
@click.argument("system")
@click.option("--session", default="", help="An older boot, by its id (see: provd boots).")
@click.option("--follow", is_flag=True, help="Go on until the boot ends.")
@output_option
@pass_context
@sentences
def trace(context: Context, system: str, session: str, *, follow: bool, output: str) -> None:
    """Show the timeline of a boot of SYSTEM (name or MAC): every packet, fetch and callback, with its time."""
    told = context.client.call("trace", {"system": system, "session": session})
    if output == "json" and not follow:
        show(told, output)
        return
    click.echo(f"{told['mac']} {told['system']}: {told['action']} {told['profile']}, session {told['session']}")
    while True:
        for event in told["events"]:
            click.echo(f"{event['elapsed']:9.3f}  {event['text']}")
        if not follow or told["outcome"] != "running":
            break
        last = max([event["id"] for event in told["events"]], default=_last(told))
        time.sleep(_FOLLOW_S)
        told = context.client.call("trace", {"system": system, "session": told["session"], "after": last})
        told["last"] = last
    click.echo(told["verdict"])


def _last(told: dict[str, Any]) -> int:
    return int(told.get("last", 0))


@click.command(epilog=example("provd explain web1", "provd explain web1 --arch x64-uefi -o json"))
@click.argument("system")
@click.option("--arch", type=click.Choice(_ARCHS), default="bios", show_default=True, help="Firmware to imagine.")
@output_option
@pass_context
@sentences
def explain(context: Context, system: str, arch: str, output: str) -> None:
    """Show what SYSTEM would get at its next boot, every value with the file, level or plugin it came from."""
    show(context.client.call("explain", {"system": system, "arch": arch}), output)


@click.command(epilog=example("provd reload"))
@output_option
@pass_context
@sentences
def reload(context: Context, output: str) -> None:
    """Apply changed files; where one is wrong, everything stays as it was."""
    show(context.client.call("reload"), output)
