"""``provd mirror prefetch``: how much it is told first, then a bar until it is there."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, Final

import click

from provd.cli.context import REFUSED, Context
from provd.cli.dynamic import Refinement
from provd.cli.output import show_result

_LOOK_S: Final = 0.5
_SOON_S: Final = 0.05
_OVER: Final = frozenset({"done", "stopped"})
State = Mapping[str, Any]


def _options() -> Sequence[click.Parameter]:
    return [
        click.Option(["--yes", "-y"], is_flag=True, help="Do not ask before suites and repositories are fetched."),
        click.Option(["--background"], is_flag=True, help="Answer at once, also at a terminal."),
    ]


def _take(_context: Context, values: dict[str, Any], given: dict[str, Any]) -> None:
    values["yes"], values["background"] = given["yes"], given["background"]


def _prefetch(context: Context, operation: str, values: dict[str, Any], output: str) -> None:
    asks, background = not values.pop("yes"), values.pop("background")
    wait = bool(values.pop("wait", False)) or (sys.stderr.isatty() and not background)
    whole = bool(values.get("suites") or values.get("repos"))
    if whole and not values.get("dry_run"):
        measured = _followed(context, context.client.call(operation, {**values, "dry_run": True}))
        if measured["failed"]:
            _end(operation, measured, output)
        click.echo(_size(measured), err=True)
        if asks and sys.stdin.isatty() and sys.stderr.isatty() and not click.confirm("Fetch it?", err=True):
            raise click.Abort
    state = context.client.call(operation, values)
    if values.get("dry_run") or wait:
        state = _followed(context, state)
    _end(operation, state, output)


def _end(operation: str, state: State, output: str) -> None:
    """Print the state; files that failed are a failure, so is a list that somebody stopped."""
    show_result(operation, state, output)
    if state.get("failed") or state.get("phase") == "stopped":
        sys.exit(REFUSED)


def _size(state: State) -> str:
    """How much it is, in a sentence."""
    missing = state["bytes_total"] - state["bytes_done"]
    left = state["total"] - state["done"]
    return (
        f"{state['total']:,} files, {_megabytes(state['bytes_total'])}; "
        f"{left:,} of them, {_megabytes(missing)}, are still to be fetched"
    )


def _megabytes(octets: int) -> str:
    return f"{octets / 10**6:,.1f} MB"


def _followed(context: Context, state: State) -> State:
    """The state at the end of a prefetch; who interrupts this leaves it to the service."""
    if state.get("phase", "done") in _OVER:
        return state
    try:
        with _shown() as show:
            pause = _SOON_S
            while state["phase"] not in _OVER:
                show(state)
                time.sleep(pause)
                pause = min(pause * 2, _LOOK_S)
                state = context.client.call("mirror.prefetched", {"name": state["name"]})
            show(state)
    except KeyboardInterrupt:
        name = state["name"]
        click.echo(
            f"The service goes on: provd mirror prefetched {name} tells how far, provd mirror cancel {name} stops it.",
            err=True,
        )
        raise
    return state


@contextmanager
def _shown() -> Iterator[Any]:
    """What is called with each state: it moves a bar at a terminal, else says nothing."""
    if not sys.stderr.isatty():
        yield lambda _state: None
        return
    from rich.progress import (
        BarColumn,
        DownloadColumn,
        Progress,
        TextColumn,
        TimeRemainingColumn,
        TransferSpeedColumn,
    )

    from provd.cli.tables import console

    columns = (BarColumn(), DownloadColumn(), TransferSpeedColumn(), TimeRemainingColumn())
    with Progress(TextColumn("{task.description}"), *columns, console=console(sys.stderr)) as bar:
        task = bar.add_task("", total=None)

        def show(state: State) -> None:
            failed = f", {state['failed']:,} failed" if state["failed"] else ""
            said = (
                "reading indexes" if state["phase"] == "indexes" else f"{state['done']:,} of {state['total']:,} files"
            )
            bar.update(
                task, description=said + failed, completed=state["bytes_done"], total=state["bytes_total"] or None
            )

        yield show


PREFETCH = Refinement(_options, refine=_take, call=_prefetch)
