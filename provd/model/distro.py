"""Distros: what is installed, before anybody chooses how."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


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
    tree: str = ""
    image: str = ""
    kernel_args: tuple[str, ...] = ()
    efi_loaders: tuple[str, ...] = ("/EFI/BOOT/BOOTX64.EFI",)
    vars: Mapping[str, object] = field(default_factory=dict)
    owners: tuple[str, ...] = ()
