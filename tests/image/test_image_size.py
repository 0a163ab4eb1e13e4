"""How large the root file system of an image is made: enough for what `mke2fs` copies into it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from provd.image import bootable


def size(monkeypatch: pytest.MonkeyPatch, *, blocks: int, octets: int, files: int) -> int:
    """MiB of the root file system where `du` tells this."""

    def run(argv: Sequence[str], _what: str) -> str:
        assert "-x" not in argv, "files of an overlay may have another device than their folder"
        told = files if "--inodes" in argv else octets if "--apparent-size" in argv else blocks
        return f"{told}\t{argv[-1]}\n"

    monkeypatch.setattr(bootable, "run", run)
    return bootable._root_mib(Path("/root"), 100, ())


def test_blocks_count_where_they_are_more(monkeypatch: pytest.MonkeyPatch) -> None:
    assert size(monkeypatch, blocks=800, octets=700, files=20_480) == 800 + 100 + 64 + 100


def test_octets_count_on_a_file_system_that_compresses(monkeypatch: pytest.MonkeyPatch) -> None:
    assert size(monkeypatch, blocks=300, octets=700, files=51_200) == 800 + 100 + 64 + 100


def test_many_small_files_are_counted(tmp_path: Path) -> None:
    for number in range(2048):
        (tmp_path / str(number)).write_bytes(b"x")
    assert bootable._root_mib(tmp_path, 0, ()) >= 4 + 64
