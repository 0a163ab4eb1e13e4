"""SHA-256 that a file must have: by its own name, or by somebody's promise."""

from __future__ import annotations

import re

_NAMED = re.compile(r"(?:.*/)?(?:by-hash/SHA256/|repodata/)([0-9a-f]{64})(?:-[^/]+)?")


class DigestError(OSError):
    """A file is not the one that its name or its index promises."""


def digest_in_name(path: str) -> str:
    """The SHA-256 that a path names, as in ``by-hash/SHA256/...`` (apt) and ``repodata/...-primary.xml.gz`` (rpm)."""
    match = _NAMED.fullmatch(path)
    return match[1] if match else ""


def must_be(found: str, promised: str) -> None:
    """Refuse octets of another digest.

    Args:
        found: SHA-256 of what came, in hexadecimal.
        promised: what it should be, or empty where nothing is known.

    Raises:
        DigestError: they differ.
    """
    if promised and found != promised:
        raise DigestError(f"its SHA-256 is {found}, promised is {promised}")
