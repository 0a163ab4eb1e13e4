"""The command ``provd doctor``."""

from __future__ import annotations

import sys

import click

from provd.cli.context import REFUSED, Context, example, output_option, pass_context, sentences
from provd.cli.output import show, waiting

_COLUMNS = ("level", "area", "text", "advice")


@click.command(epilog=example("provd doctor", "provd doctor --strict", "provd doctor -o json"))
@click.option("--strict", is_flag=True, help="Exit code 1 for warnings too.")
@output_option
@pass_context
@sentences
def doctor(context: Context, output: str, *, strict: bool) -> None:
    """Examine the running service: do its listeners answer, are pools, disks and certificates about to end, what rests.

    Each finding says what to do. Exit code 1 where machines are not served (a finding of level error).
    """
    with waiting("the service examines itself"):
        found = context.client.call("doctor")
    if output == "table" and not found["findings"]:
        click.echo("nothing ails it")
    elif output == "table":
        for one in found["findings"]:
            click.echo(f"{one['level']:8} {one['area']}: {one['text']}")
            click.echo(f"{'':9}{one['advice']}")
    elif output in {"csv", "toml"}:
        show(found["findings"], output, _COLUMNS, noun="finding")
    else:
        show(found, output)
    levels = {one["level"] for one in found["findings"]}
    if "error" in levels or (strict and "warning" in levels):
        sys.exit(REFUSED)
