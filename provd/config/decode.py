"""Tables into typed structures, with the file, the full key path and a near miss in the error."""

from __future__ import annotations

import re
from collections.abc import Callable, Hashable, Mapping
from difflib import get_close_matches
from functools import lru_cache
from ipaddress import IPv4Address, IPv4Network
from typing import Any, Final, TypeVar

import msgspec
from msgspec import inspect

from provd.config.errors import ConfigError
from provd.model.subnet import Pool

_MOST_TOLD: Final = 40
"""Names in a sentence; a site may have hundreds of profiles."""
T = TypeVar("T")

_WHERE = re.compile(r"(?P<rule>.*?)(?: - at `(?P<path>.*)`)?", re.DOTALL)
_NAMES = {
    "`int`": "an integer",
    "`str`": "a string",
    "`bool`": "true or false",
    "`float`": "a number",
    "`array`": "an array",
    "`object`": "a table",
    "`null`": "nothing",
    "`datetime`": "a date and time",
    "`date`": "a date",
    "`time`": "a time",
}


def decode(table: Mapping[str, Any], type_: type[T], file: str, prefix: str = "") -> T:
    """Decode a table into ``type_``, a ``msgspec.Struct``.

    Args:
        table: what TOML gave.
        type_: structure; keys it does not have are refused if it is declared with ``forbid_unknown_fields``. Its
            attribute ``ELSEWHERE`` has the rule for keys that people look for in it, and that stand somewhere else.
        file: file to name in errors.
        prefix: key path of the table itself, as in ``plugins.pxelinux``.

    Raises:
        ConfigError: the first fault, with its key path.
    """
    hashable: Any = type_  # mypy does not know that classes are
    shape = _described(hashable)
    _refuse_unknown(table, shape, file, prefix)
    try:
        return msgspec.convert(table, type_, dec_hook=_from_toml)
    except msgspec.ValidationError as error:
        path, rule = _split(str(error))
        path = _name_keys(path, table, shape)
        known = _choices(_at(table, shape, path)[1]) if "enum" in rule else ""
        raise ConfigError(file, _join(prefix, path), rule + known) from error


@lru_cache(256)
def _described(type_: Hashable) -> inspect.Type:
    """A structure as msgspec describes it; that costs a millisecond, and thousands of machines have the same one."""
    return inspect.type_info(type_)


def near_miss(word: str, known: list[str], otherwise: str = "") -> str:
    """``; did you mean 'x'?`` or, where nothing is near, ``otherwise`` or the list; of a long one its beginning."""
    near = get_close_matches(word, known, n=1)
    if near or otherwise:
        return f"; did you mean {near[0]!r}?" if near else otherwise
    more = f", ... ({len(known)} in all)" if len(known) > _MOST_TOLD else ""
    return f"; known: {', '.join(sorted(known)[:_MOST_TOLD])}{more}" if known else ""


def parse_pool(text: str) -> Pool:
    """Read ``10.0.0.100-10.0.0.200``, both ends included.

    Raises:
        ValueError: one sentence.
    """
    first, dash, last = text.partition("-")
    if not dash:
        raise ValueError(f"{text!r} is not a pool: FIRST-LAST is expected, as in 10.0.0.100-10.0.0.200")
    return Pool(parse_address(first.strip()), parse_address(last.strip()))


def parse_address(text: str) -> IPv4Address:
    """Read a dotted quad.

    Raises:
        ValueError: one sentence.
    """
    try:
        return IPv4Address(text)
    except ValueError:
        raise ValueError(f"{text!r} is not an IPv4 address, as in 10.0.0.1") from None


def parse_network(text: str) -> IPv4Network:
    """Read a network with its prefix length.

    Raises:
        ValueError: one sentence; host bits that are set name the network that was probably meant.
    """
    if "/" not in text:
        raise ValueError(f"{text!r} has no prefix length, as in 10.0.0.0/24")
    try:
        loose = IPv4Network(text, strict=False)
    except ValueError:
        raise ValueError(f"{text!r} is not an IPv4 network, as in 10.0.0.0/24") from None
    if str(loose.network_address) != text.partition("/")[0]:
        raise ValueError(f"{text!r} has host bits set; the network is {loose}")
    return loose


def _from_toml(type_: type, value: Any) -> Any:
    """Values that TOML has no type for."""
    if not isinstance(value, str):
        # msgspec gives only a ValueError of this hook its path.
        raise ValueError(f"expected a string, got {_kind(value)}")  # noqa: TRY004
    return _READERS[type_](value)


_READERS: Final[Mapping[type, Callable[[str], Any]]] = {IPv4Address: parse_address, IPv4Network: parse_network}


