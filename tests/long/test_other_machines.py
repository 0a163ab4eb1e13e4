"""Complete installations on machines with other network cards, disks and firmware."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from provd.image.progress import silent
from provd.lab.demo import install, machine_spec
from provd.lab.demo_screen import Screen
from provd.lab.firmware import Firmware
from provd.lab.payloads import lab_cache, prepare_installation

pytestmark = [pytest.mark.qemu, pytest.mark.netns, pytest.mark.timeout(1200)]


@pytest.mark.parametrize(
    ("firmware", "changes"),
    [
        (Firmware.UEFI_SECUREBOOT, {}),
        (Firmware.UEFI_HTTP, {}),
        (Firmware.BIOS, {"nic": "e1000", "disk": "sata"}),
        (Firmware.UEFI, {"nic": "e1000", "disk": "nvme"}),
        (Firmware.UEFI, {"disk_gib": 64, "cpus": 1}),
    ],
)
def test_is_installed(firmware: Firmware, changes: dict[str, Any], tmp_path: Path) -> None:
    cache = lab_cache()
    prepare_installation(cache, silent)
    install(machine_spec(firmware, **changes), Screen(), cache, tmp_path / "run")
