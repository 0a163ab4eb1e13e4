"""The queue of installations with the loaders that are rarer."""

from __future__ import annotations

from pathlib import Path

import pytest

from provd.lab.firmware import Firmware
from provd.lab.network import PrivateNetwork
from tests.system.conftest import cache, network, site
from tests.system.test_install_queue import waits_and_installs
from tests.system.world import Site

__all__ = ["cache", "network", "site"]
pytestmark = [pytest.mark.qemu, pytest.mark.netns, pytest.mark.timeout(400)]


@pytest.mark.parametrize(
    ("firmware", "loader"),
    [
        pytest.param(Firmware.UEFI_HTTP, "grub_efi", id="GRUB by HTTP"),
        pytest.param(Firmware.BIOS, "ipxe", id="iPXE"),
    ],
)
def test_a_machine_waits_for_its_place_and_installs_then(
    site: Site, network: PrivateNetwork, tmp_path: Path, firmware: Firmware, loader: str
) -> None:
    waits_and_installs(site, network, tmp_path, firmware, loader)
