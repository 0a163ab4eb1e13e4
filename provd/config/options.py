"""DHCP options in files: what is wrong with them, and how one level of profiles lies on another."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from provd.config.decode import near_miss
from provd.config.errors import ConfigError
from provd.config.merge import REMOVE, Place, key_path
from provd.core.dhcp_options import option_faults
from provd.model.origin import Origin
from provd.wire.options import OPTION_NAMES, option_code

_SEE: Final = "; docs/dhcp-options.md has the names"


def check_options(options: Mapping[str, object], file: str, key: str) -> None:
    """Check one table of options.

    Args:
        options: the table.
        file: where it stands.
        key: key path of the table.

    Raises:
        ConfigError: the first fault.
    """
    for name, rule in faults(options, key):
        raise ConfigError(file, name, rule)


def faults(options: Mapping[str, object], key: str = "options") -> Iterator[tuple[str, str]]:
    """Key path and rule of every option that cannot be sent as it is written."""
    for name, rule in option_faults(options):
        word = name.removeprefix(REMOVE)
        near = "" if word in OPTION_NAMES or word.isdigit() else near_miss(word, list(OPTION_NAMES), _SEE)
        yield key_path(key, name), rule + near


def overlay_options(
    base: Mapping[str, Any], over: Mapping[str, Any], origins: dict[str, Origin], place: Place
) -> dict[str, Any]:
    """``base`` with ``over`` on top; an option is replaced whole, by whatever name it is called.

    A removal (``"!name"``) stays in the result: it also takes away what subnet and classes say.

    Args:
        base: values so far.
        over: values of this level; every key is known to be an option.
        origins: key path to origin of what ``base`` holds; kept up to date.
        place: origin of a key path at this level.
    """
    result = dict(base)
    for name, value in over.items():
        code = _code(name)
        for old in [old for old in result if _code(old) == code]:
            del result[old]
            origins.pop(key_path("options", old), None)
        where = key_path("options", name)
        result[name], origins[where] = value, place(where)
    return result


def _code(name: str) -> int:
    return option_code(name.removeprefix(REMOVE))
