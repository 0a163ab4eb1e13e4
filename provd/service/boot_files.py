"""Kernels and initial RAM disks on the way to a machine: a served path for each file, the same over TFTP and HTTP."""

from __future__ import annotations

import hashlib
from pathlib import Path

from provd.model.boot import Payload
from provd.model.distro import Distro

PREFIX = "boot/"


class PayloadMissingError(LookupError):
    """A boot file is not on this disk; the sentence says which and how to get it."""


class BootFiles:
    """Gives every boot file a served path and finds the file for the path again.

    The path carries eight hex digits of the file's place, size and time, so that a changed payload has another URL and
    no cache on the way serves the old one.
    """

    def __init__(self, payload_dir: Path) -> None:
        self._payload_dir = payload_dir
        self._files: dict[str, Path] = {}

    def of_distro(self, distro: Distro) -> Payload:
        """Files of a distro that boots its own installer.

        Raises:
            PayloadMissingError: the distro names no kernel, or its ``payload:`` reference leaves the payload directory.
        """
        if not distro.kernel:
            raise PayloadMissingError(f"distro {distro.name} names no kernel and its installer brings none")
        return Payload(str(self._place(distro.kernel)), tuple(str(self._place(name)) for name in distro.initrd))

    def _place(self, reference: str) -> Path:
        scheme, colon, rest = reference.partition(":")
        if not colon or scheme != "payload":
            return Path(reference)
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
        path = Path(file)
        try:
            status = path.stat()
        except OSError:
            raise PayloadMissingError(
                f"boot file {file} of {name} is missing: provd fetch or provd image build gets it"
            ) from None
        mark = hashlib.sha256(f"{path}|{status.st_size}|{status.st_mtime_ns}".encode()).hexdigest()[:8]
        served = f"{PREFIX}{name}/{mark}/{path.name}"
        self._files[served] = path
        return served

    def find(self, served: str) -> Path | None:
        """The file behind a served path, if it was published since the start."""
        return self._files.get(served)
