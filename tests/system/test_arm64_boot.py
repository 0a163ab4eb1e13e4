"""An arm64 machine with UEFI boots the Debian installer's kernel by PXE."""

from __future__ import annotations

from pathlib import Path

import pytest

from provd.lab.firmware import Firmware
from provd.lab.network import PrivateNetwork
from tests.system import arm64_board
from tests.system.world import Site

pytestmark = [pytest.mark.qemu, pytest.mark.netns, pytest.mark.timeout(420)]


def test_by_pxe(site: Site, network: PrivateNetwork, tmp_path: Path) -> None:
    service = arm64_board.start(site, network)
    fetched = arm64_board.boot(Firmware.ARM64_UEFI, service, network, tmp_path)
    assert fetched == [
        *("tftp.sent shimaa64.efi", "tftp.sent grubaa64.efi"),
        *("kernel.fetched linux", "initrd.fetched initrd.gz"),
    ]
