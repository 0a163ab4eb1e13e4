"""Options of a command, made from the JSON Schema of an operation's arguments."""

from __future__ import annotations

import json
import math
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from provd.cli.names import name_completer

if TYPE_CHECKING:
    ParamType = click.ParamType[Any]
else:
    ParamType = click.ParamType

INHERIT: Final = "<<inherit>>"
"""Word for "inherit it again", as Cobbler's command has it; the operation gets null."""

DOCUMENTS: Final = frozenset({"content", "toml", "changes"})
"""Arguments that are a whole text: ``@FILE`` reads a file, ``-`` standard input."""

_ALIASES: Final[Mapping[str, tuple[str, ...]]] = {"new": ("--newname",)}
_PLAIN: Final = {"string": "text", "integer": "integer", "number": "number", "boolean": "switch"}


@dataclass(frozen=True, slots=True)
class Argument:
    """One argument of an operation.

    Attributes:
        name: its key.
        kind: ``text``, ``integer``, ``number``, ``switch``, ``words`` (list of texts), ``table``, ``tables`` (table of
            tables) or ``json``.
        schema: without the alternative null.
        required: the operation needs it.
        nullable: null is allowed: inherit again.
    """

    name: str
    kind: str
    schema: Mapping[str, Any] = field(repr=False)
    required: bool = False
    nullable: bool = False

    @property
    def flag(self) -> str:
        """The option's name."""
        return f"--{self.name.replace('_', '-')}"

    @property
    def text(self) -> str:
        """What the help says."""
        return str(self.schema.get("description", ""))


def arguments_of(schema: Mapping[str, Any]) -> list[Argument]:
    """Arguments of the structure that a schema describes, in its order."""
    if "$ref" in schema:
        schema = schema["$defs"][str(schema["$ref"]).rpartition("/")[2]]
    required = frozenset(schema.get("required", ()))
    return [_argument(name, one, required=name in required) for name, one in schema.get("properties", {}).items()]


def _argument(name: str, schema: Mapping[str, Any], *, required: bool) -> Argument:
    inner, nullable = dict(schema), False
    while "anyOf" in inner:
        choices = [one for one in inner["anyOf"] if one.get("type") != "null"]
        nullable = nullable or len(choices) < len(inner["anyOf"])
        if len(choices) != 1:
            break
        inner = {**{key: value for key, value in inner.items() if key != "anyOf"}, **choices[0]}
    return Argument(name, _kind(inner), inner, required, nullable)


def _kind(schema: Mapping[str, Any]) -> str:
    if "enum" in schema:
        return "text"
    kind = str(schema.get("type", ""))
    if kind == "array":
        return "words" if schema.get("items", {}).get("type") == "string" else "json"
    if kind == "object":
        inner = schema.get("additionalProperties")
        return "tables" if isinstance(inner, Mapping) and inner.get("type") == "object" else "table"
    return _PLAIN.get(kind, "json")


class Null:
    """Null on the command line; click takes None for "not given"."""


NULL: Final = Null()


class Nullable(ParamType):
    """A value, or ``<<inherit>>``."""

    def __init__(self, inner: ParamType) -> None:
        self.inner, self.name = inner, inner.name

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """The inner type's value, or :data:`NULL`."""
        return NULL if value in {INHERIT, NULL} else self.inner.convert(value, param, ctx)

    def get_metavar(self, param: click.Parameter, ctx: click.Context | None = None) -> str | None:
        """The inner type's; click 8.1 gives no context here."""
        more: Any = {} if ctx is None else {"ctx": ctx}
        return self.inner.get_metavar(param, **more)

    def shell_complete(self, ctx: click.Context, param: click.Parameter, incomplete: str) -> list[Any]:
        """The inner type's."""
        return self.inner.shell_complete(ctx, param, incomplete)


def options_of(arguments: Sequence[Argument], noun: str) -> Iterator[click.Option]:
    """An option for each argument, and ``--inherit`` where some may be inherited again."""
    for argument in arguments:
        yield option_of(argument, noun)
    inherited = [one.flag[2:] for one in arguments if one.nullable]
    if inherited and any(one.name == "in_place" for one in arguments):
        yield click.Option(
            ["--inherit"], multiple=True, metavar="KEY", type=click.Choice(inherited),
            help=f"Inherit KEY again; the same as the value {INHERIT}.",
        )  # fmt: skip


def option_of(argument: Argument, noun: str = "") -> click.Option:
    """The option for an argument; lists and tables may be named several times."""
    names = [*_names(argument), argument.name]
    if argument.kind == "switch":
        default = argument.schema.get("default")
        if default is not False:
            names[0] += f"/--no-{argument.flag[2:]}"
        return click.Option(names, is_flag=True, default=None, help=argument.text)
    many = argument.kind in {"words", "table", "tables"}
    metavar = {"words": "WORD", "table": "KEY=VALUE", "tables": "TABLE.KEY=VALUE", "json": "JSON"}.get(argument.kind)
    if argument.name in DOCUMENTS:
        metavar = "TEXT|@FILE|-"
    if argument.name == "password":
        metavar = "TEXT|-"
    return click.Option(
        names, type=_type(argument), multiple=many, metavar=metavar, help=_help(argument),
        shell_complete=name_completer(argument.name, noun),
    )  # fmt: skip


