"""Kernels and initial RAM disks: how a distro names them, and which are not there."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable
from pathlib import Path, PurePosixPath
from typing import Final

from provd.config.errors import Problem
from provd.model.distro import Distro

PAYLOAD: Final = "payload:"
_OF_SOURCE: Final = re.compile(r"[a-z][a-z0-9+.-]*:[^/:][^:]*/[^/]+(/[^/]+)*")
"""A file that an install source gives, as ``iso:NAME/FILE``."""


def payload_fault(reference: str) -> str:
    """What is wrong with a name of a boot file: ``payload:NAME/FILE``, ``iso:NAME/FILE``, an absolute path."""
    if not reference.startswith(PAYLOAD):
        good = reference.startswith("/") or _OF_SOURCE.fullmatch(reference)
        return "" if good else f"{reference!r} is neither payload:NAME/FILE, iso:NAME/FILE nor an absolute path"
    path = PurePosixPath(reference.removeprefix(PAYLOAD))
    if path.is_absolute() or ".." in path.parts or len(path.parts) < 2:
        return f"{reference!r} does not name a file below the payload directory, as in payload:NAME/FILE"
    return ""


def of_source(reference: str) -> bool:
    """A plugin gives this file, and not the disk."""
    return not reference.startswith((PAYLOAD, "/"))


def payload_path(reference: str, data_dir: Path) -> Path:
    """The file on disk that a distro's ``kernel`` or ``initrd`` means.

    Raises:
        ValueError: the reference has not the right form, or a symbolic link leads out of the payload directory.
    """
    rule = payload_fault(reference)
    if rule:
        raise ValueError(rule)
    if not reference.startswith(PAYLOAD):
        return Path(reference)
    root = data_dir / "payload"
    path = root / reference.removeprefix(PAYLOAD)
    if not path.resolve().is_relative_to(root.resolve()):
        raise ValueError(f"{reference!r} leads out of the payload directory")
    return path


def missing_payloads(distros: Iterable[Distro], data_dir: Path, fetchable: Collection[str] = ()) -> tuple[Problem, ...]:
    """Boot files that distros name and the disk does not have.

    Args:
        distros: usually those of a catalogue.
        data_dir: as configured.
        fetchable: names of the payloads that ``provd fetch`` knows.
    """
    return tuple(
        Problem("", key, rule, subject=f"distro {distro.name}")
        for distro in distros
        for key, reference in _boot_files(distro)
        if (rule := _missing(reference, distro, data_dir, fetchable))
    )


def _boot_files(distro: Distro) -> list[tuple[str, str]]:
    kernel = [("kernel", distro.kernel)] if distro.kernel else []
    kernel += [(f"initrd[{index}]", initrd) for index, initrd in enumerate(distro.initrd)]
    for index, program in enumerate(distro.programs):
        kernel += [(f"program[{index}]", file) for file in (program.file, *program.initrd)]
    return kernel


def _missing(reference: str, distro: Distro, data_dir: Path, fetchable: Collection[str]) -> str:
    if not payload_fault(reference) and of_source(reference):
        # The plugin knows; it is asked when a machine boots.
        return ""
    try:
        path = payload_path(reference, data_dir)
    except ValueError as error:
        return str(error)
    if path.is_file():
        return ""
    payload = reference.removeprefix(PAYLOAD).split("/", 1)[0] if reference.startswith(PAYLOAD) else ""
    if payload in fetchable:
        return f"distro {distro.name}: {path} does not exist; provd fetch {payload} gets it"
    copy = "; copy it there from the install tree" if payload else ""
    return f"distro {distro.name}: {path} does not exist{copy}"
