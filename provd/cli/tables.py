"""Tables for people, with rich; plain columns where there are so many rows that rich would take long."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import IO, Any, Final

import click

from provd.cli.visible import visible, visible_lines

MANY: Final = 2000
"""Rows above which a table is written without rich."""

MOST_COLUMNS: Final = 12
"""Columns above which each row is written as an object."""

MOST_ENTRIES: Final = 4
"""Entries above which a table within an object is written below it."""

MOST_CELL: Final = 400
"""Characters of a cell in a list of rows."""

PIPE_WIDTH: Final = 240


def console(file: IO[str]) -> Any:
    """A console; without any colour or bold where ``NO_COLOR`` is set (https://no-color.org)."""
    from rich.console import Console

    # A pipe has no width: lines are not cut there.
    width = None if file.isatty() else PIPE_WIDTH
    if os.environ.get("NO_COLOR"):
        return Console(width=width, highlight=False, markup=False, file=file, no_color=True, color_system=None)
    return Console(width=width, highlight=False, markup=False, file=file)


def show_table(result: Any, columns: Sequence[str] = ()) -> None:
    """Print a result for people.

    Args:
        result: plain values.
        columns: keys that a table of objects shows, all where empty.
    """
    if isinstance(result, list) and all(isinstance(row, Mapping) for row in result):
        _rows(result, columns)
    elif isinstance(result, Mapping) and {"applied", "files"} <= set(result):
        _change(result)
    elif isinstance(result, Mapping):
        _facts(result)
    else:
        click.echo(cell(result))


def _rows(rows: Sequence[Mapping[str, Any]], columns: Sequence[str]) -> None:
    if not rows:
        click.echo("nothing", err=True)
        return
    names = list(columns) or list(dict.fromkeys(key for row in rows for key in row))
    if len(names) > MOST_COLUMNS:
        for number, row in enumerate(rows):
            if number:
                click.echo()
            _facts(row)
        return
    if len(rows) > MANY:
        _plain_rows(rows, names)
        return
    from rich.table import Table

    table = Table(box=None, pad_edge=False, header_style="bold")
    for name in names:
        table.add_column(name.replace("_", " "), overflow="fold")
    for row in rows:
        table.add_row(*(_short(cell(row.get(name), name)) for name in names))
    console(sys.stdout).print(table)


def _plain_rows(rows: Sequence[Mapping[str, Any]], names: Sequence[str]) -> None:
    cells = [[name.replace("_", " ") for name in names]]
    cells += [[_short(cell(row.get(name), name)) for name in names] for row in rows]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    for row in cells:
        click.echo("  ".join(text.ljust(width) for text, width in zip(row, widths, strict=True)).rstrip())


def _facts(facts: Mapping[str, Any], *, inner: bool = False) -> None:
    from rich.table import Table

    blocks = {name: value for name, value in facts.items() if _is_rows(value) or _is_long(value) or _is_wide(value)}
    table = Table(box=None, pad_edge=False, show_header=False)
    table.add_column(style="bold")
    table.add_column(overflow="fold")
    for name, value in facts.items():
        if name not in blocks:
            table.add_row(visible(name if inner else name.replace("_", " ")), cell(value, name))
    if table.row_count:
        console(sys.stdout).print(table)
    for name, value in blocks.items():
        click.echo(f"\n{visible(name.replace('_', ' '))}:")
        if _is_rows(value):
            _rows(value, ())
        elif isinstance(value, Mapping):
            _facts(value, inner=True)
        else:
            click.echo(visible_lines(value), nl=not value.endswith("\n"))


def _change(told: Mapping[str, Any]) -> None:
    """What a change to files did, or would do: their differences, then the objects."""
    out = console(sys.stdout)
    for difference in told["files"].values():
        for line in str(difference).splitlines():
            out.print(visible(line), style=_style(line), soft_wrap=True)
    word = "changed" if told["applied"] else "would change"
    # One difference for each object, in the same order; an empty one where the edit was none.
    for (name, revision), difference in zip(told.get("objects", {}).items(), told["files"].values(), strict=False):
        done = word if difference or not revision else "unchanged"
        click.echo(f"{done}: {name}" + (f", revision {revision}" if revision else ", removed"))
    for name in told.get("systems", ()):
        click.echo(f"{word}: system {name}")
    for name in told.get("systems_removed", ()):
        click.echo(f"{word}: system {name}, removed")


def _style(line: str) -> str:
    if line.startswith(("+++", "---", "@@")):
        return "bold"
    return "green" if line.startswith("+") else "red" if line.startswith("-") else ""


def _is_rows(value: object) -> bool:
    return isinstance(value, list) and bool(value) and all(isinstance(row, Mapping) for row in value)


def _is_wide(value: object) -> bool:
    return isinstance(value, Mapping) and len(value) > MOST_ENTRIES


def _is_long(value: object) -> bool:
    return isinstance(value, str) and "\n" in value


def cell(value: Any, name: str = "") -> str:
    """One value as text."""
    if value is None or value in ("", [], {}):
        return "-"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if (name.endswith("_at") or name == "at") and isinstance(value, int | float):
        return datetime.fromtimestamp(value, UTC).astimezone().strftime("%Y-%m-%d %H:%M:%S")
    if name == "sha256":
        return str(value)[:16]
    if isinstance(value, list):
        return ", ".join(cell(item) for item in value)
    if isinstance(value, Mapping):
        return ", ".join(f"{visible(str(key))}: {cell(item)}" for key, item in value.items())
    return visible(str(value))


def _short(text: str) -> str:
    """A cell of a list; all of it is in the other formats."""
    return text if len(text) <= MOST_CELL else f"{text[:MOST_CELL]}... ({len(text)} characters)"
