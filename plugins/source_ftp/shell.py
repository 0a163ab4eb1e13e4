"""What an FTP client sees: the trees of install sources, decided as every other protocol's files are."""

# ruff: noqa: N802 - the names are Twisted's
# mypy: disable-error-code="no-untyped-call"

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from twisted.internet.defer import Deferred, fail
from twisted.protocols import ftp
from twisted.python.filepath import Permissions
from zope.interface import implementer

from provd.plugin.api import Content, FileRequest, NotFound, Runtime

from .transfer import Reader
from .trees import TREES

Facts = list[object]
"""Values of the keys that were asked for."""
Listing = list[tuple[str, Facts]]
_FILE_MODE: Final = 0o100444


@implementer(ftp.IFTPShell)
class TreeShell:
    """Read only.

    Args:
        runtime: decides whose file it is.
    """

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime

    def access(self, path: Sequence[str]) -> Deferred[None]:
        """Any directory may be entered: what is in it shows when a file is asked for."""
        if path and path[0] not in TREES:
            return fail(ftp.FileNotFoundError(path))
        return Deferred.fromCoroutine(_nothing())

    def stat(self, path: Sequence[str], keys: Sequence[str] = ()) -> Deferred[Facts]:
        """Facts of a file."""
        return Deferred.fromCoroutine(self._stat(path, keys))

    def list(self, path: Sequence[str], keys: Sequence[str] = ()) -> Deferred[Listing]:
        """A file lists itself; directories have no list, because a mirror does not know what it could fetch."""
        return Deferred.fromCoroutine(self._list(path, keys))

    def openForReading(self, path: Sequence[str]) -> Deferred[Reader]:
        """The octets of a file."""
        return Deferred.fromCoroutine(self._open(path))

    def openForWriting(self, path: Sequence[str]) -> Deferred[Any]:
        """Refused."""
        return fail(ftp.PermissionDeniedError(path))

    def makeDirectory(self, path: Sequence[str]) -> Deferred[Any]:
        """Refused."""
        return fail(ftp.PermissionDeniedError(path))

    def removeDirectory(self, path: Sequence[str]) -> Deferred[Any]:
        """Refused."""
        return fail(ftp.PermissionDeniedError(path))

    def removeFile(self, path: Sequence[str]) -> Deferred[Any]:
        """Refused."""
        return fail(ftp.PermissionDeniedError(path))

    def rename(self, old: Sequence[str], new: Sequence[str]) -> Deferred[Any]:
        """Refused."""
        return fail(ftp.PermissionDeniedError(old))

    async def _content(self, path: Sequence[str]) -> Content:
        parts = list(path)
        if len(parts) < 2 or parts[0] not in TREES or any(part in {"", ".", ".."} or "\0" in part for part in parts):
            raise ftp.FileNotFoundError(path)
        answer = await self._runtime.open_file(FileRequest("ftp", "/".join(parts), "", "", local_port=21))
        if isinstance(answer, NotFound) or answer.status >= 400:
            raise ftp.FileNotFoundError(path)
        return answer

    async def _stat(self, path: Sequence[str], keys: Sequence[str]) -> Facts:
        content = await self._content(path)
        facts: dict[str, object] = {
            "size": max(content.length, 0),
            "permissions": Permissions(_FILE_MODE),
            "hardlinks": 1,
            "modified": content.mtime or 0,
            "owner": "provd",
            "group": "provd",
            "directory": False,
        }
        return [facts[key] for key in keys]

    async def _list(self, path: Sequence[str], keys: Sequence[str]) -> Listing:
        if len(path) < 2:
            return []
        return [(path[-1], await self._stat(path, keys))]

    async def _open(self, path: Sequence[str]) -> Reader:
        content = await self._content(path)
        return Reader(self._runtime, content)


async def _nothing() -> None:
    return None
