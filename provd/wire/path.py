"""Names of files as clients write them (rule T23): one form, inside the tree."""

from __future__ import annotations

from provd.wire.errors import WireError


def clean_path(name: str) -> str:
    """The path without leading slash, ``/`` as separator, no empty and no ``.`` component.

    Raises:
        WireError: a ``..`` component, a control character, or nothing left.
    """
    if any(character < " " or character == "\x7f" for character in name):
        raise WireError("file name", "has a control character")
    parts = [part for part in name.replace("\\", "/").split("/") if part not in {"", "."}]
    if ".." in parts:
        raise WireError("file name", "leaves the tree with '..'")
    if not parts:
        raise WireError("file name", "is empty")
    return "/".join(parts)
