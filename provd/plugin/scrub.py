"""Removes install tokens from text that is going to be logged or kept."""

from __future__ import annotations

import re
from collections.abc import Mapping

from provd.model.scrub import HIDDEN, scrub_path

_SECRET_KEY = re.compile(
    r"pass(word|phrase|wd)?|secret|token|api_?key|private|credential|\bauth|registration_?code", re.IGNORECASE
)


def scrub(text: str) -> str:
    """The text with the token of every answer and callback URL replaced by ``***``."""
    return scrub_path(text)


def scrub_value(value: object, key: str = "") -> object:
    """A plain value for a log: what secret-looking keys have is hidden, texts scrubbed, unknown types turned into text.

    Args:
        value: mapping, list, text, number or anything with ``str()``.
        key: name the value stands under.
    """
    if key and _SECRET_KEY.search(key):
        return None if value is None else HIDDEN
    if isinstance(value, Mapping):
        return {str(name): scrub_value(item, str(name)) for name, item in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [scrub_value(item) for item in value]
    if value is None or isinstance(value, bool | int | float):
        return value
    return scrub(str(value))


def scrub_lines(text: str) -> str:
    """Lines of TOML, or of a difference between two files: values of lines that name something secret are hidden."""
    return "".join(_scrub_line(line) for line in text.splitlines(keepends=True))


def _scrub_line(line: str) -> str:
    key, equals, _ = line.partition("=")
    if not equals or not _SECRET_KEY.search(line):
        return scrub(line)
    return f"{key}= {HIDDEN}\n"
