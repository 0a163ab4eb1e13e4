"""A file below a directory, as an answer to a file request: found by components, never through a link."""

from __future__ import annotations

import mimetypes
import os
import stat
from pathlib import Path

from provd.model.content import Content, FileBody, NotFound


def file_beneath(root: Path, relative: str) -> Content | NotFound:
    """The file ``relative`` below ``root``.

    Every component is opened below the one before it, without following links, so neither ``..`` nor a link nor a
    directory whose name merely begins like ``root`` leads outside.

    Args:
        root: absolute directory; it may be reached through links itself.
        relative: path with ``/`` as separator.

    Returns:
        The file with length, modification time and a validator; ``NotFound`` for anything that is not a readable plain
        file, and for every attempt to leave ``root``.
    """
    parts = relative.split("/")
    if any(part in {"", ".", ".."} or "\0" in part for part in parts):
        return NotFound(f"{relative!r} is not a path of plain components", status=403)
    try:
        status = _walk(root, parts)
    except OSError as error:
        return NotFound(f"{relative}: {error.strerror}")
    path = root.joinpath(*parts)
    if stat.S_ISLNK(status.st_mode):
        return NotFound(f"{relative} leads through a symbolic link", status=403)
    if not stat.S_ISREG(status.st_mode) or not os.access(path, os.R_OK):
        return NotFound(f"{relative} is not a readable file")
    return Content(
        body=FileBody(path),
        length=status.st_size,
        media_type=mimetypes.guess_type(path.name)[0] or "application/octet-stream",
        mtime=status.st_mtime,
        etag=f"{status.st_ino:x}-{status.st_size:x}-{status.st_mtime_ns:x}",
    )


def _walk(root: Path, parts: list[str]) -> os.stat_result:
    """Status of the last component, or of the first that is a link."""
    current = os.open(root, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        for part in parts:
            below = os.open(part, os.O_PATH | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=current)
            os.close(current)
            current = below
            if stat.S_ISLNK(os.fstat(current).st_mode):
                break
        return os.fstat(current)
    finally:
        os.close(current)
