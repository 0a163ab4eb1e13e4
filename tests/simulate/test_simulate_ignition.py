"""The boot chain of systems with Ignition, walked by simulated machines through real services."""

from __future__ import annotations

from pathlib import Path

import pytest

from plugins.installer_ignition.judge import judged
from provd.simulate.boot import FirmwareName
from tests.fakes.simulated_server import SimulatedServer


@pytest.mark.parametrize("firmware", ["bios", "x64-uefi", "x64-uefi-http"])
@pytest.mark.parametrize(("profile", "source"), [("fcos", "http://10.88.0.9/f/rootfs.img"), ("flat", "")])
def test_row24_ignition_files_are_found_by_every_loader(
    tmp_path: Path, firmware: FirmwareName, profile: str, source: str
) -> None:
    server = SimulatedServer(tmp_path)
    server.add(profile=profile)
    boot = server.boot(firmware)
    assert boot.outcome == "installed", boot.text()
    assert boot.installed is not None
    assert (boot.installed.family, boot.installed.source) == ("ignition", source)
    assert boot.installed.answer_headers["content-type"] == "application/vnd.coreos.ignition+json"
    assert list(boot.installed.documents) == ["live.ign", "config.ign"]
    for name, text in boot.installed.documents.items():
        assert list(judged(name, text)) == []
    assert dict(boot.installed.reported) == {"started": 200, "progress": 200, "finished": 200}
    assert server.services.store.installs.get("web1").state == "installed"
