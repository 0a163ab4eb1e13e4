from __future__ import annotations

import gzip
import re
import struct
import subprocess
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from provd.image.errors import ImageError
from provd.image.firmware import detect
from provd.image.gpt import SECTOR
from provd.image.importer import default_name, import_image
from provd.image.library import find_image
from provd.image.probe import probe
from tests.image.disk_images import gpt_disk


def at(offset: int, octets: bytes, size: int = 40_960) -> bytes:
    return bytes(offset) + octets + bytes(size - offset - len(octets))


NEAR_MISSES = {
    "is compressed with bzip2: unpack it first": b"BZh91AY",
    "is a zip archive: unpack it first": b"PK\x03\x04",
    "is encrypted (LUKS) as a whole": b"LUKS\xba\xbe\x00\x02",
    "is a squashfs file system": b"hsqs",
    "is only the description of a VMDK disk": b"# Disk DescriptorFile\nversion=1\n",
    "is a web page: the download went wrong": b"\n<!DOCTYPE html><html>",
    "is a tar archive: unpack it first": at(257, b"ustar"),
    "is an ISO image of an installer or live system": at(0x8001, b"CD001"),
    "is a bare ext file system": at(0x438, b"\x53\xef"),
    "has a partition table for sectors of 4096 octets": at(4096, b"EFI PART"),
    "the file is empty": b"",
}


@pytest.mark.parametrize("sentence", NEAR_MISSES)
def test_near_misses_are_explained(tmp_path: Path, sentence: str) -> None:
    path = tmp_path / "thing"
    path.write_bytes(NEAR_MISSES[sentence])
    with pytest.raises(ImageError, match=f"^{re.escape(f'{path}: {sentence}')}"):
        probe(path)


def test_forms_are_recognised(tmp_path: Path) -> None:
    heads = {
        "xz": b"\xfd7zXZ\x00",
        "zstd": b"\x28\xb5\x2f\xfd",
        "gzip": b"\x1f\x8b",
        "qcow2": b"QFI\xfb",
        "raw": b"\xeb\x63",
    }
    for kind, head in heads.items():
        (tmp_path / kind).write_bytes(head + bytes(512))
        assert probe(tmp_path / kind) == kind


def no_table(octets: bytearray) -> None:
    octets[510:512] = b"\0\0"


def broken_header(octets: bytearray) -> None:
    octets[SECTOR + 24] ^= 1


def empty_table(octets: bytearray) -> None:
    octets[446 : 446 + 16] = bytes(16)


def encrypted_root(octets: bytearray) -> None:
    octets[4096 * SECTOR : 4096 * SECTOR + 6] = b"LUKS\xba\xbe"


def cut(octets: bytearray) -> None:
    del octets[6000 * SECTOR :]


@pytest.mark.parametrize(
    ("harm", "sentence"),
    [
        (no_table, "not a disk image: it has no partition table"),
        (broken_header, "the GPT header is damaged: its checksum does not match"),
        (empty_table, "not a disk image: its partition table is empty"),
        (encrypted_root, "partition 1 is encrypted (LUKS): nobody could unlock it at the first boot"),
        (cut, "cut short: partition 1 ends at octet 4096512, the image at 3072000"),
    ],
)
def test_disks_that_are_none(tmp_path: Path, harm: Callable[[bytearray], None], sentence: str) -> None:
    octets = bytearray(gpt_disk(tmp_path / "disk.raw").read_bytes())
    harm(octets)
    (tmp_path / "disk.raw").write_bytes(octets)
    with pytest.raises(ImageError, match=f"^{re.escape(f'disk.raw: {sentence}')}"):
        detect(tmp_path / "disk.raw")


def test_an_old_partition_table_boots_by_bios(tmp_path: Path) -> None:
    sector = bytearray(SECTOR)
    sector[:2], sector[510:] = b"\xeb\x63", b"\x55\xaa"
    struct.pack_into("<B3xB3xII", sector, 446, 0x80, 0x83, 8, 8)
    (tmp_path / "disk.raw").write_bytes(bytes(sector) + bytes(15 * SECTOR))
    assert detect(tmp_path / "disk.raw") == ("bios",)


