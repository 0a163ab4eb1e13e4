"""Package repositories beside the install tree."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Repo:
    """Where further packages come from; profiles name repos, and templates get their data.

    Attributes:
        name: unique name.
        kind: ``apt``, ``yum``, ``zypper``, ``pacman`` or empty.
        url: base URL.
        arch: CPU of its packages, empty for every one.
        suites: suites or releases (apt).
        components: components (apt).
        packages: names of packages that are wanted of it; none for all.
        key: URL or path of its signing key.
        enabled: it is switched on in the installed system.
        priority: as its package manager counts; 0 for its default.
        vars: free values for templates.
    """

    name: str
    kind: str = ""
    url: str = ""
    arch: str = ""
    suites: tuple[str, ...] = ()
    components: tuple[str, ...] = ()
    packages: tuple[str, ...] = ()
    key: str = ""
    enabled: bool = True
    priority: int = 0
    vars: Mapping[str, object] = field(default_factory=dict)
