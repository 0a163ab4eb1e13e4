"""The one place where TOML is read, with limits on what a file may be (size, nesting)."""

from __future__ import annotations

from codecs import BOM_UTF8
from pathlib import Path
from typing import Any, Final

import tomli

from provd.config.errors import ConfigError

MAX_BYTES: Final = 1 << 20
"""A configuration file is written by people; 1 MiB is far beyond any."""

MAX_DEPTH: Final = 16
"""Tables and arrays within each other, the top level included."""

_LEAST: Final = -(1 << 63)
_MOST: Final = (1 << 63) - 1
"""Integers of TOML (1.0.0, Integer): what cannot be represented must be refused."""


def read(path: Path) -> dict[str, Any]:
    """Read one TOML file.

    Raises:
        ConfigError: it cannot be read, is too large or too deep, or is not TOML (with the line).
    """
    return parse(read_bytes(path), str(path))


def read_bytes(path: Path) -> bytes:
    """The octets of one configuration file.

    Raises:
        ConfigError: it cannot be read, or is larger than :data:`MAX_BYTES`.
    """
    try:
        with path.open("rb") as stream:
            raw = stream.read(MAX_BYTES + 1)
    except OSError as error:
        raise ConfigError(str(path), "", f"cannot be read: {error.strerror}") from error
    if len(raw) > MAX_BYTES:
        raise ConfigError(str(path), "", f"is larger than {MAX_BYTES} octets")
    return raw


def parse(raw: bytes, file: str, *, most: int = MAX_BYTES) -> dict[str, Any]:
    """Decode TOML.

    Args:
        raw: the octets of the file.
        file: what to call it in errors.
        most: octets that it may have.

    Raises:
        ConfigError: it is too large, not UTF-8, not TOML, nested deeper than :data:`MAX_DEPTH`, or has an integer
            of more than 64 bits.
    """
    if len(raw) > most:
        raise ConfigError(file, "", f"is larger than {most} octets")
    if raw.startswith(BOM_UTF8):
        raise ConfigError(file, "", "begins with a byte order mark; it must be saved as UTF-8 without one", 1)
    try:
        table = tomli.loads(raw.decode())
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        raise ConfigError(file, "", "is not UTF-8 text", line) from error
    except tomli.TOMLDecodeError as error:
        rule = f"is not TOML: {error.msg[:1].lower()}{error.msg[1:]}, column {error.colno}"
        raise ConfigError(file, "", rule, error.lineno) from error
    except ValueError as error:
        # Python converts no number of more than some thousand digits, and the parser lets that through.
        raise ConfigError(file, "", "is not TOML: a number has too many digits") from error
    except RecursionError as error:
        raise ConfigError(file, "", f"is nested deeper than {MAX_DEPTH} levels") from error
    _limit(table, file)
    return table


def _limit(table: dict[str, Any], file: str) -> None:
    """Depth and integers: walk level by level, so that depth costs no stack of our own."""
    level: list[tuple[str, Any]] = [("", table)]
    for _ in range(MAX_DEPTH):
        below: list[tuple[str, Any]] = []
        for path, value in level:
            for key, child in value.items() if isinstance(value, dict) else enumerate(value):
                if isinstance(child, dict | list):
                    below.append((_under(path, key), child))
                elif isinstance(child, int) and not _LEAST <= child <= _MOST:
                    raise ConfigError(file, _under(path, key), "does not fit into 64 bits")
        level = below
    if level:
        raise ConfigError(file, "", f"is nested deeper than {MAX_DEPTH} levels")


def _under(path: str, key: str | int) -> str:
    """Key path of what stands there."""
    return f"{path}[{key}]" if isinstance(key, int) else f"{path}.{key}" if path else key
