"""Systems of the store as one TOML document, and back: what is written reads as the same systems."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import fields
from pathlib import Path
from typing import Any, Final

import tomlkit

from provd.config import toml
from provd.config.decode import decode
from provd.config.errors import ConfigError
from provd.config.layers import NAME
from provd.config.objects import SystemFile
from provd.config.reader import Read
from provd.config.systems import to_system
from provd.model.system import Interface, Link, System

_PLAIN: Final = tuple(
    field.name
    for field in fields(System)
    if field.name not in {"name", "interfaces", "links", "origin", "file", "version"}
)
_DEFAULT: Final = System("")


def table_of(system: System) -> dict[str, Any]:
    """What a file ``systems/NAME.toml`` of this system would say; values that are the default are left out."""
    table = {name: _plain(getattr(system, name)) for name in _PLAIN if getattr(system, name) != getattr(_DEFAULT, name)}
    table["interface"] = [_part(card) for card in system.interfaces]
    if system.links:
        table["link"] = [_part(link) for link in system.links]
    return table


def document_of(systems: Iterable[System]) -> str:
    """TOML with one table ``[system.NAME]`` for each."""
    return tomlkit.dumps({"system": {system.name: table_of(system) for system in systems}})


def systems_of(text: str) -> list[System]:
    """Systems of a document that :func:`document_of` or a person wrote, in their order.

    Raises:
        ConfigError: not TOML, a wrong key or value; ``key`` names it.
    """
    return [_system(name, table) for name, table in tables_of(text, "").items()]


def exported(path: Path) -> list[System]:
    """Systems of a file that `provd system export` wrote, of any size.

    Raises:
        ConfigError: it cannot be read, or as :func:`systems_of`, with the file.
    """
    try:
        raw = path.read_bytes()
    except OSError as error:
        raise ConfigError(str(path), "", f"cannot be read: {error.strerror}") from error
    try:
        tables = _tables(toml.parse(raw, str(path), most=len(raw)), str(path))
        return [_system(name, table) for name, table in tables.items()]
    except ConfigError as error:
        raise ConfigError(str(path), error.key, error.rule, error.problem.line) from error


def tables_of(text: str, file: str, *, most: int = toml.MAX_BYTES) -> Mapping[str, Any]:
    """Tables ``[system.NAME]`` of such a document by name, not looked into yet.

    Args:
        text: the document.
        file: what to call it in errors.
        most: octets that it may have.

    Raises:
        ConfigError: not TOML, or something else than such tables.
    """
    return _tables(toml.parse(text.encode("utf-8", "surrogatepass"), file, most=most), file)


def _tables(document: Mapping[str, Any], file: str) -> Mapping[str, Any]:
    unknown = next((key for key in document if key != "system"), "")
    tables = document.get("system")
    if unknown or not isinstance(tables, Mapping):
        raise ConfigError(file, unknown, "tables `[system.NAME]` are expected, and nothing else")
    return tables


def _system(name: str, table: Any) -> System:
    if not NAME.fullmatch(name):
        raise ConfigError("", f"system.{name}", f"{name!r} is not a name")
    if not isinstance(table, Mapping):
        raise ConfigError("", f"system.{name}", "is not a table")
    try:
        value = decode(dict(table), SystemFile, "")
        return to_system(Read(name, "", table, value, ""))
    except ConfigError as error:
        raise ConfigError("", f"system.{name}.{error.key}".rstrip("."), error.rule) from error


def _part(part: Interface | Link) -> dict[str, Any]:
    shown = {field.name: getattr(part, field.name) for field in fields(part)}
    return {name: _plain(value) for name, value in shown.items() if value not in (None, "", 0, (), {})}


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _plain(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(inner) for inner in value]
    return value if isinstance(value, str | bool | int | float) else str(value)
