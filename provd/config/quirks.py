"""Reads ``quirks.toml``: the one that ships with provd, then the site's, which adds quirks and replaces others."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Final

import msgspec

from provd.config.errors import ConfigError
from provd.config.keys import Table, key
from provd.config.toml import read
from provd.core.dhcp_options import configured
from provd.model.arch import ARCHS
from provd.model.quirk import Quirk
from provd.wire.errors import WireError
from provd.wire.options import option_code

SHIPPED: Final = Path(__file__).with_name("quirks.toml")
NAME: Final = "quirks.toml"
_ARCHS: Final = frozenset(arch.name for arch in ARCHS.values())


class Match(Table, frozen=True):
    """``[quirk.match]``: which firmware; every key that is there must fit."""

    oui: Annotated[tuple[str, ...], key("First octets of the MAC, any of these, as in `52:54:00`.")] = ()
    vendor_class: Annotated[str, key("Beginning of option 60.")] = ""
    user_class: Annotated[str, key("One of option 77.")] = ""
    arch: Annotated[tuple[str, ...], key("Architectures (option 93), as in `x64-uefi`.")] = ()
    uuid: Annotated[tuple[str, ...], key("Option 97, any of these.")] = ()


class Effect(Table, frozen=True):
    """``[quirk.do]``: what is done."""

    arch: Annotated[str, key("It counts as of this architecture.")] = ""
    forget_uuid: Annotated[bool, key("Its UUID is ignored.")] = False
    labels: Annotated[tuple[str, ...], key("Client classes that it gets.")] = ()
    broadcast: Annotated[bool, key("Replies are broadcast.")] = False
    options: Annotated[dict[str, Any], key("DHCP options by name or number.")] = msgspec.field(default_factory=dict)
    without: Annotated[tuple[str, ...], key("DHCP options that it never gets.")] = ()


class QuirkTable(Table, frozen=True):
    """``[[quirk]]``."""

    name: Annotated[str, key("Unique name; the name of a shipped one replaces that.")]
    why: Annotated[str, key("What the firmware does wrong.")]
    match: Annotated[Match, key("Which firmware.")]
    do: Annotated[Effect, key("What is done.")]
    recorded: Annotated[str, key("A recorded packet that has it, for its test.")] = ""
    off: Annotated[bool, key("It is not applied.")] = False


class QuirkFile(Table, frozen=True):
    """The whole file."""

    quirks: Annotated[tuple[QuirkTable, ...], key("Quirks.")] = msgspec.field(name="quirk", default=())


def read_quirks(site_dir: str) -> tuple[Quirk, ...]:
    """Shipped quirks and those of ``site_dir``, where it has any.

    Raises:
        ConfigError: a file is wrong; the sentence names the quirk and the key.
    """
    found: dict[str, QuirkTable] = {}
    origins: dict[str, str] = {}
    for path in (SHIPPED, Path(site_dir) / NAME):
        if path == SHIPPED or path.is_file():
            for table in tables(path):
                found[table.name], origins[table.name] = table, str(path)
    return tuple(_model(table, origins[name]) for name, table in found.items() if not table.off)


def tables(path: Path) -> tuple[QuirkTable, ...]:
    """The quirks of one file.

    Raises:
        ConfigError: the file is wrong.
    """
    raw = read(path)
    try:
        found = msgspec.convert(raw, QuirkFile).quirks
    except msgspec.ValidationError as error:
        raise ConfigError(str(path), "quirk", str(error)) from error
    seen: set[str] = set()
    for table in found:
        if table.name in seen:
            raise ConfigError(str(path), f"quirk {table.name}", "is there twice")
        seen.add(table.name)
        _model(table, str(path))
    return found


def _model(table: QuirkTable, file: str) -> Quirk:
    match, do = table.match, table.do
    where = f"quirk {table.name}"
    if match == Match():
        raise ConfigError(file, f"{where}.match", "is empty: it would be every machine's quirk")
    if do == Effect():
        raise ConfigError(file, f"{where}.do", "is empty: nothing would be done")
    for name in (*match.arch, *((do.arch,) if do.arch else ())):
        if name not in _ARCHS:
            raise ConfigError(file, where, f"there is no architecture {name!r}; known: {', '.join(sorted(_ARCHS))}")
    try:
        options = configured(do.options, file).options
        without = frozenset(option_code(name) for name in do.without)
    except WireError as error:
        raise ConfigError(file, f"{where}.do", str(error)) from error
    return Quirk(
        name=table.name,
        why=table.why,
        oui=tuple(_oui(text, file, where) for text in match.oui),
        vendor_class=match.vendor_class,
        user_class=match.user_class,
        arch=match.arch,
        uuid=tuple(text.lower() for text in match.uuid),
        as_arch=do.arch,
        forget_uuid=do.forget_uuid,
        labels=do.labels,
        broadcast=do.broadcast,
        options=options,
        without=without,
        origin=file,
    )


def _oui(text: str, file: str, where: str) -> bytes:
    try:
        octets = bytes.fromhex(text.replace(":", "").replace("-", ""))
    except ValueError:
        octets = b""
    if not 1 <= len(octets) <= 6:
        raise ConfigError(file, f"{where}.match.oui", f"{text!r} is no beginning of a MAC, as in 52:54:00")
    return octets
