"""Private networks and what machines boot, prepared once for all tests."""

from __future__ import annotations

import fcntl
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from provd.image.progress import silent
from provd.lab.network import PrivateNetwork
from provd.lab.payloads import lab_cache, prepare_installation, prepare_loaders
from tests.system.world import Site


def _once(cache: Path, work: Callable[[], None]) -> None:
    """Workers of one run wait for each other."""
    cache.mkdir(parents=True, exist_ok=True)
    with (cache / "prepare.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        work()


@pytest.fixture(scope="session")
def cache() -> Path:
    """Laboratory cache with the boot loaders in it."""
    folder = lab_cache()
    _once(folder, lambda: prepare_loaders(folder, silent))
    return folder


@pytest.fixture(scope="session")
def installable(cache: Path) -> Path:
    """Laboratory cache with deployer and disk image as well."""
    _once(cache, lambda: prepare_installation(cache, silent))
    return cache


@pytest.fixture
def network(tmp_path: Path) -> Iterator[PrivateNetwork]:
    with PrivateNetwork(tmp_path / "logs") as made:
        yield made


@pytest.fixture
def site(network: PrivateNetwork, tmp_path: Path, cache: Path) -> Iterator[Site]:
    # The path of a local socket may have 108 octets only.
    with tempfile.TemporaryDirectory(prefix="provd-") as short:
        made = Site(network, tmp_path, cache, Path(short) / "provd.sock")
        yield made
        if made.service is not None:
            assert made.service.stop() == 0, made.service.process.text()
