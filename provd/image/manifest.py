"""The manifest of a chunked disk image: one text file that both Python and a busybox shell read line by line.

Form, one fact per line, words separated by one space::

    provd-image 1
    name debian-12
    created 2025-01-31T12:00:00+00:00
    recipe 5f2c...                          what it was made from: recipe hash or hash of the vendor file
    raw-size 2147483648                     octets of the whole disk image
    raw-sha256 9d1f...
    chunk-size 8388608                      octets of every chunk but the last
    compression zstd                        zstd or gzip
    firmware bios,uefi                      what its partition table says it can boot from; "none" where neither
    chunk 0 0 8388608 1b4f... 1b4f....zst   index, offset, length, sha256 of the raw octets, file beside this one
    chunk 1 8388608 8388608 2c6e... zero    all octets are zero: nothing is stored
    end 2                                   number of chunks: a manifest cut short has none
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from provd.image.errors import ImageError

MANIFEST_NAME = "manifest"
VERSION = 1
ZERO = "zero"
SUFFIX = {"zstd": "zst", "gzip": "gz"}
_SHA256 = re.compile(r"[0-9a-f]{64}")
_FILE_NAME = re.compile(r"[0-9a-f]{64}\.(zst|gz)")
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._+-]{0,63}")


@dataclass(frozen=True, slots=True)
class Chunk:
    """One piece of the raw image; ``file`` is None where all its octets are zero. Units: octets."""

    index: int
    offset: int
    length: int
    sha256: str
    file: str | None


@dataclass(frozen=True, slots=True)
class ImageManifest:
    """A disk image in chunks: what `chunks.write_chunks` wrote and the deployer reads.

    Attributes:
        name: how profiles call the image.
        created: ISO 8601 time with offset.
        recipe: hash of what it was made from.
        raw_size: octets the disk must have at least (the seed partition comes on top).
        raw_sha256: of the whole raw image.
        chunk_size: octets of every chunk but the last.
        compression: ``zstd`` or ``gzip``.
        firmware: subset of ``bios`` and ``uefi``.
        chunks: in order, without gaps.
    """

    name: str
    created: str
    recipe: str
    raw_size: int
    raw_sha256: str
    chunk_size: int
    compression: str
    firmware: tuple[str, ...]
    chunks: tuple[Chunk, ...]

    @property
    def stored_files(self) -> tuple[str, ...]:
        """Names of the chunk files, each once."""
        return tuple(dict.fromkeys(chunk.file for chunk in self.chunks if chunk.file is not None))


def check_name(name: str) -> str:
    """Refuse an image name that could not be a directory and one word in the manifest."""
    if not _NAME.fullmatch(name):
        msg = f"image name {name!r}: use letters, digits and . _ + -, at most 64, a letter or digit first"
        raise ImageError(msg)
    return name


def format_manifest(manifest: ImageManifest) -> str:
    """Render; `parse_manifest` is the inverse."""
    lines = [
        f"provd-image {VERSION}",
        f"name {manifest.name}",
        f"created {manifest.created}",
        f"recipe {manifest.recipe}",
        f"raw-size {manifest.raw_size}",
        f"raw-sha256 {manifest.raw_sha256}",
        f"chunk-size {manifest.chunk_size}",
        f"compression {manifest.compression}",
        f"firmware {','.join(manifest.firmware) or 'none'}",
    ]
    lines += [f"chunk {c.index} {c.offset} {c.length} {c.sha256} {c.file or ZERO}" for c in manifest.chunks]
    lines.append(f"end {len(manifest.chunks)}")
    return "\n".join(lines) + "\n"


class _Lines:
    """The lines of one manifest, and the sentence that says which of them is wrong."""

    def __init__(self, text: str, where: str) -> None:
        self._lines: Iterator[tuple[int, str]] = enumerate(text.splitlines(), 1)
        self._where = where
        self._number = 0

    def error(self, rule: str) -> ImageError:
        return ImageError(f"{self._where} line {self._number}: {rule}")

    def words(self) -> list[str]:
        """The words of the next line."""
        self._number, line = next(self._lines, (self._number + 1, ""))
        return line.split(" ")

    def value(self, key: str) -> str:
        """The rest of the next line, which must begin with ``key``."""
        found, *rest = self.words()
        if found != key or not any(rest):
            raise self.error(f"must be '{key} VALUE'")
        return " ".join(rest)

    def number(self, text: str, rule: str) -> int:
        if not (text.isascii() and text.isdigit()):
            raise self.error(rule)
        return int(text)

    def digest(self, text: str) -> str:
        if not _SHA256.fullmatch(text):
            raise self.error("sha256 must be 64 lower-case hexadecimal digits")
        return text


def parse_manifest(text: str, where: str = "manifest") -> ImageManifest:
    """Read what `format_manifest` wrote.

    Raises:
        ImageError: a line breaks the form; the sentence has ``where`` and the line number.
    """
    lines = _Lines(text, where)
    version = lines.value("provd-image")
    if version != str(VERSION):
        raise lines.error(f"version {version} is not supported, only {VERSION}")
    name, created, recipe = lines.value("name"), lines.value("created"), lines.value("recipe")
    raw_size = lines.number(lines.value("raw-size"), "raw-size must be a number of octets")
    raw_sha256 = lines.digest(lines.value("raw-sha256"))
    chunk_size = lines.number(lines.value("chunk-size"), "chunk-size must be a number of octets")
    compression = lines.value("compression")
    if compression not in SUFFIX:
        raise lines.error(f"compression must be one of {', '.join(SUFFIX)}")
    firmware = tuple(word for word in lines.value("firmware").split(",") if word != "none")
    chunks = tuple(_parse_chunks(lines, raw_size))
    return ImageManifest(name, created, recipe, raw_size, raw_sha256, chunk_size, compression, firmware, chunks)


def _parse_chunks(lines: _Lines, raw_size: int) -> Iterator[Chunk]:
    index = offset = 0
    while True:
        match lines.words():
            case ["chunk", number, start, length_text, digest, file]:
                length = lines.number(length_text, "chunk length must be a number of octets")
                if number != str(index) or start != str(offset) or length == 0:
                    raise lines.error(f"chunk {index} at offset {offset} expected, without gap")
                if file != ZERO and not _FILE_NAME.fullmatch(file):
                    raise lines.error("chunk file must be 'zero' or sha256 with .zst or .gz")
                yield Chunk(index, offset, length, lines.digest(digest), None if file == ZERO else file)
                index, offset = index + 1, offset + length
            case ["end", count] if count == str(index):
                if offset != raw_size:
                    raise lines.error(f"chunks cover {offset} of {raw_size} octets")
                return
            case _:
                raise lines.error(f"must be 'chunk {index} OFFSET LENGTH SHA256 FILE' or 'end {index}'")


def read_manifest(directory: Path) -> ImageManifest:
    """The manifest of an image directory.

    Raises:
        ImageError: there is none, or it breaks the form.
    """
    path = directory / MANIFEST_NAME
    try:
        text = path.read_text(encoding="ascii")
    except (OSError, UnicodeDecodeError) as error:
        msg = f"{path}: not a readable image manifest ({error})"
        raise ImageError(msg) from error
    return parse_manifest(text, str(path))
