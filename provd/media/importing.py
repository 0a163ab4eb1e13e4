"""Brings a recognised medium in: its files to where they are served from, a distro and a first profile as TOML."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from provd.media.distro_text import distro_text
from provd.media.medium import DirectoryMedium, IsoMedium, Medium, MediumError
from provd.media.recognise import Recognised
from provd.media.refusals import check_free, check_name, check_tree

Told = Callable[[str, int, int], None]
"""Progress: what is copied, octets so far, octets in all (0 where that is not known)."""

_IMAGE: Final = ".iso"


@dataclass(frozen=True, slots=True)
class Places:
    """Where things go.

    Attributes:
        payloads: boot files, a directory for each distro.
        images: ISO images, ``NAME.iso``.
        trees: install trees, a directory for each distro.
        site: site directory.
    """

    payloads: Path
    images: Path
    trees: Path
    site: Path


@dataclass(slots=True)
class Imported:
    """What an import did, or would do.

    Attributes:
        name: of distro and profile.
        distro: TOML of the distro.
        profile: TOML of the profile.
        files: what was written or copied, absolute.
    """

    name: str
    distro: str
    profile: str
    files: list[Path] = field(default_factory=list)


def bring(
    medium: Medium, found: Recognised, name: str, places: Places, told: Told, *, copy: bool, dry_run: bool
) -> Imported:
    """Import a medium.

    Args:
        medium: it.
        found: what it is.
        name: of the distro; the signature's where it is empty.
        places: where things go.
        told: progress.
        copy: also copy an image or tree that could be served where it is.
        dry_run: only say what would be written.

    Raises:
        MediumError: a name that is none or is taken, a tree that reaches outside, or a file that cannot be read.
        OSError: something cannot be written; what was begun is removed.
    """
    name = name or found.signature.name
    check_name(name)
    distro_file, profile_file = (places.site / kind / f"{name}.toml" for kind in ("distros", "profiles"))
    source = _Source(medium, found, name, places)
    distro = distro_text(found, source.boot, source.tree)
    profile = f'# The first profile of {name}: add users and keys, then give it to machines.\ndistro = "{name}"\n'
    done = Imported(name, distro, profile, [*source.targets(), distro_file, profile_file])
    check_free(done.files)
    source.check()
    if dry_run:
        return done
    with _undone() as made:
        source.place(made, told, copy=copy)
        for file, text in ((distro_file, distro), (profile_file, profile)):
            _write(file, text, made)
    return done


class _Source:
    """How the medium is served: inside its image, as a tree, or where it is on the web."""

    def __init__(self, medium: Medium, found: Recognised, name: str, places: Places) -> None:
        self._medium, self._found, self._name, self._places = medium, found, name, places
        self._image = places.images / f"{name}.iso"
        self._tree = places.trees / name
        self._payload = places.payloads / name

    def boot(self, path: str) -> str:
        """How the distro names a boot file of the medium."""
        if ":" in path:
            return path
        if isinstance(self._medium, IsoMedium):
            return f"iso:{self._name}/{path}"
        return f"payload:{self._name}/{path.rpartition('/')[2]}"

    @property
    def tree(self) -> str:
        """The distro's tree."""
        wanted = self._found.signature.tree
        if ":" in wanted:
            return wanted
        if wanted == _IMAGE:
            if not isinstance(self._medium, IsoMedium):
                raise MediumError(f"{self._medium.where}: the installer of {self._name} wants the image itself (.iso)")
            return f"{self._name}/{self._name}.iso"
        below = f"/{wanted}" if wanted else ""
        match self._medium.kind:
            case "iso":
                return f"iso:{self._name}{below}"
            case "directory":
                return f"{self._name}{below}"
            case _:
                return f"{self._medium.where}{below}"

    def check(self) -> None:
        """Refuse a medium without its boot files and a tree that cannot be copied, before anything is."""
        for path in self._boot_files():
            if not self._medium.has(path):
                raise MediumError(f"{self._medium.where} has no file {path}, which {self._found.signature.name} boots")
        if isinstance(self._medium, DirectoryMedium) and self._tree in self.targets():
            check_tree(self._medium.root, self._tree)

    def targets(self) -> list[Path]:
        """Everything that is made beside the TOML."""
        if isinstance(self._medium, IsoMedium):
            served = [self._image] if self._needed and self._outside(self._image) else []
            return [*served, *([self._tree / f"{self._name}.iso"] if self._found.signature.tree == _IMAGE else [])]
        boot = [self._payload / path.rpartition("/")[2] for path in self._boot_files()]
        needs_tree = isinstance(self._medium, DirectoryMedium) and ":" not in self._found.signature.tree
        return [*boot, *([self._tree] if needs_tree and self._outside(self._tree) else [])]

    def place(self, made: list[Path], told: Told, *, copy: bool) -> None:
        """Make them."""
        if isinstance(self._medium, IsoMedium):
            if self._needed and self._outside(self._image):
                _bring_file(self._medium.path, self._image, made, told, link=not copy)
            if self._found.signature.tree == _IMAGE:
                _bring_file(self._image, self._tree / f"{self._name}.iso", made, told, link=True)
            return
        for path in self._boot_files():
            target = self._payload / path.rpartition("/")[2]
            _parent(target, made)
            made.append(target)
            self._medium.copy(path, target, lambda octets, name=path: told(name, octets, 0))  # type: ignore[misc]
        if isinstance(self._medium, DirectoryMedium) and self._tree in self.targets():
            made.append(self._tree)
            _copy_tree(self._medium.root, self._tree, told)

    def _boot_files(self) -> tuple[str, ...]:
        signature = self._found.signature
        return tuple(path for path in (signature.kernel, *signature.initrd) if ":" not in path)

    @property
    def _needed(self) -> bool:
        """Something is served from the medium."""
        return bool(self._boot_files()) or ":" not in self._found.signature.tree

    def _outside(self, target: Path) -> bool:
        """It is not where it is served from already."""
        here = self._medium.path if isinstance(self._medium, IsoMedium) else Path(self._medium.where)
        return not (target.exists() and here.exists() and target.samefile(here))


