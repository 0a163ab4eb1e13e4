"""``provd events``: what happens at the server, as it happens."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

import click

from provd.cli.context import Context, example, output_option, pass_context, sentences
from provd.cli.names import name_completer
from provd.cli.output import show
from provd.cli.visible import visible

_FOLLOW_S: Final = 1.0
_STREAMED: Final = ("table", "ndjson")


@click.command(
    epilog=example("provd events --follow", "provd events --kind 'install.*,boot.*' --system web1 -o ndjson")
)
@click.option("--kind", default="*", show_default=True, help="Patterns of kinds, with commas.")
@click.option("--system", default="", help="Only those of one system.", shell_complete=name_completer("system"))
@click.option("--after", type=click.IntRange(min=0), help="Only those after this number, the oldest first.")
@click.option("--limit", type=click.IntRange(1, 1000), default=50, show_default=True, help="At most so many.")
@click.option("--follow", is_flag=True, help="Go on, until interrupted.")
@output_option
@pass_context
@sentences
def events(
    context: Context, kind: str, system: str, after: int | None, limit: int, *, follow: bool, output: str
) -> None:
    """Show what happened to boots and machines, the newest last."""
    if follow and output not in _STREAMED:
        raise click.UsageError("--follow prints lines: -o table or -o ndjson")
    query: dict[str, object] = {"kind": kind, "system": system, "limit": limit}
    told = context.client.call("events", query if after is None else {**query, "after": after})
    if after is None and len(told["events"]) < limit and told.get("since"):
        click.echo(
            f"events up to number {told['since']} were not looked at; --after 0 begins with the oldest", err=True
        )
    if output not in _STREAMED:
        show(told["events"], output, noun="events")
        return
    while True:
        for event in told["events"]:
            click.echo(json.dumps(event) if output == "ndjson" else line_of(event))
        if not follow:
            return
        if not told["events"]:
            time.sleep(_FOLLOW_S)
        told = context.client.call("events", {**query, "after": told["last"]})


def line_of(event: Mapping[str, Any]) -> str:
    """One event for people: local date and time, machine, what happened."""
    at = datetime.fromtimestamp(event["at"]).astimezone().strftime("%Y-%m-%d %H:%M:%S")
    return visible(f"{at}  {event['system'] or event['mac'] or '-':16}  {event['kind']:18}  {event['text']}")