def _help(argument: Argument) -> str:
    text, default = argument.text, argument.schema.get("default")
    if default in (None, "", [], {}, False) or argument.kind in {"json", "words", "table", "tables"}:
        return text
    return f"{text}  [default: {default}]" if text else f"[default: {default}]"


def _names(argument: Argument) -> list[str]:
    """``--tags`` and ``--tag`` mean the same where the option may be named several times."""
    flag = argument.flag
    names = [flag, *_ALIASES.get(argument.name, ())]
    if argument.kind in {"words", "table", "tables"} and flag.endswith("s") and len(flag) > 4:
        names.insert(1, flag[:-1])
    return names


def _type(argument: Argument) -> ParamType:
    schema = argument.schema
    inner: ParamType = click.STRING
    if "enum" in schema:
        inner = click.Choice([str(value) for value in schema["enum"] if value != ""])
    elif argument.kind == "integer":
        inner = click.IntRange(schema.get("minimum"), schema.get("maximum"))
    elif argument.kind == "number":
        inner = click.FLOAT
    return Nullable(inner) if argument.nullable else inner


def value_of(argument: Argument, given: Any) -> Any:
    """Value of an argument, of what click collected.

    Raises:
        click.BadParameter: it is not of the argument's kind.
    """
    if given is NULL:
        return None
    if argument.name in DOCUMENTS:
        given = _document(argument, str(given))
    if argument.name == "password" and given == "-":
        return _password()
    if argument.kind == "json":
        return _json(argument, given)
    if argument.kind == "words":
        return None if NULL in given else [word for text in given for word in _words(argument, text)]
    if argument.kind in {"table", "tables"}:
        return None if NULL in given else _table(argument, given)
    return given


def _password() -> str:
    """A password that is typed twice, or the first line of standard input where that is no terminal."""
    if sys.stdin.isatty():
        return str(click.prompt("Password", hide_input=True, confirmation_prompt=True, err=True))
    read = sys.stdin.readline().rstrip("\r\n")
    if not read:
        raise click.BadParameter("standard input is empty", param_hint="--password")
    return read


def _document(argument: Argument, text: str) -> str:
    if text == "-":
        return sys.stdin.read()
    if not text.startswith("@"):
        return text
    try:
        return Path(text[1:]).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise click.BadParameter(str(error), param_hint=argument.flag) from error


def _json(argument: Argument, text: str) -> Any:
    try:
        return loads(text)
    except (ValueError, RecursionError) as error:
        raise click.BadParameter(f"{text!r} is not JSON", param_hint=argument.flag) from error


def loads(text: str) -> Any:
    """JSON; what RFC 8259 section 6 has no number for is none: ``NaN``, and ``12e4567``, which may be a commit.

    Raises:
        ValueError, RecursionError: it is none.
    """

    def number(word: str) -> float:
        if math.isfinite(value := float(word)):
            return value
        raise ValueError(word)

    return json.loads(text, parse_constant=number, parse_float=number)


def _words(argument: Argument, text: str) -> Sequence[Any]:
    """One word, a JSON list of them, or none for an empty text."""
    if text.startswith("["):
        found = _json(argument, text)
        if isinstance(found, list):
            return found
    return [text] if text else []


def _table(argument: Argument, given: Sequence[str]) -> dict[str, Any]:
    """Pairs, JSON objects, or nothing for an empty text."""
    found: dict[str, Any] = {}
    entries = argument.schema.get("additionalProperties")
    only_text = "string" in str(entries) or "x-fields" in argument.schema
    for text in given:
        if text.startswith("{"):
            value = _json(argument, text)
            found.update(value)
        elif text:
            key, value = pair(text, argument.flag, only_text=only_text)
            # Names of documents and of fields to search have dots of their own.
            _put(argument, found, [key] if only_text else key.split("."), value)
    return found


def _put(argument: Argument, table: dict[str, Any], path: Sequence[str], value: Any) -> None:
    """Set a value, within tables where its key has dots.

    Raises:
        click.BadParameter: an empty part, or something else than a table is in the way.
    """
    for part in path[:-1]:
        inner = table.setdefault(part, {})
        if not isinstance(inner, dict):
            raise click.BadParameter(f"{'.'.join(path)}: {part} is a value, not a table", param_hint=argument.flag)
        table = inner
    if not all(path):
        raise click.BadParameter(f"{'.'.join(path)!r} has an empty part", param_hint=argument.flag)
    table[path[-1]] = value


def pair(text: str, flag: str, *, only_text: bool = False) -> tuple[str, Any]:
    """``KEY=VALUE``; a value that is JSON counts as that, anything else as text.

    Raises:
        click.BadParameter: it is none.
    """
    key, equals, value = text.partition("=")
    if not key or not equals:
        raise click.BadParameter(f"{text!r} is not KEY=VALUE", param_hint=flag)
    if only_text:
        return key, value
    try:
        return key, loads(value)
    except (ValueError, RecursionError):
        return key, value
