"""Decodes ``[plugins.NAME]`` into the plugin's settings type, and finds everything that is wrong in it."""

from __future__ import annotations

import re
import typing
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec

from provd.plugin.contract import Plugin
from provd.plugin.errors import PluginError
from provd.plugin.faults import PluginFault
from provd.plugin.near import did_you_mean

_PATH = re.compile(r"^(?P<rule>.*?)(?: - at `\$?(?P<path>[^`]*)`)?$", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Wrong:
    """One fault of a table.

    Attributes:
        path: below the table, as in ``.mails[1].to``; empty for the table itself.
        rule: what it breaks.
    """

    path: str
    rule: str


@dataclass(frozen=True, slots=True)
class Read:
    """What a table came to.

    Attributes:
        settings: an object of the settings type without the triggers that are wrong; None where the plugin is off.
        faults: everything that is wrong, in the order of the table.
    """

    settings: Any
    faults: tuple[PluginFault, ...] = ()


def decode_settings(plugin: Plugin[Any], table: Mapping[str, object], *, data_dir: str = "", file: str = "") -> Any:
    """Typed settings of one plugin.

    Args:
        plugin: the plugin.
        table: ``[plugins.NAME]`` as read from TOML.
        data_dir: fills a field ``data_dir`` that the table leaves empty.
        file: the TOML file, for the error sentence.

    Raises:
        PluginError: file, key path and rule of everything that is wrong.
    """
    read = read_settings(plugin, table, data_dir=data_dir, file=file)
    if read.faults:
        raise PluginError(plugin.name, "; ".join(fault.rule for fault in read.faults))
    return read.settings


def read_settings(plugin: Plugin[Any], table: Mapping[str, object], *, data_dir: str = "", file: str = "") -> Read:
    """Typed settings of one plugin, and all that is wrong; arguments as of :func:`decode_settings`.

    A trigger that is wrong (``Plugin.triggers``), or that has the name of an earlier one, is left out. Anything else
    that is wrong leaves no settings.
    """
    values = dict(table)
    if data_dir and _has_field(plugin.settings, "data_dir") and not values.get("data_dir"):
        values["data_dir"] = data_dir
    items = _listed(values, plugin.triggers)
    found = [*_wrongs(values, plugin.settings, ""), *_repeated(items, plugin.triggers)]
    of_item = [_item_of(wrong, plugin.triggers, len(items)) for wrong in found]
    whole = None in of_item
    if not whole:
        kept = [one for at, one in enumerate(items) if at not in of_item]
        try:
            settings = msgspec.convert(values | ({plugin.triggers: kept} if of_item else {}), plugin.settings)
        except (msgspec.ValidationError, ValueError, TypeError) as error:
            found, of_item, whole = [*found, _told(error, "")], [*of_item, None], True
    names = names_of(items, plugin.triggers)
    faults = []
    for wrong, at in zip(found, of_item, strict=True):
        key = f"plugins.{plugin.name}{wrong.path}"
        rule = f"{file}: {key}: {wrong.rule}" if file else f"{key}: {wrong.rule}"
        faults.append(PluginFault(plugin.name, rule, names if whole or at is None else (names[at],), whole=whole))
    return Read(None if whole else settings, tuple(faults))


def names_of(items: Sequence[object], setting: str) -> tuple[str, ...]:
    """What triggers are called by their tables, or where they stand."""
    found = []
    for at, one in enumerate(items):
        name = one.get("name") if isinstance(one, Mapping) else None
        found.append(name if isinstance(name, str) and name else f"{setting}[{at}]")
    return tuple(found)


def trigger_names(plugin: Plugin[Any], table: Mapping[str, object]) -> tuple[str, ...]:
    """Names of the triggers that a table has, right or wrong."""
    return names_of(_listed(table, plugin.triggers), plugin.triggers)


def _listed(table: Mapping[str, object], setting: str) -> Sequence[object]:
    items = table.get(setting) if setting else None
    return items if isinstance(items, list | tuple) else ()


def _repeated(items: Sequence[object], setting: str) -> Iterator[Wrong]:
    first: dict[str, int] = {}
    for at, one in enumerate(items):
        name = one.get("name") if isinstance(one, Mapping) else None
        if isinstance(name, str) and first.setdefault(name, at) != at:
            yield Wrong(f".{setting}[{at}].name", f"{setting}[{first[name]}] is called {name!r} already")


def _item_of(wrong: Wrong, setting: str, count: int) -> int | None:
    """Number of the trigger that is wrong; None where it is something else."""
    found = re.match(rf"\.{re.escape(setting)}\[(\d+)\]", wrong.path) if setting else None
    return int(found[1]) if found and int(found[1]) < count else None


def _has_field(type_: type, name: str) -> bool:
    return any(field.encode_name == name for field in msgspec.structs.fields(type_))


def _wrongs(value: object, wanted: Any, path: str) -> Iterator[Wrong]:
    """Everything that is wrong in a value; of a table its keys one by one, and then what they are together."""
    below: list[Wrong] = []
    if isinstance(wanted, type) and issubclass(wanted, msgspec.Struct) and isinstance(value, Mapping):
        below = list(_of_table(value, wanted, path))
    elif typing.get_origin(wanted) in {tuple, list} and isinstance(value, list | tuple):
        kind = typing.get_args(wanted)
        if kind[1:] in {(), (...,)}:
            below = [wrong for at, one in enumerate(value) for wrong in _wrongs(one, kind[0], f"{path}[{at}]")]
    elif typing.get_origin(wanted) is dict and isinstance(value, Mapping):
        kind = typing.get_args(wanted)[1]
        below = [wrong for key, one in value.items() for wrong in _wrongs(one, kind, f"{path}.{key}")]
    if below:
        yield from below
        return
    try:
        msgspec.convert(value, wanted)
    except (msgspec.ValidationError, ValueError, TypeError) as error:
        yield _told(error, path)


def _of_table(table: Mapping[str, object], wanted: type[msgspec.Struct], path: str) -> Iterator[Wrong]:
    fields = {field.encode_name: field for field in msgspec.structs.fields(wanted)}
    for key, value in table.items():
        if key in fields:
            yield from _wrongs(value, fields[key].type, f"{path}.{key}")
        elif wanted.__struct_config__.forbid_unknown_fields:
            hint = did_you_mean(key, fields, f"; known are {', '.join(fields) or 'none'}")
            yield Wrong(path, f"unknown key {key}{hint}")
    for name, field in fields.items():
        if field.required and name not in table:
            yield Wrong(path, f"the key {name} is missing")


def _told(error: Exception, path: str) -> Wrong:
    match = _PATH.match(str(error))
    return Wrong(f"{path}{match['path'] or ''}", match["rule"]) if match else Wrong(path, str(error))
