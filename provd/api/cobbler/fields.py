"""How values of Cobbler's clients are read."""

from __future__ import annotations

import re
import shlex
from collections.abc import Mapping
from typing import Any, Final

from provd.api.cobbler.attributes import INHERIT, NOTHING, Field
from provd.config.decode import parse_address
from provd.model.mac import Mac

_OLD_NAMES: Final[Mapping[str, str]] = {
    "kickstart": "autoinstall",
    "ks_meta": "autoinstall_meta",
    "kopts": "kernel_options",
    "kopts_post": "kernel_options_post",
    "bondingopts": "bonding_opts",
    "bridgeopts": "bridge_opts",
    "dhcptag": "dhcp_tag",
    "dnsname": "dns_name",
    "ifgateway": "if_gateway",
    "interfacetype": "interface_type",
    "interfacemaster": "interface_master",
    "ipaddress": "ip_address",
    "ipv6address": "ipv6_address",
    "ipv6defaultgateway": "ipv6_default_gateway",
    "ipv6mtu": "ipv6_mtu",
    "ipv6prefix": "ipv6_prefix",
    "ipv6secondaries": "ipv6_secondaries",
    "ipv6staticroutes": "ipv6_static_routes",
    "macaddress": "mac_address",
    "staticroutes": "static_routes",
    "subnet": "netmask",
    "virtbridge": "virt_bridge",
}
RANDOM: Final = re.compile(r"random", re.IGNORECASE)
"""A MAC that is to be made up."""

MOST_TEXT: Final = 64 * 1024
"""Characters of a text that is split into words: the time that it takes grows with their square."""

_TRUE: Final = frozenset({"true", "1", "on", "yes", "y"})
_FALSE: Final = frozenset({"false", "0", "off", "no", "n", ""})


class FieldError(ValueError):
    """An attribute is unknown or its value is of the wrong type; the sentence names it."""


def modern(name: str) -> str:
    """Today's name of an attribute, for scripts and playbooks that use an older one."""
    return _OLD_NAMES.get(name, name)


def read(fields: Mapping[str, Field], name: str, value: Any) -> Any:
    """A client's value of an attribute; None for "back to the default".

    Raises:
        FieldError: no such attribute, or a wrong type.
    """
    if name not in fields:
        raise FieldError(f"{name} is no attribute that can be set")
    kind = fields[name][0]
    if value is None or value in (INHERIT, NOTHING):
        return None
    if kind in {"list", "dict"} and isinstance(value, str) and len(value) > MOST_TEXT:
        raise FieldError(f"{name}: a text that is split into words has {MOST_TEXT} characters at most")
    try:
        found = _READERS[kind](value)
    except (TypeError, ValueError) as error:
        raise FieldError(f"{name}: {value!r} is not a value of type {kind}") from error
    _check(name, found)
    return found


def truth(name: str, value: Any) -> bool:
    """A switch of a method; the words for no are no, as in an attribute.

    Raises:
        FieldError: it is no such word.
    """
    return bool(read({name: ("bool", False)}, name, value))


def _check(name: str, value: Any) -> None:
    """Refuse an address at once, as Cobbler does, not when everything is saved."""
    if not value:
        return
    try:
        if name == "mac_address" and not RANDOM.fullmatch(value):
            Mac.parse(value)
        elif name == "ip_address":
            parse_address(value)
    except ValueError as error:
        raise FieldError(f"{name}: {error}") from error


def _text(value: Any) -> str:
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise TypeError
    return str(value).strip()


def _bool(value: Any) -> bool:
    word = str(value).strip().lower() if isinstance(value, bool | int | str) else "?"
    if word not in _TRUE | _FALSE:
        raise ValueError
    return word in _TRUE


def _int(value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int | str):
        raise TypeError
    return int(value) if value != "" else -1


def _float(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        raise TypeError
    return float(value)


def _list(value: Any) -> list[str]:
    if isinstance(value, str):
        return shlex.split(value)
    if not isinstance(value, list) or not all(isinstance(one, str) for one in value):
        raise TypeError
    return list(value)


def _dict(value: Any) -> dict[str, Any]:
    if isinstance(value, str):
        value = words(shlex.split(value))
    if not isinstance(value, dict):
        raise TypeError
    return {name: _entry(one) for name, one in value.items() if name}


def _entry(value: Any) -> Any:
    """A value in a dictionary: texts, numbers, lists of them; None stays ``~``."""
    if isinstance(value, list):
        return [_entry(one) for one in value]
    if isinstance(value, dict):
        return {name: _entry(one) for name, one in value.items()}
    if isinstance(value, bytes):
        raise TypeError
    return NOTHING if value is None else value


_READERS: Final[Mapping[str, Any]] = {
    "str": _text,
    "bool": _bool,
    "int": _int,
    "float": _float,
    "list": _list,
    "dict": _dict,
}


def words(arguments: list[str] | tuple[str, ...]) -> dict[str, Any]:
    """Arguments such as ``console=tty0`` as a dictionary; without a value ``~``, twice a list."""
    found: dict[str, Any] = {}
    for argument in arguments:
        name, equals, value = argument.partition("=")
        entry: Any = value if equals else NOTHING
        if name in found:
            before = found[name] if isinstance(found[name], list) else [found[name]]
            entry = [*before, entry]
        found[name] = entry
    return found


def arguments(options: Mapping[str, Any]) -> list[str]:
    """The reverse of :func:`words`."""
    found: list[str] = []
    for name, value in options.items():
        some = value if isinstance(value, list) else [value]
        found.extend(name if one in (NOTHING, "", None) else f"{name}={one}" for one in some)
    return found
