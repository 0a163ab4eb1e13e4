"""Commands that need no running service: run, check, fetch, config, demo."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from provd.cli.context import Context, config_option, example, for_machines, local_only, output_option, pass_context
from provd.cli.groups import Group
from provd.cli.output import progress, show

if TYPE_CHECKING:
    from provd.lab.rehearsal import Outcome


@click.command(epilog=example("provd run --config /etc/provd/provd.toml"))
@config_option
@pass_context
def run(context: Context) -> None:
    """Run the service until it is told to stop (SIGTERM); SIGHUP reloads."""
    sys.exit(context.run(Path(context.config)))


def _payload_names(_ctx: click.Context, _parameter: click.Parameter, incomplete: str) -> list[str]:
    from provd.payload.catalogue import PAYLOADS

    return sorted(name for name in PAYLOADS if name.startswith(incomplete))


@click.command(epilog=example("provd fetch debian-12", "provd fetch loaders"))
@click.argument("names", nargs=-1, metavar="NAME...", shell_complete=_payload_names)
@click.option("--refresh", is_flag=True, help="Fetch again although everything is there.")
@config_option
@pass_context
def fetch(context: Context, names: tuple[str, ...], *, refresh: bool) -> None:
    """Get boot payloads from signed packages: installer kernels and initial RAM disks, or the boot loaders."""
    from provd.payload.catalogue import PAYLOADS
    from provd.payload.errors import PayloadError
    from provd.payload.fetch import fetch as fetch_payload

    if not names:
        rows = [{"name": spec.name, "summary": spec.summary} for spec in PAYLOADS.values()]
        show(rows, "table")
        return
    for_machines()
    data_dir = Path(context.server_config().data_dir)
    for name in names:
        try:
            with progress() as report:
                record = fetch_payload(name, data_dir, report, refresh=refresh)
        except PayloadError as error:
            raise click.ClickException(str(error)) from error
        click.echo(f"{name}: {len(record.files)} files in {data_dir / 'payload' / name}")


@click.group(cls=Group, epilog=example("provd config schema"))
def config() -> None:
    """The configuration file."""


@config.command("schema", epilog=example("provd config schema > provd.schema.json"))
def config_schema() -> None:
    """Print the JSON Schema of provd.toml."""
    from provd.config.settings import json_schema

    click.echo(json.dumps(json_schema(), indent=2))


@click.command(epilog=example("provd demo", "provd demo --firmware uefi"))
@click.option(
    "--firmware", type=click.Choice(["bios", "uefi"]), default="bios", show_default=True, help="Of the machine."
)
def demo(firmware: str) -> None:
    """Install a bare virtual machine in a private network while you watch (root)."""
    from provd.lab.demo import run_demo

    if (context := click.get_current_context().find_object(Context)) is not None:
        local_only(context, "provd demo")
    sys.exit(run_demo(firmware))


@click.command(epilog=example("provd rehearse debian-12-image", "provd rehearse web --firmware uefi --keep /tmp/run"))
@click.argument("profile")
@click.option(
    "--firmware",
    type=click.Choice(["bios", "uefi", "uefi-secureboot", "uefi-http"]),
    default="bios",
    show_default=True,
    help="Of the machine.",
)
@click.option("--memory", type=click.IntRange(256, 65536), default=2048, show_default=True, help="Its RAM in MiB.")
@click.option("--disk", type=click.IntRange(2, 2048), default=16, show_default=True, help="Its disk in GiB.")
@click.option("--minutes", type=click.IntRange(1, 600), default=60, show_default=True, help="For the installation.")
@click.option("--keep", type=click.Path(file_okay=False, path_type=Path), help="New folder for logs and packets.")
@config_option
@output_option
@pass_context
def rehearse(
    context: Context,
    profile: str,
    output: str,
    *,
    firmware: str,
    memory: int,
    disk: int,
    minutes: int,
    keep: Path | None,
) -> None:
    """Try a profile on a throw-away virtual machine in a private network (root, QEMU).

    The real service runs with the files of this configuration, and without what acts outside (triggers, inventories).
    Exit code 1: it does not install.
    """
    import msgspec
    from rich.console import Console

    from provd.lab.demo_screen import Screen
    from provd.lab.errors import LabError
    from provd.lab.firmware import Firmware
    from provd.lab.rehearsal import Rehearsal
    from provd.lab.rehearsal import rehearse as try_it

    wish = Rehearsal(profile, Path(context.config), Firmware(firmware), memory, disk, minutes * 60)
    try:
        with Screen(Console(highlight=False, soft_wrap=True, stderr=output != "table")) as screen:
            outcome = try_it(wish, screen, keep)
    except LabError as error:
        raise click.ClickException(str(error)) from error
    if output != "table":
        show(msgspec.to_builtins(outcome), output)
    else:
        _told(outcome)
    sys.exit(0 if outcome.installed else 1)


def _told(outcome: Outcome) -> None:
    for number, boot in enumerate(outcome.boots, 1):
        click.echo(f"\nBoot {number}: {boot['verdict']}")
        for row in boot["events"]:
            click.echo(f"{row['elapsed']:10.3f}  {row['text']}")
    word = "INSTALLS" if outcome.installed else "DOES NOT INSTALL"
    click.echo(f"\n{word} after {outcome.seconds:.0f} s: {outcome.why}")
    if outcome.directory:
        click.echo(f"Logs, console and packets: {outcome.directory}")
