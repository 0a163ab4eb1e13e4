"""``report``: everything about every object of a kind, as Cobbler's command has it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

import click

from provd.cli.context import Context, example, output_parameter, sentences, service_parameters
from provd.cli.listings import PAGE
from provd.cli.names import KINDS, name_completer
from provd.cli.output import line_of, show, waiting

__all__ = ["KINDS", "report_command"]

_FULL: Final = frozenset({"system"})
"""Kinds whose ``find`` tells everything at once."""


def report_command(kind: str) -> click.Command:
    """``KIND report [NAME]...``."""

    @sentences
    def report(words: tuple[str, ...], named: tuple[str, ...], output: str) -> None:
        context = click.get_current_context().ensure_object(Context)
        found = _objects(context, kind, [*words, *named])
        if output == "ndjson":
            for one in found:
                click.echo(line_of(one), nl=False)
            return
        with waiting(f"{kind}s are read"):
            every = list(found)
        if output != "table":
            show(every, output, noun=kind)
            return
        if not every:
            click.echo("nothing", err=True)
        for number, one in enumerate(every):
            if number:
                click.echo()
            show(one, output)

    completer = name_completer("name", kind)
    parameters: list[click.Parameter] = [
        click.Argument(["words"], nargs=-1, metavar="[NAME]...", shell_complete=completer),
        click.Option(["--name", "named"], multiple=True, help="The same as NAME.", shell_complete=completer),
        output_parameter(),
        *service_parameters(),
    ]
    text = f"Show everything about every {kind}; NAME may be a pattern."
    return click.Command(
        "report", callback=report, params=parameters, help=text, epilog=example(f"provd {kind} report")
    )


def _objects(context: Context, kind: str, patterns: list[str]) -> Iterator[Mapping[str, Any]]:
    """Every object that fits, in full."""
    where = {"where": {"name": patterns}} if patterns else {}
    cursor = ""
    while True:
        asked: dict[str, Any] = {**where, "limit": PAGE, "cursor": cursor}
        if kind in _FULL:
            asked["full"] = True
        rows = context.client.call(f"{kind}.find", asked)
        for row in rows:
            yield row if kind in _FULL else context.client.call(f"{kind}.show", {"name": row["name"]})
        if len(rows) < PAGE:
            return
        cursor = rows[-1]["name"]
