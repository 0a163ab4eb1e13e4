"""Which of a distro's programs a machine boots: the first that its firmware and CPU can run."""

from __future__ import annotations

from collections.abc import Iterable

from provd.model.arch import Arch
from provd.model.distro import PROGRAM_KINDS, Distro, Program

_INTEL = frozenset({"i386", "x86_64"})


def program_for(distro: Distro, arch: Arch | None) -> Program | str:
    """The program for a machine of this architecture, or one sentence on why there is none."""
    if arch is None:
        return f"what the machine's firmware is was not said, and distro {distro.name} has a program for each"
    found = next((one for one in distro.programs if _fits(one, distro, arch)), None)
    if found is not None:
        return found
    there = ", ".join(dict.fromkeys(_label(one, distro) for one in distro.programs))
    return f"distro {distro.name} has nothing that {arch.name} can boot; it has: {there}"


def boots_on(distro: Distro, arch: Arch) -> bool:
    """Whether a machine of this architecture can boot the distro at all."""
    if distro.programs:
        return any(_fits(one, distro, arch) for one in distro.programs)
    return distro.arch in arch.kernels or not distro.kernel


def _fits(program: Program, distro: Distro, arch: Arch) -> bool:
    if program.firmware != arch.firmware:
        return False
    cpu = program.arch or distro.arch
    return cpu in _INTEL if arch.firmware == "bios" else cpu == arch.cpu


def _label(program: Program, distro: Distro) -> str:
    what = {"linux": "a kernel", "efi": "an EFI program", "floppy": "a floppy image", "iso": "an ISO image"}
    where = "BIOS" if program.firmware == "bios" else f"UEFI on {program.arch or distro.arch}"
    return f"{what[program.kind]} for {where}"


def program_fault(firmware: str, kind: str, initrd: Iterable[str]) -> str:
    """Why no machine can boot a program of this kind under this firmware; or empty."""
    able = PROGRAM_KINDS[kind]
    if firmware not in able:
        return f"{kind} cannot be booted by {firmware}, only by {' and '.join(able)}"
    return "initrd: only a program of kind linux has initial RAM disks" if kind != "linux" and tuple(initrd) else ""
