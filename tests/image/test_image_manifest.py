from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from provd.image.errors import ImageError
from provd.image.manifest import Chunk, ImageManifest, check_name, format_manifest, parse_manifest

A, B = "a" * 64, "b" * 64
MANIFEST = ImageManifest(
    name="debian-12",
    created="2025-01-31T12:00:00+00:00",
    recipe="5f2c",
    raw_size=20,
    raw_sha256=B,
    chunk_size=8,
    compression="zstd",
    firmware=("bios", "uefi"),
    chunks=(Chunk(0, 0, 8, A, f"{A}.zst"), Chunk(1, 8, 8, B, None), Chunk(2, 16, 4, A, f"{A}.zst")),
)
TEXT = f"""\
provd-image 1
name debian-12
created 2025-01-31T12:00:00+00:00
recipe 5f2c
raw-size 20
raw-sha256 {B}
chunk-size 8
compression zstd
firmware bios,uefi
chunk 0 0 8 {A} {A}.zst
chunk 1 8 8 {B} zero
chunk 2 16 4 {A} {A}.zst
end 3
"""


def test_form() -> None:
    assert format_manifest(MANIFEST) == TEXT
    assert parse_manifest(TEXT) == MANIFEST
    assert MANIFEST.stored_files == (f"{A}.zst",)


@pytest.mark.parametrize(
    ("old", "new", "sentence"),
    [
        ("provd-image 1", "provd-image 2", "line 1: version 2 is not supported, only 1"),
        ("name debian-12", "nome debian-12", "line 2: must be 'name VALUE'"),
        ("raw-size 20", "raw-size twenty", "line 5: raw-size must be a number of octets"),
        (f"raw-sha256 {B}", "raw-sha256 B", "line 6: sha256 must be 64 lower-case hexadecimal digits"),
        ("compression zstd", "compression lzma", "line 8: compression must be one of zstd, gzip"),
        ("chunk 1 8 8", "chunk 1 9 8", "line 11: chunk 1 at offset 8 expected, without gap"),
        ("chunk 1 8 8", "chunk 1 8 0", "line 11: chunk 1 at offset 8 expected, without gap"),
        (f"{A}.zst\nchunk 1", "../../etc/passwd\nchunk 1", "line 10: chunk file must be 'zero' or sha256"),
        ("end 3\n", "", "line 13: must be 'chunk 3 OFFSET LENGTH SHA256 FILE' or 'end 3'"),
        ("end 3", "end 4", "line 13: must be 'chunk 3 OFFSET LENGTH SHA256 FILE' or 'end 3'"),
        ("raw-size 20", "raw-size 21", "line 13: chunks cover 20 of 21 octets"),
    ],
)
def test_a_broken_line_is_named(old: str, new: str, sentence: str) -> None:
    assert old in TEXT
    with pytest.raises(ImageError, match="^image/manifest " + re.escape(sentence)):
        parse_manifest(TEXT.replace(old, new, 1), "image/manifest")


@given(st.text())
def test_any_other_text_is_refused(text: str) -> None:
    with pytest.raises(ImageError, match=r"^manifest line \d+: "):
        parse_manifest(text)


@pytest.mark.parametrize("name", ["", ".hidden", "a/b", "a b", "a\n", "x" * 65, "ä"])
def test_names_that_are_no_directory_and_no_word_are_refused(name: str) -> None:
    with pytest.raises(ImageError, match="use letters, digits"):
        check_name(name)
