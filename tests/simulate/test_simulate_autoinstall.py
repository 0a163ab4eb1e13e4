"""Ubuntu's boot chain, walked by simulated machines through real services."""

from __future__ import annotations

from pathlib import Path

import pytest

from plugins.installer_autoinstall.schema import judged
from provd.simulate.boot import FirmwareName
from tests.fakes.simulated_server import SimulatedServer


@pytest.mark.parametrize("firmware", ["bios", "x64-uefi", "x64-uefi-http"])
def test_row24_ubuntu_finds_its_seed_by_every_loader(tmp_path: Path, firmware: FirmwareName) -> None:
    """The seed's argument has a semicolon, which GRUB would take for the end of a command."""
    server = SimulatedServer(tmp_path)
    server.add(profile="ubuntu")
    boot = server.boot(firmware)
    assert boot.outcome == "installed", boot.text()
    assert boot.installed is not None
    assert boot.installed.family == "autoinstall"
    assert set(boot.installed.documents) == {"user-data", "meta-data", "vendor-data"}
    assert list(judged(boot.installed.documents["user-data"])) == []
    assert boot.installed.documents["meta-data"].startswith("instance-id: web1-")
    assert dict(boot.installed.reported) == {"started": 200, "progress": 200, "finished": 200}
    assert server.services.store.installs.get("web1").state == "installed"
