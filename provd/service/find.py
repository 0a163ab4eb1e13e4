"""Conditions of a search: fields and patterns as in a shell; all must hold, one pattern of each is enough."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import translate
from itertools import islice
from typing import Annotated, Any, Final, TypeVar, get_args, get_origin

import msgspec
from msgspec import Meta

from provd.model.scrub import HIDDEN, scrub_urls
from provd.plugin.scrub import scrub_value
from provd.service.operations import OperationError

T = TypeVar("T")
Values = Callable[[Any], Sequence[object]]
"""Every value that an object has in one field; none for a field that is empty."""

Limit = Annotated[int, Meta(description="At most so many; 0 for all.", ge=0, le=100_000)]
Cursor = Annotated[str, Meta(description="Name of the last object of the page before; empty for the first page.")]


def where_meta(fields: Iterable[str], tables: Iterable[str] = ()) -> Meta:
    """About an argument ``where``; its schema names the fields, so that a command has an option for each.

    Args:
        fields: what can be found by, ``x-fields`` of the schema.
        tables: tables whose keys can be found by (``vars.rack``), ``x-tables`` of the schema.
    """
    text = "Field to pattern (`*`, `?`, `[a-z]`) or list of patterns; every field must fit."
    named = {"x-fields": list(fields), "x-tables": list(tables)}
    return Meta(description=text, extra_json_schema=named)


IgnoreCase = Annotated[bool, Meta(description="Upper and lower case letters are the same.")]


MOST_CONDITIONS: Final = 32
MOST_PATTERN: Final = 1024
MOST_TOGETHER: Final = 16 * 1024
"""Characters of all patterns of one field: they are read as one, and nobody else is served meanwhile."""
_WILD: Final = re.compile(r"[*?\[]")


@dataclass(frozen=True, slots=True)
class Condition:
    """One field and its patterns.

    Attributes:
        field: as the caller named it.
        values: reads the field.
        patterns: as they were given.
        match: whether a text fits one of them.
        cost: conditions that cost more are asked later.
    """

    field: str
    values: Values
    patterns: tuple[str, ...]
    match: Callable[[str], object]

    def exact(self) -> tuple[str, ...]:
        """The patterns where none of them has a wildcard, else nothing."""
        return () if any(_WILD.search(pattern) for pattern in self.patterns) else self.patterns

    def prefix(self) -> str:
        """What every match begins with."""
        return _WILD.split(self.patterns[0], maxsplit=1)[0] if len(self.patterns) == 1 else ""

    cost: int = 0

    def holds(self, thing: object) -> bool:
        """Whether one of the values fits; the pattern for nothing fits a field without values."""
        values = self.values(thing)
        if len(values) == 1:
            value = values[0]
            return self.match(value if type(value) is str and "@" not in value else text_of(value)) is not None
        if not values:
            return self.match("") is not None
        return any(self.match(text_of(value)) is not None for value in values)


def conditions_of(
    where: Mapping[str, Any], fields: Mapping[str, Values], tables: Iterable[str], *, ignore_case: bool = False
) -> list[Condition]:
    """The conditions that a caller wrote.

    Args:
        where: field to pattern, or to a list of patterns. ``true``, ``false`` and numbers count as their text.
        fields: fields that can be asked for.
        tables: fields that hold a table; ``vars.rack.row`` asks for a value in it.
        ignore_case: upper and lower case letters are the same.

    Raises:
        OperationError: an unknown field, or a pattern that is none; ``field`` names it.
    """
    if len(where) > MOST_CONDITIONS:
        raise OperationError(f"more than {MOST_CONDITIONS} conditions", field="where", kind="usage")
    found = []
    for field, wanted in where.items():
        place = f"where.{field}"
        values = fields.get(field) or _inner(field, tables)
        if values is None:
            known = ", ".join([*fields, *(f"{table}.KEY" for table in tables)])
            raise OperationError(f"there is no field {field!r}; there are: {known}", field=place, kind="usage")
        patterns = tuple(wanted) if isinstance(wanted, list | tuple) else (wanted,)
        if not patterns or not all(isinstance(one, str | bool | int | float) for one in patterns):
            raise OperationError(f"{place}: a pattern is a text, or a list of texts", field=place, kind="usage")
        texts = tuple(text_of(one) for one in patterns)
        if any(len(text) > MOST_PATTERN for text in texts):
            raise OperationError(f"{place}: a pattern has {MOST_PATTERN} characters at most", field=place, kind="usage")
        found.append(Condition(field, values, texts, _matcher(texts, place, ignore_case=ignore_case), "." in field))
    return sorted(found, key=lambda condition: condition.cost)


def _matcher(texts: Iterable[str], place: str, *, ignore_case: bool) -> Callable[[str], object]:
    """Says whether a text fits one of the patterns; those without a wildcard may be very many."""
    exact = {text.lower() if ignore_case else text for text in texts if not _WILD.search(text)}
    wild = [text for text in texts if _WILD.search(text)]
    if sum(map(len, wild)) > MOST_TOGETHER:
        sentence = f"{place}: patterns have {MOST_TOGETHER} characters together at most"
        raise OperationError(sentence, field=place, kind="usage")
    match = re.compile("|".join(map(translate, wild)), re.IGNORECASE * ignore_case).match if wild else None
    if match is not None and not exact:
        return match

    def fits(text: str) -> object:
        if (text.lower() if ignore_case else text) in exact:
            return True
        return match(text) if match is not None else None

    return fits


@dataclass(frozen=True, slots=True)
class Seen:
    """An object of a file with its name, as conditions look at it."""

    name: str
    value: msgspec.Struct

    def __getattr__(self, key: str) -> object:
        return getattr(self.value, key)


def find_fields(type_: type[msgspec.Struct]) -> tuple[Mapping[str, Values], tuple[str, ...]]:
    """Fields and tables by which objects of a structure can be found (:class:`Seen`)."""
    fields: dict[str, Values] = {"name": lambda seen: (seen.name,)}
    tables = []
    for one in msgspec.structs.fields(type_):
        inner = get_args(one.type)[0] if get_origin(one.type) is Annotated else one.type
        if get_origin(inner) is dict:
            tables.append(one.name)
        elif not (isinstance(inner, type) and issubclass(inner, msgspec.Struct)):
            fields[one.name] = _reader(one.name)
    return fields, tuple(tables)


def _reader(name: str) -> Values:
    def values(seen: object) -> Sequence[object]:
        value = getattr(seen, name)
        if isinstance(value, list | tuple):
            return value
        return () if value is None else (value,)

    return values


def page(found: Iterable[T], limit: int) -> list[T]:
    """The first of them, all for a limit of 0."""
    return list(islice(found, limit)) if limit else list(found)


def text_of(value: object) -> str:
    """A value as patterns see it."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Mapping | list | tuple):
        return str(scrub_value(value))
    return scrub_urls(str(value))


def _inner(field: str, tables: Iterable[str]) -> Values | None:
    table, _, path = field.partition(".")
    if table not in tables or not path:
        return None
    keys = path.split(".")
    if any(scrub_value("", key) == HIDDEN for key in (path, *keys)):
        # What is not shown to anybody must not be found letter by letter either.
        return lambda thing: [HIDDEN for _ in _at(getattr(thing, table) or {}, path)]

    def values(thing: object) -> Sequence[object]:
        value = top = getattr(thing, table)
        if not top:
            return ()
        for key in keys:
            # The usual way first: keys without dots, tables in tables.
            if type(value) is not dict or key not in value:
                return _at(top, path)
            value = value[key]
        return value if type(value) is list else (value,)

    return values


def _at(value: object, path: str) -> Sequence[object]:
    """Values at a path of a nested table; a key may hold dots."""
    if isinstance(value, list | tuple):
        return [one for item in value for one in _at(item, path)]
    if not isinstance(value, Mapping):
        return ()
    if path in value:
        inner = value[path]
        return list(inner) if isinstance(inner, list | tuple) else [inner]
    return [one for key in value if path.startswith(f"{key}.") for one in _at(value[key], path.removeprefix(f"{key}."))]
