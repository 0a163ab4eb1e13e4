"""Quick boot: Debian's signed kernel with an initramfs of a few megabytes that proves a network boot and switches off.

Its console lines start with ``quickboot:``; see ``quickboot_init.sh`` for the kernel arguments. Made from packages, no
root needed.
"""

from __future__ import annotations

import gzip
import io
import os
import re
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

from provd.image.deployer.cpio import CpioWriter
from provd.image.packages import download, resolve_kernel, unpack
from provd.lab.errors import LabError
from provd.lab.unpacked import fetch

_METAPACKAGE = "linux-image-amd64"
_HERE = Path(__file__).parent
#: Drivers of the cards that virtual machines have, in the order in which they must be loaded.
_MODULES = (
    *("drivers/virtio/virtio_ring.ko", "drivers/virtio/virtio.ko", "drivers/virtio/virtio_pci_legacy_dev.ko"),
    *("drivers/virtio/virtio_pci_modern_dev.ko", "drivers/virtio/virtio_pci.ko", "net/core/failover.ko"),
    *("drivers/net/net_failover.ko", "drivers/net/virtio_net.ko", "drivers/net/ethernet/intel/e1000/e1000.ko"),
)
#: What mounting an export of version 4 takes further.
_NFS_MODULES = (
    *("net/sunrpc/sunrpc.ko", "fs/nfs_common/grace.ko", "fs/lockd/lockd.ko", "fs/netfs/netfs.ko"),
    *("fs/fscache/fscache.ko", "fs/nfs/nfs.ko"),
    *("net/sunrpc/auth_gss/auth_rpcgss.ko", "net/dns_resolver/dns_resolver.ko", "fs/nfs/nfsv4.ko"),
)


@dataclass(frozen=True, slots=True)
class Quickboot:
    """Files to boot."""

    kernel: Path
    initrd: Path


@dataclass(frozen=True, slots=True)
class QuickbootReport:
    """What a machine printed.

    Attributes:
        address: of its own DHCP round.
        boot_file: that its DHCP server sent, ``none`` if not.
        fetched_sha256: of what it fetched, empty without ``provd.url``.
        posted: whether its post was answered with success.
        secure_boot: whether the kernel says that Secure Boot is enabled.
        end: ``complete``, or what failed.
        fields: every value of its address line.
    """

    address: str
    boot_file: str
    fetched_sha256: str
    posted: bool
    secure_boot: bool
    end: str
    fields: Mapping[str, str]


def parse_report(console: str) -> QuickbootReport:
    """Read the ``quickboot:`` lines of a console text.

    Raises:
        LabError: it never came to its end line.
    """
    lines = re.findall(r"quickboot: (.*)", console)
    ends = [line.removeprefix("end: ") for line in lines if line.startswith("end: ")]
    if not ends:
        msg = f"quickboot did not end; it printed: {lines or 'nothing'}"
        raise LabError(msg)
    words: list[str] = next((line.split() for line in lines if line.startswith("address ")), [])
    fields = dict(zip(words[::2], words[1::2], strict=False))
    return QuickbootReport(
        address=fields.get("address", ""),
        boot_file=fields.get("bootfile", ""),
        fetched_sha256=next((line.split()[-1] for line in lines if line.startswith("fetched ")), ""),
        posted="posted" in lines,
        secure_boot=any(re.fullmatch(r"(?i)secure boot (is )?enabled", line) for line in lines),
        end=ends[-1],
        fields=MappingProxyType(fields),
    )


def build_initrd(busybox: bytes, modules: Mapping[str, bytes]) -> bytes:
    """The initramfs, gzip-compressed.

    Args:
        busybox: static program.
        modules: kernel modules by file name, in load order.
    """
    out = io.BytesIO()
    archive = CpioWriter(out)
    for folder in ("bin", "dev", "proc", "sys", "modules"):
        archive.directory(folder)
    archive.character_device("dev/console", 5, 1)
    archive.file("bin/busybox", busybox, 0o755)
    archive.symlink("bin/sh", "busybox")
    archive.file("init", (_HERE / "quickboot_init.sh").read_bytes(), 0o755)
    archive.file("dhcp-script", (_HERE / "quickboot_dhcp.sh").read_bytes(), 0o755)
    for name, content in modules.items():
        archive.file(f"modules/{name}", content)
    archive.file("modules/order", "\n".join(modules).encode() + b"\n")
    archive.close()
    return gzip.compress(out.getvalue(), 6, mtime=0)


def build_quickboot(cache: Path, *, nfs: bool = False) -> Quickboot:
    """Kernel and initramfs from the packages this machine's apt offers; the kernel is kept until the cache is removed.

    Args:
        cache: the laboratory's.
        nfs: with what ``provd.nfs`` needs.

    Raises:
        ImageError: apt could not fetch or check a package.
        LabError: the kernel package has another layout than expected.
    """
    folder = cache.resolve() / "quickboot"
    result = Quickboot(folder / "vmlinuz", folder / ("initrd-nfs.gz" if nfs else "initrd.gz"))
    if not (folder / "modules" / Path(_NFS_MODULES[-1]).name).exists():
        _unpack_kernel(resolve_kernel(_METAPACKAGE), folder)
    names = [Path(name).name for name in (*_MODULES, *(_NFS_MODULES if nfs else ()))]
    modules = {name: (folder / "modules" / name).read_bytes() for name in names}
    busybox = fetch("busybox-static", cache).program("busybox").read_bytes()
    initrd = build_initrd(busybox, modules)
    if not result.initrd.exists() or result.initrd.read_bytes() != initrd:
        temporary = folder / f"initrd.{os.getpid()}.new"
        temporary.write_bytes(initrd)
        temporary.rename(result.initrd)
    return result


def _unpack_kernel(package: str, folder: Path) -> None:
    work = folder.with_name(f"{folder.name}.{os.getpid()}.new")
    archive = download([package], work)[package]
    unpack(archive, work / "root")
    release = package.removeprefix("linux-image-")
    tree = work / "root/lib/modules" / release / "kernel"
    (work / "modules").mkdir()
    for name in (*_MODULES, *_NFS_MODULES):
        if not (tree / name).is_file():
            msg = f"package {package}: it has no module {name}"
            raise LabError(msg)
        shutil.copyfile(tree / name, work / "modules" / Path(name).name)
    shutil.move(work / "root/boot" / f"vmlinuz-{release}", work / "vmlinuz")
    shutil.rmtree(work / "root")
    archive.unlink()
    if folder.exists():
        shutil.rmtree(folder)
    work.rename(folder)
