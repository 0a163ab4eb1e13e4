"""``fetch``: a payload from signed packages, complete in the data directory or not there at all."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol, TypeAlias

from provd.payload.apt import Deb, PrivateApt
from provd.payload.catalogue import GrubImage, PayloadSpec, payload_spec
from provd.payload.errors import PayloadError
from provd.payload.grub import build_image, image_version
from provd.payload.installed import installed_version
from provd.payload.record import FileRecord, PayloadRecord, damaged, file_record, read_record

#: Called with what is being done (a short phrase) and the share of the whole that is done, 0.0 to 1.0, never falling.
Progress: TypeAlias = Callable[[str, float], None]


class PackageSource(Protocol):
    """Where packages come from; :class:`provd.payload.apt.PrivateApt` is one."""

    def update(self, progress: Callable[[float], None], architectures: Collection[str] = ()) -> None:
        """Learn what there is, for the machine's own architecture and these."""

    def resolve(self, packages: Sequence[str]) -> tuple[Deb, ...]:
        """Describe the packages."""

    def download(self, debs: Sequence[Deb], progress: Callable[[float], None]) -> dict[str, Path]:
        """Fetch and check them: package name to file."""


def fetch(
    name: str,
    data_dir: Path,
    progress: Progress,
    *,
    refresh: bool = False,
    root: Path = Path("/"),
    source: Callable[[Path], PackageSource] = PrivateApt,
) -> PayloadRecord:
    """Make payload ``name`` complete below ``data_dir/payload/NAME``.

    Files of packages that are installed here and unchanged are copied; the others come from the machine's own apt
    sources, checked against the signed index. No root is needed. An interrupted fetch leaves what was there before.

    Args:
        name: payload name, one of :data:`provd.payload.catalogue.PAYLOADS`.
        data_dir: provd's data directory.
        progress: told what is done.
        refresh: fetch again although a complete payload is there.
        root: where the machine's own files begin.
        source: makes the source of packages for an empty private directory.

    Raises:
        PayloadError: unknown name, nothing to get it from, or a check failed: one sentence.
    """
    spec = payload_spec(name)
    folder = data_dir / "payload" / name
    record = read_record(folder) if folder.is_dir() and not refresh else None
    if record is not None and _is_current(spec, record) and not damaged(folder, record):
        progress(f"{name} is complete", 1.0)
        return record
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        work = Path(tempfile.mkdtemp(prefix=f".{name}-", dir=folder.parent))
    except OSError as error:
        raise PayloadError(f"{folder.parent} cannot be written: {error.strerror}") from error
    try:
        return _Fetch(spec, work, root, progress, source).run(folder)
    except OSError as error:
        raise PayloadError(f"payload {name} could not be written to {folder}: {error}") from error
    finally:
        shutil.rmtree(work, ignore_errors=True)


@dataclass(slots=True)
class _Source:
    """Where the files of one package are: ``root / path-inside-the-package``."""

    root: Path
    version: str
    kind: str


@dataclass(slots=True)
class _Fetch:
    """One run: finds a source for each package, copies, builds, moves into place."""

    spec: PayloadSpec
    work: Path
    root: Path
    progress: Progress
    source: Callable[[Path], PackageSource]
    sources: dict[str, _Source] = field(default_factory=dict)

    def run(self, folder: Path) -> PayloadRecord:
        for package, paths in self._needed().items():
            version = installed_version(package, paths, self.root)
            if version:
                self.sources[package] = _Source(self.root, version, "installed")
        missing = [package for package in self._needed() if package not in self.sources]
        if missing:
            self._download(missing)
        self.progress("unpacking", 0.85)
        new = self.work / "new"
        new.mkdir()
        files = self._copy(new)
        for image in self.spec.images:
            self.progress(f"building {image.file}", 0.95)
            files[image.file] = self._build(image, new)
        kinds = {package: source.kind for package, source in sorted(self.sources.items())}
        record = PayloadRecord(name=self.spec.name, files=files, packages=kinds)
        record.write(new)
        new.chmod(0o755)
        _replace(new, folder, self.work / "old")
        self.progress(f"{self.spec.name} is complete", 1.0)
        return record

    def _needed(self) -> dict[str, list[str]]:
        """Package name to the paths inside it that must be there."""
        needed = {package.name: list(package.files.values()) for package in self.spec.packages}
        for image in self.spec.images:
            module_dir = f"usr/lib/grub/{image.platform}"
            needed[image.modules_package] = [f"{module_dir}/{name}.mod" for name in image.modules]
            needed[image.tools_package] = ["usr/bin/grub-mkimage"]
        return needed

    def _download(self, packages: list[str]) -> None:
        apt_root = self.work / "apt"
        apt_root.mkdir()
        apt = self.source(apt_root)
        foreign = {package.partition(":")[2] for package in packages} - {""}
        apt.update(lambda share: self.progress("reading the package index", 0.15 * share), foreign)
        debs = apt.resolve(packages)
        size = sum(deb.size for deb in debs) / 1e6
        text = f"downloading {len(debs)} packages, {size:.1f} MB"
        self.progress(text, 0.15)
        files = apt.download(debs, lambda share: self.progress(text, 0.15 + 0.65 * share))
        for deb in debs:
            self.progress(f"unpacking {deb.package}", 0.8)
            self.sources[deb.package] = _Source(_unpack(deb, files[deb.package], self.work), deb.version, "downloaded")

    def _copy(self, new: Path) -> dict[str, FileRecord]:
        files = {}
        for package in self.spec.packages:
            source = self.sources[package.name]
            for name, inside in package.files.items():
                if not (source.root / inside).is_file():
                    raise PayloadError(f"package {package.name} {source.version} does not hold {inside}")
                shutil.copyfile(source.root / inside, new / name)
                files[name] = file_record(new / name, package.name, source.version)
        return files

    def _build(self, image: GrubImage, new: Path) -> FileRecord:
        modules, tools = self.sources[image.modules_package], self.sources[image.tools_package]
        mkimage = tools.root / "usr/bin/grub-mkimage"
        build_image(image, modules.root / "usr/lib/grub" / image.platform, mkimage, new / image.file)
        return file_record(new / image.file, image.modules_package, image_version(modules.version))


def _is_current(spec: PayloadSpec, record: PayloadRecord) -> bool:
    """The record has every file, and images of this version of provd."""
    if set(record.files) != set(spec.files):
        return False
    versions = [record.files[image.file].version for image in spec.images]
    return all(version == image_version(version.rpartition("+")[0]) for version in versions)


def _unpack(deb: Deb, path: Path, work: Path) -> Path:
    """Unpack one package into its own folder and drop the archive."""
    target = work / "unpacked" / deb.package
    target.mkdir(parents=True)
    try:
        run = subprocess.run(["dpkg-deb", "-x", path, target], capture_output=True, text=True, check=False)
    except OSError as error:
        raise PayloadError(f"dpkg-deb cannot be started ({error}); install dpkg") from error
    if run.returncode != 0:
        raise PayloadError(f"package {deb.package} {deb.version} cannot be unpacked: {run.stderr.strip()}")
    path.unlink()
    return target


def _replace(new: Path, folder: Path, old: Path) -> None:
    """Put ``new`` in the place of ``folder``; what was there is moved aside first and comes back if that fails."""
    moved = folder.exists()
    if moved:
        folder.rename(old)
    try:
        new.rename(folder)
    except OSError:
        if moved:
            old.rename(folder)
        raise
