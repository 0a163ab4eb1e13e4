"""What commands print: tables for people, JSON for machines."""

from __future__ import annotations

import csv
import json
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

import click


def show(result: Any, output: str, columns: Sequence[str] = ()) -> None:
    """Print a result.

    Args:
        result: plain values: a list of objects, an object, or anything else.
        output: ``table``, ``json``, or ``csv`` for a list of objects.
        columns: keys that a table of objects shows, all where empty.
    """
    if output == "json":
        click.echo(json.dumps(result, indent=2, ensure_ascii=False))
    elif output == "csv":
        _csv(result)
    elif isinstance(result, list) and all(isinstance(row, Mapping) for row in result):
        _rows(result, columns)
    elif isinstance(result, Mapping):
        _facts(result)
    else:
        click.echo(cell(result))


def _csv(rows: Sequence[Mapping[str, Any]]) -> None:
    """Every field of every row (RFC 4180); a spreadsheet must not take what a client sent for a formula."""
    if not rows:
        return
    writer = csv.writer(sys.stdout, lineterminator="\r\n")
    writer.writerow(rows[0])
    for row in rows:
        writer.writerow([_harmless(value) for value in row.values()])


def _harmless(value: Any) -> Any:
    if value is None:
        return ""
    return f"'{value}" if isinstance(value, str) and value[:1] in {"=", "+", "-", "@", "\t", "\r"} else value


def _console() -> Any:
    from rich.console import Console

    # A pipe has no width: lines are not cut there.
    return Console(width=None if sys.stdout.isatty() else 240, highlight=False, markup=False, file=sys.stdout)


def _rows(rows: Sequence[Mapping[str, Any]], columns: Sequence[str]) -> None:
    from rich.table import Table

    if not rows:
        click.echo("nothing", err=True)
        return
    names = list(columns) or list(rows[0])
    table = Table(box=None, pad_edge=False, header_style="bold")
    for name in names:
        table.add_column(name.replace("_", " "), overflow="fold")
    for row in rows:
        table.add_row(*(cell(row.get(name), name) for name in names))
    _console().print(table)


def _facts(facts: Mapping[str, Any]) -> None:
    from rich.table import Table

    plain = {name: value for name, value in facts.items() if not _is_rows(value)}
    table = Table(box=None, pad_edge=False, show_header=False)
    table.add_column(style="bold")
    table.add_column(overflow="fold")
    for name, value in plain.items():
        table.add_row(name.replace("_", " "), cell(value, name))
    _console().print(table)
    for name, value in facts.items():
        if _is_rows(value):
            click.echo(f"\n{name.replace('_', ' ')}:")
            _rows(value, ())


def _is_rows(value: object) -> bool:
    return isinstance(value, list) and bool(value) and all(isinstance(row, Mapping) for row in value)


def cell(value: Any, name: str = "") -> str:
    """One value as text."""
    if value is None or value in ("", [], {}):
        return "-"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if name.endswith("_at") and isinstance(value, int | float):
        return datetime.fromtimestamp(value, UTC).astimezone().strftime("%Y-%m-%d %H:%M:%S")
    if name == "sha256":
        return str(value)[:16]
    if isinstance(value, list):
        return ", ".join(cell(item) for item in value)
    if isinstance(value, Mapping):
        return ", ".join(f"{key}: {cell(item)}" for key, item in value.items())
    return str(value)


@contextmanager
def progress() -> Iterator[Callable[[str, float], None]]:
    """A progress bar on standard error; plain lines where that is no terminal."""
    if not sys.stderr.isatty():
        yield _plain_progress()
        return
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeElapsedColumn

    bar = Progress(
        TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), TimeElapsedColumn(),
        console=Console(stderr=True),
    )  # fmt: skip
    with bar:
        task = bar.add_task("", total=1.0)
        yield lambda text, share: bar.update(task, description=text, completed=share)


def _plain_progress() -> Callable[[str, float], None]:
    last = [""]

    def report(text: str, share: float) -> None:
        if text != last[0]:
            last[0] = text
            click.echo(f"{share:4.0%} {text}", err=True)

    return report
