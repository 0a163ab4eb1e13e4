"""Where the shipped plugins, distros and profiles are, in a wheel, an editable install and a checkout alike."""

from __future__ import annotations

from pathlib import Path
from typing import Final

KINDS: Final = ("plugins", "distros", "profiles")
_PACKAGE: Final = Path(__file__).resolve().parent


def shipped_root() -> Path:
    """Directory that holds all shipped folders: inside an installed package, or the root of the checkout."""
    inside = _PACKAGE / "_shipped"
    return inside if inside.is_dir() else _PACKAGE.parent


def shipped_dir(kind: str) -> Path:
    """One shipped folder.

    Args:
        kind: ``plugins``, ``distros`` or ``profiles``.

    Raises:
        ValueError: another kind.
        FileNotFoundError: an incomplete installation.
    """
    if kind not in KINDS:
        raise ValueError(f"{kind!r} does not ship with provd; it is one of {', '.join(KINDS)}")
    folder = shipped_root() / kind
    if not folder.is_dir():
        raise FileNotFoundError(f"this installation of provd is incomplete: there is no folder {folder}")
    return folder
