"""What an image of ours is made of. The hash of a recipe is the key under which the result is kept."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from types import MappingProxyType

from provd.image.errors import ImageError

TEMPLATE = Path(__file__).parent / "template"
#: Raise when this package writes images in another way, so that kept ones are built anew.
_FORMAT = 1

_PACKAGES = (
    "ca-certificates",
    "cloud-guest-utils",
    "cloud-init",
    "curl",
    "dbus",
    "e2fsprogs",
    "fdisk",
    "grub-cloud-amd64",
    "initramfs-tools",
    "iproute2",
    "iputils-ping",
    "kmod",
    "less",
    "libpam-systemd",
    "netplan.io",
    "openssh-server",
    "sudo",
    "systemd-resolved",
    "systemd-sysv",
    "systemd-timesyncd",
    "udev",
    "vim-tiny",
    "zstd",
)


@dataclass(frozen=True, slots=True)
class AptSource:
    """One package archive: ``deb URI SUITE COMPONENTS``."""

    uri: str
    suite: str
    components: tuple[str, ...] = ("main",)

    def line(self) -> str:
        """In the one-line style of sources.list(5)."""
        return f"deb {self.uri} {self.suite} {' '.join(self.components)}"


@dataclass(frozen=True, slots=True)
class Recipe:
    """An image to build.

    Attributes:
        name: how profiles call it.
        suite: Debian code name.
        kernel: package; ``linux-image-amd64`` has the drivers of real hardware, ``linux-image-cloud-amd64`` those of
            virtual machines only, and is quicker to build, copy and boot.
        packages: installed beside kernel and essential packages, without what they only recommend.
        documentation: keep manual pages, /usr/share/doc and translations.
        free_mib: free space in the root file system before it grows at first boot, MiB.
    """

    name: str
    suite: str
    kernel: str
    packages: tuple[str, ...] = _PACKAGES
    documentation: bool = False
    free_mib: int = 256

    def key(self, sources: tuple[AptSource, ...]) -> str:
        """Content hash over the recipe, the archives and the template files; 16 hexadecimal digits."""
        digest = hashlib.sha256()
        document = {"format": _FORMAT, "recipe": asdict(self), "sources": [source.line() for source in sources]}
        digest.update(json.dumps(document, sort_keys=True).encode())
        for path in sorted(item for item in TEMPLATE.rglob("*") if item.is_file()):
            digest.update(str(path.relative_to(TEMPLATE)).encode() + b"\0" + path.read_bytes())
        return digest.hexdigest()[:16]


_DEBIAN_12 = Recipe(name="debian-12", suite="bookworm", kernel="linux-image-amd64")

#: What `provd image build NAME` knows.
RECIPES = MappingProxyType(
    {
        "debian-12": _DEBIAN_12,
        "debian-12-cloud": replace(_DEBIAN_12, name="debian-12-cloud", kernel="linux-image-cloud-amd64"),
    }
)


def find_recipe(name: str) -> Recipe:
    """The recipe of that name.

    Raises:
        ImageError: there is none; the sentence lists those there are.
    """
    if name not in RECIPES:
        msg = f"image {name!r} cannot be built, only {', '.join(RECIPES)}; other images are imported"
        raise ImageError(msg)
    return RECIPES[name]
