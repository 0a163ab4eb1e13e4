"""Cobbler's collections (2.8 and 3.0 to 3.3, the JSON files of its serializer) as provd's files."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import tomlkit

from provd.api.cobbler.attributes import FIELDS, INHERIT, INTERFACE
from provd.api.cobbler.fields import FieldError, modern, read
from provd.api.cobbler.further_items import BAG
from provd.api.cobbler.items import changes
from provd.config.layers import NAME

_PLACES: Final = ("collections/{kind}s", "config/{kind}s.d", "{kind}s", "{kind}s.d")
"""Folders of a kind below Cobbler's data directory, of 3.x and of 2.8, and below the collections themselves."""

_OTHER: Final = ("mgmtclasse", "package", "file")
_OWN: Final = frozenset({"name", "uid", "ctime", "mtime", "depth", "is_subobject", "interfaces", "children", "parent"})
_UNUSED: Final = frozenset(
    {
        "boot_loader", "enable_gpxe", "ldap_enabled", "ldap_type", "monit_enabled", "network_count", "next_server",
        "redhat_management_server", "template_remote_kickstarts",
    }
)  # fmt: skip
_NEEDED: Final = {"repo": "mirror", "image": "file"}
_EMPTY: Final[tuple[Any, ...]] = (None, "", [], {}, INHERIT, "~")
_FILES: Final = {"repo": "repos", "menu": "menus", "image": "images", "distro": "distros", "profile": "profiles"}


@dataclass(frozen=True, slots=True)
class Row:
    """Something that did not become a key of provd's own.

    Attributes:
        kind: of item.
        name: of the item.
        attribute: by Cobbler's name, empty for a whole item.
        outcome: ``kept`` (under ``vars.cobbler``), ``left out``, or ``unread``: it is there and cannot be read.
        reason: one sentence.
    """

    kind: str
    name: str
    attribute: str
    outcome: str
    reason: str


@dataclass(slots=True)
class Migration:
    """What became of a Cobbler.

    Attributes:
        files: path below the site's directory to text.
        systems: a document for ``system.import``.
        counts: kind to the number of items that were brought over.
        rows: what did not map.
    """

    files: dict[str, str] = field(default_factory=dict)
    systems: str = ""
    counts: dict[str, int] = field(default_factory=lambda: {"distro": 0, "profile": 0, "system": 0})
    rows: list[Row] = field(default_factory=list)

    def left_out(self, kind: str, name: str, attribute: str, reason: str) -> None:
        """Say that something is not brought over."""
        self.rows.append(Row(kind, name, attribute, "left out", reason))

    def unread(self, kind: str, name: str, reason: str) -> None:
        """Say that a collection or a file could not be read: what it holds is missing."""
        self.rows.append(Row(kind, name, "", "unread", reason))


def migrate(folder: Path) -> Migration:
    """Everything in a Cobbler's data directory, or in its collections.

    Raises:
        FileNotFoundError: there are no collections.
    """
    if not any(
        (folder / place.format(kind=kind)).is_dir() for kind in ("distro", "profile", "system") for place in _PLACES
    ):
        raise FileNotFoundError(f"{folder} has no collections of Cobbler (collections/distros or config/distros.d)")
    found = Migration()
    for kind, directory in _FILES.items():
        for raw in items(folder, kind, found):
            table = table_of(kind, raw, found)
            if table is not None:
                found.files[f"{directory}/{raw['name']}.toml"] = tomlkit.dumps(table)
                found.counts[kind] = found.counts.get(kind, 0) + 1
    systems: dict[str, Any] = {}
    for raw in items(folder, "system", found):
        table = table_of("system", raw, found)
        if table is not None:
            systems[raw["name"]] = table
            found.counts["system"] += 1
    found.systems = tomlkit.dumps({"system": systems}) if systems else ""
    for kind in _OTHER:
        for raw in items(folder, kind, found):
            found.left_out(kind.removesuffix("e"), str(raw["name"]), "", "provd reads no items of this kind")
    return found


def items(folder: Path, kind: str, found: Migration) -> Iterator[dict[str, Any]]:
    """Items of a kind, by name; a file that is none is told, and what cannot be read."""
    for place in _PLACES:
        for path in _files(folder, place.format(kind=kind), kind, found):
            try:
                raw = json.loads(path.read_text(encoding="utf-8"))
            except (OSError, ValueError) as error:
                found.unread(kind, path.stem, f"{path.name} cannot be read: {error}")
                continue
            name = raw.get("name") if isinstance(raw, dict) else None
            if not isinstance(name, str) or not NAME.fullmatch(name):
                found.left_out(kind, path.stem, "", f"{name!r} is no name that provd can use")
                continue
            yield raw


