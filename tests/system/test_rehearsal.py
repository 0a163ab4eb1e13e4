"""`provd rehearse`: a profile of a site is installed on a machine that is thrown away."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from provd.lab.payloads import shared_data

pytestmark = [pytest.mark.qemu, pytest.mark.netns, pytest.mark.timeout(900)]

TOML = """\
data_dir = "{data}"
site_dir = "site"
enabled = ["pxelinux", "grub_efi", "installer_image", "trigger_script", "install_callbacks"]

[[interface]]
name = "not-here"

[[subnet]]
network = "192.0.2.0/24"

[[plugins.trigger_script.scripts]]
name = "tell"
on = ["install.finished"]
argv = ["/usr/bin/touch", "{mark}"]
"""


def rehearse(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    argv = [sys.executable, "-m", "provd", "rehearse", *words, "--config", str(folder / "provd.toml")]
    return subprocess.run(argv, capture_output=True, text=True, timeout=800, check=False)


@pytest.fixture
def folder(installable: Path, tmp_path: Path) -> Path:
    profiles = tmp_path / "site" / "profiles"
    profiles.mkdir(parents=True)
    (profiles / "mine.toml").write_text('parent = "debian-12-image-minimal"\n[vars]\nrole = "web"\n')
    (profiles / "broken.toml").write_text('parent = "debian-12-image-minimal"\ninstaller = "nowhere"\n')
    (tmp_path / "provd.toml").write_text(TOML.format(data=shared_data(installable), mark=tmp_path / "triggered"))
    return tmp_path


def test_an_image_profile_installs_and_nothing_outside_happens(folder: Path) -> None:
    done = rehearse(folder, "mine", "-o", "json", "--keep", str(folder / "run"))
    assert done.returncode == 0, done.stdout + done.stderr
    told = json.loads(done.stdout)
    assert (told["installed"], told["why"]) == (True, "profile mine installs")
    install, local = told["boots"][:2]
    kinds = [row["kind"] for row in install["events"]]
    assert kinds.index("kernel.fetched") < kinds.index("answer.served") < kinds.index("install.finished")
    assert (install["outcome"], local["action"]) == ("finished", "local")
    assert not (folder / "triggered").exists()
    assert "left out, for they act outside: trigger_script" in done.stderr
    assert (folder / "run/machine/network.pcap").stat().st_size > 1_000_000


def test_a_profile_that_cannot_install_is_told_before_a_machine_is_started(folder: Path) -> None:
    done = rehearse(folder, "broken")
    assert done.returncode == 1
    assert "no enabled plugin brings the installer 'nowhere'" in done.stderr
    done = rehearse(folder, "none-such")
    assert done.returncode == 1
    assert "none-such" in done.stderr
