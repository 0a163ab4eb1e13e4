"""Which argument a rule about a system is about: the rules are sentences, callers want the field as well."""

from __future__ import annotations

import re
from typing import Final

_PATH: Final = re.compile(
    r"((?:installer|source|boot_loaders|loader|templates|power|answers|vars|options|kernel_args|tags|groups|owners|comment"
    r"|interfaces|links)\b[^\s:]*): "
)
_RULES: Final = tuple(
    (re.compile(pattern), field)
    for pattern, field in (
        (r"the name is already|.* is not a name:", "name"),
        (r"no profile ", "profile"),
        (r"policy ", "policy"),
        (r"max_attempts ", "max_attempts"),
        (r"UUID ", "uuid"),
        (r"client identifier |client_id ", "client_id"),
        (r"circuit_id |relay port ", "circuit_id"),
        (r"remote_id ", "remote_id"),
        (r"interface |two interfaces |nothing says which|MAC |address ", "interfaces"),
        (r"link ", "links"),
        (r".* is not a host name", "hostname"),
    )
)


def field_of(rule: str) -> str:
    """The argument, or a key path in it; empty for a rule about none."""
    path = _PATH.match(rule)
    if path is not None:
        return path.group(1)
    return next((field for pattern, field in _RULES if pattern.match(rule)), "")
