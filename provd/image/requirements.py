"""Which Debian packages the image floor calls programs of, and the check that they are there.

None of these packages starts a service. What would (or what is wanted for one file only) is never installed but
downloaded and unpacked into the cache by `provd.image.packages`.
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from types import MappingProxyType

from provd.image.errors import ImageError

#: Program to the Debian package that holds it.
PACKAGE_OF_TOOL = MappingProxyType(
    {
        "apt-cache": "apt",
        "apt-get": "apt",
        "depmod": "kmod",
        "dpkg": "dpkg",
        "mcopy": "mtools",
        "mdir": "mtools",
        "mke2fs": "e2fsprogs",
        "mkfs.fat": "dosfstools",
        "mmdebstrap": "mmdebstrap",
        "mmd": "mtools",
        "qemu-img": "qemu-utils",
        "xz": "xz-utils",
        "zstd": "zstd",
    }
)

#: Everything `provd image build`, `provd image import` and the deployer builder need, for ``apt-get install``.
DEBIAN_PACKAGES = tuple(sorted({*PACKAGE_OF_TOOL.values(), "arch-test", "debian-archive-keyring", "uidmap"}))

#: What a plain user's PATH lacks on Debian and what holds the file system tools.
_SBIN = ("/usr/local/sbin", "/usr/sbin", "/sbin")


def tool(name: str) -> str:
    """Absolute path of a program of `PACKAGE_OF_TOOL`.

    Raises:
        ImageError: it is not installed; the sentence names the package.
    """
    search = os.pathsep.join([os.environ.get("PATH", os.defpath), *_SBIN])
    found = shutil.which(name, path=search)
    if found is None:
        msg = f"{name} is not installed: apt-get install {PACKAGE_OF_TOOL[name]}"
        raise ImageError(msg)
    return str(Path(found))


def require(*names: str) -> None:
    """Check all programs at once, before any long work starts.

    Raises:
        ImageError: one sentence that names every missing package.
    """
    missing = []
    for name in names:
        try:
            tool(name)
        except ImageError:
            missing.append(name)
    if missing:
        packages = " ".join(sorted({PACKAGE_OF_TOOL[name] for name in missing}))
        msg = f"{', '.join(missing)} not installed: apt-get install {packages}"
        raise ImageError(msg)
