"""What a file is, by its first octets, and in one sentence why it is not a disk image where it nearly is one."""

from __future__ import annotations

from pathlib import Path

from provd.image.errors import ImageError

_HEAD = 36 * 1024
_EXT_MAGIC = slice(0x438, 0x43A)
_ISO_MAGIC = slice(0x8001, 0x8006)
_TAR_MAGIC = slice(257, 262)

#: First octets to the compression that they begin.
_COMPRESSED = {b"\xfd7zXZ\x00": "xz", b"\x28\xb5\x2f\xfd": "zstd", b"\x1f\x8b": "gzip"}
#: First octets to the name qemu-img has for the format.
_CONTAINERS = {b"QFI\xfb": "qcow2", b"KDMV": "vmdk", b"vhdxfile": "vhdx", b"<<< ": "vdi", b"conectix": "vpc"}
#: First octets of what people try, and what to do instead.
_NEAR_MISSES = {
    b"BZh": "is compressed with bzip2: unpack it first",
    b"PK\x03\x04": "is a zip archive: unpack it first",
    b"LUKS\xba\xbe": "is encrypted (LUKS) as a whole, so that no firmware could boot it",
    b"hsqs": "is a squashfs file system, not a disk: it has no partition table",
    b"# Disk DescriptorFile": "is only the description of a VMDK disk: import the disk as one file (streamOptimized)",
    b"!<arch>": "is a Debian package, not a disk image",
    b"\xed\xab\xee\xdb": "is an RPM package, not a disk image",
}


def probe(path: Path) -> str:
    """The form of a file: ``xz``, ``zstd``, ``gzip``, a format of qemu-img, or ``raw``.

    ``raw`` means that there may be a partition table; `firmware.detect` looks closer. The format is never left to
    qemu-img's own guess: a raw disk whose first sector is chosen well could make it read other files of this host.

    Raises:
        ImageError: not readable, empty, or something else; one sentence.
    """
    try:
        with path.open("rb") as file:
            head = file.read(_HEAD)
    except OSError as error:
        msg = f"{path}: not readable ({error.strerror})"
        raise ImageError(msg) from error
    if not head:
        msg = f"{path}: the file is empty"
        raise ImageError(msg)
    for magic, kind in (*_COMPRESSED.items(), *_CONTAINERS.items()):
        if head.startswith(magic):
            return kind
    reason = _near_miss(head)
    if reason:
        msg = f"{path}: {reason}"
        raise ImageError(msg)
    return "raw"


def is_compressed(kind: str) -> bool:
    """Whether ``kind`` must be unpacked before it is looked at again."""
    return kind in _COMPRESSED.values()


def _near_miss(head: bytes) -> str:
    for magic, reason in _NEAR_MISSES.items():
        if head.startswith(magic):
            return reason
    if head.lstrip()[:1] == b"<" and b"html" in head[:512].lower():
        return "is a web page: the download went wrong"
    if head[_TAR_MAGIC] == b"ustar":
        return "is a tar archive: unpack it first and import the disk inside"
    if head[_ISO_MAGIC] == b"CD001":
        return "is an ISO image of an installer or live system: import the vendor's cloud image instead"
    if head[_EXT_MAGIC] == b"\x53\xef" and head[510:512] != b"\x55\xaa":
        return "is a bare ext file system: it has no partition table and no boot loader"
    if head[4096:4104] == b"EFI PART":
        return "has a partition table for sectors of 4096 octets: import the image made for 512"
    return ""
