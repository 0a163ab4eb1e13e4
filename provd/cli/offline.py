"""Commands that need no running service: run, check, fetch, config, demo."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import click

from provd.cli.context import Context, config_option, example, local_only, pass_context
from provd.cli.output import progress, show


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
    data_dir = Path(context.server_config().data_dir)
    for name in names:
        try:
            with progress() as report:
                record = fetch_payload(name, data_dir, report, refresh=refresh)
        except PayloadError as error:
            raise click.ClickException(str(error)) from error
        click.echo(f"{name}: {len(record.files)} files in {data_dir / 'payload' / name}")


@click.group(epilog=example("provd config schema"))
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

    local_only(click.get_current_context().ensure_object(Context), "provd demo")
    sys.exit(run_demo(firmware))
