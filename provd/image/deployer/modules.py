"""Which kernel modules go into the deployer: what finds network cards and disks, and what those depend on."""

from __future__ import annotations

import gzip
import lzma
from collections.abc import Iterable
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path

from provd.image.errors import ImageError

#: Patterns over paths below ``kernel/``; a directory stands for everything in it.
WANTED = (
    "drivers/net/ethernet",
    "drivers/net/phy",
    "drivers/net/virtio_net.ko",
    "drivers/net/vmxnet3",
    "drivers/net/hyperv",
    "drivers/net/xen-netfront.ko",
    "drivers/net/usb/asix.ko",
    "drivers/net/usb/ax88179_178a.ko",
    "drivers/net/usb/cdc_ether.ko",
    "drivers/net/usb/cdc_ncm.ko",
    "drivers/net/usb/r8152.ko",
    "drivers/net/usb/smsc95xx.ko",
    "drivers/ata",
    "drivers/nvme/host/nvme.ko",
    "drivers/scsi",
    "drivers/message",
    "drivers/block/virtio_blk.ko",
    "drivers/block/xen-blkfront.ko",
    "drivers/virtio",
    "drivers/hv/hv_vmbus.ko",
    "drivers/mmc/core/mmc_block.ko",
    "drivers/mmc/host/sdhci-acpi.ko",
    "drivers/mmc/host/sdhci-pci.ko",
    "drivers/pci/controller",
    "drivers/usb/host",
    "drivers/usb/storage",
    "fs/fat/vfat.ko",
    "fs/nls/nls_ascii.ko",
    "fs/nls/nls_cp437.ko",
    "arch/x86/crypto/crc32*.ko",
    "arch/x86/crypto/crct10dif*.ko",
    "crypto/crc32c_generic.ko",
    "crypto/crct10dif_generic.ko",
)
#: Large, and for what the deployer never does: SAN and iSCSI boot, switches, tapes, test devices.
UNWANTED = (
    "drivers/net/ethernet/mellanox/mlxsw",
    "drivers/net/ethernet/netronome",
    "drivers/net/ethernet/marvell/prestera",
    "drivers/net/ethernet/microchip",
    "drivers/scsi/*iscsi*",
    "drivers/scsi/be2iscsi",
    "drivers/scsi/bfa",
    "drivers/scsi/bnx2*",
    "drivers/scsi/csiostor",
    "drivers/scsi/cxgbi",
    "drivers/scsi/elx",
    "drivers/scsi/fcoe",
    "drivers/scsi/fnic",
    "drivers/scsi/libfc",
    "drivers/scsi/lpfc",
    "drivers/scsi/qed*",
    "drivers/scsi/qla*",
    "drivers/scsi/scsi_debug.ko",
    "drivers/scsi/ch.ko",
    "drivers/scsi/st.ko",
    "drivers/virtio/virtio_dma_buf.ko",
)


@dataclass(frozen=True, slots=True)
class ModuleTree:
    """``/lib/modules/VERSION`` of an unpacked kernel after depmod; paths are relative to it."""

    directory: Path
    dependencies: dict[str, tuple[str, ...]]

    @classmethod
    def read(cls, directory: Path) -> ModuleTree:
        """Read modules.dep, whose lines are ``path: path path``.

        Raises:
            ImageError: there is none.
        """
        try:
            text = (directory / "modules.dep").read_text(encoding="utf-8")
        except OSError as error:
            msg = f"{directory}: no module dependencies ({error})"
            raise ImageError(msg) from error
        pairs = (line.split(":", 1) for line in text.splitlines() if ":" in line)
        return cls(directory, {path: tuple(rest.split()) for path, rest in pairs})

    def select(self, wanted: Iterable[str] = WANTED, unwanted: Iterable[str] = UNWANTED) -> tuple[str, ...]:
        """The wanted modules and everything they depend on, directly or by a soft dependency, sorted."""
        wanted, unwanted = tuple(wanted), tuple(unwanted)
        chosen: set[str] = set()
        queue = [path for path in self.dependencies if _matches(path, wanted) and not _matches(path, unwanted)]
        soft = self._soft_dependencies()
        while queue:
            path = queue.pop()
            if path not in chosen:
                chosen.add(path)
                queue += self.dependencies[path]
                queue += soft.get(module_name(path), ())
        return tuple(sorted(chosen))

    def _soft_dependencies(self) -> dict[str, list[str]]:
        by_name = {module_name(path): path for path in self.dependencies}
        found: dict[str, list[str]] = {}
        for line in _lines(self.directory / "modules.softdep"):
            # "softdep libcrc32c pre: crc32c", where the word after pre: may also be an alias
            _, name, *words = line.split()
            names = [word.replace("-", "_") for word in words if not word.endswith(":")]
            found.setdefault(name.replace("-", "_"), []).extend(by_name[word] for word in names if word in by_name)
        return found

    def index(self, chosen: Iterable[str]) -> dict[str, str]:
        """The index files modprobe reads, cut down to ``chosen`` with plain names: file name to text."""
        chosen = tuple(chosen)
        names = {module_name(path) for path in chosen}
        lines = ((plain_path(path), map(plain_path, self.dependencies[path])) for path in chosen)
        dep = "".join(f"{path}: {' '.join(needs)}".rstrip() + "\n" for path, needs in lines)
        alias = "".join(f"{line}\n" for line in _lines(self.directory / "modules.alias") if line.split()[-1] in names)
        soft = "".join(
            f"{line}\n"
            for line in _lines(self.directory / "modules.softdep")
            if line.split()[1].replace("-", "_") in names
        )
        return {"modules.dep": dep, "modules.alias": alias, "modules.softdep": soft}


def module_name(path: str) -> str:
    """The name the kernel knows a module by: ``kernel/crypto/crc32c-generic.ko.xz`` is ``crc32c_generic``."""
    return path.rpartition("/")[2].partition(".ko")[0].replace("-", "_")


def plain_path(path: str) -> str:
    """Where a module is in the archive, which is compressed as a whole: ``a.ko`` for ``a.ko.xz``."""
    folder, slash, name = path.rpartition("/")
    return f"{folder}{slash}{name.partition('.ko')[0]}.ko"


def plain_module(file: Path) -> bytes:
    """A module as it is signed: kernels of Debian 13 have theirs compressed.

    Raises:
        ImageError: it is compressed otherwise than by xz or gzip.
    """
    content = file.read_bytes()
    match file.suffix:
        case ".ko":
            return content
        case ".xz":
            return lzma.decompress(content)
        case ".gz":
            return gzip.decompress(content)
    raise ImageError(f"kernel module {file.name}: compressed in a form that is not known")


def _matches(path: str, patterns: tuple[str, ...]) -> bool:
    below = plain_path(path.removeprefix("kernel/"))
    return any(fnmatchcase(below, item) or fnmatchcase(below, f"{item}/*") for item in patterns)


def _lines(path: Path) -> list[str]:
    if not path.exists():
        return []
    return [line for line in path.read_text(encoding="utf-8").splitlines() if line and not line.startswith("#")]
