"""Commands that write machines as TOML and read them again."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import click

from provd.cli.context import Context, example, output_option, pass_context, sentences
from provd.cli.output import show

PAGE: Final = 100
"""Machines that one call exports: the service answers others in between."""

CHUNK: Final = 500_000
"""Characters of TOML that one call imports; a request has a megabyte."""


@click.command("export", epilog=example("provd system export > systems.toml"))
@click.argument("patterns", nargs=-1, metavar="[NAME]...")
@click.option("--profile", default="", help="Only machines of this profile; a pattern.")
@pass_context
@sentences
def export(context: Context, patterns: tuple[str, ...], profile: str) -> None:
    """Print machines as TOML, secrets included; NAME may be a pattern."""
    where: dict[str, object] = {"name": list(patterns)} if patterns else {}
    if profile:
        where["profile"] = profile
    cursor = ""
    while True:
        told = context.client.call("system.export", {"where": where, "limit": PAGE, "cursor": cursor})
        click.echo(told["toml"], nl=False)
        if len(told["systems"]) < PAGE:
            return
        cursor = told["systems"][-1]


@click.command("import", epilog=example("provd system import --dry-run -"))
@click.argument("files", nargs=-1, required=True, type=click.Path(exists=True, dir_okay=False, allow_dash=True))
@click.option("--replace", is_flag=True, help="Replace machines that exist; else they are an error.")
@click.option("--dry-run", is_flag=True, help="Tell what would be done, and do nothing.")
@output_option
@pass_context
@sentences
def import_(context: Context, files: tuple[str, ...], output: str, *, replace: bool, dry_run: bool) -> None:
    """Add the machines of TOML files, all or none; of more than 500 kB each such part is all or none."""
    added: list[str] = []
    replaced: list[str] = []
    for file in files:
        text = sys.stdin.read() if file == "-" else Path(file).read_text(encoding="utf-8")
        for part in _parts(text):
            told: dict[str, Any] = context.client.call(
                "system.import", {"toml": part, "replace": replace, "dry_run": dry_run}
            )
            added += told["added"]
            replaced += told["replaced"]
    if output == "json":
        click.echo(json.dumps({"added": added, "replaced": replaced}))
    else:
        show({"added": len(added), "replaced": len(replaced), "dry_run": dry_run}, output)


def _parts(text: str) -> Iterator[str]:
    """The document, cut before the tables of machines where it is long."""
    if len(text) <= CHUNK:
        yield text
        return
    import tomlkit

    waiting: dict[str, Any] = {}
    size = 0
    for name, table in tomlkit.parse(text).unwrap().get("system", {}).items():
        length = len(tomlkit.dumps({"system": {name: table}}))
        if waiting and size + length > CHUNK:
            yield tomlkit.dumps({"system": waiting})
            waiting, size = {}, 0
        waiting[name] = table
        size += length
    yield tomlkit.dumps({"system": waiting})
