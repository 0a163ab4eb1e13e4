"""Distros: what is installed, before anybody chooses how."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

PROGRAM_KINDS: Final[Mapping[str, tuple[str, ...]]] = {
    "linux": ("bios", "uefi"),
    "efi": ("uefi",),
    "floppy": ("bios",),
    "iso": ("bios",),
}
"""What a machine can be given to boot, and the firmware under which it works.

``linux``: a kernel, or what is started like one (Linux boot protocol). ``efi``: a program for UEFI. ``floppy`` and
``iso``: images that memdisk keeps in memory and gives to the BIOS as a drive.
"""


@dataclass(frozen=True, slots=True)
class Program:
    """What machines of one firmware boot in the place of a kernel: ``[[program]]`` of a distro.

    Attributes:
        firmware: ``bios`` or ``uefi``.
        kind: one of :data:`PROGRAM_KINDS`.
        file: as ``kernel`` of a distro.
        initrd: as there; ``linux`` alone has any.
        arch: CPU of UEFI machines that it is for; empty for the distro's. A BIOS runs both of Intel's.
    """

    firmware: str
    kind: str
    file: str
    initrd: tuple[str, ...] = ()
    arch: str = ""


@dataclass(frozen=True, slots=True)
class Distro:
    """One operating system version for one architecture, as in ``distros/NAME.toml``.

    Attributes:
        name: unique name.
        arch: CPU, as in :attr:`provd.model.arch.Arch.cpu`.
        family: installer family (``debian``, ``redhat``, ...), which an installer plugin claims.
        version: version as its vendor writes it.
        installer: name of the installer used where the profile names none.
        kernel: installer kernel, as ``payload:NAME/FILE`` (below the payload directory) or an absolute path; empty
            where the installer brings its own.
        initrd: initial RAM disks in the order they are loaded.
        programs: what is booted in the place of a kernel, by firmware.
        tree: install tree: a directory, or a URL.
        image: name of the disk image, for the image installer.
        kernel_args: arguments that every profile of this distro gets.
        efi_loaders: paths on the EFI system partition to chain for local boot, tried in order.
        vars: free values for templates.
        owners: users or groups of users who may change it besides administrators.
    """

    name: str
    arch: str = "x86_64"
    family: str = ""
    version: str = ""
    installer: str = ""
    kernel: str = ""
    initrd: tuple[str, ...] = ()
    programs: tuple[Program, ...] = ()
    tree: str = ""
    image: str = ""
    kernel_args: tuple[str, ...] = ()
    efi_loaders: tuple[str, ...] = ("/EFI/BOOT/BOOTX64.EFI",)
    vars: Mapping[str, object] = field(default_factory=dict)
    owners: tuple[str, ...] = ()
