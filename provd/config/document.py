"""Changes a TOML document to say something else, and keeps the comments, order and layout that people gave it."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, MutableMapping, Sequence
from typing import Any, TypeGuard

import tomlkit
from tomlkit.exceptions import TOMLKitError
from tomlkit.items import AoT

from provd.config import toml
from provd.config.errors import ConfigError


def own_table(raw: bytes, file: str) -> dict[str, Any]:
    """What a file says by itself, as plain values; references to secrets as they are written in it.

    Args:
        raw: the octets of the file.
        file: what to call it in errors.

    Raises:
        ConfigError: it is not TOML.
    """
    return _parsed(raw, file).unwrap()


def rewritten(raw: bytes, wanted: Mapping[str, Any], file: str) -> bytes:
    """The document with these values in place of its own; what is equal already is not touched.

    Args:
        raw: the octets of the file, empty for a new one.
        wanted: the whole content; a key that is not in it is removed.
        file: what to call it in errors.

    Raises:
        ConfigError: the document is not TOML, or a value cannot be written as TOML.
    """
    document = _parsed(raw, file)
    wanted = _item(wanted)
    try:
        _make_equal(document, wanted)
        written = tomlkit.dumps(document).encode()
        if _says(written) == wanted:
            return written
        # Tables that are written in pieces defeat the editor: the values count more than the layout.
        fresh = tomlkit.document()
        _make_equal(fresh, wanted)
        return _leading_comment(raw) + tomlkit.dumps(fresh).encode()
    except (TOMLKitError, TypeError, ValueError, AttributeError) as error:
        raise ConfigError(file, "", f"cannot be written as TOML: {error}") from error


def _says(raw: bytes) -> dict[str, Any] | None:
    try:
        return toml.parse(raw, "")
    except ConfigError:
        return None


def _leading_comment(raw: bytes) -> bytes:
    """Comment lines before everything else: what the file is for."""
    lines = raw.decode().splitlines(keepends=True)
    return "".join(itertools.takewhile(lambda line: line.lstrip()[:1] in {"#", ""}, lines)).encode()


def _parsed(raw: bytes, file: str) -> tomlkit.TOMLDocument:
    try:
        return tomlkit.parse(raw.decode())
    except (TOMLKitError, UnicodeDecodeError) as error:
        raise ConfigError(file, "", f"is not TOML: {error}") from error


def _make_equal(container: MutableMapping[str, Any], wanted: Mapping[str, Any]) -> None:
    for key in [key for key in container if key not in wanted]:
        del container[key]
    # TOML has no way back to the upper table, so plain values come before tables.
    for key, value in sorted(wanted.items(), key=lambda item: _is_table(item[1])):
        old = container.get(key)
        if isinstance(old, MutableMapping) and isinstance(value, Mapping):
            _make_equal(old, value)
        elif isinstance(old, AoT) and _is_rows(value):
            _make_rows_equal(old, value)
        elif key not in container or _plain(old) != value or type(_plain(old)) is not type(value):
            container[key] = value


def _make_rows_equal(rows: AoT, wanted: Sequence[Mapping[str, Any]]) -> None:
    for old, value in zip(rows, wanted, strict=False):
        _make_equal(old, value)
    for _ in range(len(rows) - len(wanted)):
        del rows[-1]
    for value in wanted[len(rows) :]:
        table = tomlkit.table()
        _make_equal(table, value)
        rows.append(table)


def _is_table(value: object) -> bool:
    return isinstance(value, Mapping) or _is_rows(value)


def _is_rows(value: object) -> TypeGuard[Sequence[Mapping[str, Any]]]:
    return isinstance(value, list) and bool(value) and all(isinstance(row, Mapping) for row in value)


def _plain(value: Any) -> Any:
    return value.unwrap() if hasattr(value, "unwrap") else value


def _item(value: Any) -> Any:
    if isinstance(value, tuple | list):
        return [_item(one) for one in value]
    if isinstance(value, Mapping):
        return {key: _item(one) for key, one in value.items()}
    return value
