"""One raw disk image that BIOS and UEFI firmware both boot, made from a root file system without any loop device.

Layout, as Debian's own cloud images have it: partition 14 for GRUB's core image, 15 the EFI system partition, 1 the
root, last on the disk, so that it grows when the disk is larger.
"""

from __future__ import annotations

import os
import shutil
import struct
import subprocess
import uuid
from dataclasses import dataclass
from pathlib import Path

from provd.image.errors import ImageError
from provd.image.gpt import BIOS_BOOT, EFI_SYSTEM, LINUX_ROOT_X86_64, SECTOR, TAIL_SECTORS, Partition, encode_gpt
from provd.image.packages import run
from provd.image.requirements import tool

MIB = 1024 * 1024
_SECTORS_PER_MIB = MIB // SECTOR
_ESP_MIB = 64
_FILES_PER_MIB = MIB // 2048
_CORE_LBA = _SECTORS_PER_MIB
#: Offsets in GRUB's boot.img and diskboot.img (GRUB 2.06, include/grub/i386/pc/boot.h and offsets.h).
_BOOT_CODE_SIZE = 440
_KERNEL_SECTOR = 0x5C
_DRIVE_CHECK = 0x66
_BLOCKLIST = SECTOR - 12
#: Features that GRUB 2.06 and every kernel since 3.18 read, whatever the build host's defaults are.
_MKE2FS_CONF = """[defaults]
base_features = sparse_super,large_file,filetype,resize_inode,dir_index,ext_attr
default_mntopts = acl,user_xattr
blocksize = 4096
inode_size = 256
inode_ratio = 16384
[fs_types]
ext4 = {
  features = has_journal,extent,huge_file,flex_bg,metadata_csum,64bit,dir_nlink,extra_isize
}
"""


@dataclass(frozen=True, slots=True)
class DiskIds:
    """Identifiers that boot loader configuration, fstab and partition table must agree on."""

    disk: uuid.UUID
    root_partition: uuid.UUID
    root_filesystem: uuid.UUID
    esp_partition: uuid.UUID
    bios_partition: uuid.UUID

    @classmethod
    def derive(cls, key: str) -> DiskIds:
        """The same recipe gives the same identifiers."""
        space = uuid.uuid5(uuid.NAMESPACE_OID, f"provd image {key}")
        return cls(*(uuid.uuid5(space, name) for name in ("disk", "root", "fs", "esp", "bios")))

    @property
    def esp_volume(self) -> int:
        """FAT volume number, 32 bits."""
        return self.esp_partition.fields[0]

    @property
    def esp_id(self) -> str:
        """The FAT volume number as blkid and fstab write it."""
        return f"{self.esp_volume >> 16:04X}-{self.esp_volume & 0xFFFF:04X}"


def assemble(root: Path, raw: Path, ids: DiskIds, free_mib: int, run_as_root: tuple[str, ...] = ()) -> None:
    """Write the disk image ``raw`` from the directory ``root``.

    Args:
        root: finished root file system.
        raw: file to write, sparse.
        ids: identifiers already written into the root's fstab and grub.cfg.
        free_mib: free space to leave in the root file system.
        run_as_root: words before commands that must read every file of ``root``.
    """
    esp_lba = 2 * _SECTORS_PER_MIB
    root_lba = esp_lba + _ESP_MIB * _SECTORS_PER_MIB
    root_sectors = _root_mib(root, free_mib, run_as_root) * _SECTORS_PER_MIB
    total = root_lba + root_sectors + max(_SECTORS_PER_MIB, TAIL_SECTORS)
    partitions = [
        Partition(1, LINUX_ROOT_X86_64, ids.root_partition, root_lba, root_lba + root_sectors - 1, "root"),
        Partition(14, BIOS_BOOT, ids.bios_partition, _CORE_LBA, esp_lba - 1, "bios"),
        Partition(15, EFI_SYSTEM, ids.esp_partition, esp_lba, root_lba - 1, "esp"),
    ]
    head, tail = encode_gpt(ids.disk, partitions, total)
    with raw.open("wb") as file:
        file.truncate(total * SECTOR)
    # mke2fs in another user name space writes the file as another user.
    raw.chmod(0o666 if run_as_root else 0o644)
    _write_root(root, raw, ids, root_lba, root_sectors, run_as_root)
    raw.chmod(0o644)
    esp = raw.with_suffix(".esp")
    _write_esp(root, esp, ids)
    with raw.open("r+b") as file, esp.open("rb") as source:
        file.seek(esp_lba * SECTOR)
        shutil.copyfileobj(source, file, MIB)
        file.seek(0)
        file.write(head)
        file.seek((total - TAIL_SECTORS) * SECTOR)
        file.write(tail)
    esp.unlink()
    grub = root / "boot/grub/i386-pc"
    write_bios_loader(raw, (grub / "boot.img").read_bytes(), (grub / "core.img").read_bytes())


