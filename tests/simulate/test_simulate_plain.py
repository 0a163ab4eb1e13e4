"""What installs nothing, booted whole by simulated machines: each kind of payload under each firmware."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from provd.core.boot_policy import decide
from provd.model.boot import Action
from provd.simulate.actions import Fetched, TftpGet
from provd.simulate.boot import FirmwareName, Transcript
from provd.testing.world import SAMPLE_FILES, World

PLUGINS = ["client_classes", "relay", "pxelinux", "grub_efi", "source_http", "installer_preseed", "installer_plain"]
IPXE = ["client_classes", "relay", "ipxe", "source_http", "installer_plain"]
BOTH = """installer = "plain"
[[program]]
firmware = "bios"
kind = "{bios}"
file = "payload:tool/tool.bin"
[[program]]
firmware = "uefi"
kind = "efi"
file = "payload:tool/tool.efi"
"""
FILES = {
    **SAMPLE_FILES,
    "data/payload/loaders/memdisk": b"memdisk" * 100,
    "data/payload/ipxe/undionly.kpxe": b"bios",
    "data/payload/ipxe/snponly.efi": b"efi",
    "data/payload/tool/tool.bin": b"for a BIOS",
    "data/payload/tool/tool.efi": b"for UEFI",
    "site/distros/test.toml": BOTH.format(bios="linux"),
    "site/distros/disk.toml": BOTH.format(bios="iso"),
    "site/distros/efi.toml": 'installer = "plain"\n[[program]]\nfirmware = "uefi"\nkind = "efi"\n'
    'file = "payload:tool/tool.efi"\n',
    "site/distros/rescue.toml": 'installer = "plain"\nkernel = "payload:sample/linux"\n'
    'initrd = ["payload:sample/initrd"]\nkernel_args = ["rescue"]\ntree = "http://10.88.0.9/live"\n'
    '[answers]\narguments = ["fetch={tree}/fs", "host={hostname}"]\n',
    "site/distros/own.toml": 'installer = "plain"\n',
    **{f"site/profiles/{name}.toml": f'distro = "{name}"\n' for name in ("test", "disk", "efi", "rescue", "own")},
    "site/profiles/again.toml": 'distro = "rescue"\n[boot]\npolicy = "always"\n',
    "site/profiles/typo.toml": 'distro = "rescue"\n[answers]\narguments = ["fetch={ter}/fs"]\n',
}  # fmt: skip


def booted(root: Path, profile: str, firmware: FirmwareName, plugins: list[str] = PLUGINS) -> tuple[World, Transcript]:
    world = World(root, enabled=plugins, files=FILES)
    world.add(profile=profile)
    return world, world.boot(firmware)


@pytest.mark.parametrize("plugins", [PLUGINS, IPXE], ids=["own", "ipxe"])
@pytest.mark.parametrize(
    ("profile", "firmware", "loaded"),
    [
        ("test", "bios", b"for a BIOS"),
        ("test", "x64-uefi", b"for UEFI"),
        ("disk", "bios", b"memdisk" * 100),
        ("disk", "x64-uefi", b"for UEFI"),
        ("rescue", "bios", b"kernel" * 4000),
        ("rescue", "x64-uefi", b"kernel" * 4000),
    ],
)
def test_each_kind_is_booted_by_the_firmware_it_is_for(
    tmp_path: Path, plugins: list[str], profile: str, firmware: FirmwareName, loaded: bytes
) -> None:
    world, transcript = booted(tmp_path, profile, firmware, plugins)
    assert transcript.outcome == "started", transcript.text()
    assert transcript.started is not None
    assert transcript.started.kernel == loaded
    assert world.store.sessions.sessions(limit=1)[0].outcome == "started"
    assert world.kinds()[-1] == "boot.handed_over"


def test_an_http_boot_chains_the_efi_program(tmp_path: Path) -> None:
    _, transcript = booted(tmp_path, "test", "x64-uefi-http")
    assert transcript.outcome == "started", transcript.text()
    assert transcript.started is not None
    assert transcript.started.kernel == b"for UEFI"


def test_memdisk_gets_the_image(tmp_path: Path) -> None:
    _, transcript = booted(tmp_path, "disk", "bios")
    assert transcript.started is not None
    assert transcript.started.initrd == (b"for a BIOS",)
    assert " iso raw " in transcript.started.command_line


def test_arguments_name_the_tree_and_the_host(tmp_path: Path) -> None:
    _, transcript = booted(tmp_path, "rescue", "bios")
    assert transcript.started is not None
    assert " rescue fetch=http://10.88.0.9/live/fs host=web1 " in transcript.started.command_line
    assert "/answer/" not in transcript.started.command_line


def test_an_efi_program_on_a_bios_is_refused_with_what_there_is(tmp_path: Path) -> None:
    world, transcript = booted(tmp_path, "efi", "bios")
    assert transcript.outcome == "local"
    assert transcript.started is not None
    said = " ".join(transcript.started.said)
    assert "distro efi has nothing that bios can boot; it has: an EFI program for UEFI on x86_64" in said
    assert world.store.sessions.sessions(limit=1)[0].action == "hold"


def test_a_place_that_nobody_fills_is_refused(tmp_path: Path) -> None:
    _, transcript = booted(tmp_path, "typo", "bios")
    assert transcript.started is not None
    assert "{ter} is none of {tree}, {http}" in " ".join(transcript.started.said)


def test_a_distro_that_names_nothing_is_the_own_disk(tmp_path: Path) -> None:
    world, transcript = booted(tmp_path, "own", "bios")
    assert transcript.outcome == "local"
    assert world.store.sessions.sessions(limit=1)[0].action == "local"


def test_once_it_is_started_and_then_the_disk_until_somebody_asks_again(tmp_path: Path) -> None:
    world, first = booted(tmp_path, "rescue", "bios")
    assert [first.outcome, world.boot().outcome, world.boot().outcome] == ["started", "local", "local"]
    system = world.services.systems.get("web1")
    assert system is not None
    assert not system.netboot
    world.services.systems.set_netboot("web1", wanted=True)
    assert [world.boot().outcome, world.boot().outcome] == ["started", "local"]


def test_always_starts_it_at_every_boot(tmp_path: Path) -> None:
    world, first = booted(tmp_path, "again", "bios")
    assert [first.outcome, world.boot().outcome, world.boot().outcome] == ["started"] * 3


def test_a_profile_that_installs_does_not_begin_by_itself_after_one_that_was_started(tmp_path: Path) -> None:
    world, _ = booted(tmp_path, "rescue", "bios")
    system = world.services.systems.get("web1")
    assert system is not None
    state = world.store.installs.get("web1")
    assert (state.state, state.attempts) == ("started", 0)
    profile = world.loaded.catalogue.profile_for(system)
    decision = decide(replace(system, netboot=True), profile, state, installs=True)
    assert decision.action is Action.LOCAL
    assert "provd system edit --netboot" in decision.reason


def test_after_a_restart_of_provd_the_machine_gets_the_program_of_its_firmware(tmp_path: Path) -> None:
    world = World(tmp_path, enabled=PLUGINS, files=FILES)
    world.add(profile="test")
    remembering = world.tftp

    def forgetting(action: TftpGet) -> Fetched:
        for boot in world.services.sessions.boots():
            boot.plan = None
        return remembering(action)

    world.tftp = forgetting  # type: ignore[method-assign]
    transcript = world.boot("x64-uefi")
    assert transcript.started is not None
    assert transcript.started.kernel == b"for UEFI"
