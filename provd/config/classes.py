"""``[[class]]`` of ``provd.toml``: conversion to the model, and its rules."""

from __future__ import annotations

import re
from typing import Final

from provd.config.decode import near_miss
from provd.config.errors import ConfigError
from provd.config.keys import lease_fault
from provd.config.options import check_options
from provd.config.schema import ServerConfig
from provd.config.schema_dhcp import ClassConfig
from provd.model.arch import ARCHS
from provd.model.client_class import ClientClass
from provd.model.system import octets_fault, octets_of

_NAME: Final = re.compile(r"[a-z0-9][a-z0-9_.-]*")
_PREFIX: Final = re.compile(r"[0-9a-fA-F]{2}(:[0-9a-fA-F]{2}){0,5}")


def to_class(config: ClassConfig) -> ClientClass:
    """The model's class.

    Raises:
        ValueError: hexadecimal digits that are none.
    """
    return ClientClass(
        name=config.name,
        archs=config.arch,
        vendor_class=config.vendor_class,
        user_class=config.user_class,
        circuit_id=octets_of(config.circuit_id),
        remote_id=octets_of(config.remote_id),
        mac_prefix=bytes.fromhex(config.mac_prefix.replace(":", "")),
        options=config.options,
        lease_s=config.lease_s,
    )


def check_classes(config: ServerConfig, file: str) -> None:
    """Check names, conditions and options of every class, and the options of all clients.

    Raises:
        ConfigError: the first fault.
    """
    check_options(config.options, file, "options")
    names: list[str] = []
    for index, raw in enumerate(config.classes):
        key = f"class[{index}]"
        _check_name(raw.name, names, file, key)
        names.append(raw.name)
        known = sorted({arch.name for arch in ARCHS.values()})
        for at, arch in enumerate(raw.arch):
            if arch not in known:
                raise ConfigError(file, f"{key}.arch[{at}]", f"{arch!r} is not known{near_miss(arch, known)}")
        if raw.mac_prefix and not _PREFIX.fullmatch(raw.mac_prefix):
            raise ConfigError(file, f"{key}.mac_prefix", f"{raw.mac_prefix!r} must be pairs of hex digits with colons")
        for field in ("circuit_id", "remote_id"):
            fault = octets_fault(getattr(raw, field))
            if fault:
                raise ConfigError(file, f"{key}.{field}", fault)
        if rule := lease_fault(raw.lease_s):
            raise ConfigError(file, f"{key}.lease_s", rule)
        check_options(raw.options, file, f"{key}.options")


def _check_name(name: str, names: list[str], file: str, key: str) -> None:
    if not _NAME.fullmatch(name):
        rule = f"{name!r} must be lower case letters, digits, dashes, dots and underscores"
        raise ConfigError(file, f"{key}.name", rule)
    if name in names:
        raise ConfigError(file, f"{key}.name", f"{name!r} is already the name of class[{names.index(name)}]")
