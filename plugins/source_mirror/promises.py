"""What signed indexes promise of each file, on disk: lines of paths and SHA-256, never a whole index in memory."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from mmap import ACCESS_READ, mmap
from pathlib import Path
from tempfile import mkstemp
from urllib.parse import quote

from .unpacked import unpacked

Promise = tuple[str, str]
"""A path and its SHA-256 in hexadecimal."""

_MOST_LINE = 1_000_000
_LONGEST_SIZE = 20
_WANTED = frozenset({"Filename", "SHA256", "Size"})


class Promises:
    """One file of lines for each source; every call reads the disk, so it is used in threads.

    Args:
        directory: of the files; made when something is promised.
    """

    def __init__(self, directory: Path) -> None:
        self._directory = directory

    def replace(self, source: str, rows: Iterable[Promise]) -> None:
        """Forget what ``source`` promised, and remember ``rows``, in one step.

        Raises:
            OSError: it cannot be written.
        """
        self._directory.mkdir(parents=True, exist_ok=True)
        descriptor, name = mkstemp(prefix=".", dir=self._directory)
        try:
            with os.fdopen(descriptor, "w", encoding="utf-8", errors="replace") as file:
                file.write("\n")
                for path, sha256 in rows:
                    if path.isprintable() and sha256.isalnum():
                        file.write(f"{path}\t{sha256}\n")
            Path(name).replace(self._file(source))
        except OSError:
            Path(name).unlink(missing_ok=True)
            raise

    def of(self, path: str) -> str:
        """The SHA-256 promised for ``path``, or empty."""
        if not self._directory.is_dir():
            return ""
        for file in sorted(self._directory.iterdir()):
            if not file.name.startswith(".") and (line := _line_with(file, f"\n{path}\t")):
                return line[1]
        return ""

    def named(self, source: str, sha256: str) -> str:
        """The path for which ``source`` promises a digest, or empty."""
        line = _line_with(self._file(source), f"\t{sha256}\n")
        return line[0] if line else ""

    def knows(self, source: str) -> bool:
        """Whether ``source`` promised anything."""
        return self._file(source).is_file()

    def rows(self, source: str) -> Iterator[Promise]:
        """Everything that ``source`` promises."""
        if self.knows(source):
            with self._file(source).open(encoding="utf-8") as lines:
                for line in lines:
                    path, tab, sha256 = line.rstrip("\n").partition("\t")
                    if tab:
                        yield path, sha256

    def _file(self, source: str) -> Path:
        return self._directory / f"of-{quote(source, safe='')}"


def _line_with(file: Path, text: str) -> Promise | None:
    """The path and digest of the line around ``text``; the file is mapped, not read."""
    try:
        with file.open("rb") as opened, mmap(opened.fileno(), 0, access=ACCESS_READ) as mapped:
            at = mapped.find(text.encode("utf-8", "replace"))
            if at < 0:
                return None
            start = mapped.rfind(b"\n", 0, at + 1) + 1
            path, _, sha256 = mapped[start : mapped.find(b"\n", at + 1)].decode("utf-8", "replace").partition("\t")
            return path, sha256
    except FileNotFoundError:
        return None


def of_release(path: Path, directory: str) -> Iterator[Promise]:
    """The section SHA256 of a Release file: paths below ``directory``, as in ``dists/bookworm``."""
    inside = False
    with path.open(encoding="utf-8", errors="replace") as lines:
        for line in lines:
            words = line.split()
            if not line.startswith(" "):
                inside = line.rstrip() == "SHA256:"
            elif inside and len(words) == 3:
                yield f"{directory}/{words[2]}", words[0].lower()


def of_packages(path: Path, name: str) -> Iterator[Promise]:
    """The fields Filename and SHA256 of a Packages file; see :func:`listed_packages`."""
    for filename, sha256, _ in listed_packages(path, name):
        yield filename, sha256


def listed_packages(path: Path, name: str) -> Iterator[tuple[str, str, int]]:
    """The fields Filename, SHA256 and Size of a Packages file; -1 where a package has no size.

    Args:
        path: where it lies.
        name: of the index; its ending tells the compression.

    Raises:
        OSError: it cannot be read or unpacked.
    """
    fields: dict[str, str] = {}
    with unpacked(path, name) as file:
        while line := file.readline(_MOST_LINE):
            if line.strip():
                key, _, value = line.decode("utf-8", "replace").partition(":")
                if key in _WANTED:
                    fields[key] = value.strip()
            elif fields:
                yield from _package(fields)
                fields = {}
    yield from _package(fields)


def _package(fields: dict[str, str]) -> Iterator[tuple[str, str, int]]:
    if fields.keys() >= {"Filename", "SHA256"}:
        size = octets_of(fields.get("Size", ""))
        yield fields["Filename"].removeprefix("./"), fields["SHA256"].lower(), size


def octets_of(text: str) -> int:
    """A size as indexes write it; -1 where it is none."""
    return int(text) if text.isdecimal() and len(text) < _LONGEST_SIZE else -1