def test_names_come_from_files() -> None:
    assert default_name(Path("/x/debian-12-generic-amd64.qcow2.xz")) == "debian-12-generic-amd64"
    assert default_name(Path("openSUSE-Leap-15.6.raw")) == "openSUSE-Leap-15.6"
    assert default_name(Path("disk")) == "disk"


def moment() -> datetime:
    return datetime(2025, 1, 31, 12, tzinfo=UTC)


@pytest.mark.build
def test_a_raw_gzip_file_is_imported_once(tmp_path: Path) -> None:
    disk = gpt_disk(tmp_path / "disk.raw")
    (tmp_path / "vendor.img.gz").write_bytes(gzip.compress(disk.read_bytes()))
    texts: list[str] = []
    made = import_image(tmp_path / "vendor.img.gz", tmp_path / "image", lambda text, _: texts.append(text), now=moment)
    assert (made.name, made.firmware, made.created) == ("vendor", ("bios",), "2025-01-31T12:00:00+00:00")
    assert find_image(tmp_path / "image", "vendor")[1] == made
    assert "unpacking vendor.img.gz" in texts
    assert [path.name for path in (tmp_path / "image").iterdir()] == ["vendor"], "no work is left behind"
    texts.clear()
    assert import_image(tmp_path / "vendor.img.gz", tmp_path / "image", lambda text, _: texts.append(text)) == made
    assert texts[-1] == "vendor is there already"


@pytest.mark.build
def test_qcow2_is_converted_and_a_backing_file_refused(tmp_path: Path) -> None:
    disk = gpt_disk(tmp_path / "disk.raw")
    whole, layer = tmp_path / "whole.qcow2", tmp_path / "layer.qcow2"
    subprocess.run(["qemu-img", "convert", "-O", "qcow2", disk, whole], check=True)
    subprocess.run(["qemu-img", "create", "-q", "-f", "qcow2", "-b", whole, "-F", "qcow2", layer], check=True)
    assert import_image(whole, tmp_path / "image", name="one").raw_size == disk.stat().st_size
    with pytest.raises(ImageError, match=r"layer\.qcow2: needs the backing file .*whole\.qcow2"):
        import_image(layer, tmp_path / "image")


@pytest.mark.build
def test_a_download_that_was_cut_is_named(tmp_path: Path) -> None:
    disk = gpt_disk(tmp_path / "disk.raw")
    (tmp_path / "vendor.img.gz").write_bytes(gzip.compress(disk.read_bytes())[:100_000])
    with pytest.raises(ImageError, match=r"vendor\.img\.gz: damaged or cut short"):
        import_image(tmp_path / "vendor.img.gz", tmp_path / "image")


@pytest.mark.build
def test_a_loader_in_the_efi_partition_means_uefi(tmp_path: Path) -> None:
    disk = gpt_disk(tmp_path / "disk.raw", boot_code=b"")
    with pytest.raises(ImageError, match="boots from neither BIOS"):
        detect(disk)
    place = f"{disk}@@{2048 * SECTOR}"
    esp = tmp_path / "esp"
    esp.write_bytes(bytes(2048 * SECTOR))
    subprocess.run(["/usr/sbin/mkfs.fat", "-F", "12", esp], check=True, capture_output=True)
    with disk.open("r+b") as file:
        file.seek(2048 * SECTOR)
        file.write(esp.read_bytes())
    (tmp_path / "loader").write_bytes(b"MZ")
    subprocess.run(["mmd", "-i", place, "::EFI", "::EFI/BOOT"], check=True)
    subprocess.run(["mcopy", "-i", place, tmp_path / "loader", "::EFI/BOOT/BOOTX64.EFI"], check=True)
    assert detect(disk) == ("uefi",)
