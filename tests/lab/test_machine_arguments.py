"""The command line of QEMU: what decides how firmware boots."""

from __future__ import annotations

from pathlib import Path

import pytest

from provd.lab.errors import LabError
from provd.lab.firmware import Firmware
from provd.lab.machine import Machine, MachineSpec, qemu_arguments
from provd.lab.network import Tap


def device(arguments: list[str], model: str) -> str:
    return next(word for word in arguments if word.startswith(f"{model},"))


def bios(**changes: object) -> list[str]:
    values: dict[str, object] = {"name": "m1", "mac": "52:54:00:00:00:01", **changes}
    spec = MachineSpec(**values)  # type: ignore[arg-type]
    return qemu_arguments(spec, Path("/run/m1"), "tap7", 5, 6)


def test_the_network_card_comes_before_the_disk() -> None:
    arguments = bios()
    assert "bootindex=1" in device(arguments, "virtio-net-pci")
    assert "bootindex=2" in device(arguments, "virtio-blk-pci")


def test_the_disk_can_come_first() -> None:
    arguments = bios(network_first=False)
    assert "bootindex=2" in device(arguments, "virtio-net-pci")
    assert "bootindex=1" in device(arguments, "virtio-blk-pci")


def test_the_processor_is_always_emulated() -> None:
    arguments = bios()
    assert arguments[arguments.index("-accel") + 1].startswith("tcg")
    assert not [word for word in arguments if "kvm" in word]


@pytest.mark.parametrize(
    ("firmware", "nic", "rom"),
    [
        (Firmware.BIOS, "virtio-net-pci", True),
        (Firmware.BIOS, "e1000", True),
        (Firmware.UEFI, "virtio-net-pci", False),
        (Firmware.UEFI, "e1000", True),
        (Firmware.UEFI_HTTP, "virtio-net-pci", False),
    ],
)
def test_the_cards_own_rom_starts_where_firmware_has_no_driver(firmware: Firmware, nic: str, rom: bool) -> None:
    assert MachineSpec("m1", "52:54:00:00:00:01", firmware, nic=nic).wants_rom() is rom


def test_an_arm64_machine_has_its_own_emulator_board_and_firmware(tmp_path: Path) -> None:
    (tmp_path / "efi-variables.fd").touch()
    for name in ("AAVMF_CODE.fd", "AAVMF_VARS.fd"):
        if not Path("/usr/share/AAVMF", name).is_file():
            pytest.skip("qemu-efi-aarch64 is not installed")
    spec = MachineSpec("m1", "52:54:00:00:00:01", Firmware.ARM64_UEFI_HTTP)
    arguments = qemu_arguments(spec, tmp_path, "tap7", 5, 6)
    assert arguments[0] == "qemu-system-aarch64"
    assert arguments[arguments.index("-machine") + 1] == "virt"
    assert arguments[arguments.index("-cpu") + 1] == "cortex-a72"
    assert "name=opt/org.tianocore/IPv4PXESupport,string=no" in arguments
    assert ",romfile=" in device(arguments, "virtio-net-pci")


def test_a_machine_without_disk_has_none() -> None:
    assert not [word for word in bios(disk="none") if "disk0" in word]


def test_an_unknown_disk_is_refused(tmp_path: Path) -> None:
    spec = MachineSpec("m1", "52:54:00:00:00:01", disk="floppy")
    with pytest.raises(LabError, match="machine m1: disk 'floppy' is none of virtio, sata, nvme, none"):
        Machine(spec, Tap("tap1", "nowhere"), tmp_path)


def test_a_machine_that_is_off_says_so(tmp_path: Path) -> None:
    machine = Machine(MachineSpec("m1", "52:54:00:00:00:01"), Tap("tap1", "nowhere"), tmp_path)
    assert not machine.running()
    with pytest.raises(LabError, match="machine m1 was not powered on"):
        machine.reset()
