"""What repomd.xml and primary.xml of an rpm repository promise (createrepo_c's format, read as a stream)."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any
from xml.parsers.expat import ExpatError, ParserCreate

from .promises import Promise, octets_of
from .unpacked import unpacked

Entry = tuple[str, str, int]
"""A path, its SHA-256 in hexadecimal or empty, and its octets, -1 where nobody tells."""

_CHUNK = 1 << 16
_MOST_TEXT = 4096


def of_repomd(path: Path, base: str) -> Iterator[Promise]:
    """Path and SHA-256 of each index.

    Args:
        path: where repomd.xml lies.
        base: of the repository, empty or with a slash at its end.

    Raises:
        OSError: it cannot be read, or is no XML.
    """
    for href, sha256, _ in listed_indexes(path, base):
        if sha256:
            yield href, sha256


def listed_indexes(path: Path, base: str) -> Iterator[Entry]:
    """As :func:`of_repomd`, with octets, and those without a SHA-256 too."""
    with path.open("rb") as file:
        for href, sha256, size in _entries(file, "data", "repomd.xml"):
            yield f"{base}{href}", sha256, size


def of_primary(path: Path, name: str, base: str) -> Iterator[Promise]:
    """Path and SHA-256 of each package.

    Args:
        path: where the index lies.
        name: of the index; its ending tells the compression.
        base: of the repository, empty or with a slash at its end.

    Raises:
        OSError: it cannot be read or unpacked, or is no XML.
    """
    for href, sha256, _ in listed_rpms(path, name, base):
        if sha256:
            yield href, sha256


def listed_rpms(path: Path, name: str, base: str) -> Iterator[Entry]:
    """As :func:`of_primary`, with octets, and those without a SHA-256 too."""
    with unpacked(path, name) as file:
        for href, sha256, size in _entries(file, "package", name):
            yield f"{base}{href}", sha256, size


class _Reader:
    """Collects from elements of one name the href of their location and their SHA-256."""

    def __init__(self, element: str) -> None:
        self.found: list[Entry] = []
        self._element = element
        self._path: list[str] = []
        self._href = self._text = ""
        self._is_sha256 = self._is_size = False
        self._sha256 = self._size = ""

    def start(self, name: str, attributes: dict[str, str]) -> None:
        self._path.append(name)
        if name == self._element and len(self._path) == 2:
            self._href = self._sha256 = self._size = ""
        elif len(self._path) == 3 and name == "location" and "xml:base" not in attributes:
            self._href = attributes.get("href", "")
        elif len(self._path) == 3 and name == "checksum":
            self._is_sha256, self._text = attributes.get("type") == "sha256", ""
        elif len(self._path) == 3 and name == "size":
            # a package has it in an attribute, an index as text
            self._size = attributes.get("package", "")
            self._is_size, self._text = not self._size, ""

    def text(self, text: str) -> None:
        if (self._is_sha256 or self._is_size) and len(self._text) < _MOST_TEXT:
            self._text += text

    def end(self, name: str) -> None:
        if self._is_sha256 and name == "checksum":
            self._sha256, self._is_sha256 = self._text.strip().lower(), False
        if self._is_size and name == "size":
            self._size, self._is_size = self._text.strip(), False
        if name == self._element and len(self._path) == 2 and self._href:
            self.found.append((self._href, self._sha256, octets_of(self._size)))
        self._path.pop()


def _no_document_type(*_: object) -> None:
    """Without one there are no entities, which could grow without end or name other files."""
    raise OSError("it has a document type, which no index has")


def _entries(file: IO[bytes], element: str, name: str) -> Iterator[Entry]:
    reader = _Reader(element)
    parser: Any = ParserCreate()
    parser.StartElementHandler, parser.EndElementHandler = reader.start, reader.end
    parser.CharacterDataHandler = reader.text
    parser.StartDoctypeDeclHandler = _no_document_type
    try:
        while chunk := file.read(_CHUNK):
            parser.Parse(chunk, False)  # noqa: FBT003  expat's own signature
            yield from reader.found
            reader.found.clear()
        parser.Parse(b"", True)  # noqa: FBT003
    except ExpatError as error:
        raise OSError(f"{name} is no XML: {error}") from error
    yield from reader.found
