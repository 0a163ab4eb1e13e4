from __future__ import annotations

import io
import itertools
import re
import struct
import uuid
import zlib
from pathlib import Path

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from provd.image.errors import ImageError
from provd.image.gpt import (
    HEAD_SECTORS,
    LINUX_ROOT_X86_64,
    SECTOR,
    TAIL_SECTORS,
    Partition,
    decode_gpt,
    encode_gpt,
)
from tests.image.disk_images import DISK_GUID, PARTITIONS, TOTAL_SECTORS, gpt_disk

CUTS = st.lists(st.integers(HEAD_SECTORS, 99_000), min_size=2, max_size=20, unique=True)


def test_both_tables_name_each_other() -> None:
    head, tail = encode_gpt(DISK_GUID, PARTITIONS, TOTAL_SECTORS)
    assert (len(head), len(tail)) == (HEAD_SECTORS * SECTOR, TAIL_SECTORS * SECTOR)
    primary, backup = head[SECTOR : 2 * SECTOR], tail[-SECTOR:]
    # UEFI 2.10 table 5.5: my LBA, the other's LBA, first and last usable LBA
    assert struct.unpack_from("<QQQQ", primary, 24) == (1, TOTAL_SECTORS - 1, 34, TOTAL_SECTORS - 34)
    assert struct.unpack_from("<QQ", backup, 24) == (TOTAL_SECTORS - 1, 1)
    assert struct.unpack_from("<Q", backup, 72) == (TOTAL_SECTORS - 33,)
    for header in (primary, backup):
        (crc,) = struct.unpack_from("<I", header, 16)
        assert crc == zlib.crc32(header[:16] + bytes(4) + header[20:92])


def test_protective_mbr_covers_the_disk() -> None:
    head, _ = encode_gpt(DISK_GUID, PARTITIONS, TOTAL_SECTORS)
    assert head[:440] == bytes(440)
    assert head[446 + 4] == 0xEE
    assert struct.unpack_from("<II", head, 446 + 8) == (1, TOTAL_SECTORS - 1)
    assert head[510:512] == b"\x55\xaa"


@given(CUTS)
def test_what_is_written_is_read_back(cuts: list[int]) -> None:
    edges = sorted(cuts)
    made = [
        Partition(number, LINUX_ROOT_X86_64, uuid.UUID(int=number), first, stop - 1, f"part {number}")
        for number, (first, stop) in enumerate(itertools.pairwise(edges), 1)
    ]
    head, _ = encode_gpt(DISK_GUID, made, 100_000)
    assert decode_gpt(io.BytesIO(head)) == made


@pytest.mark.parametrize(
    ("first", "last", "sentence"),
    [
        (33, 100, "begins at sector 33, free is 34"),
        (100, 99, "begins at sector 100, free is 34"),
        (100, 8191, "partitions end at sector 8192, the disk's usable part at 8159"),
    ],
)
def test_partitions_that_do_not_fit_are_refused(first: int, last: int, sentence: str) -> None:
    with pytest.raises(ValueError, match=re.escape(sentence)):
        encode_gpt(DISK_GUID, [Partition(1, LINUX_ROOT_X86_64, uuid.UUID(int=1), first, last)], TOTAL_SECTORS)


def test_overlapping_partitions_are_refused() -> None:
    pair = [Partition(n, LINUX_ROOT_X86_64, uuid.UUID(int=n), 100 * n, 100 * n + 150) for n in (1, 2)]
    with pytest.raises(ValueError, match="partition 2 begins at sector 200, free is 251"):
        encode_gpt(DISK_GUID, pair, TOTAL_SECTORS)


@pytest.mark.parametrize(
    ("offset", "sentence"),
    [
        (510, "no partition table: the first sector does not end with 55 aa"),
        (SECTOR, "no GPT: the second sector does not begin with EFI PART"),
        (SECTOR + 40, "the GPT header is damaged: its checksum does not match"),
        (2 * SECTOR + 1, "the GPT entries are damaged: their checksum does not match"),
    ],
)
def test_damage_is_named(tmp_path: Path, offset: int, sentence: str) -> None:
    octets = bytearray(gpt_disk(tmp_path / "disk").read_bytes())
    octets[offset] ^= 0xFF
    with pytest.raises(ImageError, match=re.escape(sentence)):
        decode_gpt(io.BytesIO(octets))


@given(st.binary(max_size=4 * SECTOR))
def test_octets_without_the_signature_are_no_table(octets: bytes) -> None:
    assume(octets[SECTOR : SECTOR + 8] != b"EFI PART")
    with pytest.raises(ImageError, match=r"^no (GPT|partition table): "):
        decode_gpt(io.BytesIO(octets))


@given(st.binary(min_size=SECTOR - 8, max_size=SECTOR - 8))
def test_a_header_of_any_octets_is_refused(rest: bytes) -> None:
    head = bytes(510) + b"\x55\xaaEFI PART" + rest
    with pytest.raises(ImageError, match=r"^the GPT "):
        decode_gpt(io.BytesIO(head))
