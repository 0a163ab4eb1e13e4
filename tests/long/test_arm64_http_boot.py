"""An arm64 machine boots by UEFI HTTP boot, with the unsigned GRUB."""

from __future__ import annotations

from pathlib import Path

import pytest

from provd.lab.firmware import Firmware
from provd.lab.network import PrivateNetwork
from tests.system import arm64_board
from tests.system.conftest import cache, network, site
from tests.system.world import Site

__all__ = ["cache", "network", "site"]

pytestmark = [pytest.mark.qemu, pytest.mark.netns, pytest.mark.timeout(420)]


def test_by_http(site: Site, network: PrivateNetwork, tmp_path: Path) -> None:
    service = arm64_board.start(site, network)
    fetched = arm64_board.boot(Firmware.ARM64_UEFI_HTTP, service, network, tmp_path)
    assert fetched == ["http.sent grubaa64-http.efi", "kernel.fetched linux", "initrd.fetched initrd.gz"]
