"""What the files of all layers say, file by file: where an object comes from, and what one changed file changes."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final, Self

from provd.config import toml
from provd.config.errors import ConfigError, Problem
from provd.config.keys import Table
from provd.config.kinds import KINDS as OBJECT_KINDS
from provd.config.layers import Layer, files
from provd.config.objects import SystemFile
from provd.config.reader import Read, read_object
from provd.config.site_templates import FOLDER as TEMPLATES

KINDS: Final[Mapping[str, type[Table]]] = MappingProxyType(
    {**{kind.folder: kind.type for kind in OBJECT_KINDS.values()}, "systems": SystemFile}
)
"""Folder of each kind of object, and the structure of its files."""

Signature = tuple[int, int, int]
"""Inode, octets and modification time in ns: a file that has the same ones was not written to."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One file of one layer.

    Attributes:
        path: of the file.
        layer: number of its layer, the lowest is 0.
        signature: of the file when it was read, None for one that is not written yet.
        fingerprint: hash of path and octets.
        octets: its content, so that an edit starts from what was checked.
        read: what it says, None where it is broken.
        problem: why it is broken, else None.
    """

    path: str
    layer: int
    signature: Signature | None
    fingerprint: int
    octets: bytes = b""
    read: Read[Any] | None = None
    problem: Problem | None = None


Named = Mapping[str, tuple[Entry, ...]]
"""Object name to its files, that of the lowest layer first; the last one counts, broken or not."""


@dataclass(frozen=True, slots=True)
class Sources:
    """The files of a catalogue.

    Attributes:
        layers: the lowest first; the last is the site's, the only one with systems and the only one that is written.
        entries: files by kind and name.
        fingerprint: of all of them together, whatever their order.
    """

    layers: tuple[Layer, ...]
    entries: Mapping[str, Named]
    fingerprint: int

    @classmethod
    def load(cls, layers: Sequence[Layer], before: Sources | None = None) -> Self:
        """Read all layers.

        Args:
            layers: the lowest first.
            before: sources read earlier; files that were not written to since are not read again.
        """
        known = {} if before is None or before.layers != tuple(layers) else before.by_path()
        entries: dict[str, dict[str, list[Entry]]] = {kind: {} for kind in KINDS}
        for kind, path, number in _every_file(layers):
            seen = known.get(str(path))
            if seen is None or seen.signature is None or seen.signature != signature_of(path):
                seen = read_entry(path, kind, number)
            entries[kind].setdefault(path.stem, []).append(seen)
        found = {kind: {name: tuple(some) for name, some in named.items()} for kind, named in entries.items()}
        return cls(tuple(layers), found, _together(found))

    def by_path(self) -> dict[str, Entry]:
        """Every entry by the path of its file."""
        return {entry.path: entry for named in self.entries.values() for some in named.values() for entry in some}

    def revised(self, changes: Mapping[tuple[str, str], bytes | None]) -> Self:
        """The sources as they are once these files of the site are written.

        Args:
            changes: kind and name to the new octets, or None for a file that is removed.
        """
        entries: dict[str, Named] = dict(self.entries)
        fingerprint, site = self.fingerprint, len(self.layers) - 1
        for (kind, name), raw in changes.items():
            named = dict(entries[kind])
            below = tuple(entry for entry in named.get(name, ()) if entry.layer != site)
            for gone in named.get(name, ()):
                fingerprint ^= gone.fingerprint if gone.layer == site else 0
            if raw is not None:
                entry = make_entry(self.site_file(kind, name), raw, kind, site, None)
                fingerprint ^= entry.fingerprint
                below = (*below, entry)
            named[name] = below
            if not below:
                del named[name]
            entries[kind] = named
        return type(self)(self.layers, entries, fingerprint)

    def site_file(self, kind: str, name: str) -> Path:
        """Path of an object's file in the site layer, whether it exists or not."""
        return self.layers[-1].path / kind / (name if kind == TEMPLATES else f"{name}.toml")

    def top(self, kind: str, name: str) -> Entry | None:
        """The file that counts for an object."""
        some = self.entries[kind].get(name)
        return some[-1] if some else None

    def in_site(self, kind: str, name: str) -> bool:
        """The file that counts is the site's own."""
        top = self.top(kind, name)
        return top is not None and top.layer == len(self.layers) - 1

    def knows(self, path: Path) -> bool:
        """The file is as it was read, or as it was going to be written; one that is gone is one that is not known."""
        entry = next(
            (one for one in self.entries.get(path.parent.name, {}).get(path.stem, ()) if one.path == str(path)), None
        )
        try:
            return entry is not None and path.read_bytes() == entry.octets
        except FileNotFoundError:
            return entry is None
        except OSError:
            return False

    def good(self, kind: str) -> dict[str, Read[Any]]:
        """What the files of one kind say, without the broken ones."""
        return {name: some[-1].read for name, some in self.entries[kind].items() if some[-1].read is not None}

    def broken(self, kind: str) -> frozenset[str]:
        """Names whose file cannot be used; it hides the same name of a lower layer too."""
        return frozenset(name for name, some in self.entries[kind].items() if some[-1].read is None)

    def problems(self) -> tuple[Problem, ...]:
        """Why files cannot be used, by kind, layer and file; also of those that a later one replaces."""
        return tuple(
            entry.problem
            for named in self.entries.values()
            for entry in sorted((one for some in named.values() for one in some), key=lambda one: (one.layer, one.path))
            if entry.problem is not None
        )


