from __future__ import annotations

import gzip
import io
import lzma
import stat
import struct
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from provd.image.bootable import DiskIds, write_bios_loader
from provd.image.deployer.cpio import CpioWriter
from provd.image.deployer.elf import interpreter, needed_libraries
from provd.image.deployer.modules import ModuleTree, module_name, plain_module
from provd.image.errors import ImageError

NAMES = st.lists(st.from_regex(r"[a-z]{1,9}", fullmatch=True), min_size=1, max_size=4).map("/".join)


def entries(octets: bytes) -> Iterator[tuple[str, int, bytes]]:
    """Name, mode and content of every entry; the fields are 13 numbers of 8 hexadecimal digits."""
    at = 0
    while True:
        assert octets[at : at + 6] == b"070701"
        fields = [int(octets[at + 6 + 8 * index : at + 14 + 8 * index], 16) for index in range(13)]
        size, name_size = fields[6], fields[11]
        name = octets[at + 110 : at + 110 + name_size - 1].decode()
        at += (110 + name_size + 3) // 4 * 4
        if name == "TRAILER!!!":
            assert at == len(octets)
            return
        yield name, fields[1], octets[at : at + size]
        at += (size + 3) // 4 * 4


@given(st.dictionaries(NAMES, st.binary(max_size=50)))
def test_files_come_back_behind_their_directories(files: dict[str, bytes]) -> None:
    files = {name: content for name, content in files.items() if not any(o.startswith(f"{name}/") for o in files)}
    out = io.BytesIO()
    archive = CpioWriter(out)
    for name, content in files.items():
        archive.file(name, content)
    archive.close()
    seen = list(entries(out.getvalue()))
    assert {name: content for name, mode, content in seen if stat.S_ISREG(mode)} == files
    known = {""}
    for name, mode, _ in seen:
        assert name.rpartition("/")[0] in known
        assert name not in known, "every directory once"
        if stat.S_ISDIR(mode):
            known.add(name)


def test_devices_links_and_modes() -> None:
    out = io.BytesIO()
    archive = CpioWriter(out)
    archive.character_device("dev/console", 5, 1)
    archive.symlink("bin/sh", "busybox")
    archive.file("init", b"#!/bin/sh\n", 0o755)
    archive.close()
    seen = {name: (mode, content) for name, mode, content in entries(out.getvalue())}
    assert seen["dev/console"] == (stat.S_IFCHR | 0o600, b"")
    assert seen["bin/sh"] == (stat.S_IFLNK | 0o777, b"busybox")
    assert seen["init"] == (stat.S_IFREG | 0o755, b"#!/bin/sh\n")
    device = out.getvalue().index(b"dev/console")
    assert out.getvalue()[device - 32 : device - 16] == b"0000000500000001"


@pytest.mark.parametrize("path", ["/init", "../init", "a/../b"])
def test_paths_that_leave_the_archive_are_refused(path: str) -> None:
    with pytest.raises(ValueError, match="must be relative"):
        CpioWriter(io.BytesIO()).file(path, b"")


def elf(needed: list[str], loader: str = "") -> bytes:
    """A 64-bit object with one loaded segment at address 0x1000, a dynamic section and perhaps an interpreter."""
    strings = b"\0" + b"".join(name.encode() + b"\0" for name in needed)
    offsets = [strings.index(name.encode() + b"\0") for name in needed]
    headers = 3 if loader else 2
    text_at = 64 + 56 * headers
    dynamic_at = text_at + len(strings)
    pairs = [*((1, offset) for offset in offsets), (5, 0x1000 + text_at), (0, 0)]
    dynamic = b"".join(struct.pack("<qQ", *pair) for pair in pairs)
    loader_at = dynamic_at + len(dynamic)
    total = loader_at + len(loader) + 1
    header = b"\x7fELF\x02\x01\x01".ljust(16, b"\0") + struct.pack(
        "<HHIQQQIHHH", 3, 62, 1, 0, 64, 0, 0, 64, 56, headers
    )
    segments = [(1, 0, 0x1000, total), (2, dynamic_at, 0x1000 + dynamic_at, len(dynamic))]
    segments += [(3, loader_at, 0x1000 + loader_at, len(loader) + 1)] if loader else []
    table = b"".join(
        struct.pack("<IIQQQQQQ", kind, 4, at, address, address, size, size, 1) for kind, at, address, size in segments
    )
    return header.ljust(64, b"\0") + table + strings + dynamic + loader.encode() + b"\0"


def test_libraries_and_loader_are_read() -> None:
    program = elf(["libz.so.1", "libc.so.6"], "/lib64/ld-linux-x86-64.so.2")
    assert needed_libraries(program) == ("libz.so.1", "libc.so.6")
    assert interpreter(program) == "/lib64/ld-linux-x86-64.so.2"
    assert interpreter(elf([])) is None
    with pytest.raises(ValueError, match="not a 64-bit little-endian ELF object"):
        needed_libraries(b"#!/bin/sh\n" + bytes(60))


