"""Files that are on the disk when a function returns, and the name's end of a copy that is kept of a damaged one."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from pathlib import Path


def write_private(target: Path, octets: bytes) -> None:
    """Write a file with mode 0600, durably.

    Raises:
        OSError: it cannot be written, or is a symbolic link.
    """
    handle = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    with os.fdopen(handle, "wb") as out:
        out.write(octets)
        out.flush()
        os.fsync(out.fileno())


def sync(path: Path) -> None:
    """Wait until a file, or the names in a directory, are on the disk.

    Raises:
        OSError: they cannot be.
    """
    handle = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def stamp(seconds: float) -> str:
    """A time since the epoch as the end of a file's name, in UTC."""
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y%m%dT%H%M%S")
