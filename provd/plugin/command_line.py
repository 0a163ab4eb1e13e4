"""A kernel's command line as Linux reads it, for boot loaders that hand it on as text."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final

MAX_COMMAND_LINE: Final = 2047
"""Characters that Linux reads on x86 (COMMAND_LINE_SIZE without its NUL)."""


def command_line(arguments: Iterable[str]) -> str:
    """One line; a value with blanks gets the double quotes that Linux understands.

    Raises:
        ValueError: an argument that no quoting can carry.
    """
    return " ".join(quoted_argument(argument) for argument in arguments)


def quoted_argument(argument: str) -> str:
    """One kernel argument; Linux knows no escape, so a quote inside a quoted value cannot be written.

    Raises:
        ValueError: it holds a control character, or an unpaired double quote.
    """
    if any(ord(char) < 32 or ord(char) == 127 for char in argument):
        raise ValueError(f"kernel argument {argument!r} holds a control character")
    if argument.count('"') % 2:
        raise ValueError(f"kernel argument {argument!r} holds an unpaired double quote")
    if " " not in argument or '"' in argument:
        return argument
    key, equals, value = argument.partition("=")
    return f'{key}="{value}"' if equals and " " not in key else f'"{argument}"'


def check_length(line: str) -> None:
    """See that Linux reads the whole line.

    Raises:
        ValueError: it is longer.
    """
    if len(line) > MAX_COMMAND_LINE:
        raise ValueError(f"the command line has {len(line)} characters, Linux reads {MAX_COMMAND_LINE}")


def screen_line(text: str) -> str:
    """A text for a loader's screen: printable ASCII on one line."""
    return " ".join(re.sub(r"[^\x20-\x7e]+", " ", text).split())
