"""What an ISO image holds and where: read once, without mounting, so that files are served from inside it.

Names come from Rock Ridge (IEEE P1282), else from Joliet, else from ISO 9660 itself in lower case without versions.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

_BLOCK: Final = 2048
_PADDING: Final = 150 * _BLOCK
"""Zeros behind the last file, which writers of images count and copies may lack."""
_MOST_LINKS: Final = 16
_DEEPEST: Final = 64


class IsoError(Exception):
    """The image cannot be read; one sentence."""


class UnreadableError(IsoError):
    """It cannot be read now, whatever it is."""


@dataclass(frozen=True, slots=True)
class Extent:
    """A file in the image: octets ``offset`` to ``offset + length`` of it."""

    offset: int
    length: int


@dataclass(frozen=True, slots=True)
class Link:
    """A symbolic link of Rock Ridge."""

    target: str


Node = Extent | Link | dict[str, "Node"]
Mark = tuple[int, int, int]
"""Inode, octets and time in nanoseconds: another mark is another image."""


def mark_of(status: os.stat_result) -> Mark:
    """Tells one image from the next one of its name."""
    return status.st_ino, status.st_size, status.st_mtime_ns


@dataclass(frozen=True, slots=True)
class Index:
    """The directory of one image.

    Attributes:
        mark: of the file it was read from.
        root: names to extents, links and directories.
        label: volume identifier.
    """

    mark: Mark
    root: Mapping[str, Node]
    label: str

    def find(self, path: str) -> Node | None:
        """What a path without leading slash leads to, through links of the image; None where there is nothing."""
        return self._walk([part for part in path.split("/") if part], _MOST_LINKS)

    def _walk(self, parts: Sequence[str], links: int) -> Node | None:
        trail: list[Mapping[str, Node]] = [self.root]
        names: list[str] = []
        for number, part in enumerate(parts):
            if part in {"", "."}:
                continue
            if part == "..":
                if not names:
                    return None
                names.pop()
                trail.pop()
                continue
            node = trail[-1].get(part)
            if isinstance(node, Link):
                if links <= 0 or node.target.startswith("/"):
                    return None
                return self._walk([*names, *node.target.split("/"), *parts[number + 1 :]], links - 1)
            if isinstance(node, dict):
                trail.append(node)
                names.append(part)
                continue
            return node if number == len(parts) - 1 else None
        return dict(trail[-1])

    @property
    def files(self) -> int:
        """How many files it holds."""
        return sum(1 for _ in _files(self.root))


def _files(folder: Mapping[str, Node]) -> Iterator[Extent]:
    for node in folder.values():
        if isinstance(node, Extent):
            yield node
        elif isinstance(node, dict):
            yield from _files(node)


def read_index(path: Path) -> Index:
    """Read the directory of an image; takes a second for ten thousand files.

    Raises:
        IsoError: it is no ISO 9660 image, or damaged; :class:`UnreadableError`: it is not there, or cannot be read.
    """
    # Loaded by the first image: a server without images does without.
    from pycdlib import PyCdlib
    from pycdlib.pycdlibexception import PyCdlibException

    iso: Any = PyCdlib()
    try:
        status = path.stat()
        with path.open("rb") as file:
            iso.open_fp(file)
            try:
                _whole(iso, status.st_size)
                return Index(mark_of(status), _root(iso, status.st_size), _label(iso))
            finally:
                iso.close()
    except OSError as error:
        raise UnreadableError(f"{path} cannot be read: {error.strerror or error}") from error
    except IsoError as error:
        raise IsoError(f"{path} {error}") from error
    except PyCdlibException as error:
        raise IsoError(f"{path} is no ISO 9660 image, or is damaged: {error}") from error
    except Exception as error:
        # The library meets damage with whatever its arithmetic gives.
        raise IsoError(f"{path} is damaged: {type(error).__name__}: {error}") from error


def _whole(iso: Any, size: int) -> None:
    """The library shortens the files of an image that was cut, and says nothing."""
    volume = iso.pvd.space_size * _BLOCK
    if volume > size + _PADDING:
        raise IsoError(f"is cut short: {volume} octets belong to it and {size} are there")


def _label(iso: Any) -> str:
    return bytes(iso.pvd.volume_identifier).decode("ascii", "replace").strip()


def _root(iso: Any, size: int) -> Mapping[str, Node]:
    if iso.has_rock_ridge():
        return _folder(iso.pvd.root_directory_record(), _rock_ridge_name, size, 0)
    if iso.has_joliet():
        return _folder(iso.joliet_vd.root_directory_record(), _joliet_name, size, 0)
    return _folder(iso.pvd.root_directory_record(), _plain_name, size, 0)


def _rock_ridge_name(record: Any) -> str:
    if record.rock_ridge is None:
        return _plain_name(record)
    return str(bytes(record.rock_ridge.name()).decode("utf-8", "surrogateescape"))


def _joliet_name(record: Any) -> str:
    return str(bytes(record.file_identifier()).decode("utf-16-be", "replace")).partition(";")[0]


def _plain_name(record: Any) -> str:
    return str(bytes(record.file_identifier()).decode("ascii", "replace")).partition(";")[0].rstrip(".").lower()


def _folder(folder: Any, name_of: Any, size: int, depth: int) -> dict[str, Node]:
    if depth > _DEEPEST:
        raise IsoError(f"has directories in each other more than {_DEEPEST} deep")
    found: dict[str, Node] = {}
    growing = ""
    for record in folder.children:
        if record.is_dot() or record.is_dotdot():
            continue
        name = name_of(record)
        ridge = record.rock_ridge
        if ridge is not None and ridge.is_symlink():
            found[name] = Link(bytes(ridge.symlink_path()).decode("utf-8", "surrogateescape"))
        elif ridge is not None and ridge.child_link_record_exists():
            # A deep directory that Rock Ridge moved elsewhere and shows here (P1282, 4.1.5).
            found[name] = _folder(ridge.cl_to_moved_dr, name_of, size, depth + 1)
        elif record.is_dir():
            if not (depth == 0 and name.upper() == "RR_MOVED"):
                found[name] = _folder(record, name_of, size, depth + 1)
        else:
            part = Extent(record.extent_location() * _BLOCK, record.get_data_length())
            earlier = found.get(name)
            if name == growing and isinstance(earlier, Extent):
                # ISO 9660 cuts a file of 4 GiB and more into parts (ECMA-119, 6.5.1); writers lay them end to end.
                if earlier.offset + earlier.length != part.offset:
                    raise IsoError(f"has the file {name} in pieces that do not lie one behind the other")
                part = Extent(earlier.offset, earlier.length + part.length)
            if part.offset + part.length > size:
                raise IsoError(f"ends before its file {name} does: {part.offset + part.length} octets are needed")
            found[name] = part
            growing = name if record.file_flags & 0x80 else ""
    return found
