"""Removes install tokens from text that is going to be logged or kept."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping

from provd.model.scrub import HIDDEN, scrub_path

_SECRET_KEY = re.compile(
    r"pass(word|phrase|wd)?|secret|token|api_?key|private|credential|\bauth|registration_?code", re.IGNORECASE
)

_SHORT = 5

_HEX = "[0-9A-Fa-f]"
_ESCAPE = re.compile(rf'\\(["\\btnfre]|x{_HEX}{{2}}|u{_HEX}{{4}}|U00(?:0{_HEX}|10){_HEX}{{4}})')
_CHARACTERS = {"b": "\b", "t": "\t", "n": "\n", "f": "\f", "r": "\r", "e": "\x1b"}


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


def secret_words(value: object, *, below: bool = False) -> Iterator[str]:
    """Every line of the texts that :func:`scrub_value` hides, without white space around it.

    Args:
        value: plain values.
        below: it stands under a key that looks secret.
    """
    if isinstance(value, Mapping):
        for name, item in value.items():
            yield from secret_words(item, below=below or _SECRET_KEY.search(str(name)) is not None)
    elif isinstance(value, list | tuple):
        for item in value:
            yield from secret_words(item, below=below)
    elif below and value is not None and not isinstance(value, bool):
        yield from (line.strip() for line in str(value).splitlines() if line.strip())


def scrub_lines(text: str, words: Collection[str] = ()) -> str:
    """Lines of TOML, or of a difference between two files: values of lines that name something secret are hidden.

    Args:
        text: the lines.
        words: what :func:`secret_words` found in the files: lines that hold one are hidden too, for a text of several
            lines and a table named ``secret`` have their key elsewhere.
    """
    return "".join(_scrub_line(line, words) for line in text.splitlines(keepends=True))


def _scrub_line(line: str, words: Collection[str]) -> str:
    key, equals, value = line.partition("=")
    if equals and (_SECRET_KEY.search(line) or _holds_one(value, words)):
        return f"{key}= {HIDDEN}\n"
    if _holds_one(line[1:], words):
        return f"{line[:1]}{HIDDEN}\n"
    return scrub(line)


def _holds_one(text: str, words: Collection[str]) -> bool:
    meant = _ESCAPE.sub(_character, text) if words else text
    return any(_holds(text, word) or _holds(meant, word) for word in words)


def _character(escape: re.Match[str]) -> str:
    """What an escape of TOML stands for."""
    name = escape[1]
    return chr(int(name[1:], 16)) if name[1:] else _CHARACTERS.get(name, name)


def _holds(text: str, word: str) -> bool:
    """A short word counts as a whole only, or half of the file would be hidden."""
    return text.strip() == word or f'"{word}"' in text or f"'{word}'" in text or (len(word) > _SHORT and word in text)
