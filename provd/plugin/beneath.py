"""Files below a directory: found and opened by components, never through a link, whatever is moved meanwhile."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from provd.model.content import Content, FileBody, NotFound
from provd.model.media_types import media_type

_FILE: Final = os.O_RDONLY | os.O_CLOEXEC | os.O_NOCTTY | os.O_NONBLOCK
"""Not blocking, so that a pipe without a writer does not stop the server."""
_DIRECTORY: Final = os.O_PATH | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC


_PASSING: Final = frozenset({errno.EMFILE, errno.ENFILE, errno.ENOMEM, errno.EIO, errno.ESTALE})
TICK_S: Final = 1e-6
"""Times of one file that differ by less are the same: a float does not hold nanoseconds."""


class LinkError(OSError):
    """A component below the directory is a symbolic link."""


@dataclass(frozen=True, slots=True)
class Opened:
    """A regular file, open for reading; whoever opened it closes the descriptor.

    Attributes:
        descriptor: file descriptor.
        status: what ``fstat`` says of it.
    """

    descriptor: int
    status: os.stat_result


def etag_of(status: os.stat_result) -> str:
    """A strong validator: another one for every content, as far as the file system tells."""
    return f"{status.st_ino:x}-{status.st_size:x}-{status.st_mtime_ns:x}"


def is_replaced(content: Content, status: os.stat_result) -> bool:
    """Whether an open file is another one than its content tells of, as far as that tells by :func:`etag_of`.

    A whole file of the same length is none: what is told of it holds.
    """
    told = content.etag.split("-", 3)[:3]
    part = isinstance(content.body, FileBody) and content.body.offset > 0
    if content.mtime is None or len(told) < 3 or (not part and content.length == status.st_size):
        return False
    try:
        own = abs(int(told[2], 16) / 1e9 - content.mtime) < TICK_S
    except (ValueError, OverflowError):
        return False
    return own and "-".join(told) != etag_of(status)


def file_beneath(root: Path, relative: str) -> Content | NotFound:
    """The file ``relative`` below ``root``.

    Every component is opened below the one before it, without following links, so neither ``..`` nor a link nor a
    directory whose name merely begins like ``root`` leads outside. Listeners open the body by the same rule, so that a
    component which becomes a link after this answer leads nowhere either.

    Args:
        root: absolute directory; it may be reached through links itself.
        relative: path with ``/`` as separator.

    Returns:
        The file with length, modification time and a validator; ``NotFound`` for anything that is not a readable plain
        file, and for every attempt to leave ``root``; with status 503 where a later try may find it.
    """
    parts = relative.split("/")
    if any(part in {"", ".", ".."} or "\0" in part for part in parts):
        return NotFound(f"{relative!r} is not a path of plain components", status=403)
    try:
        opened = open_beneath(root, parts)
    except LinkError:
        return NotFound(f"{relative} leads through a symbolic link", status=403)
    except (OSError, UnicodeEncodeError) as error:
        reason = f"{relative}: {getattr(error, 'strerror', None) or 'no name of a file'}"
        return NotFound(reason, status=status_without(error))
    os.close(opened.descriptor)
    return Content(
        body=FileBody(root.joinpath(*parts), beneath=root),
        length=opened.status.st_size,
        media_type=media_type(parts[-1]),
        mtime=opened.status.st_mtime,
        etag=etag_of(opened.status),
    )


def status_without(error: Exception) -> int:
    """HTTP status for a file that could not be opened: an installer that hears 404 does not ask again."""
    return 503 if isinstance(error, OSError) and error.errno in _PASSING else 404


def open_body(body: FileBody) -> Opened:
    """Open what a body names.

    Raises:
        OSError: it is not there, not readable or no regular file; :class:`LinkError` for a link below ``beneath``.
    """
    if body.beneath is None:
        return _regular(os.open(body.path, _FILE))
    try:
        parts = body.path.relative_to(body.beneath).parts
    except ValueError as error:
        raise OSError(errno.EACCES, f"{body.path} does not lie in {body.beneath}") from error
    if not parts or ".." in parts:
        raise OSError(errno.EACCES, f"{body.path} is no file below {body.beneath}")
    return open_beneath(body.beneath, parts)


def open_beneath(root: Path, parts: Sequence[str]) -> Opened:
    """Open the regular file that plain components lead to from ``root``.

    Raises:
        LinkError: a component is a symbolic link.
        OSError: there is no such file, it cannot be read, or it is no regular file.
    """
    current = os.open(root, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        for part in parts[:-1]:
            below = _enter(current, part)
            os.close(current)
            current = below
        try:
            descriptor = os.open(parts[-1], _FILE | os.O_NOFOLLOW, dir_fd=current)
        except OSError as error:
            raise _explained(error, parts[-1], current) from error
    finally:
        os.close(current)
    return _regular(descriptor)


def _enter(current: int, part: str) -> int:
    try:
        return os.open(part, _DIRECTORY, dir_fd=current)
    except OSError as error:
        raise _explained(error, part, current) from error


def _explained(error: OSError, part: str, directory: int) -> OSError:
    """Why a component could not be opened: a link says only that it is no directory."""
    if error.errno in {errno.ELOOP, errno.ENOTDIR}:
        try:
            if stat.S_ISLNK(os.stat(part, dir_fd=directory, follow_symlinks=False).st_mode):
                return LinkError(errno.ELOOP, f"{part} is a symbolic link")
        except OSError as gone:
            return gone
    return error


def _regular(descriptor: int) -> Opened:
    try:
        status = os.fstat(descriptor)
    except OSError:
        os.close(descriptor)
        raise
    if not stat.S_ISREG(status.st_mode):
        os.close(descriptor)
        raise OSError(errno.EINVAL, "it is no regular file")
    return Opened(descriptor, status)
