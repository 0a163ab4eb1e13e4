"""Templates of the site, snippets too: files in ``templates/``, and in ``templates/INSTALLER/`` for one installer."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

FOLDER: Final = "templates"
MOST_OCTETS: Final = 512 * 1024

NAME: Final = re.compile(r"([A-Za-z0-9][A-Za-z0-9_-]{0,63}/)?[A-Za-z0-9][A-Za-z0-9_.-]{0,99}")
"""``preseed.j2``, or ``preseed/main.j2``; nothing that leads out of the folder."""


def template_names(site: Path) -> Iterator[str]:
    """Names of all templates of a site, in order; links are not followed."""
    root = site / FOLDER
    found = [*root.glob("*"), *root.glob("*/*")] if root.is_dir() else []
    names = (str(path.relative_to(root)) for path in found if path.is_file() and not path.is_symlink())
    yield from sorted(name for name in names if NAME.fullmatch(name))


def read_template(site: Path, name: str) -> bytes | None:
    """Content of a template; None where there is none."""
    path = site / FOLDER / name
    if not NAME.fullmatch(name) or path.is_symlink() or path.parent.is_symlink() or not path.is_file():
        return None
    return path.read_bytes()


def revision_of(raw: bytes | None) -> str:
    """Revision of a content, as of every file; empty for none."""
    return "" if raw is None else hashlib.sha256(raw).hexdigest()[:16]


def includes(text: str) -> frozenset[str]:
    """Names of templates that a template takes in."""
    return frozenset(re.findall(r"""\{%-?\+?\s*(?:include|extends|import|from)\s+["']([^"']+)["']""", text))
