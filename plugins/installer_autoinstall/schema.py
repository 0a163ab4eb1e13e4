"""Judge of ``user-data``: the form cloud-init asks for, and the facts of autoinstall's schema (version 1) by us.

Our document is JSON below its first line. A site's own template may be any YAML: of that only the first line is judged.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

_TEXT, _LIST, _TABLE, _YES = (str,), (list,), (dict,), (bool,)
AUTOINSTALL: Mapping[str, tuple[type, ...]] = {
    "version": (int,), "locale": _TEXT, "keyboard": _TABLE, "network": _TABLE, "storage": _TABLE, "apt": _TABLE,
    "ssh": _TABLE, "packages": _LIST, "updates": _TEXT, "shutdown": _TEXT, "user-data": _TABLE,
    "early-commands": _LIST, "late-commands": _LIST, "error-commands": _LIST, "proxy": _TEXT, "identity": _TABLE,
    "interactive-sections": _LIST, "refresh-installer": _TABLE, "source": _TABLE, "snaps": _LIST, "kernel": _TABLE,
    "timezone": _TEXT, "drivers": _TABLE, "codecs": _TABLE, "oem": _TABLE, "reporting": _TABLE,
    "debconf-selections": _TEXT,
    "ubuntu-pro": _TABLE, "active-directory": _TABLE, "kernel-crash-dumps": _TABLE, "zdevs": _LIST,
}  # fmt: skip
"""Top-level keys of autoinstall version 1 and the types they take."""

CHOICES: Mapping[str, tuple[str, ...]] = {"updates": ("security", "all"), "shutdown": ("reboot", "poweroff")}
LAYOUTS = ("lvm", "direct", "zfs", "hybrid")
NETPLAN: Mapping[str, tuple[str, ...]] = {
    "ethernets": ("match",),
    "bonds": ("interfaces",),
    "bridges": ("interfaces",),
    "vlans": ("id", "link"),
}
"""Tables of netplan that we write, and the keys that one of them cannot do without."""


def judged(text: str) -> Iterator[str]:
    """What is wrong, a sentence each."""
    head, _, rest = text.partition("\n")
    if head != "#cloud-config":
        yield "the first line must be #cloud-config, or cloud-init skips it"
        return
    if not rest.lstrip().startswith("{"):
        return
    try:
        whole = json.loads(rest)
    except ValueError as error:
        yield f"not JSON after the first line: {error}"
        return
    table = whole.get("autoinstall")
    if not isinstance(table, dict):
        yield "autoinstall is missing, so the installer would ask"
        return
    yield from _top(table)
    yield from _parts(table)


def _top(table: Mapping[str, Any]) -> Iterator[str]:
    if table.get("version") != 1:
        yield f"autoinstall.version is {table.get('version')!r}, must be 1"
    if "user-data" not in table and "identity" not in table:
        yield "autoinstall needs identity or user-data"
    for key, value in table.items():
        types = AUTOINSTALL.get(key)
        if types is None:
            yield f"autoinstall.{key} is not a key of version 1"
        elif not isinstance(value, types):
            yield f"autoinstall.{key} must be {types[0].__name__}, not {type(value).__name__}"
        elif key in CHOICES and value not in CHOICES[key]:
            yield f"autoinstall.{key} is {value!r}, must be one of {', '.join(CHOICES[key])}"


def _parts(table: Mapping[str, Any]) -> Iterator[str]:
    if not isinstance(table.get("keyboard", {}).get("layout", ""), str):
        yield "autoinstall.keyboard.layout must be a text"
    layout = table.get("storage", {}).get("layout", {}).get("name", "lvm")
    if layout not in LAYOUTS:
        yield f"autoinstall.storage.layout.name is {layout!r}, must be one of {', '.join(LAYOUTS)}"
    for key in ("packages", "early-commands", "late-commands", "error-commands"):
        for index, item in enumerate(table.get(key, ())):
            if not (isinstance(item, str) or (key != "packages" and _words(item))):
                yield f"autoinstall.{key}[{index}] must be a text" + (
                    "" if key == "packages" else " or a list of texts"
                )
    for kind, needed in NETPLAN.items():
        for name, card in table.get("network", {}).get(kind, {}).items():
            yield from (f"autoinstall.network.{kind}.{name} has no {key}" for key in needed if key not in card)
    for index, user in enumerate(table.get("user-data", {}).get("users", ())):
        if not isinstance(user, str) and not isinstance(user.get("name"), str):
            yield f"autoinstall.user-data.users[{index}] has no name"


def _words(item: object) -> bool:
    return isinstance(item, Sequence) and all(isinstance(word, str) for word in item)
