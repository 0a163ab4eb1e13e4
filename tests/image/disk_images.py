"""Small artificial disk images."""

from __future__ import annotations

import random
import uuid
from pathlib import Path

from provd.image.gpt import EFI_SYSTEM, LINUX_ROOT_X86_64, SECTOR, TAIL_SECTORS, Partition, encode_gpt

MIB = 1024 * 1024
TOTAL_SECTORS = 8192
DISK_GUID = uuid.UUID(int=1)
PARTITIONS = [
    Partition(1, LINUX_ROOT_X86_64, uuid.UUID(int=2), 4096, 8000, "root"),
    Partition(15, EFI_SYSTEM, uuid.UUID(int=3), 2048, 4095, "esp"),
]


def gpt_disk(path: Path, *, boot_code: bytes = b"\xeb\x63") -> Path:
    """A disk of 4 MiB with two partitions; the root one holds octets that do not compress."""
    head, tail = encode_gpt(DISK_GUID, PARTITIONS, TOTAL_SECTORS)
    with path.open("wb") as file:
        file.truncate(TOTAL_SECTORS * SECTOR)
        file.write(head)
        file.seek(0)
        file.write(boot_code)
        file.seek((TOTAL_SECTORS - TAIL_SECTORS) * SECTOR)
        file.write(tail)
        file.seek(4096 * SECTOR)
        file.write(random.Random(7).randbytes(MIB))
    return path
