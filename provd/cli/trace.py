"""``provd trace``: a boot as a story, as it goes on."""

from __future__ import annotations

import time
from collections.abc import Iterator
from importlib.metadata import version
from typing import Any

import click

from provd.cli.context import Client, Context, example, output_option, pass_context, sentences
from provd.cli.names import name_completer
from provd.cli.output import show
from provd.cli.visible import visible, visible_lines

_FOLLOW_S = 1.0


@click.command(
    epilog=example("provd trace web1", "provd trace 52:54:00:12:34:56 --follow", "provd trace web1 --report")
)
@click.argument("system", shell_complete=name_completer("system"))
@click.option("--session", default="", help="An older boot, by its id (see: provd boots).")
@click.option("--follow", is_flag=True, help="Wait for a boot where there was none yet, and go on until it ends.")
@click.option("--report", is_flag=True, help="A text to paste: facts, phases, timeline, what was found.")
@output_option
@pass_context
@sentences
def trace(context: Context, system: str, session: str, *, follow: bool, report: bool, output: str) -> None:
    """Show the timeline of a boot of SYSTEM (name or MAC): every packet, fetch and callback, with its time."""
    if output != "table" and (follow or report):
        raise click.UsageError(f"--{'report' if report else 'follow'} prints text: -o table")
    told = _first(context.client, system, session, wait=follow and not report)
    if report:
        click.echo(visible_lines("\n".join(report_lines(told))))
        return
    if output != "table":
        show(told, output)
        return
    head = f"{told['mac']} {told['system']}: {told['action']} {told['profile']}, session {told['session']}"
    click.echo(visible(head))
    while True:
        for event in told["events"]:
            click.echo(visible_lines("\n".join(_event(event))))
        if not follow or told["outcome"] != "running":
            break
        last = max([event["id"] for event in told["events"]], default=_last(told))
        time.sleep(_FOLLOW_S)
        told = context.client.call("trace", {"system": system, "session": told["session"], "after": last})
        told["last"] = last
    for line in _found(told):
        click.echo(visible(line))


def _first(client: Client, system: str, session: str, *, wait: bool) -> dict[str, Any]:
    """The boot so far.

    Raises:
        ApiError: nobody knows the machine, or it never booted and none is waited for.
    """
    from provd.api.client import ApiError

    told = False
    while True:
        try:
            return dict(client.call("trace", {"system": system, "session": session}))
        except ApiError as error:
            if not wait or session or error.kind != "not-found":
                raise
        client.call("boots", {"system": system, "limit": 1})  # refused for what is no machine
        if not told:
            click.echo(visible(f"{system} has not booted from the network yet; waiting for it, Ctrl-C ends"), err=True)
            told = True
        time.sleep(_FOLLOW_S)


def _event(event: dict[str, Any]) -> Iterator[str]:
    """An event, and below it what the installer said."""
    yield f"{event['elapsed']:9.3f}  {event['text']}"
    if event["kind"] == "install.syslog":
        yield from (f"{'':9}    | {line}" for line in event["fields"]["lines"])


def _found(told: dict[str, Any]) -> Iterator[str]:
    """The verdict, and what else was found, each with its advice."""
    findings = told.get("findings") or []
    if not findings:
        yield str(told["verdict"])
    for finding in findings:
        yield f"{finding['step']}: {finding['cause']} [{finding['rule']}]"
        yield f"    {finding['advice']}"


def report_lines(told: dict[str, Any]) -> Iterator[str]:
    """A boot as text for a ticket; it holds no secret, as the timeline holds none."""
    yield f"provd {version('provd')}, boot {told['session']}"
    for name in ("system", "mac", "action", "profile", "loader", "address", "step", "outcome", "seconds"):
        yield f"  {name:8}  {told[name]}"
    yield ""
    yield from _found(told)
    yield ""
    for phase in told["phases"]:
        yield f"  {phase['elapsed']:9.3f}  +{phase['took']:<8.3f}  {phase['step']}"
    if told["packages"]:
        yield "  packages: " + ", ".join(f"{name} {value}" for name, value in told["packages"].items())
    yield ""
    for event in told["events"]:
        yield from (f"  {line}" for line in _event(event))


def _last(told: dict[str, Any]) -> int:
    return int(told.get("last", 0))
