"""Repositories of rpm packages: repomd.xml signed, its indexes as it promises, packages as primary.xml promises."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Iterator
from itertools import chain
from pathlib import Path

from provd.plugin.api import Runtime

from .digests import DigestError, must_be
from .promises import Promises
from .rpm_metadata import of_primary, of_repomd
from .signature import must_be_signed

_INDEX = re.compile(r"((?:.*/)?)repodata/([^/]+)")
_ROOT = "repomd.xml"
_UNSIGNED = frozenset({"repomd.xml.asc", "repomd.xml.key"})
_PRIMARY = re.compile(r"(?:[0-9a-f]+-)?primary\.xml(\.gz|\.xz|\.bz2|\.zst)?")
_PACKAGE = (".rpm", ".drpm")
_DEEPEST = 6
"""Directories above a package in which its repository may begin, as in ``Packages/a/``."""


class RpmVerifier:
    """As :class:`plugins.source_mirror.verify.Verifier`, for rpm.

    Args:
        keyring: file of public keys for gpgv(1).
        promises: remembers what verified indexes said.
        fetch: fetches a file of this mirror to its end; what went wrong, or empty.
        fetch_newest: the same, and asks upstream whatever the age of the copy.
        file: where a kept file lies.
    """

    def __init__(
        self,
        keyring: str,
        promises: Promises,
        fetch: Callable[[str], Awaitable[str]],
        fetch_newest: Callable[[str], Awaitable[str]],
        file: Callable[[str], Path],
    ) -> None:
        self._keyring, self._promises = keyring, promises
        self._fetch, self._fetch_newest, self._file = fetch, fetch_newest, file

    def concerns(self, path: str) -> bool:
        """Whether a path is of an rpm repository."""
        return bool(_INDEX.fullmatch(path)) or path.endswith(_PACKAGE)

    async def check(self, runtime: Runtime, path: str, incoming: Path, sha256: str) -> None:
        """Refuse a whole file that is not what it should be, and learn what a right index promises.

        Raises:
            DigestError: it is another file, or nothing that is signed promises it.
            OSError: it cannot be judged.
        """
        match = _INDEX.fullmatch(path)
        if match is None:
            await self._check_package(runtime, path, sha256)
        elif match[2] == _ROOT:
            await self._check_root(runtime, match[1], incoming)
        elif match[2] not in _UNSIGNED:
            await self._check_index(runtime, match[1], path, incoming, sha256)

    async def _check_root(self, runtime: Runtime, base: str, incoming: Path) -> None:
        signature = f"{_root(base)}.asc"
        # A signature that was kept with the former list does not fit the new one.
        if failed := await self._fetch_newest(signature):
            raise DigestError(f"there is no signature of it: {failed}")
        await must_be_signed(runtime, self._keyring, self._file(signature), incoming)
        await runtime.in_thread(lambda: self._learn_root(base, incoming))

    def _learn_root(self, base: str, incoming: Path) -> None:
        self._promises.replace(_root(base), of_repomd(incoming, base))

    async def _check_index(self, runtime: Runtime, base: str, path: str, incoming: Path, sha256: str) -> None:
        await self._must_know(runtime, base)
        promised = await runtime.in_thread(lambda: self._promises.of(path))
        if not promised:
            raise DigestError(f"{_root(base)} promises no SHA-256 for it")
        must_be(sha256, promised)
        name = path.rpartition("/")[2]
        if _PRIMARY.fullmatch(name):
            # The index's own line in front tells which one the packages are from.
            rows = chain([(path, sha256)], of_primary(incoming, name, base))
            await runtime.in_thread(lambda: self._promises.replace(_packages(base), rows))

    async def _check_package(self, runtime: Runtime, path: str, sha256: str) -> None:
        promised = await runtime.in_thread(lambda: self._promises.of(path))
        for base in await runtime.in_thread(lambda: self._likely(path)) if not promised else ():
            if await self._learnt(runtime, base):
                promised = await runtime.in_thread(lambda: self._promises.of(path))
                break
        if not promised:
            raise DigestError("no signed index of a repository above it lists it")
        must_be(sha256, promised)

    async def _learnt(self, runtime: Runtime, base: str) -> bool:
        """Whether there is a repository here; its newest list of packages is known then, or was tried."""
        try:
            await self._must_know(runtime, base)
        except DigestError:
            return False
        for path in await runtime.in_thread(lambda: self._unknown_lists(base)):
            await self._fetch_newest(path)
        return True

    def _likely(self, path: str) -> list[str]:
        """Where the repository of a package may begin: the known ones first, then the nearest."""
        return sorted(_bases(path), key=lambda base: not self._promises.knows(_root(base)))

    def _unknown_lists(self, base: str) -> list[str]:
        prefix, source = f"{base}repodata/", _packages(base)
        return [
            path
            for path, sha256 in self._promises.rows(_root(base))
            if path.startswith(prefix)
            and _PRIMARY.fullmatch(path.removeprefix(prefix))
            and not self._promises.named(source, sha256)
        ]

    async def _must_know(self, runtime: Runtime, base: str) -> None:
        if await runtime.in_thread(lambda: self._promises.knows(_root(base))):
            return
        failed = await self._fetch(_root(base))
        if failed or not await runtime.in_thread(lambda: self._promises.knows(_root(base))):
            raise DigestError(f"there is no signed {_root(base)}: {failed or 'purge it, it is older'}")


def _root(base: str) -> str:
    return f"{base}repodata/{_ROOT}"


def _packages(base: str) -> str:
    """Name of the source under which the packages of a repository are promised."""
    return f"{base}repodata/primary.xml"


def _bases(path: str) -> Iterator[str]:
    """Directories in which the repository of a package may begin, the nearest first."""
    parts = path.split("/")[:-1]
    for length in range(len(parts), max(-1, len(parts) - _DEEPEST - 1), -1):
        yield "".join(f"{part}/" for part in parts[:length])
