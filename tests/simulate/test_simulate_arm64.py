"""arm64 machines: their boot chain, a distro for another processor, and firmware that nobody serves."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from plugins.grub_efi.server_image import SERVER_MARK
from provd.simulate import boot as simulated
from provd.simulate.boot import FirmwareName
from provd.simulate.firmware import ARM64_PXE
from tests.fakes.simulated_server import DISTROS, PROFILES, SimulatedServer

IMAGE = b"grubaa64-http.efi" * 300 + SERVER_MARK
LOADERS = {
    "data/payload/loaders-arm64/shimaa64.efi": b"shimaa64.efi" * 300,
    "data/payload/loaders-arm64/grubaa64.efi": b"grubaa64.efi" * 300,
    "data/payload/loaders-arm64/grubaa64-http.efi": IMAGE,
}
FILES: dict[str, bytes | str] = {
    **LOADERS,
    "site/distros/arm.toml": 'arch = "aarch64"\n' + DISTROS["deb"],
    "site/profiles/arm.toml": PROFILES["web"].replace('"deb"', '"arm"'),
}


def server(tmp_path: Path, profile: str = "arm", files: Mapping[str, bytes | str] = FILES) -> SimulatedServer:
    made = SimulatedServer(tmp_path, further=files)
    made.add(profile=profile)
    return made


def reason(made: SimulatedServer, kind: str) -> str:
    session = made.store.sessions.sessions(limit=1)[0]
    (found,) = {str(row.fields["reason"]) for row in made.store.sessions.events(session.id) if row.kind == kind}
    return found


@pytest.mark.parametrize(
    ("firmware", "file", "asked"),
    [
        ("arm64-uefi", "shimaa64.efi", "grub/grub.cfg"),
        ("arm64-uefi-http", "http://10.88.0.1/grubaa64-http.efi", "grub/52:54:00:88:00:11/grub.cfg"),
    ],
)
def test_an_arm64_machine_installs(tmp_path: Path, firmware: FirmwareName, file: str, asked: str) -> None:
    made = server(tmp_path)
    boot = made.boot(firmware)
    assert boot.outcome == "installed", boot.text()
    assert boot.boot_file == file
    assert asked in made.files_asked
    assert not [path for path in made.files_asked if "x64" in path or "x86_64" in path]
    again = made.boot(firmware, seed=2)
    assert again.outcome == "local"
    assert again.started is not None
    assert again.started.loader == "/EFI/BOOT/BOOTAA64.EFI"


@pytest.mark.parametrize(
    ("profile", "firmware", "sentence"),
    [
        ("arm", "bios", "distro arm is for aarch64, the machine's firmware is bios (x86_64)"),
        ("arm", "x64-uefi-http", "distro arm is for aarch64, the machine's firmware is x64-uefi-http (x86_64)"),
        ("web", "arm64-uefi", "distro deb is for x86_64, the machine's firmware is arm64-uefi (aarch64)"),
    ],
)
def test_a_distro_for_another_processor_holds_the_machine(
    tmp_path: Path, profile: str, firmware: FirmwareName, sentence: str
) -> None:
    made = server(tmp_path, profile)
    boot = made.boot(firmware)
    assert boot.outcome == "local", boot.text()
    assert reason(made, "boot.held") == sentence
    assert boot.started is not None
    assert sentence in " ".join(boot.started.said)
    # Once the profile is right it installs: the hold was the plan's, it is no state of the machine.
    assert made.services.store.installs.get("web1").state == "new"


def test_the_own_disk_is_for_machines_of_any_processor(tmp_path: Path) -> None:
    own = {
        "site/distros/own.toml": 'family = "local"\ninstaller = "plain"\n',
        "site/profiles/own.toml": 'distro = "own"\n',
    }
    boot = server(tmp_path, "own", {**FILES, **own}).boot("arm64-uefi")
    assert boot.outcome == "local", boot.text()
    assert boot.started is not None
    assert not [line for line in boot.started.said if "holds" in line]


def test_without_loaders_the_firmware_goes_on_and_is_told_of(tmp_path: Path) -> None:
    files = {path: text for path, text in FILES.items() if path not in LOADERS}
    made = server(tmp_path, files=files)
    assert made.boot("arm64-uefi").outcome == "stopped"
    assert reason(made, "boot.none") == (
        "the firmware is arm64-uefi, and no boot loader that is enabled has a first file for it"
    )
    session = made.store.sessions.sessions(limit=1)[0]
    events = [row for row in made.store.sessions.events(session.id) if row.kind == "boot.none"]
    assert {row.fields["missing"] for row in events} == {"shimaa64.efi"}


@pytest.mark.parametrize(
    ("types", "words"),
    [
        (b"\0\x06", "is ia32-uefi"),
        (b"\0\x1f", "is type 31 (s390 Basic)"),
        (b"\xff\xfe", "is type 65534 (not registered)"),
        (b"\0", "does not say its architecture (option 93)"),
    ],
)
def test_firmware_that_nobody_serves_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, types: bytes, words: str
) -> None:
    style = replace(ARM64_PXE, values={**ARM64_PXE.values, 93: types})
    monkeypatch.setattr(simulated, "_STYLES", {"arm64-uefi": style})
    made = server(tmp_path, "web")
    assert made.boot("arm64-uefi").outcome == "stopped"
    assert (
        reason(made, "boot.none") == f"the firmware {words}, and no boot loader that is enabled has a first file for it"
    )
