"""The boot chain of SUSE's systems of version 16, walked by simulated machines through real services."""

from __future__ import annotations

from pathlib import Path

import pytest

from plugins.installer_agama.judge import judged
from provd.simulate.boot import FirmwareName
from tests.fakes.simulated_server import SimulatedServer


@pytest.mark.parametrize("firmware", ["bios", "x64-uefi", "x64-uefi-http"])
def test_row24_the_agama_profile_is_found_by_every_loader(tmp_path: Path, firmware: FirmwareName) -> None:
    server = SimulatedServer(tmp_path)
    server.add(profile="agama")
    boot = server.boot(firmware)
    assert boot.outcome == "installed", boot.text()
    assert boot.installed is not None
    assert (boot.installed.family, boot.installed.source) == ("agama", "http://10.88.0.9/sles16/install")
    assert list(judged("profile.json", boot.installed.documents["profile.json"])) == []
    assert "root=live:http://10.88.0.9/sles16/LiveOS/squashfs.img" in boot.installed.arguments
    assert dict(boot.installed.reported) == {"started": 200, "progress": 200, "finished": 200}
    assert server.services.store.installs.get("web1").state == "installed"
