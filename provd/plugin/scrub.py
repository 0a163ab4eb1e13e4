"""Removes install tokens from text that is going to be logged or kept."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping

from provd.model.scrub import HIDDEN, scrub_path

_SECRET_KEY = re.compile(
    r"pass(word|phrase|wd)?|secret|token|api_?key|private|credential|\bauth|registration_?code", re.IGNORECASE
)

_SHORT = 5
"""Characters of a word that would hide half of a file where it counted as part of others."""

_HEX = "[0-9A-Fa-f]"
_ESCAPE = re.compile(rf'\\(["\\btnfre]|x{_HEX}{{2}}|u{_HEX}{{4}}|U00(?:0{_HEX}|10){_HEX}{{4}})')
_QUOTED = re.compile(r"""\"(?:[^"\\]|\\.)*"|'[^']*'""")
_BETWEEN = re.compile(r"""[\s,=\[\]{}"']+""")
_AROUND = " \t\"',[]{}"
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
    """A difference between two files of TOML: values of lines that name something secret are hidden.

    Args:
        text: the lines, each behind its mark.
        words: what :func:`secret_words` found in the files: lines that have one are hidden too, for a text of several
            lines and a table named ``secret`` have their key elsewhere.
    """
    known = frozenset(words)
    return "".join(_scrub_line(line, known) for line in text.splitlines(keepends=True))


def _scrub_line(line: str, words: frozenset[str]) -> str:
    key, equals, value = line.partition("=")
    if line[1:].strip() not in words and equals and (_SECRET_KEY.search(line) or _tells(value, words)):
        return f"{key}= {HIDDEN}\n"
    if _tells(line[1:], words):
        return f"{line[:1]}{HIDDEN}\n"
    return scrub(line)


def _tells(text: str, words: frozenset[str]) -> bool:
    """Whether one of the words stands there: alone, between quotes, or, unless it is short, between blanks and signs.

    Only what may be one is looked up, since a secret may have as many words as its file has lines.
    """
    if not words:
        return False
    quoted = (piece for one in _QUOTED.findall(text) for piece in _whole(one))
    return not (
        words.isdisjoint(_whole(text))
        and words.isdisjoint(quoted)
        and words.isdisjoint(one for one in _BETWEEN.split(text) if len(one) > _SHORT)
    )


def _whole(text: str) -> Iterator[str]:
    """A text as it stands and as TOML means it, line by line, with and without what may stand around a value."""
    for line in (text, *_ESCAPE.sub(_character, text).splitlines()):
        yield line.strip()
        yield line.strip(_AROUND)
        yield line.strip()[1:-1].strip()


def _character(escape: re.Match[str]) -> str:
    """What an escape of TOML stands for."""
    name = escape[1]
    return chr(int(name[1:], 16)) if name[1:] else _CHARACTERS.get(name, name)