@contextmanager
def _undone() -> Iterator[list[Path]]:
    """Removes what was made where the work does not end well."""
    made: list[Path] = []
    try:
        yield made
    except BaseException:
        for path in reversed(made):
            if path.is_dir() and not path.is_symlink():
                shutil.rmtree(path, ignore_errors=True)
            else:
                path.unlink(missing_ok=True)
        raise


def _parent(target: Path, made: list[Path]) -> None:
    missing = [folder for folder in target.parents if not folder.exists()]
    target.parent.mkdir(parents=True, exist_ok=True)
    made += reversed(missing)


def _bring_file(source: Path, target: Path, made: list[Path], told: Told, *, link: bool) -> None:
    """A file in its place: linked where that is possible and wanted, else copied under another name and renamed."""
    _parent(target, made)
    if link:
        try:
            os.link(source, target)
        except OSError:
            pass  # another file system: it is copied
        else:
            made.append(target)
            return
    beside = target.with_name(f".{target.name}.part")
    made.append(beside)
    whole = source.stat().st_size
    with source.open("rb") as given, beside.open("wb") as out:
        while piece := given.read(1 << 22):
            out.write(piece)
            told(target.name, len(piece), whole)
        out.flush()
        os.fsync(out.fileno())
    beside.replace(target)
    made.append(target)


def _copy_tree(source: Path, target: Path, told: Told) -> None:
    """Every file of a tree; links as links, nothing from outside of it."""

    def one(given: str, taken: str) -> object:
        result = shutil.copy2(given, taken)
        told(os.path.relpath(given, source), Path(taken).stat().st_size, 0)
        return result

    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copytree(source, target, symlinks=True, copy_function=one)


def _write(file: Path, text: str, made: list[Path]) -> None:
    _parent(file, made)
    handle, name = tempfile.mkstemp(dir=file.parent, prefix=f".{file.name}.")
    with os.fdopen(handle, "w", encoding="utf-8") as out:
        out.write(text)
        os.fchmod(out.fileno(), 0o644)
        out.flush()
        os.fsync(out.fileno())
    Path(name).replace(file)
    made.append(file)