def _files(folder: Path, place: str, kind: str, found: Migration) -> list[Path]:
    """Files of a collection, none where it is not there; ``glob`` takes one that cannot be read for an empty one."""
    try:
        return sorted(path for path in (folder / place).iterdir() if path.name.endswith(".json"))
    except OSError as error:
        if (folder / place).is_symlink() or not isinstance(error, FileNotFoundError):
            found.unread(kind, place, f"cannot be read: {error.strerror}")
        return []


def table_of(kind: str, raw: Mapping[str, Any], found: Migration) -> dict[str, Any] | None:
    """The item as a TOML table; None where it cannot be one."""
    name = str(raw["name"])
    wanted = dict(_wanted(kind, name, raw, found))
    if kind in {"profile", "menu"} and raw.get("parent") not in _EMPTY:
        wanted["parent"] = raw["parent"]
        wanted.pop("distro", None)
    if kind == "system":
        said = raw.get("interfaces")
        cards: dict[str, Any] = said if isinstance(said, dict) else {}
        wanted["interfaces"] = {device: dict(_card(name, device, card, found)) for device, card in cards.items()}
        if not wanted.get("profile"):
            found.left_out(kind, name, "", "it has no profile; a system of an image is made anew")
            return None
    if kind in _NEEDED and not wanted.get(_NEEDED[kind]):
        found.left_out(kind, name, "", f"it has no {_NEEDED[kind]}")
        return None
    if kind == "profile":
        _only_known(name, wanted, found)
    table: dict[str, Any] = _without_none(changes(kind, wanted, {}))
    if kind == "system":
        table["interface"] = [_without_empty(card) for card in table.pop("interfaces", [])]
    for attribute in (table.get("vars") or {}).get(BAG) or {}:
        reason = "templates find it under vars.cobbler; provd itself does nothing with it"
        found.rows.append(Row(kind, name, attribute, "kept", reason))
    return table


def _only_known(name: str, wanted: dict[str, Any], found: Migration) -> None:
    """A profile names only repos and a menu that are brought over."""
    for repo in [one for one in wanted.get("repos") or () if f"repos/{one}.toml" not in found.files]:
        found.left_out("profile", name, "repos", f"there is no repo {repo} here")
        wanted["repos"] = [one for one in wanted["repos"] if one != repo]
    menu = wanted.get("menu")
    if menu and f"menus/{menu}.toml" not in found.files:
        found.left_out("profile", name, "menu", f"there is no menu {menu} here")
        del wanted["menu"]


def _wanted(kind: str, name: str, raw: Mapping[str, Any], found: Migration) -> Iterator[tuple[str, Any]]:
    for old, value in raw.items():
        attribute = modern(old)
        if old in _OWN or value in _EMPTY:
            continue
        if attribute not in FIELDS[kind] or old in _UNUSED:
            found.left_out(kind, name, old, "provd has nothing of this kind")
            continue
        try:
            entry = read(FIELDS[kind], attribute, value)
        except FieldError as error:
            found.left_out(kind, name, old, str(error))
            continue
        if entry is not None and entry != FIELDS[kind][attribute][1]:
            yield attribute, entry


def _card(name: str, device: str, card: Any, found: Migration) -> Iterator[tuple[str, Any]]:
    if not isinstance(card, dict):
        found.left_out("system", name, f"interfaces.{device}", "it is no table")
        return
    for old, value in card.items():
        attribute = modern(old)
        if value in _EMPTY:
            continue
        try:
            entry = read(INTERFACE, attribute, value)
        except FieldError as error:
            found.left_out("system", name, f"interfaces.{device}.{old}", str(error))
            continue
        yield attribute, entry


def _without_none(value: Any) -> Any:
    """TOML has no null: what would be inherited is not said."""
    if isinstance(value, dict):
        kept = {key: _without_none(one) for key, one in value.items() if one is not None}
        return {key: one for key, one in kept.items() if one != {}}
    if isinstance(value, list):
        return [_without_none(one) for one in value]
    return value


def _without_empty(card: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in card.items() if value}
