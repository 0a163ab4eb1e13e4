"""Packages made of given files, real archives in a source that keeps them, and scripts that stand in for apt."""

from __future__ import annotations

import hashlib
import shutil
import subprocess
from collections.abc import Callable, Collection, Mapping, Sequence
from pathlib import Path

from provd.payload.apt import Deb
from provd.payload.errors import PayloadError


def make_deb(work: Path, name: str, version: str, files: Mapping[str, bytes]) -> Path:
    """A binary package with these files; ``name`` may be ``NAME:ARCHITECTURE``."""
    name, _, architecture = name.partition(":")
    architecture = architecture or "all"
    tree = work / f"tree-{name}-{architecture}"
    (tree / "DEBIAN").mkdir(parents=True)
    control = f"Package: {name}\nVersion: {version}\nArchitecture: {architecture}\nMaintainer: Test <t@example.org>\nDescription: x\n"
    (tree / "DEBIAN/control").write_text(control)
    for path, content in files.items():
        (tree / path).parent.mkdir(parents=True, exist_ok=True)
        (tree / path).write_bytes(content)
        (tree / path).chmod(0o755)
    target = work / f"{name}_{version}_{architecture}.deb"
    subprocess.run(["dpkg-deb", "--root-owner-group", "-Znone", "-b", tree, target], check=True, capture_output=True)
    return target


class PackageShelf:
    """A package source that holds ready archives.

    Attributes:
        asked: packages that were downloaded.
        foreign: architectures beside the machine's own that were asked for.
    """

    def __init__(self, archives: Mapping[str, Path]) -> None:
        self._archives = archives
        self.asked: list[str] = []
        self.foreign: set[str] = set()
        self._root = Path()

    def __call__(self, root: Path) -> PackageShelf:
        self._root = root
        return self

    def update(self, progress: Callable[[float], None], architectures: Collection[str] = ()) -> None:
        self.foreign |= set(architectures)
        progress(1.0)

    def resolve(self, packages: Sequence[str]) -> tuple[Deb, ...]:
        for package in packages:
            if package not in self._archives:
                raise PayloadError(f"apt does not offer what is needed: Unable to locate package {package}")
        return tuple(self._deb(package) for package in packages)

    def download(self, debs: Sequence[Deb], progress: Callable[[float], None]) -> dict[str, Path]:
        self.asked += [deb.package for deb in debs]
        files = {}
        for deb in debs:
            files[deb.package] = Path(shutil.copy(self._archives[deb.package], self._root / deb.file))
        progress(1.0)
        return files

    def _deb(self, package: str) -> Deb:
        path = self._archives[package]
        raw = path.read_bytes()
        return Deb(package, path.name.split("_")[1], path.name, len(raw), hashlib.sha256(raw).hexdigest())


def script(path: Path, text: str) -> str:
    """An executable shell script; its path as text."""
    path.write_text(f"#!/bin/sh\n{text}")
    path.chmod(0o755)
    return str(path)