@pytest.fixture
def tree(tmp_path: Path) -> ModuleTree:
    dep = {
        "kernel/drivers/net/ethernet/intel/e1000e/e1000e.ko": ["kernel/drivers/ptp/ptp.ko"],
        "kernel/drivers/ptp/ptp.ko": [],
        "kernel/drivers/net/wireless/ath.ko": [],
        "kernel/drivers/scsi/sd_mod.ko": ["kernel/lib/crc-t10dif.ko"],
        "kernel/drivers/scsi/lpfc/lpfc.ko": [],
        "kernel/lib/crc-t10dif.ko": [],
        "kernel/crypto/crct10dif_common.ko": [],
    }
    text = "".join(f"{path}: {' '.join(needs)}\n" for path, needs in dep.items())
    (tmp_path / "modules.dep").write_text(text)
    (tmp_path / "modules.alias").write_text(
        "# Aliases\nalias pci:v00008086d000010D3* e1000e\nalias pci:v000010DF* lpfc\nalias scsi:t-0x00* sd_mod\n"
    )
    (tmp_path / "modules.softdep").write_text("softdep crc_t10dif pre: crct10dif-common\nsoftdep ath post: none\n")
    return ModuleTree.read(tmp_path)


def test_wanted_modules_bring_what_they_depend_on(tree: ModuleTree) -> None:
    chosen = tree.select()
    assert {module_name(path) for path in chosen} == {"e1000e", "ptp", "sd_mod", "crc_t10dif", "crct10dif_common"}
    index = tree.index(chosen)
    assert index["modules.alias"] == "alias pci:v00008086d000010D3* e1000e\nalias scsi:t-0x00* sd_mod\n"
    assert "kernel/drivers/scsi/sd_mod.ko: kernel/lib/crc-t10dif.ko\n" in index["modules.dep"]
    assert index["modules.softdep"] == "softdep crc_t10dif pre: crct10dif-common\n"


@pytest.mark.parametrize(("end", "pack"), [("", bytes), (".xz", lzma.compress), (".gz", gzip.compress)])
def test_compressed_modules_are_found_and_packed_plain(
    tmp_path: Path, end: str, pack: Callable[[bytes], bytes]
) -> None:
    """Kernels of Debian 13 have .ko.xz; the archive is compressed as a whole, and busybox need not read them."""
    paths = [f"kernel/drivers/nvme/host/{name}.ko{end}" for name in ("nvme", "nvme-core")]
    for path in paths:
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_bytes(pack(path.encode()))
    (tmp_path / "modules.dep").write_text(f"{paths[0]}: {paths[1]}\n{paths[1]}:\n")
    tree = ModuleTree.read(tmp_path)
    chosen = tree.select()
    assert chosen == tuple(sorted(paths))
    assert tree.index(chosen)["modules.dep"].splitlines() == [
        "kernel/drivers/nvme/host/nvme-core.ko:",
        "kernel/drivers/nvme/host/nvme.ko: kernel/drivers/nvme/host/nvme-core.ko",
    ]
    assert [plain_module(tmp_path / path) for path in paths] == [path.encode() for path in paths]


def test_a_kernel_without_depmod_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ImageError, match="no module dependencies"):
        ModuleTree.read(tmp_path)


def test_bios_loader_is_told_where_it_lies(tmp_path: Path) -> None:
    disk = tmp_path / "disk.raw"
    disk.write_bytes(b"\xee" * (3 * 1024 * 1024))
    write_bios_loader(disk, b"\x11" * 512, b"\x22" * 2000)
    octets = disk.read_bytes()
    assert struct.unpack_from("<Q", octets, 0x5C) == (2048,)
    assert octets[0x66:0x68] == b"\x90\x90"
    assert octets[439] == 0x11
    assert octets[440:512] == b"\xee" * 72, "the partition table is not touched"
    core = octets[1024 * 1024 : 1024 * 1024 + 2000]
    assert struct.unpack_from("<Q", core, 500) == (2049,)
    assert core[508:] == b"\x22" * 1492
    with pytest.raises(ImageError, match="core image has 1048577 octets"):
        write_bios_loader(disk, b"", b"\0" * 1048577)


def test_identifiers_follow_the_recipe() -> None:
    one, again, other = (DiskIds.derive(key) for key in ("a", "a", "b"))
    assert one == again != other
    assert len({one.disk, one.root_partition, one.root_filesystem, one.esp_partition, one.bios_partition}) == 5
    assert one.esp_id == f"{one.esp_volume:08X}"[:4] + "-" + f"{one.esp_volume:08X}"[4:]
