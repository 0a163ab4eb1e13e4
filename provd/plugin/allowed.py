"""What a template may read, call and use; everything else is refused."""

from __future__ import annotations

import dataclasses
import datetime as dt
import enum
import ipaddress
from collections.abc import Mapping

from jinja2.environment import TemplateModule
from jinja2.runtime import LoopContext
from jinja2.utils import Namespace

_ADDRESSES = (
    ipaddress.IPv4Address,
    ipaddress.IPv6Address,
    ipaddress.IPv4Network,
    ipaddress.IPv6Network,
    ipaddress.IPv4Interface,
    ipaddress.IPv6Interface,
)
_MAPPING_METHODS = frozenset({"get", "items", "keys", "values"})
_DATE_FIELDS = frozenset({"year", "month", "day", "hour", "minute", "second"})
_ADDRESS_FIELDS = frozenset(
    {
        "broadcast_address",
        "hostmask",
        "is_private",
        "netmask",
        "network_address",
        "prefixlen",
        "version",
    }
)
_LOOP_FIELDS = frozenset(
    {
        "changed",
        "cycle",
        "depth",
        "depth0",
        "first",
        "index",
        "index0",
        "last",
        "length",
        "nextitem",
        "previtem",
        "revindex",
        "revindex0",
    }
)
_TEXT_METHODS = frozenset(
    {
        "capitalize",
        "endswith",
        "isalnum",
        "isalpha",
        "isdigit",
        "islower",
        "isspace",
        "isupper",
        "lower",
        "lstrip",
        "partition",
        "removeprefix",
        "removesuffix",
        "rpartition",
        "rsplit",
        "rstrip",
        "split",
        "splitlines",
        "startswith",
        "strip",
        "swapcase",
        "title",
        "upper",
    }
)
TEST_NAMES = frozenset(
    {
        "!=",
        "<",
        "<=",
        "==",
        ">",
        ">=",
        "boolean",
        "defined",
        "divisibleby",
        "eq",
        "equalto",
        "even",
        "false",
        "ge",
        "gt",
        "in",
        "integer",
        "iterable",
        "le",
        "lower",
        "lt",
        "mapping",
        "ne",
        "none",
        "number",
        "odd",
        "sequence",
        "string",
        "true",
        "undefined",
        "upper",
    }
)
FILTER_NAMES = frozenset(
    {
        "abs",
        "capitalize",
        "count",
        "d",
        "default",
        "dictsort",
        "first",
        "float",
        "int",
        "items",
        "last",
        "length",
        "list",
        "lower",
        "map",
        "max",
        "min",
        "reject",
        "rejectattr",
        "reverse",
        "round",
        "select",
        "selectattr",
        "sort",
        "string",
        "sum",
        "title",
        "trim",
        "unique",
        "upper",
        "urlencode",
    }
)


def readable(obj: object, attribute: str) -> bool:
    """Whether a template may read this attribute: fields of plain values, Jinja's own loop, namespace and imports."""
    if attribute.startswith("_"):
        return False
    match obj:
        case LoopContext():
            return attribute in _LOOP_FIELDS
        case Namespace() | TemplateModule():
            return True
        case enum.Enum():
            return attribute in {"name", "value"}
        case dt.date():
            return attribute in _DATE_FIELDS
    if isinstance(obj, _ADDRESSES):
        return attribute in _ADDRESS_FIELDS
    if dataclasses.is_dataclass(obj) and not isinstance(obj, type):
        fields = {field.name for field in dataclasses.fields(obj)}
        return attribute in fields or isinstance(getattr(type(obj), attribute, None), property)
    return may_call(obj, attribute)


def names_in(obj: object) -> list[str]:
    """Keys of a mapping or fields of a plain value, to find near misses."""
    if isinstance(obj, Mapping):
        return [str(key) for key in obj]
    if dataclasses.is_dataclass(obj):
        return [field.name for field in dataclasses.fields(obj)]
    return []


def may_call(obj: object, name: str) -> bool:
    """Whether a template may call this method: a listed one of text, of a mapping or of a loop."""
    if isinstance(obj, LoopContext):
        return name in {"cycle", "changed"}
    if isinstance(obj, str):
        return name in _TEXT_METHODS
    return isinstance(obj, Mapping) and name in _MAPPING_METHODS
