"""``provd trace``: a boot as a story, as it goes on."""

from __future__ import annotations

import time
from typing import Any

import click

from provd.cli.context import Context, example, output_option, pass_context, sentences
from provd.cli.names import name_completer
from provd.cli.output import show

_FOLLOW_S = 1.0


@click.command(epilog=example("provd trace web1", "provd trace 52:54:00:12:34:56 --follow"))
@click.argument("system", shell_complete=name_completer("system"))
@click.option("--session", default="", help="An older boot, by its id (see: provd boots).")
@click.option("--follow", is_flag=True, help="Go on until the boot ends.")
@output_option
@pass_context
@sentences
def trace(context: Context, system: str, session: str, *, follow: bool, output: str) -> None:
    """Show the timeline of a boot of SYSTEM (name or MAC): every packet, fetch and callback, with its time."""
    told = context.client.call("trace", {"system": system, "session": session})
    if output != "table" and not follow:
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
