"""Which firmware a virtual machine starts with, and the QEMU arguments for it."""

from __future__ import annotations

import shutil
from enum import StrEnum
from pathlib import Path

from provd.lab.errors import LabError

_OVMF = Path("/usr/share/OVMF")
_AAVMF = Path("/usr/share/AAVMF")


class Firmware(StrEnum):
    """BIOS: SeaBIOS with the network card's iPXE ROM. UEFI: OVMF, on arm64 AAVMF, with their own drivers."""

    BIOS = "bios"
    UEFI = "uefi"
    UEFI_SECUREBOOT = "uefi-secureboot"
    UEFI_HTTP = "uefi-http"
    ARM64_UEFI = "arm64-uefi"
    ARM64_UEFI_HTTP = "arm64-uefi-http"

    @property
    def is_uefi(self) -> bool:
        """Whether the machine needs an EFI boot loader."""
        return self is not Firmware.BIOS

    @property
    def is_arm64(self) -> bool:
        """Whether the machine is no PC."""
        return self in {Firmware.ARM64_UEFI, Firmware.ARM64_UEFI_HTTP}

    @property
    def by_http(self) -> bool:
        """Whether it boots by HTTP instead of PXE."""
        return self in {Firmware.UEFI_HTTP, Firmware.ARM64_UEFI_HTTP}

    @property
    def emulator(self) -> str:
        """The QEMU program for its processor."""
        return "qemu-system-aarch64" if self.is_arm64 else "qemu-system-x86_64"


def _present(path: Path, package: str) -> Path:
    if not path.is_file():
        msg = f"{path} is missing: apt-get install {package}"
        raise LabError(msg)
    return path


def firmware_arguments(firmware: Firmware, directory: Path) -> list[str]:
    """QEMU arguments of the board and its firmware.

    Args:
        firmware: which one.
        directory: of the machine; the firmware's own variables are kept there, so that boot entries survive a restart.

    Raises:
        LabError: the firmware's package is not installed.
    """
    if firmware is Firmware.BIOS:
        # graphics=off sends SeaBIOS, the ROM and pxelinux to the serial line.
        return ["-machine", "pc,graphics=off"]
    secure = firmware is Firmware.UEFI_SECUREBOOT
    if firmware.is_arm64:
        code = _present(_AAVMF / "AAVMF_CODE.fd", "qemu-efi-aarch64")
        blank = _present(_AAVMF / "AAVMF_VARS.fd", "qemu-efi-aarch64")
    else:
        code = _present(_OVMF / ("OVMF_CODE_4M.secboot.fd" if secure else "OVMF_CODE_4M.fd"), "ovmf")
        # The .ms variables hold Microsoft's keys and have Secure Boot switched on.
        blank = _present(_OVMF / ("OVMF_VARS_4M.ms.fd" if secure else "OVMF_VARS_4M.fd"), "ovmf")
    variables = directory / "efi-variables.fd"
    if not variables.exists():
        shutil.copyfile(blank, variables)
    board = ["-machine", "q35,smm=on,graphics=off" if secure else "q35,graphics=off"]
    if firmware.is_arm64:
        # Its own processor is told by name: "virt" would start one of 32 bits.
        board = ["-machine", "virt", "-cpu", "cortex-a72"]
    if secure:
        # Only code in system management mode may write variables: without it the lock is not one.
        board += ["-global", "driver=cfi.pflash01,property=secure,value=on", "-global", "ICH9-LPC.disable_s3=1"]
    ipv4_pxe = "no" if firmware.by_http else "yes"
    return [
        *board,
        *("-drive", f"if=pflash,unit=0,format=raw,readonly=on,file={code}"),
        *("-drive", f"if=pflash,unit=1,format=raw,file={variables}"),
        *("-fw_cfg", f"name=opt/org.tianocore/IPv4PXESupport,string={ipv4_pxe}"),
        *("-fw_cfg", "name=opt/org.tianocore/IPv6PXESupport,string=no"),
    ]
