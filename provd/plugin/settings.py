"""Decodes ``[plugins.NAME]`` into the plugin's settings type."""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping
from typing import Any

import msgspec

from provd.plugin.contract import Plugin
from provd.plugin.errors import PluginError

_PATH = re.compile(r"^(?P<rule>.*?)(?: - at `(?P<path>[^`]*)`)?$", re.DOTALL)
_UNKNOWN = re.compile(r"unknown field `([^`]*)`")


def decode_settings(plugin: Plugin[Any], table: Mapping[str, object], *, data_dir: str = "", file: str = "") -> Any:
    """Typed settings of one plugin.

    Args:
        plugin: the plugin.
        table: ``[plugins.NAME]`` as read from TOML.
        data_dir: fills a field ``data_dir`` that the table leaves empty.
        file: the TOML file, for the error sentence.

    Raises:
        PluginError: file, key path and rule.
    """
    fields = {field.encode_name: field for field in msgspec.structs.fields(plugin.settings)}
    values = dict(table)
    if data_dir and "data_dir" in fields and not values.get("data_dir"):
        values["data_dir"] = data_dir
    try:
        return msgspec.convert(values, plugin.settings)
    except (msgspec.ValidationError, ValueError, TypeError) as error:
        match = _PATH.match(str(error))
        rule, path = (match["rule"], match["path"] or "$") if match else (str(error), "$")
        key = f"plugins.{plugin.name}{path.removeprefix('$')}"
        unknown = _UNKNOWN.search(rule)
        if unknown:
            near = difflib.get_close_matches(unknown[1], fields, n=1)
            hint = f"; did you mean {near[0]}?" if near else f"; known are {', '.join(fields) or 'none'}"
            rule = f"unknown key {unknown[1]}{hint}"
        where = f"{file}: {key}" if file else key
        raise PluginError(plugin.name, f"{where}: {rule}") from error