def _root_mib(root: Path, free_mib: int, run_as_root: tuple[str, ...]) -> int:
    def measured(*how: str) -> int:
        return int(run([*run_as_root, "du", "-s", *how, str(root)], f"measuring {root}").split()[0])

    # What compresses (btrfs, ZFS) counts too few blocks, so the octets and half a block for each file count where they
    # are more. Not -x: files of an overlay may have another device than their folder, and mke2fs copies them as well.
    used = max(measured("-B1M"), measured("--apparent-size", "-B1M") + measured("--inodes") // _FILES_PER_MIB)
    # Inode tables, journal (up to 64 MiB at this size) and reserved blocks come on top of the files.
    return used + used // 8 + 64 + free_mib


def _write_root(
    root: Path, raw: Path, ids: DiskIds, root_lba: int, root_sectors: int, run_as_root: tuple[str, ...]
) -> None:
    conf = raw.with_suffix(".mke2fs")
    conf.write_text(_MKE2FS_CONF, encoding="ascii")
    argv = [*run_as_root, "env", f"MKE2FS_CONFIG={conf}", tool("mke2fs"), "-q", "-F", "-t", "ext4", "-L", "root"]
    argv += ["-U", str(ids.root_filesystem), "-E", f"offset={root_lba * SECTOR},root_owner=0:0", "-m", "1"]
    run([*argv, "-d", str(root), str(raw), f"{root_sectors // 2}k"], "writing the root file system")
    conf.unlink()


def _write_esp(root: Path, esp: Path, ids: DiskIds) -> None:
    """EFI system partition with Debian's signed shim and signed GRUB, under its own name and as the fallback loader."""
    with esp.open("wb") as file:
        file.truncate(_ESP_MIB * MIB)
    argv = [tool("mkfs.fat"), "-F", "32", "-s", "1", "-n", "ESP", "-i", f"{ids.esp_volume:08x}", str(esp)]
    run(argv, "writing the EFI system partition")
    config = esp.with_suffix(".cfg")
    # GRUB reads this file beside itself: its signed build has the directory /EFI/debian compiled in.
    config.write_text(
        f"search.fs_uuid {ids.root_filesystem} root\nset prefix=($root)/boot/grub\nconfigfile $prefix/grub.cfg\n",
        encoding="ascii",
    )
    shim, grub = root / "usr/lib/shim", root / "usr/lib/grub/x86_64-efi-signed"
    files = {
        "EFI/debian/shimx64.efi": shim / "shimx64.efi.signed",
        "EFI/debian/mmx64.efi": shim / "mmx64.efi.signed",
        "EFI/debian/grubx64.efi": grub / "grubx64.efi.signed",
        "EFI/debian/grub.cfg": config,
        "EFI/BOOT/BOOTX64.EFI": shim / "shimx64.efi.signed",
        "EFI/BOOT/grubx64.efi": grub / "grubx64.efi.signed",
    }
    run([tool("mmd"), "-i", str(esp), "::EFI", "::EFI/debian", "::EFI/BOOT"], "making directories in the ESP")
    for target, source in files.items():
        if not source.exists():
            msg = f"{source}: missing, is grub-cloud-amd64 in the recipe?"
            raise ImageError(msg)
        run([tool("mcopy"), "-i", str(esp), str(source), f"::{target}"], f"copying {target} into the ESP")
    config.unlink()


def write_bios_loader(raw: Path, boot: bytes, core: bytes) -> None:
    """What grub-bios-setup does to a disk with a BIOS boot partition, without a device.

    boot.img goes into the first 440 octets and is told the sector of core.img; core.img goes into the partition and its
    first sector is told where the rest of it is.
    """
    if len(core) > _SECTORS_PER_MIB * SECTOR:
        msg = f"GRUB's core image has {len(core)} octets, the BIOS boot partition holds {MIB}"
        raise ImageError(msg)
    first = bytearray(boot[:_BOOT_CODE_SIZE])
    struct.pack_into("<Q", first, _KERNEL_SECTOR, _CORE_LBA)
    # Hard disks: skip the check that guards against BIOSes which report a floppy's drive number.
    first[_DRIVE_CHECK : _DRIVE_CHECK + 2] = b"\x90\x90"
    body = bytearray(core)
    struct.pack_into("<Q", body, _BLOCKLIST, _CORE_LBA + 1)
    with raw.open("r+b") as file:
        file.write(first)
        file.seek(_CORE_LBA * SECTOR)
        file.write(body)


def remove_tree(root: Path, run_as_root: tuple[str, ...] = ()) -> None:
    """Delete a root file system, also one owned by the identifiers of another user name space."""
    if run_as_root:
        subprocess.run([*run_as_root, "rm", "-rf", "--one-file-system", str(root)], check=False)
    if os.path.lexists(root):
        shutil.rmtree(root, ignore_errors=True)
