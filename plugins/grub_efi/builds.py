"""Which files GRUB has for which processor: a further one is a further row, and a payload with its files."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from provd.plugin.api import ClientFacts


@dataclass(frozen=True, slots=True)
class Build:
    """What machines of one CPU start from.

    Attributes:
        cpu: as in the architecture table.
        shim: signed by the firmware's keys; loads the GRUB beside itself.
        signed: GRUB that shim loads.
        http: unsigned GRUB with HTTP.
        removable: path of the removable media, the last loader that is tried on a disk (UEFI 2.x section 3.5.1.1).
        payloads: where its files are, the first wins.
    """

    cpu: str
    shim: str
    signed: str
    http: str
    removable: str
    payloads: tuple[str, ...]

    @property
    def files(self) -> tuple[str, str, str]:
        """Names of all its files."""
        return self.shim, self.signed, self.http


_ROWS = (
    Build(
        "x86_64", "shimx64.efi", "grubx64.efi", "grubx64-http.efi",
        "/EFI/BOOT/BOOTX64.EFI", ("loaders", "debian-12"),
    ),
    Build(
        "aarch64", "shimaa64.efi", "grubaa64.efi", "grubaa64-http.efi",
        "/EFI/BOOT/BOOTAA64.EFI", ("loaders-arm64", "debian-12-arm64"),
    ),
)  # fmt: skip

BUILDS: Final[Mapping[str, Build]] = {row.cpu: row for row in _ROWS}
"""By CPU."""


def build_of(client: ClientFacts) -> Build | None:
    """The build for a client's firmware, None where GRUB does not serve it."""
    arch = client.arch
    return BUILDS.get(arch.cpu) if arch is not None and arch.firmware == "uefi" else None