def _every_file(layers: Sequence[Layer]) -> Iterator[tuple[str, Path, int]]:
    for kind in KINDS:
        for number, layer in enumerate(layers):
            # Machines are the site's alone.
            if kind != "systems" or number == len(layers) - 1:
                yield from ((kind, path, number) for path in files(layer, kind))


def _together(entries: Mapping[str, Named]) -> int:
    fingerprint = 0
    for named in entries.values():
        for some in named.values():
            for entry in some:
                fingerprint ^= entry.fingerprint
    return fingerprint


def signature_of(path: Path) -> Signature | None:
    """What tells a file that was written to from one that was not; None where there is none."""
    try:
        status = path.stat()
    except OSError:
        return None
    return status.st_ino, status.st_size, status.st_mtime_ns


def read_entry(path: Path, kind: str, layer: int) -> Entry:
    """One file, good or broken."""
    signature = signature_of(path)
    try:
        raw = toml.read_bytes(path)
    except ConfigError as error:
        return Entry(str(path), layer, None, _fingerprint(path, b""), problem=_about(error, kind, path.stem))
    return make_entry(path, raw, kind, layer, signature)


def make_entry(path: Path, raw: bytes, kind: str, layer: int, signature: Signature | None) -> Entry:
    """An entry of these octets."""
    fingerprint = _fingerprint(path, raw)
    try:
        read = read_object(path, raw, KINDS[kind])
    except ConfigError as error:
        return Entry(str(path), layer, signature, fingerprint, raw, problem=_about(error, kind, path.stem))
    return Entry(str(path), layer, signature, fingerprint, raw, read)


def _about(error: ConfigError, kind: str, name: str) -> Problem:
    problem = error.problem
    return Problem(problem.file, problem.key, problem.rule, problem.line, f"{kind.removesuffix('s')} {name}")


def _fingerprint(path: Path, raw: bytes) -> int:
    digest = hashlib.sha256(f"{path}\0".encode())
    digest.update(raw)
    return int.from_bytes(digest.digest()[:16])


def changed_names(before: Sources, after: Sources, kind: str) -> Collection[str]:
    """Objects of a kind for which another file, or another content, counts now."""
    old, new = before.entries[kind], after.entries[kind]
    if old is new:
        return ()
    both = {name for name in old.keys() & new.keys() if _top(old[name]) != _top(new[name])}
    return both | (old.keys() ^ new.keys())


def _top(some: tuple[Entry, ...]) -> int:
    return some[-1].fingerprint
