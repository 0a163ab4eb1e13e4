"""Alpine's boot chain, walked by simulated machines through real services."""

from __future__ import annotations

import io
import tarfile
from dataclasses import replace
from pathlib import Path

import pytest

from plugins.installer_alpine.judge import judged
from provd.simulate import installer
from provd.simulate.boot import FirmwareName
from tests.fakes.simulated_server import SimulatedServer


@pytest.mark.parametrize("firmware", ["bios", "x64-uefi", "x64-uefi-http"])
def test_row24_alpine_finds_its_overlay_and_its_answers_by_every_loader(tmp_path: Path, firmware: FirmwareName) -> None:
    server = SimulatedServer(tmp_path)
    server.add(profile="alpine")
    boot = server.boot(firmware)
    assert boot.outcome == "installed", boot.text()
    assert boot.installed is not None
    assert (boot.installed.family, boot.installed.source) == ("alpine", "http://10.88.0.9/alpine/v3.22/main")
    with tarfile.open(fileobj=io.BytesIO(boot.installed.live["apkovl"]), mode="r:gz") as archive:
        assert "etc/local.d/provd.start" in archive.getnames()
    assert list(boot.installed.documents) == ["install.sh", "answers"]
    assert list(judged(boot.installed.documents)) == []
    assert dict(boot.installed.reported) == {"started": 200, "progress": 200, "finished": 200}
    assert server.services.store.installs.get("web1").state == "installed"


def test_without_a_file_of_its_live_system_nothing_is_installed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    others = [replace(one, live=("root",)) if one.name == "alpine" else one for one in installer.FAMILIES]
    monkeypatch.setattr(installer, "FAMILIES", others)
    wrong = 'distro = "alpine322"\nkernel_args = ["root=http://10.88.0.1/overlay/nothing.tar.gz"]\n'
    server = SimulatedServer(tmp_path, further={"site/profiles/alpine.toml": wrong})
    server.add(profile="alpine")
    boot = server.boot("bios")
    assert boot.outcome == "failed"
    assert boot.error.startswith("live system: alpine: status 404 ")
