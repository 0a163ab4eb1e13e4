"""Commands that write machines as TOML and read them again."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, Final, cast

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
    """Add the machines of TOML files, all or none.

    More than 500 kB go in parts: all of them are checked first, then each part is all or none.
    """
    added: list[str] = []
    replaced: list[str] = []
    with waiting("reading") as tell:
        parts, owners = _documents(files)
        for rehearsal in (True, False) if len(parts) > 1 and not dry_run else (dry_run,):
            added, replaced = [], []
            for part in parts:
                told = _imported(context, part, owners, {"replace": replace, "dry_run": rehearsal})
                added += told["added"]
                replaced += told["replaced"]
                tell(f"{len(added) + len(replaced)} machines {'checked' if rehearsal else 'so far'}")
    if output != "table":
        show({"added": added, "replaced": replaced}, output)
    else:
        show({"added": len(added), "replaced": len(replaced), "dry_run": dry_run}, output)


def _imported(
    context: Context, part: str, owners: Mapping[str, str], how: Mapping[str, object]
) -> Mapping[str, list[str]]:
    """Names that a part adds and replaces; a refusal names the file as well."""
    from provd.api.client import ApiError

    try:
        return cast("Mapping[str, list[str]]", context.client.call("system.import", {"toml": part, **how}))
    except ApiError as error:
        place = error.field.removeprefix("toml.system.")
        mine = [name for name in owners if name and f"{place}.".startswith(f"{name}.")]
        file = owners[max(mine, key=len)] if mine else owners.get("", "")
        raise ApiError(f"{file}: {error}" if file else str(error), error.field, error.kind) from error


def _documents(files: tuple[str, ...]) -> tuple[list[str], Mapping[str, str]]:
    """Parts that hold the machines of all files, and of each machine its file; under "" the only file.

    Raises:
        click.ClickException: a file cannot be read or is no such document, or two have a machine of one name.
    """
    texts = {file: _text(file) for file in files}
    if len(texts) == 1:
        ((file, text),) = texts.items()
        return list(_parts(text, file)), {"": "" if file == "-" else file}
    machines: dict[str, Any] = {}
    owners: dict[str, str] = {}
    for file, text in texts.items():
        for name, table in _machines(text, file).items():
            if name in owners:
                raise click.ClickException(f"{file}: system.{name}: {owners[name]} has a system of this name already")
            machines[name], owners[name] = table, file
    return list(_written_anew(machines, _most("".join(texts.values())))), owners


def _machines(text: str, file: str) -> Mapping[str, Any]:
    """Tables of machines by name.

    Raises:
        click.ClickException: it is no TOML, or has something else than machines.
    """
    from provd.config.errors import ConfigError
    from provd.config.system_document import tables_of

    try:
        return tables_of(text, file, most=len(text) * 4)
    except ConfigError as error:
        raise click.ClickException(str(error)) from error


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


def _parts(text: str, file: str) -> Iterator[str]:
    """The document, cut before the tables of machines where it is long.

    Raises:
        click.ClickException: it is no TOML, or has something else than machines.
    """
    most = _most(text)
    if len(text) <= most:
        yield text
        return
    machines = _machines(text, "the document" if file == "-" else file)
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
