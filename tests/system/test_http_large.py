"""A file of 5 GiB over HTTP by a real client: parts of it, the rest of it, and none where it is known already."""

from __future__ import annotations

from pathlib import Path

import pytest

from provd.lab.network import PrivateNetwork
from tests.system.large_file import GIB, MOST_MORE_KIB, SIZE, Large, octets_of
from tests.system.world import Site

pytestmark = [pytest.mark.netns, pytest.mark.timeout(120)]


def test_row_29_a_file_of_5_gib_in_parts_and_not_at_all_with_memory_flat(
    site: Site, network: PrivateNetwork, tmp_path: Path
) -> None:
    large = Large(site, network, tmp_path / "got")
    parts = {
        "0-9": (0, 10),
        f"{2 * GIB - 5}-{2 * GIB + 9}": (2 * GIB - 5, 15),
        f"{4 * GIB - 5}-{4 * GIB + 9}": (4 * GIB - 5, 15),
        f"{SIZE - 4}-": (SIZE - 4, 4),
        "-6": (SIZE - 6, 6),
        f"{SIZE - 2}-{9 * GIB}": (SIZE - 2, 2),
    }
    for asked, (start, count) in parts.items():
        assert large.curl("-r", asked) == f"206 {count}", asked
        assert large.target.read_bytes() == octets_of(start, count), asked
    before = large.peak_kib()
    middle = f"{4 * GIB - GIB // 8}-{4 * GIB + GIB // 8 - 1}"
    assert large.curl("-r", middle, into="/dev/null") == f"206 {GIB // 4}"
    assert large.peak_kib() - before < MOST_MORE_KIB
    # an interrupted download goes on at its end, as wget and anaconda do
    with large.target.open("wb") as file:
        file.truncate(SIZE - 1_000_001)
    assert large.curl("-C", "-") == "206 1000001"
    with large.target.open("rb") as file:
        file.seek(SIZE - 1_000_001)
        assert file.read() == octets_of(SIZE - 1_000_001, 1_000_001)
    assert large.curl("-r", f"{SIZE}-", told="%{http_code}") == "416"
    head = large.curl("-I", told="%header{content-length} %header{last-modified}")
    length, _, modified = head.partition(" ")
    assert int(length) == SIZE
    assert large.curl("-H", f"If-Modified-Since: {modified}") == "304 0"
    assert large.curl("-H", "If-Modified-Since: Thu, 01 Jan 2015 00:00:00 GMT", "-r", "0-4") == "206 5"
    assert large.peak_kib() - before < MOST_MORE_KIB
