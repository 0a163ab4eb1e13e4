"""Where objects come from: shipped, installed packages, plugin directories, site; a later layer wins by name."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from importlib import metadata, util
from pathlib import Path
from typing import Final

from provd.shipped import shipped_root

ENTRY_POINTS: Final = "provd.catalogue"
"""Entry point group: each value is a package with ``distros/`` and ``profiles/`` beside its ``__init__.py``."""

NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._+-]{0,63}")
"""Names are parts of served paths and of host names."""


@dataclass(frozen=True, slots=True)
class Layer:
    """One directory that may hold ``distros/``, ``profiles/`` and, for the site, ``systems/``.

    Attributes:
        name: ``shipped``, ``package NAME``, ``plugin_dirs`` or ``site``.
        path: the directory.
    """

    name: str
    path: Path


def layers(plugin_dirs: Sequence[str], site_dir: str, shipped: Path | None = None) -> tuple[Layer, ...]:
    """All layers, the lowest first.

    Args:
        plugin_dirs: as configured.
        site_dir: as configured.
        shipped: directory of what ships; None for :func:`provd.shipped.shipped_root`.
    """
    return (
        Layer("shipped", shipped or shipped_root()),
        *_packages(),
        *(Layer("plugin_dirs", Path(folder)) for folder in plugin_dirs),
        Layer("site", Path(site_dir)),
    )


def _packages() -> Iterator[Layer]:
    """Installed packages that bring objects, in the order of their names; none of their code runs."""
    for point in sorted(metadata.entry_points(group=ENTRY_POINTS), key=lambda point: point.name):
        spec = util.find_spec(point.module.partition(".")[0])
        if spec is not None and spec.origin is not None:
            inside = point.module.split(".")[1:]
            yield Layer(f"package {point.name}", Path(spec.origin).parent.joinpath(*inside))


def files(layer: Layer, kind: str) -> Iterator[Path]:
    """TOML files of one kind (``distros``, ...) in the order of their names; editors' hidden files are not ours."""
    folder = layer.path / kind
    if folder.is_dir():
        yield from sorted(path for path in folder.glob("*.toml") if not path.name.startswith("."))
