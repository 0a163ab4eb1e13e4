"""Names that provd gives to machines by a pattern: ``node-{number:3}``, ``{subnet}-{mac}``."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Final

_PART: Final = re.compile(r"\{(\w+)(?::([1-9]))?\}")
_UNFIT: Final = re.compile(r"[^A-Za-z0-9._+-]+")
FACTS: Final = ("mac", "uuid", "arch", "subnet", "port", "number")
"""What a pattern may name: the MAC with dashes, the SMBIOS UUID, the architecture, the subnet, the relay's port, and
the lowest number that makes a free name, with as many digits as stand behind the colon."""
_OWN: Final = frozenset({"mac", "uuid", "port", "number"})
_MOST: Final = 100_000


def pattern_fault(pattern: str) -> str:
    """What is wrong with a pattern in one sentence; empty where nothing is."""
    named = [match[1] for match in _PART.finditer(pattern)]
    unknown = next((name for name in named if name not in FACTS), "")
    if unknown:
        return f"{{{unknown}}} is none of {', '.join(f'{{{one}}}' for one in FACTS)}"
    rest = _PART.sub("", pattern)
    if _UNFIT.search(rest) or not re.match(r"[A-Za-z0-9{]", pattern):
        return f"{pattern!r} makes no name: letters, digits and . _ + - are expected, a letter or digit first"
    if _OWN.isdisjoint(named):
        return f"{pattern!r} is the same for every machine: {{mac}}, {{uuid}}, {{port}} or {{number}} tells them apart"
    return ""


def name_of(pattern: str, facts: Mapping[str, str], taken: Callable[[str], bool]) -> str:
    """The name that a pattern makes for a machine; empty where it needs a fact that the machine does not tell.

    Args:
        pattern: one that :func:`pattern_fault` finds nothing in.
        facts: by the names of :data:`FACTS`, without ``number``.
        taken: whether a name is used already; asked only where the pattern has a number.
    """
    named = {match[1] for match in _PART.finditer(pattern)}
    if any(not facts.get(name) for name in named - {"number"}):
        return ""

    def filled(number: int) -> str:
        def part(match: re.Match[str]) -> str:
            if match[1] == "number":
                return f"{number:0{match[2] or 1}}"
            return _UNFIT.sub("-", facts[match[1]]).strip("-")

        return _PART.sub(part, pattern)[:64]

    if "number" not in named:
        return filled(0)
    return next((name for number in range(1, _MOST) if not taken(name := filled(number))), "")
