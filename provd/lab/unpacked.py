"""Programs of Debian packages that must not be installed: downloaded, checked by apt, and unpacked into a folder.

Installing a daemon's package would start it, or take a port of the machine. Unpacked, it is only a file.
"""

from __future__ import annotations

import os
import shutil
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

from provd.image.packages import download, unpack
from provd.lab.errors import LabError

#: Package to the other packages its programs need libraries or files of.
NEEDS = MappingProxyType(
    {
        "atftp": ("libreadline8",),
        "atftpd": ("libwrap0",),
        "busybox-static": (),
        "dhcpcd-base": (),
        "dnsmasq-base": ("libnetfilter-conntrack3", "libnfnetlink0", "libnftables1", "libnftnl11", "libjansson4"),
        "ifupdown-ng": (),
        "ignition": (),
        "isc-dhcp-client": (),
        "isc-dhcp-relay": (),
        "kea-admin": (
            "kea-common",
            "liblog4cplus-2.0.5",
            "libboost-system1.74.0",
            "libmariadb3",
            "libpq5",
        ),
        "kea-dhcp4-server": (
            "kea-common",
            "liblog4cplus-2.0.5",
            "libboost-system1.74.0",
            "libmariadb3",
            "libpq5",
        ),
        "lftp": ("libreadline8",),
        "network-manager": ("libnm0",),
        "nfs-ganesha": ("libntirpc4.3", "nfs-ganesha-vfs", "liburcu8", "libnfsidmap1", "libwbclient0"),
        "nginx": ("libpcre2-8-0",),
        "rpcbind": ("libtirpc3", "libwrap0"),
        "slapd": ("libltdl7", "libodbc2", "libwrap0"),
        "systemd": ("libsystemd-shared",),
        "tftp-hpa": (),
        "tftpd-hpa": ("libwrap0",),
        "wget": ("libpcre2-8-0", "libpsl5", "libuuid1"),
        "wrk": ("libluajit-5.1-2",),
    }
)

_PROGRAM_FOLDERS = (
    *("usr/sbin", "usr/bin", "sbin", "bin", "usr/lib/systemd", "lib/systemd"),
    "usr/lib/dracut/modules.d/30ignition",
)
_LIBRARY_FOLDERS = (
    *("usr/lib/x86_64-linux-gnu", "lib/x86_64-linux-gnu", "usr/lib", "usr/lib/ganesha"),
    *("usr/lib/x86_64-linux-gnu/systemd", "lib/x86_64-linux-gnu/systemd"),
)


@dataclass(frozen=True, slots=True)
class Unpacked:
    """One package with its libraries in a folder of its own."""

    package: str
    root: Path

    def program(self, name: str) -> Path:
        """Path of one of its programs.

        Raises:
            LabError: the package has none of that name.
        """
        for folder in _PROGRAM_FOLDERS:
            path = self.root / folder / name
            if path.is_file():
                return path
        msg = f"package {self.package} has no program {name} under {self.root}"
        raise LabError(msg)

    def argv(self, name: str, *arguments: str) -> list[str]:
        """Command line that runs the program with the libraries beside it."""
        libraries = [self.root / folder for folder in _LIBRARY_FOLDERS if (self.root / folder).is_dir()]
        variable = "LD_LIBRARY_PATH=" + os.pathsep.join(str(path) for path in libraries)
        return ["/usr/bin/env", variable, str(self.program(name)), *arguments]


def daemons_folder(cache: Path) -> Path:
    """Where the packages are unpacked, below the laboratory's cache."""
    return cache / "daemons"


def fetch(package: str, cache: Path) -> Unpacked:
    """The package, downloaded and unpacked the first time and found again until the cache is removed.

    Raises:
        LabError: it is not one of `NEEDS`.
        ImageError: apt could not fetch or check it.
    """
    if package not in NEEDS:
        msg = f"package {package} is not one that the laboratory unpacks: {', '.join(NEEDS)}"
        raise LabError(msg)
    root = daemons_folder(cache).resolve() / package
    if root.is_dir():
        return Unpacked(package, root)
    work = root.with_name(f"{root.name}.{os.getpid()}.new")
    archives = download([package, *NEEDS[package]], work / "archives")
    for archive in archives.values():
        unpack(archive, work / "root")
    try:
        (work / "root").rename(root)
    except OSError:
        # Another process was quicker; its folder has the same content.
        if not root.is_dir():
            raise
    shutil.rmtree(work)
    return Unpacked(package, root)
