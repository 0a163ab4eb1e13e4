"""GUID partition tables: write one for an image of ours, read one of a vendor's.

Source: UEFI Specification 2.10, chapter 5 (section 5.3.2 header, 5.3.3 entry, 5.2.3 protective MBR).
"""

from __future__ import annotations

import struct
import uuid
import zlib
from dataclasses import dataclass
from typing import BinaryIO

from provd.image.errors import ImageError

SECTOR = 512
ENTRIES = 128
ENTRY_SIZE = 128
_TABLE_SECTORS = ENTRIES * ENTRY_SIZE // SECTOR
#: Sectors before the first usable one: protective MBR, header, entries.
HEAD_SECTORS = 2 + _TABLE_SECTORS
#: Sectors behind the last usable one: entries, backup header.
TAIL_SECTORS = 1 + _TABLE_SECTORS
_HEADER = struct.Struct("<8sIIIIQQQQ16sQIII")
_ENTRY = struct.Struct("<16s16sQQQ72s")
_SIGNATURE = b"EFI PART"
_REVISION = 0x00010000
_MAX_ENTRIES = 1024

BIOS_BOOT = uuid.UUID("21686148-6449-6e6f-744e-656564454649")
EFI_SYSTEM = uuid.UUID("c12a7328-f81f-11d2-ba4b-00a0c93ec93b")
LINUX_ROOT_X86_64 = uuid.UUID("4f68bce3-e8cd-4db1-96e7-fbcaf984b709")


@dataclass(frozen=True, slots=True)
class Partition:
    """One entry; ``number`` counts from 1, LBAs are inclusive and in sectors of 512 octets."""

    number: int
    type_guid: uuid.UUID
    guid: uuid.UUID
    first_lba: int
    last_lba: int
    name: str = ""


def encode_gpt(disk_guid: uuid.UUID, partitions: list[Partition], total_sectors: int) -> tuple[bytes, bytes]:
    """First `HEAD_SECTORS` and last `TAIL_SECTORS` of a disk.

    The protective MBR leaves its first 440 octets zero for boot code.

    Raises:
        ValueError: partitions overlap, or lie outside the usable sectors.
    """
    _check_layout(partitions, total_sectors)
    table = bytearray(ENTRIES * ENTRY_SIZE)
    for item in partitions:
        _ENTRY.pack_into(
            table,
            (item.number - 1) * ENTRY_SIZE,
            item.type_guid.bytes_le,
            item.guid.bytes_le,
            item.first_lba,
            item.last_lba,
            0,
            item.name.encode("utf-16-le"),
        )
    last = total_sectors - 1
    primary = _encode_header(disk_guid, bytes(table), 1, last, 2, total_sectors)
    backup = _encode_header(disk_guid, bytes(table), last, 1, last - _TABLE_SECTORS, total_sectors)
    return _protective_mbr(total_sectors) + primary + bytes(table), bytes(table) + backup


def _check_layout(partitions: list[Partition], total_sectors: int) -> None:
    free_from = HEAD_SECTORS
    for item in sorted(partitions, key=lambda item: item.first_lba):
        if not 1 <= item.number <= ENTRIES:
            msg = f"partition number {item.number}: must be 1 to {ENTRIES}"
            raise ValueError(msg)
        if item.first_lba < free_from or item.last_lba < item.first_lba:
            msg = f"partition {item.number} begins at sector {item.first_lba}, free is {free_from}"
            raise ValueError(msg)
        free_from = item.last_lba + 1
    if free_from > total_sectors - TAIL_SECTORS:
        msg = f"partitions end at sector {free_from}, the disk's usable part at {total_sectors - TAIL_SECTORS}"
        raise ValueError(msg)


def _protective_mbr(total_sectors: int) -> bytes:
    size = min(total_sectors - 1, 0xFFFFFFFF)
    entry = struct.pack("<B3sB3sII", 0, b"\x00\x02\x00", 0xEE, b"\xff\xff\xff", 1, size)
    return bytes(446) + entry + bytes(48) + b"\x55\xaa"


def _encode_header(
    disk_guid: uuid.UUID, table: bytes, my_lba: int, other_lba: int, table_lba: int, total_sectors: int
) -> bytes:
    def pack(crc: int) -> bytes:
        return _HEADER.pack(
            _SIGNATURE,
            _REVISION,
            _HEADER.size,
            crc,
            0,
            my_lba,
            other_lba,
            HEAD_SECTORS,
            total_sectors - TAIL_SECTORS - 1,
            disk_guid.bytes_le,
            table_lba,
            ENTRIES,
            ENTRY_SIZE,
            zlib.crc32(table),
        )

    return pack(zlib.crc32(pack(0))).ljust(SECTOR, b"\0")


def decode_gpt(disk: BinaryIO) -> list[Partition]:
    """The partitions of a disk image's primary table, by number.

    Raises:
        ImageError: there is no valid table; the sentence says what was found instead.
    """
    disk.seek(0)
    head = disk.read(2 * SECTOR)
    if len(head) < 2 * SECTOR or head[510:512] != b"\x55\xaa":
        msg = "no partition table: the first sector does not end with 55 aa"
        raise ImageError(msg)
    if head[SECTOR : SECTOR + 8] != _SIGNATURE:
        msg = "no GPT: the second sector does not begin with EFI PART"
        raise ImageError(msg)
    header = head[SECTOR:]
    fields = _HEADER.unpack_from(header)
    size, crc, table_lba, count, entry_size, table_crc = fields[2], fields[3], *fields[10:14]
    if not _HEADER.size <= size <= SECTOR or zlib.crc32(header[:16] + bytes(4) + header[20:size]) != crc:
        msg = "the GPT header is damaged: its checksum does not match"
        raise ImageError(msg)
    if entry_size < ENTRY_SIZE or count > _MAX_ENTRIES or entry_size > SECTOR:
        msg = f"the GPT has {count} entries of {entry_size} octets, which no tool writes"
        raise ImageError(msg)
    disk.seek(table_lba * SECTOR)
    table = disk.read(count * entry_size)
    if zlib.crc32(table) != table_crc:
        msg = "the GPT entries are damaged: their checksum does not match"
        raise ImageError(msg)
    return [item for number in range(count) if (item := _decode_entry(table, number, entry_size))]


def _decode_entry(table: bytes, index: int, entry_size: int) -> Partition | None:
    type_guid, guid, first, last, _attributes, name = _ENTRY.unpack_from(table, index * entry_size)
    if type_guid == bytes(16):
        return None
    return Partition(
        number=index + 1,
        type_guid=uuid.UUID(bytes_le=type_guid),
        guid=uuid.UUID(bytes_le=guid),
        first_lba=first,
        last_lba=last,
        name=name.decode("utf-16-le", errors="replace").rstrip("\0"),
    )
