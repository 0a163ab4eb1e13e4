"""The boot chain of SUSE's systems, walked by simulated machines through real services."""

from __future__ import annotations

from pathlib import Path

import pytest

from plugins.installer_autoyast.judge import judged
from provd.simulate.boot import FirmwareName
from tests.fakes.simulated_server import SimulatedServer


@pytest.mark.parametrize("firmware", ["bios", "x64-uefi", "x64-uefi-http"])
def test_row24_the_autoyast_profile_is_found_by_every_loader(tmp_path: Path, firmware: FirmwareName) -> None:
    server = SimulatedServer(tmp_path)
    server.add(profile="sles")
    boot = server.boot(firmware)
    assert boot.outcome == "installed", boot.text()
    assert boot.installed is not None
    assert (boot.installed.family, boot.installed.source) == ("autoyast", "http://10.88.0.9/sles")
    assert list(judged(boot.installed.documents["autoinst.xml"])) == []
    assert dict(boot.installed.reported) == {"started": 200, "progress": 200, "finished": 200}
    assert server.services.store.installs.get("web1").state == "installed"
