"""Whether octets are those that a name, or the archive's signed index, promises (apt-secure(8); rpm: verify_rpm)."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from pathlib import Path

from provd.plugin.api import Runtime

from .digests import DigestError, digest_in_name, must_be
from .promises import Promises, of_packages, of_release
from .signature import must_be_signed
from .verify_rpm import RpmVerifier

_SUITE = re.compile(r"(dists/[^/]+)/(.+)")
_PACKAGES = re.compile(r"Packages(\.gz|\.xz|\.bz2)?")
_UNSIGNED = frozenset({"Release", "Release.gpg"})
_PACKAGE = (".deb", ".udeb", ".ddeb")


class Verifier:
    """InRelease signed by a key of ``keyring``, Packages as InRelease promises, packages as Packages promises.

    Args:
        keyring: file of public keys for gpgv(1), or empty: names with a digest are all that is checked.
        promises: remembers what verified indexes said.
        fetch: fetches a file of this mirror to its end, as InRelease where only Packages was asked for.
        scratch: a new empty file.
        rpm: the same for repositories of rpm packages.
    """

    def __init__(
        self,
        keyring: str,
        promises: Promises,
        fetch: Callable[[str], Awaitable[str]],
        scratch: Callable[[], Path],
        rpm: RpmVerifier,
    ) -> None:
        self._rpm = rpm
        self._keyring = keyring
        self._promises = promises
        self._fetch = fetch
        self._scratch = scratch

    def holds(self, path: str) -> bool:
        """Whether a file may turn out wrong at its end."""
        return bool(self._keyring or digest_in_name(path))

    async def check(self, runtime: Runtime, path: str, incoming: Path, sha256: str) -> None:
        """Refuse a whole file that is not what it should be, and learn what a right index promises.

        Raises:
            DigestError: it is another file, or nothing that is signed promises it.
            OSError: it cannot be judged.
        """
        must_be(sha256, digest_in_name(path))
        if not self._keyring:
            return
        match = _SUITE.fullmatch(path)
        if self._rpm.concerns(path):
            await self._rpm.check(runtime, path, incoming, sha256)
        elif match is None:
            await self._check_package(runtime, path, sha256)
        elif match[2] == "InRelease":
            await self._check_signature(runtime, match[1], incoming)
        elif match[2] not in _UNSIGNED:
            await self._check_index(runtime, match[1], path, incoming, sha256)

    async def _check_package(self, runtime: Runtime, path: str, sha256: str) -> None:
        promised = await runtime.in_thread(lambda: self._promises.of(path))
        if not promised and path.endswith(_PACKAGE):
            raise DigestError("no signed index that came through this mirror lists it")
        must_be(sha256, promised)

    async def _check_signature(self, runtime: Runtime, suite: str, incoming: Path) -> None:
        signed = self._scratch()
        signed.unlink()  # gpgv overwrites nothing
        try:
            # only what gpgv hands out was signed; a clear-signed file may hold more
            await must_be_signed(runtime, self._keyring, incoming, output=signed)
            await runtime.in_thread(lambda: self._promises.replace(suite, of_release(signed, suite)))
        finally:
            signed.unlink(missing_ok=True)

    async def _check_index(self, runtime: Runtime, suite: str, path: str, incoming: Path, sha256: str) -> None:
        if not await runtime.in_thread(lambda: self._promises.knows(suite)):
            failed = await self._fetch(f"{suite}/InRelease")
            if failed or not await runtime.in_thread(lambda: self._promises.knows(suite)):
                raise DigestError(f"there is no signed index of {suite}: {failed or 'purge it, it is older'}")
        name = path
        if digest_in_name(path):
            name = await runtime.in_thread(lambda: self._promises.named(suite, sha256))
            if not name:
                raise DigestError("the signed index does not name it")
        promised = await runtime.in_thread(lambda: self._promises.of(name))
        must_be(sha256, promised)
        last = name.rpartition("/")[2]
        if promised and _PACKAGES.fullmatch(last):
            source = name.removesuffix(Path(last).suffix)
            await runtime.in_thread(lambda: self._promises.replace(source, of_packages(incoming, last)))
