"""Rules of ``provd.toml`` that no single type can state."""

from __future__ import annotations

import re
from collections.abc import Sequence
from ipaddress import IPv4Address
from typing import Final

from provd.config.classes import check_classes
from provd.config.decode import near_miss
from provd.config.errors import ConfigError
from provd.config.reader import inherited_faults
from provd.config.schema import ServerConfig
from provd.config.subnets import check_subnets
from provd.model.mac import Mac

_CARD: Final = re.compile(r"[^\s/]{1,15}")
"""A name that Linux takes for an interface (net/core/dev.c: dev_valid_name)."""


def check_config(config: ServerConfig, file: str) -> None:
    """Check what concerns several keys.

    Raises:
        ConfigError: the first fault.
    """
    # A plugin that is enabled twice is told with what else is off: it is no reason not to serve.
    if "" in config.enabled:
        raise ConfigError(file, f"enabled[{config.enabled.index('')}]", "is empty")
    for index, interface in enumerate(config.interfaces):
        if interface.name and not _CARD.fullmatch(interface.name):
            rule = f"{interface.name!r} is not the name of an interface: up to 15 octets, without blanks and slashes"
            raise ConfigError(file, f"interface[{index}].name", rule)
    _unique([interface.name for interface in config.interfaces], "interface", file, field=".name")
    for index, name in enumerate(config.critical):
        if name not in config.enabled:
            # This stops a start, unlike other faults of plugins: nobody is to be answered without a critical one.
            rule = f"{name!r} is not in the enabled list{near_miss(name, list(config.enabled))}"
            raise ConfigError(file, f"critical[{index}]", rule)
    _check_ports(config, file)
    allowed_servers(config, file)
    check_subnets(config, file)
    check_classes(config, file)
    for key, rule in inherited_faults(config.defaults):
        raise ConfigError(file, f"defaults.{key}", rule)


def _unique(names: Sequence[str], key: str, file: str, *, field: str = "") -> None:
    for index, name in enumerate(names):
        if not name:
            raise ConfigError(file, f"{key}[{index}]{field}", "is empty")
        first = names.index(name)
        if first < index:
            raise ConfigError(file, f"{key}[{index}]{field}", f"{name!r} is already {key}[{first}]{field}")


def _check_ports(config: ServerConfig, file: str) -> None:
    """DHCP, TFTP and the PXE service are all UDP; DHCP's client port is never bound, so it may be any."""
    listen = config.listen
    taken = {listen.dhcp_port: "dhcp_port"}
    for name, port in (("tftp_port", listen.tftp_port), ("pxe_port", listen.pxe_port)):
        if port in taken:
            raise ConfigError(file, f"listen.{name}", f"{port} is already listen.{taken[port]}")
        taken[port] = name


def allowed_servers(config: ServerConfig, file: str = "") -> tuple[frozenset[int], frozenset[bytes]]:
    """``rogue.allow`` as addresses and hardware addresses.

    Raises:
        ConfigError: an entry is neither.
    """
    addresses, macs = set(), set()
    for index, text in enumerate(config.rogue.allow):
        try:
            if text.count(".") == 3:
                addresses.add(int(IPv4Address(text)))
            else:
                macs.add(Mac.parse(text).octets)
        except ValueError as error:
            rule = f"{text!r} is neither an IPv4 address nor a MAC"
            raise ConfigError(file, f"rogue.allow[{index}]", rule) from error
    return frozenset(addresses), frozenset(macs)
