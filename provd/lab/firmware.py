"""Which firmware a virtual machine starts with, and the QEMU arguments for it."""

from __future__ import annotations

import shutil
from enum import StrEnum
from pathlib import Path

from provd.lab.errors import LabError

_OVMF = Path("/usr/share/OVMF")


class Firmware(StrEnum):
    """BIOS: SeaBIOS with the network card's iPXE ROM. UEFI: OVMF with its own drivers."""

    BIOS = "bios"
    UEFI = "uefi"
    UEFI_SECUREBOOT = "uefi-secureboot"
    UEFI_HTTP = "uefi-http"

    @property
    def is_uefi(self) -> bool:
        """Whether the machine needs an EFI boot loader."""
        return self is not Firmware.BIOS


def _present(name: str) -> Path:
    path = _OVMF / name
    if not path.is_file():
        msg = f"{path} is missing: apt-get install ovmf"
        raise LabError(msg)
    return path


def firmware_arguments(firmware: Firmware, directory: Path) -> list[str]:
    """QEMU arguments of the board and its firmware.

    Args:
        firmware: which one.
        directory: of the machine; the firmware's own variables are kept there, so that boot entries survive a restart.

    Raises:
        LabError: OVMF is not installed.
    """
    if firmware is Firmware.BIOS:
        # graphics=off sends SeaBIOS, the ROM and pxelinux to the serial line.
        return ["-machine", "pc,graphics=off"]
    secure = firmware is Firmware.UEFI_SECUREBOOT
    code = _present("OVMF_CODE_4M.secboot.fd" if secure else "OVMF_CODE_4M.fd")
    # The .ms variables hold Microsoft's keys and have Secure Boot switched on.
    blank = _present("OVMF_VARS_4M.ms.fd" if secure else "OVMF_VARS_4M.fd")
    variables = directory / "efi-variables.fd"
    if not variables.exists():
        shutil.copyfile(blank, variables)
    board = ["-machine", "q35,smm=on,graphics=off" if secure else "q35,graphics=off"]
    if secure:
        # Only code in system management mode may write variables: without it the lock is not one.
        board += ["-global", "driver=cfi.pflash01,property=secure,value=on", "-global", "ICH9-LPC.disable_s3=1"]
    ipv4_pxe = "no" if firmware is Firmware.UEFI_HTTP else "yes"
    return [
        *board,
        *("-drive", f"if=pflash,unit=0,format=raw,readonly=on,file={code}"),
        *("-drive", f"if=pflash,unit=1,format=raw,file={variables}"),
        *("-fw_cfg", f"name=opt/org.tianocore/IPv4PXESupport,string={ipv4_pxe}"),
        *("-fw_cfg", "name=opt/org.tianocore/IPv6PXESupport,string=no"),
    ]
