"""The whole of a file of 5 GiB over HTTP."""

from __future__ import annotations

from pathlib import Path

import pytest

from provd.lab.network import PrivateNetwork
from provd.lab.payloads import lab_cache, prepare_loaders
from tests.system.large_file import MOST_MORE_KIB, SIZE, Large
from tests.system.world import Site

pytestmark = [pytest.mark.netns, pytest.mark.timeout(300)]


def test_row_29_the_whole_of_a_file_of_5_gib_with_memory_flat(tmp_path: Path) -> None:
    cache = lab_cache()
    prepare_loaders(cache, lambda _text, _share: None)
    with PrivateNetwork(tmp_path / "logs") as network:
        site = Site(network, tmp_path, cache, tmp_path / "s")
        large = Large(site, network, tmp_path / "got")
        assert large.curl("-r", "0-9") == "206 10"
        before = large.peak_kib()
        assert large.curl(into="/dev/null") == f"200 {SIZE}"
        assert large.peak_kib() - before < MOST_MORE_KIB
