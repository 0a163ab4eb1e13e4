"""Texts at a terminal: what would move its cursor, colour it or turn its writing round is shown instead of done."""

from __future__ import annotations

import re
from typing import Final

_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]")
_WITHIN_LINES: Final = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]")


def visible(text: str) -> str:
    """A text for one line: control characters (ISO 6429) and those that order writing (Unicode UAX 9) as escapes."""
    return _CONTROL.sub(_escape, text)


def visible_lines(text: str) -> str:
    """The same for a text of several lines, which keeps its line ends and tabs."""
    return _WITHIN_LINES.sub(_escape, text)


def _escape(match: re.Match[str]) -> str:
    number = ord(match[0])
    return f"\\x{number:02x}" if number < 0x100 else f"\\u{number:04x}"
