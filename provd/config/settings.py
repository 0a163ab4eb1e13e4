"""Reads ``provd.toml``: decoded, checked, with absolute paths; and tells what a reload cannot apply."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Any

import msgspec
from msgspec import inspect

from provd.config import toml
from provd.config.checks import check_config
from provd.config.classes import to_class
from provd.config.decode import decode, near_miss
from provd.config.errors import ConfigError, Problem
from provd.config.keys import APPLIES
from provd.config.schema import ServerConfig
from provd.config.subnets import to_subnet
from provd.model.client_class import ClientClass
from provd.model.subnet import Subnet

__all__ = [
    "ConfigError",
    "ServerConfig",
    "changes_needing_restart",
    "from_table",
    "json_schema",
    "load",
    "model_classes",
    "model_subnets",
    "tables_of_nobody",
]


def load(path: Path) -> ServerConfig:
    """Read and check ``provd.toml``.

    Raises:
        ConfigError: the first fault, with file, key path and rule.
    """
    table = toml.read(path)
    if not table:
        # Editors and shells empty a file before they write it; at a reload that would end every subnet.
        raise ConfigError(str(path), "", "is empty, as a file is that is just being written")
    return from_table(table, path)


def from_table(table: dict[str, Any], path: Path) -> ServerConfig:
    """Decode and check what TOML gave for ``path``, which need not exist.

    Raises:
        ConfigError: the first fault, with file, key path and rule.
    """
    config = decode(table, ServerConfig, str(path))
    check_config(config, str(path))
    base = path.absolute().parent

    def absolute(text: str) -> str:
        return str(base / text)

    return msgspec.structs.replace(
        config,
        data_dir=absolute(config.data_dir),
        site_dir=absolute(config.site_dir),
        socket=absolute(config.socket),
        api=msgspec.structs.replace(
            config.api,
            tls_certificate=absolute(config.api.tls_certificate) if config.api.tls_certificate else "",
            tls_key=absolute(config.api.tls_key) if config.api.tls_key else "",
        ),
        cobbler=msgspec.structs.replace(
            config.cobbler,
            secret_file=absolute(config.cobbler.secret_file) if config.cobbler.secret_file else "",
            tls_certificate=absolute(config.cobbler.tls_certificate) if config.cobbler.tls_certificate else "",
            tls_key=absolute(config.cobbler.tls_key) if config.cobbler.tls_key else "",
            task_log=absolute(config.cobbler.task_log) if config.cobbler.task_log else "",
        ),
        plugin_dirs=tuple(absolute(folder) for folder in config.plugin_dirs),
    )


def model_subnets(config: ServerConfig) -> tuple[Subnet, ...]:
    """The subnets as values of the model, in the order of the file."""
    return tuple(to_subnet(subnet) for subnet in config.subnets)


def model_classes(config: ServerConfig) -> tuple[ClientClass, ...]:
    """The client classes as values of the model, in the order of the file."""
    return tuple(to_class(one) for one in config.classes)


def tables_of_nobody(config: ServerConfig, known: Collection[str], file: str) -> Iterator[tuple[str, str]]:
    """Each ``[plugins.NAME]`` of a plugin that was not found anywhere: its name, and the sentence about it.

    Args:
        config: the configuration.
        known: names of all plugins that were found, enabled or not.
        file: file to name in the sentence.
    """
    for name in config.plugins:
        if name not in known:
            yield name, str(Problem(file, f"plugins.{name}", f"no plugin has this name{near_miss(name, list(known))}"))


def json_schema() -> dict[str, Any]:
    """JSON Schema (2020-12) of ``provd.toml``; ``x-applies`` says whether a reload applies a key."""
    return msgspec.json.schema(ServerConfig, schema_hook=_text_schema)


def _text_schema(type_: type) -> dict[str, Any]:
    """Addresses and networks are strings in TOML."""
    return {"type": "string", "format": {"IPv4Address": "ipv4"}.get(type_.__name__, "ipv4-network")}


def changes_needing_restart(old: ServerConfig, new: ServerConfig) -> tuple[str, ...]:
    """Key paths that differ and that only a restart applies, in the order of the file's schema."""
    return tuple(_changes(old, new, ServerConfig, ""))


def _changes(old: Any, new: Any, type_: type, prefix: str) -> Iterator[str]:
    info = inspect.type_info(type_)
    assert isinstance(info, inspect.StructType)  # noqa: S101  only structures are walked
    for field in info.fields:
        before, after = getattr(old, field.name), getattr(new, field.name)
        if before == after or not isinstance(field.type, inspect.Metadata):
            continue
        path = f"{prefix}{field.encode_name}"
        if isinstance(field.type.type, inspect.StructType):
            yield from _changes(before, after, field.type.type.cls, f"{path}.")
        elif (field.type.extra_json_schema or {}).get(APPLIES) == "restart":
            yield path