def _kind(value: object) -> str:
    names = {bool: "true or false", int: "an integer", float: "a number", list: "an array", dict: "a table"}
    return names.get(type(value), type(value).__name__)


def _split(message: str) -> tuple[str, str]:
    """Key path and rule of a msgspec message such as "Expected `int`, got `str` - at `$.listen.http_port`"."""
    match = _WHERE.fullmatch(message)
    assert match is not None  # noqa: S101  the pattern matches any text
    rule = match["rule"]
    for name, words in _NAMES.items():
        rule = rule.replace(name, words)
    rule = rule.replace("Object missing required field `", "the key '").replace("`", "'")
    if rule.startswith("the key "):
        rule += " is missing"
    if rule.startswith(("Expected ", "Invalid ")):
        rule = rule[:1].lower() + rule[1:]
    return (match["path"] or "").removeprefix("$").removeprefix("."), rule


def _join(prefix: str, path: str) -> str:
    if not prefix or not path:
        return prefix or path
    return f"{prefix}{path}" if path.startswith("[") else f"{prefix}.{path}"


def _bare(info: inspect.Type) -> tuple[inspect.Type, ...]:
    """The alternatives of a type without its annotations."""
    if isinstance(info, inspect.Metadata):
        return _bare(info.type)
    if isinstance(info, inspect.UnionType):
        return tuple(bare for part in info.types for bare in _bare(part))
    return (info,)


def _children(value: Any, info: inspect.Type) -> list[tuple[str, Any, inspect.Type]]:
    """What lies directly below a value: key path part, value, expected type."""
    for bare in _bare(info):
        if isinstance(bare, inspect.StructType) and isinstance(value, dict):
            fields = {field.encode_name: field.type for field in bare.fields}
            return [(f".{key}", child, fields[key]) for key, child in value.items() if key in fields]
        if isinstance(bare, inspect.DictType) and isinstance(value, dict):
            return [(f".{key}", child, bare.value_type) for key, child in value.items()]
        if isinstance(bare, inspect.ListType | inspect.VarTupleType) and isinstance(value, list):
            return [(f"[{index}]", child, bare.item_type) for index, child in enumerate(value)]
    return []


def _refuse_unknown(value: Any, info: inspect.Type, file: str, path: str) -> None:
    for bare in _bare(info):
        if isinstance(bare, inspect.StructType) and bare.forbid_unknown_fields and isinstance(value, dict):
            known = [field.encode_name for field in bare.fields]
            for key in value:
                if key not in known:
                    elsewhere: Mapping[str, str] = getattr(bare.cls, "ELSEWHERE", {})
                    rule = elsewhere.get(key) or f"unknown key{near_miss(key, known)}"
                    raise ConfigError(file, _join(path, key), rule)
    for part, child, below in _children(value, info):
        _refuse_unknown(child, below, file, f"{path}{part}".removeprefix("."))


def _name_keys(path: str, value: Any, info: inspect.Type) -> str:
    """Replace each ``[...]`` that msgspec writes for a table's key by the key whose value fails."""
    while "[...]" in path:
        head, _, tail = path.partition("[...]")
        children = _children(*_at(value, info, head))
        found = next((name for name, child, below in children if _fails(child, below)), "")
        if not found:
            break
        path = f"{head}{found}{tail}".removeprefix(".")
    return path


def _at(value: Any, info: inspect.Type, path: str) -> tuple[Any, inspect.Type]:
    """The value at ``path`` and the type that is expected there."""
    if not path:
        return value, info
    for part, child, below in _children(value, info):
        name = part if path.startswith((".", "[")) else part.removeprefix(".")
        rest = path.removeprefix(name)
        if rest != path and (not rest or rest.startswith((".", "["))):
            return _at(child, below, rest)
    return None, inspect.AnyType()


def _fails(value: Any, info: inspect.Type) -> bool:
    """Whether this value is the one that msgspec refused."""
    bare = _bare(info)[0]
    if isinstance(bare, inspect.StructType):
        try:
            msgspec.convert(value, bare.cls, dec_hook=_from_toml)
        except msgspec.ValidationError:
            return True
        return False
    if isinstance(bare, inspect.DictType):
        return not isinstance(value, dict) or any(_fails(child, bare.value_type) for child in value.values())
    return isinstance(bare, inspect.StrType) and not isinstance(value, str)


def _choices(info: inspect.Type) -> str:
    """The values of a choice, for the end of a sentence."""
    values = [str(value) for bare in _bare(info) if isinstance(bare, inspect.LiteralType) for value in bare.values]
    return f"; known: {', '.join(filter(None, values))}" if values else ""
