from __future__ import annotations

import hashlib
import re
import shutil
import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from provd.image.chunks import ImageFacts, read_chunk, write_chunks, write_raw
from provd.image.errors import ImageError
from provd.image.library import find_image, kept, list_images, missing_chunks, replace_directory, stored_size
from provd.image.manifest import ImageManifest, read_manifest
from tests.image.disk_images import gpt_disk

FACTS = ImageFacts("small", "2025-01-31T12:00:00+00:00", "r1", ("bios",))
PIECES = st.lists(
    st.one_of(st.binary(min_size=1, max_size=40), st.integers(1, 60).map(bytes)), min_size=1, max_size=12
).map(b"".join)


def store(raw: bytes, folder: Path, *, size: int = 16) -> ImageManifest:
    (folder / "raw").write_bytes(raw)
    return write_chunks(folder / "raw", folder / "small", FACTS, chunk_size=size, compression="gzip")


@settings(deadline=None, max_examples=60)
@given(PIECES, st.integers(1, 64))
def test_round_trip(raw: bytes, size: int) -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        manifest = store(raw, folder, size=size)
        assert read_manifest(folder / "small") == manifest
        assert manifest.raw_sha256 == hashlib.sha256(raw).hexdigest()
        write_raw(folder / "small", manifest, folder / "again")
        assert (folder / "again").read_bytes() == raw


def test_zero_chunks_are_marked_and_equal_ones_stored_once(tmp_path: Path) -> None:
    manifest = store(b"x" * 16 + bytes(16) + b"x" * 16 + b"tail", tmp_path)
    assert [chunk.file is None for chunk in manifest.chunks] == [False, True, False, False]
    assert manifest.chunks[0].file == manifest.chunks[2].file
    assert len(list((tmp_path / "small").iterdir())) == 3, "two chunk files and the manifest"
    assert stored_size(tmp_path, manifest) > 0


def test_progress_reaches_the_end(tmp_path: Path) -> None:
    (tmp_path / "raw").write_bytes(b"abc" * 20)
    seen: list[float] = []
    write_chunks(
        tmp_path / "raw",
        tmp_path / "small",
        FACTS,
        lambda _, share: seen.append(share),
        chunk_size=7,
        compression="gzip",
    )
    assert seen == sorted(seen)
    assert seen[-1] == 1.0


def test_a_damaged_chunk_is_found(tmp_path: Path) -> None:
    manifest = store(b"y" * 16, tmp_path)
    (chunk,) = manifest.chunks
    (tmp_path / "other").mkdir()
    other = store(b"z" * 16, tmp_path / "other")
    assert chunk.file is not None
    assert other.chunks[0].file is not None
    shutil.copy(tmp_path / "other/small" / other.chunks[0].file, tmp_path / "small" / chunk.file)
    with pytest.raises(ImageError, match="chunk 0 does not have the hash of the manifest"):
        read_chunk(tmp_path / "small", manifest, chunk)


def test_only_whole_images_are_found(tmp_path: Path) -> None:
    with pytest.raises(ImageError, match=r"image 'small' is not in .*: provd image build small"):
        find_image(tmp_path, "small")
    manifest = store(b"y" * 16, tmp_path)
    assert find_image(tmp_path, "small") == (tmp_path / "small", manifest)
    assert list_images(tmp_path) == [manifest]
    assert kept(tmp_path / "small", "r1") == manifest
    assert kept(tmp_path / "small", "r2") is None
    (name,) = manifest.stored_files
    (tmp_path / "small" / name).unlink()
    assert missing_chunks(tmp_path / "small", manifest) == (name,)
    assert kept(tmp_path / "small", "r1") is None
    with pytest.raises(ImageError, match="lacks 1 chunk files"):
        find_image(tmp_path, "small")


def test_work_that_was_interrupted_is_not_listed(tmp_path: Path) -> None:
    store(b"y" * 16, tmp_path)
    (tmp_path / "small/manifest").unlink()
    assert list_images(tmp_path) == []


def test_a_new_image_replaces_the_old_one(tmp_path: Path) -> None:
    (tmp_path / "work").mkdir()
    old = store(b"old", tmp_path)
    new = store(b"new", tmp_path / "work")
    replace_directory(tmp_path / "work/small", tmp_path / "small")
    assert find_image(tmp_path, "small")[1] == new != old


@pytest.mark.parametrize(
    ("compression", "octets", "sentence"), [("lzma", b"x", "must be one of zstd, gzip"), ("gzip", b"", "is empty")]
)
def test_what_cannot_be_chunked(tmp_path: Path, compression: str, octets: bytes, sentence: str) -> None:
    (tmp_path / "raw").write_bytes(octets)
    with pytest.raises(ImageError, match=re.escape(sentence)):
        write_chunks(tmp_path / "raw", tmp_path / "small", FACTS, compression=compression)


@pytest.mark.build
def test_a_disk_image_becomes_zstd_chunks_and_comes_back(tmp_path: Path) -> None:
    disk = gpt_disk(tmp_path / "disk.raw")
    manifest = write_chunks(disk, tmp_path / "small", FACTS, chunk_size=1024 * 1024)
    assert [chunk.file is None for chunk in manifest.chunks] == [False, True, False, False]
    assert all(name.endswith(".zst") for name in manifest.stored_files)
    write_raw(tmp_path / "small", manifest, tmp_path / "again")
    assert (tmp_path / "again").read_bytes() == disk.read_bytes()
