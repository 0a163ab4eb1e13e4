"""Commands that list and find objects: page by page, with an option for each field."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

import click

from provd.cli.arguments import arguments_of, pair
from provd.cli.context import Context
from provd.cli.dynamic import Refinement, Values
from provd.cli.known import shipped
from provd.cli.names import name_completer

PAGE: Final = 1000
"""Objects that one call asks for: the service answers others in between."""


def paged(noun: str) -> Refinement:
    """``NOUN list``: every page, or the one that was asked for."""
    paging = "cursor" in {one.name for one in _arguments(f"{noun}.list")}
    return Refinement(call=_every_page if paging else None)


def found(noun: str) -> Refinement:
    """``NOUN find [NAME]...``, every page."""
    refinement = searched(f"{noun}.find")
    return replace(refinement, call=_every_page) if refinement.many else refinement


def searched(operation: str) -> Refinement:
    """Patterns for the name, ``--FIELD PATTERN`` for the others; they become ``where``."""
    fields: Sequence[str] = schema_of(operation).get("x-fields", ())
    if not fields:
        return Refinement()
    taken = {one.name for one in _arguments(operation)} | {"name"}

    def option(field: str) -> click.Option:
        names = [f"--{field.replace('_', '-')}", f"field_{field}"]
        text = f"Patterns of {field.replace('_', ' ')}."
        completer = name_completer(field)
        return click.Option(names, multiple=True, metavar="PATTERN", help=text, shell_complete=completer)

    def table(name: str) -> click.Option:
        names = [*dict.fromkeys((f"--{name}", f"--{name.removesuffix('s')}")), f"table_{name}"]
        text = f"Patterns of single {name}."
        return click.Option(names, multiple=True, metavar="KEY=PATTERN", help=text)

    def options() -> list[click.Parameter]:
        tables = schema_of(operation).get("x-tables", ())
        return [
            option("name"),
            *(option(field) for field in fields if field not in taken),
            *(table(name) for name in tables),
        ]

    return Refinement(options, refine=_where, many="NAME")


def _arguments(operation: str) -> Sequence[Any]:
    known = shipped().get(operation)
    return arguments_of(known["arguments"]) if known else ()


def schema_of(operation: str) -> Mapping[str, Any]:
    """Schema of the argument ``where``, empty where there is none."""
    where = next((one for one in _arguments(operation) if one.name == "where"), None)
    return where.schema if where is not None else {}


def _where(_context: Context, values: Values, given: Values) -> None:
    """Put the patterns that were given into ``where``."""
    where: dict[str, Any] = dict(values.get("where") or {})
    for key, patterns in given.items():
        what, _, field = key.partition("_")
        if patterns and what == "field":
            where[field] = [*patterns]
        for text in patterns if what == "table" and patterns else ():
            inner, pattern = pair(text, f"--{field}", only_text=True)
            where.setdefault(f"{field}.{inner}", []).append(pattern)
    names = given.get("more") or ()
    if names:
        where["name"] = [*where.get("name", ()), *names]
    if where:
        values["where"] = where


def _every_page(context: Context, operation: str, values: Values, output: str) -> None:
    from provd.cli.output import line_of, show_result, waiting

    pages = _pages(context, operation, values)
    if output == "ndjson":
        for rows in pages:
            sys.stdout.writelines(line_of(row) for row in rows)
        return
    every: list[Any] = []
    with waiting(f"{operation} runs") as tell:
        for rows in pages:
            every += rows
            tell(f"{operation}: {len(every)} so far")
    show_result(operation, every, output)


def _pages(context: Context, operation: str, values: Mapping[str, Any]) -> Iterator[list[Any]]:
    """Pages up to the limit that was given, or to the end."""
    most = int(values.get("limit") or 0)
    told, cursor = 0, values.get("cursor", "")
    while True:
        limit = min(PAGE, most - told) if most else PAGE
        rows = context.client.call(operation, {**values, "limit": limit, "cursor": cursor})
        yield rows
        told += len(rows)
        if len(rows) < limit or told == most:
            return
        cursor = rows[-1]["name"]
