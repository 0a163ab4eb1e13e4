"""Which processor a kernel is for, by its own header: media seldom say it anywhere else."""

from __future__ import annotations

import zlib
from collections.abc import Mapping
from typing import Final

_GZIP: Final = b"\x1f\x8b"
_HEAD: Final = 64 * 1024
_COFF: Final = 0x3C
"""Where a program for EFI has the place of its COFF header, little endian, 4 octets."""
_MACHINES: Final[Mapping[int, str]] = {
    0x014C: "i386", 0x8664: "x86_64", 0xAA64: "aarch64", 0x5064: "riscv64", 0x01C2: "arm"
}  # fmt: skip
"""COFF's numbers of processors (PE format, Machine Types)."""


def kernel_arch(head: bytes) -> str:
    """The processor of a kernel.

    Known are programs for EFI (which kernels are today), arm64's ``Image`` and both compressed by gzip. A bzImage
    without EFI may be for either of x86-64 and i386.

    Args:
        head: its beginning, a few thousand octets.

    Returns:
        provd's name of the processor; empty where it is not told.
    """
    if head.startswith(_GZIP):
        try:
            head = zlib.decompressobj(wbits=31).decompress(head, _HEAD)
        except zlib.error:
            return ""
    if head[56:60] == b"ARM\x64":
        return "aarch64"
    if not head.startswith(b"MZ"):
        return ""
    place = int.from_bytes(head[_COFF : _COFF + 4], "little")
    if head[place : place + 4] != b"PE\0\0":
        return ""
    return _MACHINES.get(int.from_bytes(head[place + 4 : place + 6], "little"), "")
