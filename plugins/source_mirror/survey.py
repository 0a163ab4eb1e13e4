"""What a whole suite or repository consists of: its indexes are fetched, and tell files and sizes."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Iterator
from configparser import ConfigParser
from configparser import Error as ConfigError
from pathlib import Path

from provd.plugin.api import Runtime

from .apt_release import Release, release_of
from .order import Item, Order
from .promises import listed_packages
from .rpm_metadata import Entry, listed_indexes, listed_rpms

_LARGEST_TREEINFO = 1 << 20
_MOST_MEASURED = 200


class SurveyError(Exception):
    """What is wanted cannot be known; one sentence."""


class Survey:
    """Reads indexes.

    Args:
        runtime: reads disks beside the reactor.
        fetch: fetches one file, the newest; what went wrong, or empty.
        measure: octets of a file that no index tells, -1 where upstream does not either.
        file: where a kept file lies.
    """

    def __init__(
        self,
        runtime: Runtime,
        fetch: Callable[[str], Awaitable[str]],
        measure: Callable[[str], Awaitable[int]],
        file: Callable[[str], Path],
    ) -> None:
        self._runtime, self._fetch, self._measure, self._file = runtime, fetch, measure, file

    async def items(self, order: Order) -> list[Item]:
        """Every file once, indexes before what they list.

        Raises:
            SurveyError: an index cannot be fetched or read, or has no such component or architecture.
        """
        found = {path: Item(path) for path in (path.strip("/") for path in order.paths)}
        for suite in order.suites:
            for one in await self._suite(f"dists/{suite}", order):
                found.setdefault(one.path, one)
        for repo in order.repos:
            base = "".join(f"{part}/" for part in repo.split("/") if part not in {"", "."})
            for one in await self._repository(base):
                found.setdefault(one.path, one)
        return list(found.values())

    async def _suite(self, suite: str, order: Order) -> list[Item]:
        release, told = await self._release(suite)
        for missing in release.missing(order.components, order.archs):
            raise SurveyError(f"{told} has no {missing}")
        found = [Item(told), *(Item(f"{suite}/{name}", optional=True) for name in ("Release", "Release.gpg"))]
        for name in release.indexes(order.components, order.archs):
            index = release.files[name]
            path = f"{suite}/{name}"
            await self._must_have(path)
            found.append(Item(path, index.size))
            if release.by_hash:
                found.append(Item(f"{path.rpartition('/')[0]}/by-hash/SHA256/{index.sha256}", index.size))
            if name.rpartition("/")[2].startswith("Packages"):
                found += await self._read(path, lambda file, path=path: _items(listed_packages(file, path)))  # type: ignore[misc]
        return found

    async def _release(self, suite: str) -> tuple[Release, str]:
        failed = ""
        for path in (f"{suite}/InRelease", f"{suite}/Release"):
            why = await self._fetch(path)
            if not why:
                return await self._runtime.in_thread(lambda path=path: release_of(self._file(path))), path  # type: ignore[misc]
            failed = failed or why
        raise SurveyError(failed)

    async def _repository(self, base: str) -> list[Item]:
        root = f"{base}repodata/repomd.xml"
        await self._must_have(root)
        indexes = await self._read(root, lambda file: _items(listed_indexes(file, base)))
        found = [Item(root), *(Item(f"{root}{more}", optional=True) for more in (".asc", ".key")), *indexes]
        primary = [one for one in indexes if _is_primary(one.path)]
        if not primary:
            raise SurveyError(f"{root} names no primary.xml")
        await self._must_have(primary[0].path)
        name = primary[0].path
        found += await self._read(name, lambda file: _items(listed_rpms(file, name, base)))
        return [*found, *await self._installer(base)]

    async def _installer(self, base: str) -> list[Item]:
        """What lies beside a repository for its installer, where ``.treeinfo`` tells (productmd's format)."""
        path = f"{base}.treeinfo"
        if await self._fetch(path):
            return []
        beside = await self._read(path, lambda file: _of_treeinfo(file, base))
        # it names indexes too, which have a size already
        others = [one.path for one in beside if not one.path.startswith(f"{base}repodata/")]
        return [Item(path), *[Item(one, await self._measure(one)) for one in others[:_MOST_MEASURED]]]

    async def _must_have(self, path: str) -> None:
        if why := await self._fetch(path):
            raise SurveyError(why)

    async def _read(self, path: str, read: Callable[[Path], list[Item]]) -> list[Item]:
        try:
            return await self._runtime.in_thread(lambda: read(self._file(path)))
        except OSError as error:
            raise SurveyError(f"{path}: {error}") from error


def _items(entries: Iterable[Entry]) -> list[Item]:
    return [Item(path, size) for path, _, size in entries]


def _is_primary(path: str) -> bool:
    name = path.rpartition("/")[2]
    return "primary.xml" in name and not name.endswith(".zck")


def _of_treeinfo(file: Path, base: str) -> list[Item]:
    """Paths of the section ``checksums``."""
    if file.stat().st_size > _LARGEST_TREEINFO:
        raise OSError("it is too large")
    parser = ConfigParser(interpolation=None, delimiters=("=",), strict=False)
    parser.optionxform = str  # type: ignore[assignment,method-assign]
    try:
        parser.read_string(file.read_text(encoding="utf-8", errors="replace"))
    except ConfigError as error:
        raise OSError(f"it cannot be read: {error.message.splitlines()[0]}") from error
    return list(_listed(parser, base))


def _listed(parser: ConfigParser, base: str) -> Iterator[Item]:
    if parser.has_section("checksums"):
        for name in parser.options("checksums"):
            if not name.endswith(".iso"):  # a medium for people, as large as the installer; no installation reads it
                yield Item(f"{base}{name}")
