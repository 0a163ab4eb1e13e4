"""What commands print: tables for people; JSON, lines of JSON, TOML and CSV for machines."""

from __future__ import annotations

import csv
import json
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, Final

import click

_OF_NOUN: Final[Mapping[str, Sequence[str]]] = {
    "distro": ("name", "family", "version", "arch", "installer", "file"),
    "profile": ("name", "distro", "installer", "source", "file"),
    "system": ("name", "profile", "macs", "addresses", "netboot", "state", "origin"),
    "repo": ("name", "url", "kind", "arch", "priority", "comment", "file"),
    "image": ("name", "kind", "arch", "family", "version", "menu", "comment"),
    "menu": ("name", "title", "parent", "comment", "file"),
    "template": ("name", "octets", "file"),
}

COLUMNS: Final[Mapping[str, Sequence[str]]] = {
    **{f"{noun}.{verb}": columns for noun, columns in _OF_NOUN.items() for verb in ("list", "find")},
    "audit.list": ("at", "user", "via", "operation", "outcome", "arguments"),
    "boots": ("session", "system", "mac", "started_at", "seconds", "action", "step", "outcome", "address"),
    "plugin.list": ("name", "enabled", "state", "origin", "version", "sha256", "calls", "failures", "breaker"),
}
"""Keys that the table of an operation shows; all where it is not named."""


def show_result(operation: str, result: Any, output: str) -> None:
    """Print what an operation told.

    Args:
        operation: its name; the noun names the tables of TOML.
        result: plain values.
        output: one of :data:`provd.cli.context.OUTPUTS`.
    """
    show(result, output, COLUMNS.get(operation, ()), noun=operation.partition(".")[0])


def show(result: Any, output: str, columns: Sequence[str] = (), *, noun: str = "item") -> None:
    """Print a result.

    Args:
        result: plain values: a list of objects, an object, or anything else.
        output: one of :data:`provd.cli.context.OUTPUTS`.
        columns: keys that a table of objects shows, all where empty.
        noun: name of the tables that TOML has for a list.

    Raises:
        click.UsageError: CSV of what is no list of objects.
    """
    if output == "json":
        click.echo(json.dumps(result, indent=2, ensure_ascii=False))
    elif output == "ndjson":
        sys.stdout.writelines(line_of(row) for row in (result if isinstance(result, list) else [result]))
    elif output == "toml":
        click.echo(toml_of(result, noun), nl=False)
    elif output == "csv":
        _csv(result)
    else:
        from provd.cli.tables import show_table

        show_table(result, columns)


def line_of(value: Any) -> str:
    """One line of JSON."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")) + "\n"


def toml_of(result: Any, noun: str) -> str:
    """A result as TOML; a key that is null is left out, TOML knows none."""
    import tomlkit

    table = result if isinstance(result, Mapping) else {noun: result}
    return tomlkit.dumps(_without_null(table))


def _without_null(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _without_null(one) for key, one in value.items() if one is not None}
    if isinstance(value, list):
        return [_without_null(one) for one in value if one is not None]
    return value


def _csv(rows: Any) -> None:
    """Every field of every row (RFC 4180); a spreadsheet must not take what a client sent for a formula."""
    if not isinstance(rows, list) or not all(isinstance(row, Mapping) for row in rows):
        raise click.UsageError("csv is for lists of objects; json, ndjson and toml can hold this")
    if not rows:
        return
    writer = csv.writer(sys.stdout, lineterminator="\r\n")
    names = list(dict.fromkeys(key for row in rows for key in row))
    writer.writerow(names)
    for row in rows:
        writer.writerow([_harmless(row.get(name)) for name in names])


def _harmless(value: Any) -> Any:
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, list) and all(isinstance(one, str) for one in value):
        value = " ".join(value)
    elif isinstance(value, list | Mapping):
        return json.dumps(value, ensure_ascii=False)
    return f"'{value}" if isinstance(value, str) and value[:1] in {"=", "+", "-", "@", "\t", "\r"} else value


@contextmanager
def waiting(text: str) -> Iterator[Callable[[str], None]]:
    """Say on standard error what is waited for, once it takes longer than a moment; nothing where that is no terminal.

    Args:
        text: what is waited for; what is yielded changes it.
    """
    if not sys.stderr.isatty():
        yield lambda _text: None
        return
    from provd.cli.waiting import Waiting

    with Waiting(text) as told:
        yield told.say


@contextmanager
def progress() -> Iterator[Callable[[str, float], None]]:
    """A progress bar on standard error; plain lines where that is no terminal."""
    if not sys.stderr.isatty():
        yield _plain_progress()
        return
    from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeElapsedColumn

    from provd.cli.tables import console

    bar = Progress(
        TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), TimeElapsedColumn(),
        console=console(sys.stderr),
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


def tell_faults(faults: Iterable[object]) -> None:
    """What of the configuration is off, on standard error: the command goes on without it."""
    for fault in faults:
        click.echo(f"provd: {fault}", err=True)
