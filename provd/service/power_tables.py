"""``[power]`` tables: what a system says of its power, decoded for its driver, and what is wrong with it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

import msgspec

from provd.config.decode import near_miss
from provd.config.secrets import is_reference
from provd.model.scrub import HIDDEN
from provd.model.system import System
from provd.plugin.power import PowerDriver

_PATH: Final = re.compile(r"^(?P<rule>.*?)(?: - at `\$\.?(?P<path>[^`]*)`)?$", re.DOTALL)
_COBBLERS: Final[Mapping[str, str]] = {
    "ipmilan": "ipmi",
    "ipmilanplus": "ipmi",
    "ipmitool": "ipmi",
    "redfish": "redfish",
    "fence_ipmilan": "ipmi",
    "fence_redfish": "redfish",
}
"""Cobbler's ``power_type``, which names a fence agent, to driver."""


class PowerTableError(ValueError):
    """A table cannot be used; the sentence says why, and never a secret."""


def table_of(system: System) -> Mapping[str, object]:
    """The table of a system, or what Cobbler's attributes of it (``vars.cobbler``) come to; empty for none."""
    bag = system.vars.get("cobbler")
    if system.power or not isinstance(bag, Mapping) or not bag.get("power_type") or not bag.get("power_address"):
        return system.power
    kind = str(bag["power_type"])
    driver = _COBBLERS.get(kind, kind)
    given = {
        "driver": driver,
        "address": bag["power_address"],
        "user": bag.get("power_user", ""),
        "password": bag.get("power_pass", ""),
        # A board with IPMI has one machine.
        "system": bag.get("power_id", "") if driver != "ipmi" else "",
    }
    return {name: value for name, value in given.items() if value}


def settings_of(table: Mapping[str, object], driver: PowerDriver) -> Any:
    """The table without ``driver`` as the structure of its driver.

    Args:
        table: secrets read, or hidden; a number does for a text, as on a command line it looks like one.
        driver: whose structure.

    Raises:
        PowerTableError: a key is missing, unknown or of the wrong type; a value is not repeated, as it may be a secret.
    """
    texts = {field.encode_name for field in msgspec.structs.fields(driver.settings) if field.type is str}
    values = {
        name: str(value) if name in texts and type(value) is int else _plain(value)
        for name, value in table.items()
        if name != "driver"
    }
    try:
        return msgspec.convert(values, driver.settings)
    except (msgspec.ValidationError, ValueError, TypeError) as error:
        match = _PATH.match(str(error))
        rule, path = (match["rule"], match["path"] or "") if match else (str(error), "")
        known = {field.encode_name for field in msgspec.structs.fields(driver.settings)}
        if unknown := re.search(r"unknown field `([^`]*)`", rule):
            rule = f"driver {driver.name} knows no key {unknown[1]!r}{near_miss(unknown[1], list(known))}"
        elif missing := re.search(r"required field `([^`]*)`", rule):
            rule = f"driver {driver.name} needs the key {missing[1]!r}"
        raise PowerTableError(f"power{f'.{path}' if path else ''}: {rule}") from error


def driver_of(table: Mapping[str, object], drivers: Mapping[str, PowerDriver]) -> PowerDriver:
    """The driver that a table names.

    Raises:
        PowerTableError: nobody brings it.
    """
    name = table.get("driver")
    if not isinstance(name, str) or name not in drivers:
        there = f"there are {', '.join(drivers)}" if drivers else "the plugin power is not enabled"
        if not name:
            raise PowerTableError(f"power: the key 'driver' is missing; {there}")
        hint = near_miss(str(name), list(drivers)) or f"; {there}"
        raise PowerTableError(f"power: no enabled plugin brings the power driver {name!r}{hint}")
    return drivers[name]


def power_faults(table: Mapping[str, object], drivers: Mapping[str, PowerDriver]) -> Iterator[str]:
    """Why a table cannot be used, without reading a secret or asking a board; an empty one is no fault."""
    if not table:
        return
    try:
        driver = driver_of(table, drivers)
        fault = driver.fault(settings_of(hidden(table), driver))
    except PowerTableError as error:
        yield str(error)
        return
    if fault:
        yield f"power: {fault}"


def hidden(table: Mapping[str, object]) -> dict[str, object]:
    """The table with ``***`` in the place of references."""
    return {name: HIDDEN if is_reference(value) else value for name, value in table.items()}


def _plain(value: object) -> object:
    """A resolved secret is a text of a kind of its own, which decoding does not know."""
    if isinstance(value, str):
        return str.__str__(value)
    if isinstance(value, Mapping):
        return {str(name): _plain(one) for name, one in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(one) for one in value]
    return value
