"""Kernels and initial RAM disks on the way to a machine: a served path for each file, the same over TFTP and HTTP."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

from provd.model.boot import Payload
from provd.model.content import Content, NotFound
from provd.model.distro import Distro, Program
from provd.plugin.contract import InstallSource

PREFIX = "boot/"
_DEPLOYER: Final = "deployer"
_SCHEME: Final = re.compile(r"([a-z][a-z0-9+.-]*):")


class PayloadMissingError(LookupError):
    """A boot file is not on this disk; the sentence says which and how to get it."""


class BootFiles:
    """Gives every boot file a served path and finds the file for the path again.

    The path carries eight hex digits of the file's place, size and time, so that a changed payload has another URL and
    no cache on the way serves the old one.

    Args:
        payload_dir: where ``payload:NAME/FILE`` is.
        sources: install sources by name; those with files of their own give ``SCHEME:...``, as from an ISO image.
    """

    def __init__(self, payload_dir: Path, sources: Callable[[], Mapping[str, InstallSource]] = dict) -> None:
        self._payload_dir = payload_dir
        self._sources = sources
        self._files: dict[str, Path | str] = {}

    def of_distro(self, distro: Distro) -> Payload:
        """Files of a distro that boots its own installer.

        Raises:
            PayloadMissingError: the distro names no kernel, or its ``payload:`` reference leaves the payload directory.
        """
        if not distro.kernel:
            raise PayloadMissingError(f"distro {distro.name} names no kernel and its installer brings none")
        return Payload(str(self._place(distro.kernel)), tuple(str(self._place(name)) for name in distro.initrd))

    def of_program(self, program: Program) -> Payload:
        """Files of one program of a distro.

        Raises:
            PayloadMissingError: a ``payload:`` reference leaves the payload directory.
        """
        initrd = tuple(str(self._place(name)) for name in program.initrd)
        return Payload(str(self._place(program.file)), initrd, program.kind)

    def _place(self, reference: str) -> Path | str:
        scheme, colon, rest = reference.partition(":")
        if not colon or scheme != "payload":
            return reference if self._source(reference) else Path(reference)
        place = self._payload_dir.joinpath(*Path(rest).parts)
        if ".." in Path(rest).parts or Path(rest).is_absolute():
            raise PayloadMissingError(f"{reference!r} leaves the payload directory")
        return place

    def publish(self, name: str, payload: Payload) -> tuple[str, tuple[str, ...]]:
        """Served paths of the kernel and of every initrd.

        Args:
            name: distro name, for people who read logs.
            payload: files on this disk.

        Raises:
            PayloadMissingError: a file does not exist.
        """
        return self._serve(name, payload.kernel), tuple(self._serve(name, initrd) for initrd in payload.initrd)

    def _serve(self, name: str, file: str) -> str:
        source = self._source(file)
        if source is not None:
            return self._serve_from(source, name, file)
        path = Path(file)
        try:
            status = path.stat()
        except OSError:
            raise PayloadMissingError(f"boot file {file} of {name} is missing: {self._remedy(path)}") from None
        mark = hashlib.sha256(f"{path}|{status.st_size}|{status.st_mtime_ns}".encode()).hexdigest()[:8]
        served = f"{PREFIX}{name}/{mark}/{path.name}"
        self._files[served] = path
        return served

    def _remedy(self, path: Path) -> str:
        """What brings a file that is not there, as far as its place tells."""
        if not path.is_relative_to(self._payload_dir):
            return "it must be put there"
        if path.is_relative_to(self._payload_dir / _DEPLOYER):
            return "provd image build gets it"
        return "provd fetch or provd import gets it where they know it, else it must be put there"

    def _source(self, reference: str) -> Callable[[str], Content | NotFound] | None:
        """What gives a file that is named by a scheme, None for a path."""
        match = _SCHEME.match(reference)
        if match is None:
            return None
        found = (one.file for one in self._sources().values() if match[1] in one.schemes and one.file is not None)
        return next(found, None)

    def _serve_from(self, source: Callable[[str], Content | NotFound], name: str, file: str) -> str:
        content = source(file)
        if isinstance(content, NotFound):
            raise PayloadMissingError(f"boot file {file} of {name} is missing: {content.reason}")
        mark = hashlib.sha256(f"{file}|{content.length}|{content.etag}".encode()).hexdigest()[:8]
        served = f"{PREFIX}{name}/{mark}/{file.rpartition('/')[2]}"
        self._files[served] = file
        return served

    def find(self, served: str) -> Path | Content | NotFound | None:
        """What is behind a served path, if it was published since the start."""
        file = self._files.get(served)
        if not isinstance(file, str):
            return file
        source = self._source(file)
        return NotFound(f"no enabled plugin gives {file}") if source is None else source(file)
