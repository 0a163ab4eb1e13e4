"""Filters for answer files: quoting for the language that is being written, with bounded results."""

from __future__ import annotations

import base64
import datetime as dt
import ipaddress
import json
import re
import shlex
from collections.abc import Callable, Iterable, Mapping

from provd.model.mac import Mac

MAX_CHARS = 1024 * 1024
_UNPRINTABLE = re.compile("[\x7f-\x9f\u2028\u2029\ud800-\udfff\ufeff\ufffe\uffff]")
_BARE_KEY = re.compile(r"[A-Za-z0-9_-]+")


class TooLargeError(Exception):
    """A text or list in a template grows beyond the limit."""

    def __init__(self) -> None:
        super().__init__(f"a value or the output grows beyond {MAX_CHARS} characters")


def checked_join(separator: str, parts: Iterable[object]) -> str:
    """``separator.join`` that gives up before the result is too large."""
    texts = []
    size = 0
    for part in parts:
        text = str(part)
        size += len(text) + len(separator)
        if size > MAX_CHARS:
            raise TooLargeError
        texts.append(text)
    return separator.join(texts)


def join(value: Iterable[object], separator: str = "") -> str:
    """Items as text with a separator between them."""
    return checked_join(str(separator), value)


def replace(value: object, old: str, new: str) -> str:
    """Every ``old`` replaced by ``new``."""
    text = str(value)
    if len(text) + text.count(old) * len(new) > MAX_CHARS:
        raise TooLargeError
    return text.replace(old, new)


def indent(value: object, width: int = 4, first: bool = False) -> str:  # noqa: FBT001, FBT002  as in Jinja
    """Every line but the first (or with it) moved right by ``width`` spaces; empty lines stay empty."""
    pad = " " * max(0, min(int(width), 80))
    lines = str(value).splitlines(keepends=True)
    return checked_join(
        "", (pad + line if line.strip() and (first or number) else line for number, line in enumerate(lines))
    )


def shell_quote(value: object) -> str:
    """One word for a POSIX shell; a list becomes several words."""
    if isinstance(value, list | tuple):
        return checked_join(" ", (shlex.quote(str(item)) for item in value))
    return shlex.quote(str(value))


def to_json(value: object) -> str:
    """JSON (RFC 8259) on one line, text in ASCII."""
    text = json.dumps(_plain(value), allow_nan=False)
    if len(text) > MAX_CHARS:
        raise TooLargeError
    return text


def to_yaml(value: object, indent: int | None = None) -> str:
    """One YAML value on one line: JSON with escapes that YAML 1.1 and 1.2 read alike, so no surrogate pairs.

    Args:
        value: plain, or of tables and lists.
        indent: spaces for each level, on lines of their own; None for one line.
    """
    text = json.dumps(_plain(value), allow_nan=False, ensure_ascii=False, indent=indent)
    if len(text) > MAX_CHARS:
        raise TooLargeError
    return _UNPRINTABLE.sub(lambda match: f"\\u{ord(match[0]):04x}", text)


def to_toml(value: object) -> str:
    """A TOML value on one line; a mapping becomes an inline table, None is refused."""
    return _toml(_plain(value))


def b64encode(value: object) -> str:
    """Base64 (RFC 4648 section 4) of the text in UTF-8 or of the octets."""
    raw = value if isinstance(value, bytes) else str(value).encode()
    return base64.b64encode(raw).decode()


def _toml(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return repr(value)
    if isinstance(value, str):
        # a JSON string is a TOML basic string once DEL, which JSON leaves bare, is escaped too
        return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
    if isinstance(value, list):
        return f"[{', '.join(_toml(item) for item in value)}]"
    if isinstance(value, dict):
        pairs = (f"{_toml_key(key)} = {_toml(item)}" for key, item in value.items())
        return f"{{{', '.join(pairs)}}}"
    raise ValueError(f"TOML has no {type(value).__name__}")


def _toml_key(key: str) -> str:
    return key if _BARE_KEY.fullmatch(key) else _toml(key)


def _plain(value: object) -> object:
    if value is None or isinstance(value, bool | int | float | str):
        return value
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [_plain(item) for item in value]
    if isinstance(value, ipaddress.IPv4Address | ipaddress.IPv4Network | Mac | dt.date):
        return str(value)
    # StrictUndefined raises its own error here, with the name
    str(value)
    raise ValueError(f"{type(value).__name__} is not plain data")


FILTERS: Mapping[str, Callable[..., object]] = {
    "b64encode": b64encode,
    "indent": indent,
    "join": join,
    "json": to_json,
    "replace": replace,
    "shell_quote": shell_quote,
    "to_yaml": to_yaml,
    "tojson": to_json,
    "toml": to_toml,
    "yaml_quote": to_yaml,
}
