"""Which firmware a raw disk image boots from, told by its partition table and EFI system partition."""

from __future__ import annotations

import struct
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from provd.image.errors import ImageError
from provd.image.gpt import EFI_SYSTEM, SECTOR, decode_gpt
from provd.image.requirements import tool

_MBR_ENTRIES = 446
_MBR_ESP = 0xEF
_MBR_PROTECTIVE = 0xEE
_BOOT_CODE = 440
_LUKS = b"LUKS\xba\xbe"
_FALLBACK_LOADER = "::/EFI/BOOT/BOOTX64.EFI"


@dataclass(frozen=True, slots=True)
class _Piece:
    """A partition of either kind of table, in sectors of 512 octets."""

    number: int
    first_lba: int
    sectors: int
    esp: bool


def detect(raw: Path) -> tuple[str, ...]:
    """Subset of ``bios`` and ``uefi`` that the image boots from; at least one.

    BIOS needs boot code in the first sector; UEFI needs the fallback loader, because a new machine's firmware has no
    boot entry for it (UEFI 2.10 section 3.5.1.1).

    Raises:
        ImageError: no partition table, partitions beyond the end, encryption, or nothing that boots; one sentence.
    """
    with raw.open("rb") as disk:
        code = disk.read(_BOOT_CODE)
        pieces = _pieces(disk, raw)
        _check(disk, raw, pieces)
    found = []
    if any(code):
        found.append("bios")
    if any(_has_loader(raw, piece) for piece in pieces if piece.esp):
        found.append("uefi")
    if not found:
        msg = f"{raw.name}: boots from neither BIOS (no boot code) nor UEFI (no EFI/BOOT/BOOTX64.EFI)"
        raise ImageError(msg)
    return tuple(found)


def _pieces(disk: BinaryIO, raw: Path) -> list[_Piece]:
    disk.seek(0)
    sector = disk.read(SECTOR)
    if sector[510:512] != b"\x55\xaa":
        msg = f"{raw.name}: not a disk image: it has no partition table"
        raise ImageError(msg)
    entries = [struct.unpack_from("<B3xB3xII", sector, _MBR_ENTRIES + 16 * index) for index in range(4)]
    if any(kind == _MBR_PROTECTIVE for _, kind, _, _ in entries):
        try:
            table = decode_gpt(disk)
        except ImageError as error:
            msg = f"{raw.name}: {error}"
            raise ImageError(msg) from error
        return [
            _Piece(item.number, item.first_lba, item.last_lba - item.first_lba + 1, item.type_guid == EFI_SYSTEM)
            for item in table
        ]
    return [
        _Piece(index, first, sectors, kind == _MBR_ESP)
        for index, (_, kind, first, sectors) in enumerate(entries, 1)
        if kind and sectors
    ]


def _check(disk: BinaryIO, raw: Path, pieces: list[_Piece]) -> None:
    if not pieces:
        msg = f"{raw.name}: not a disk image: its partition table is empty"
        raise ImageError(msg)
    size = raw.stat().st_size
    for piece in pieces:
        end = (piece.first_lba + piece.sectors) * SECTOR
        if end > size:
            msg = f"{raw.name}: cut short: partition {piece.number} ends at octet {end}, the image at {size}"
            raise ImageError(msg)
        disk.seek(piece.first_lba * SECTOR)
        if disk.read(len(_LUKS)) == _LUKS:
            msg = f"{raw.name}: partition {piece.number} is encrypted (LUKS): nobody could unlock it at the first boot"
            raise ImageError(msg)


def _has_loader(raw: Path, piece: _Piece) -> bool:
    argv = [tool("mdir"), "-b", "-i", f"{raw}@@{piece.first_lba * SECTOR}", _FALLBACK_LOADER]
    return subprocess.run(argv, capture_output=True, check=False).returncode == 0
