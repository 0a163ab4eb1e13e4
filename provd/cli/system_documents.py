"""Commands that write machines as TOML and read them again."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import click

from provd.cli.context import Context, example, output_option, pass_context, sentences
from provd.cli.dynamic import Values
from provd.cli.listings import searched
from provd.cli.output import show, waiting

PAGE: Final = 100
"""Machines that one call exports: the service answers others in between."""

CHUNK: Final = 500_000
"""Characters of TOML that one call imports."""

OCTETS: Final = 800_000
"""Octets of JSON that one part may have on average; a request has a megabyte."""

_HEADER: Final = re.compile(r"^\[system\.[^].]+\]", re.MULTILINE)


def export(context: Context, operation: str, values: Values, _output: str) -> None:
    """Print machines as TOML, page by page."""
    most, told = int(values.get("limit") or 0), 0
    cursor = values.get("cursor", "")
    while True:
        limit = min(PAGE, most - told) if most else PAGE
        part = context.client.call(operation, {**values, "limit": limit, "cursor": cursor})
        click.echo(part["toml"], nl=False)
        told += len(part["systems"])
        if len(part["systems"]) < limit or told == most:
            return
        cursor = part["systems"][-1]


EXPORT: Final = replace(searched("system.export"), call=export)
"""``system export [NAME]...`` with an option for each field, as ``system find``."""


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
    with waiting("reading") as tell:
        for file in files:
            for part in _parts(_text(file)):
                told: dict[str, Any] = context.client.call(
                    "system.import", {"toml": part, "replace": replace, "dry_run": dry_run}
                )
                added += told["added"]
                replaced += told["replaced"]
                tell(f"{len(added) + len(replaced)} machines so far")
    if output != "table":
        show({"added": added, "replaced": replaced}, output)
    else:
        show({"added": len(added), "replaced": len(replaced), "dry_run": dry_run}, output)


def _text(file: str) -> str:
    """Content of a file, or of standard input.

    Raises:
        click.ClickException: it cannot be read, or is not UTF-8.
    """
    if file == "-":
        return sys.stdin.read()
    try:
        return Path(file).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise click.ClickException(f"{file}: {error}") from error


def _parts(text: str) -> Iterator[str]:
    """The document, cut before the tables of machines where it is long.

    Raises:
        click.ClickException: it is no TOML, or has something else than machines.
    """
    most = _most(text)
    if len(text) <= most:
        yield text
        return
    from provd.config import toml
    from provd.config.errors import ConfigError

    try:
        document = toml.parse(text.encode(), "the document", most=len(text) * 4)
    except ConfigError as error:
        raise click.ClickException(str(error)) from error
    machines = document.get("system")
    if set(document) != {"system"} or not isinstance(machines, dict):
        raise click.ClickException("tables `[system.NAME]` are expected, and nothing else")
    parts = list(_cut(text, most))
    yield from parts if _together(parts) == machines else _written_anew(machines, most)


def _most(text: str) -> int:
    """Characters of a part: as JSON, where some are written with six, it has less than a request may have."""
    return min(CHUNK, OCTETS * len(text) // (len(json.dumps(text)) or 1))


def _cut(text: str, most: int) -> Iterator[str]:
    """The text itself, cut before headers of machines."""
    begin = end = 0
    for header in _HEADER.finditer(text):
        if header.start() - begin > most and end > begin:
            yield text[begin:end]
            begin = end
        end = header.start()
    yield text[begin:]


def _together(parts: list[str]) -> object:
    """What the parts say together; a cut within a text of several lines would be seen by it."""
    from provd.config import toml
    from provd.config.errors import ConfigError

    found: dict[str, Any] = {}
    for part in parts:
        try:
            found |= toml.parse(part.encode(), "", most=len(part) * 4).get("system", {})
        except ConfigError:
            return None
    return found


def _written_anew(machines: Mapping[str, Any], most: int) -> Iterator[str]:
    """The same as other text, for a document that cannot be cut."""
    import tomlkit

    waiting: dict[str, Any] = {}
    size = 0
    for name, table in machines.items():
        length = len(tomlkit.dumps({"system": {name: table}}))
        if waiting and size + length > most:
            yield tomlkit.dumps({"system": waiting})
            waiting, size = {}, 0
        waiting[name] = table
        size += length
    yield tomlkit.dumps({"system": waiting})
