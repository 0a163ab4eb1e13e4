"""Which files a payload is made of and which package holds them: a further distribution is a further row."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from provd.payload.errors import PayloadError


@dataclass(frozen=True, slots=True)
class Package:
    """Files that one package contributes.

    Attributes:
        name: package name in the machine's apt sources; ``NAME:ARCHITECTURE`` where it is not of the machine's own.
        files: file name in the payload to path inside the package, without a leading slash.
    """

    name: str
    files: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class GrubImage:
    """A GRUB that is put together here, because no package has one with these modules.

    Attributes:
        file: file name in the payload.
        platform: GRUB platform, as in ``x86_64-efi``.
        modules_package: package with the platform's modules below ``usr/lib/grub/PLATFORM``.
        tools_package: package with ``usr/bin/grub-mkimage``.
        modules: modules to link in.
        prefix: directory its configuration is looked for in.
    """

    file: str
    platform: str
    modules_package: str
    tools_package: str
    modules: tuple[str, ...]
    prefix: str = "/grub"


@dataclass(frozen=True, slots=True)
class PayloadSpec:
    """One payload: the name that ``provd fetch`` takes, and its parts."""

    name: str
    summary: str
    packages: tuple[Package, ...]
    images: tuple[GrubImage, ...] = ()

    @property
    def files(self) -> tuple[str, ...]:
        """Names of all files the finished payload has."""
        return tuple(name for package in self.packages for name in package.files) + tuple(
            image.file for image in self.images
        )


_IPXE = "usr/lib/ipxe"
_DI_12 = "usr/lib/debian-installer/images/12/amd64/text/debian-installer/amd64"
_DI_12_ARM64 = "usr/lib/debian-installer/images/12/arm64/text/debian-installer/arm64"
_HTTP_MODULES = (
    *("normal", "configfile", "echo", "sleep", "test", "true", "eval", "regexp", "reboot", "halt"),
    *("efinet", "net", "tftp", "http", "linux", "chain", "boot", "minicmd"),
    *("search", "search_fs_file", "part_gpt", "part_msdos", "fat", "ext2", "xfs", "gzio"),
    *("all_video", "serial", "terminal", "memdisk", "tar", "password_pbkdf2", "gcry_sha512"),
)

_SYSLINUX_MODULES = ("ldlinux.c32", "menu.c32", "vesamenu.c32", "libutil.c32", "libcom32.c32")

_PAYLOADS = (
    PayloadSpec(
        name="ipxe",
        summary="iPXE for BIOS and UEFI (unsigned)",
        packages=(
            Package(
                "ipxe",
                {
                    "undionly.kpxe": f"{_IPXE}/undionly.kpxe",
                    "snponly.efi": f"{_IPXE}/snponly.efi",
                    "ipxe.efi": "boot/ipxe.efi",
                },
            ),
        ),
    ),
    PayloadSpec(
        name="loaders",
        summary="pxelinux with its menus for BIOS, shim and GRUB for UEFI (signed), and a GRUB with HTTP (unsigned)",
        packages=(
            Package(
                "pxelinux",
                {
                    "pxelinux.0": "usr/lib/PXELINUX/pxelinux.0",
                    "lpxelinux.0": "usr/lib/PXELINUX/lpxelinux.0",
                },
            ),
            Package(
                "syslinux-common",
                {
                    "memdisk": "usr/lib/syslinux/memdisk",
                    **{name: f"usr/lib/syslinux/modules/bios/{name}" for name in _SYSLINUX_MODULES},
                },
            ),
            Package("shim-signed", {"shimx64.efi": "usr/lib/shim/shimx64.efi.signed"}),
            Package(
                "grub-efi-amd64-signed",
                {"grubx64.efi": "usr/lib/grub/x86_64-efi-signed/grubnetx64.efi.signed"},
            ),
        ),
        images=(
            GrubImage(
                file="grubx64-http.efi",
                platform="x86_64-efi",
                modules_package="grub-efi-amd64-bin",
                tools_package="grub-common",
                modules=_HTTP_MODULES,
            ),
        ),
    ),
    PayloadSpec(
        name="loaders-arm64",
        summary="shim and GRUB for arm64 UEFI (signed), and a GRUB with HTTP (unsigned)",
        packages=(
            Package("shim-signed:arm64", {"shimaa64.efi": "usr/lib/shim/shimaa64.efi.signed"}),
            Package(
                "grub-efi-arm64-signed:arm64",
                {"grubaa64.efi": "usr/lib/grub/arm64-efi-signed/grubnetaa64.efi.signed"},
            ),
        ),
        images=(
            GrubImage(
                file="grubaa64-http.efi",
                platform="arm64-efi",
                modules_package="grub-efi-arm64-bin:arm64",
                tools_package="grub-common",
                modules=_HTTP_MODULES,
            ),
        ),
    ),
    PayloadSpec(
        name="debian-12",
        summary="the Debian 12 installer (amd64, text): kernel, initrd and its own loaders",
        packages=(
            Package(
                "debian-installer-12-netboot-amd64",
                {
                    "linux": f"{_DI_12}/linux",
                    "initrd.gz": f"{_DI_12}/initrd.gz",
                    "pxelinux.0": f"{_DI_12}/pxelinux.0",
                    "ldlinux.c32": f"{_DI_12}/boot-screens/ldlinux.c32",
                    "shimx64.efi": f"{_DI_12}/bootnetx64.efi",
                    "grubx64.efi": f"{_DI_12}/grubx64.efi",
                },
            ),
        ),
    ),
    PayloadSpec(
        name="memtest86plus",
        summary="memtest86+ for BIOS and UEFI (unsigned)",
        packages=(
            Package("memtest86+", {name: f"boot/{name}" for name in ("memtest86+x64.bin", "memtest86+x64.efi")}),
        ),
    ),
    PayloadSpec(
        name="grub-rescue",
        summary="GRUB's rescue shell as floppy and ISO image, for BIOS",
        packages=(
            Package(
                "grub-rescue-pc",
                {name: f"usr/lib/grub-rescue/{name}" for name in ("grub-rescue-floppy.img", "grub-rescue-cdrom.iso")},
            ),
        ),
    ),
    PayloadSpec(
        name="debian-12-arm64",
        summary="the Debian 12 installer (arm64, text): kernel, initrd and its own loaders",
        packages=(
            Package(
                "debian-installer-12-netboot-arm64",
                {
                    "linux": f"{_DI_12_ARM64}/linux",
                    "initrd.gz": f"{_DI_12_ARM64}/initrd.gz",
                    "shimaa64.efi": f"{_DI_12_ARM64}/bootnetaa64.efi",
                    "grubaa64.efi": f"{_DI_12_ARM64}/grubaa64.efi",
                },
            ),
        ),
    ),
)

PAYLOADS: Mapping[str, PayloadSpec] = {spec.name: spec for spec in _PAYLOADS}


def payload_spec(name: str) -> PayloadSpec:
    """The payload of that name.

    Raises:
        PayloadError: there is none; the sentence lists those that are.
    """
    if name not in PAYLOADS:
        raise PayloadError(f"there is no payload {name!r}; known are {', '.join(sorted(PAYLOADS))}")
    return PAYLOADS[name]
