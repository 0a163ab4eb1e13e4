"""Client system architectures (RFC 4578 section 2.1 and the IANA registry it began)."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Arch:
    """One row of the architecture table.

    Attributes:
        code: value of DHCP option 93.
        name: provd's name, as in ``provd simulate --arch``.
        cpu: ``i386``, ``x86_64``, ``arm``, ``aarch64`` or ``riscv64``.
        firmware: ``bios`` or ``uefi``.
        http: the firmware asks for an HTTP URI instead of a TFTP file (UEFI 2.x section 24.7).
    """

    code: int
    name: str
    cpu: str
    firmware: str
    http: bool = False

    @property
    def kernels(self) -> tuple[str, ...]:
        """CPUs whose kernels this firmware can start, its own first.

        Processors of x86-64 run those of i386, too; and firmware of 32 bits stands on processors of 64.
        """
        return (self.cpu, *(cpu for cpu in _PC if cpu != self.cpu)) if self.cpu in _PC else (self.cpu,)


_PC = ("x86_64", "i386")
BIOS = Arch(0, "bios", "x86_64", "bios")
EFI_IA32 = Arch(6, "ia32-uefi", "i386", "uefi")
EFI_X64 = Arch(7, "x64-uefi", "x86_64", "uefi")
EFI_BC = Arch(9, "x64-uefi", "x86_64", "uefi")
EFI_ARM32 = Arch(10, "arm32-uefi", "arm", "uefi")
EFI_ARM64 = Arch(11, "arm64-uefi", "aarch64", "uefi")
EFI_IA32_HTTP = Arch(15, "ia32-uefi-http", "i386", "uefi", http=True)
EFI_X64_HTTP = Arch(16, "x64-uefi-http", "x86_64", "uefi", http=True)
EFI_ARM32_HTTP = Arch(18, "arm32-uefi-http", "arm", "uefi", http=True)
EFI_ARM64_HTTP = Arch(19, "arm64-uefi-http", "aarch64", "uefi", http=True)
EFI_RISCV64 = Arch(27, "riscv64-uefi", "riscv64", "uefi")
EFI_RISCV64_HTTP = Arch(28, "riscv64-uefi-http", "riscv64", "uefi", http=True)

ARCHS: dict[int, Arch] = {
    arch.code: arch
    for arch in (
        BIOS,
        EFI_IA32,
        EFI_X64,
        EFI_BC,
        EFI_ARM32,
        EFI_ARM64,
        EFI_IA32_HTTP,
        EFI_X64_HTTP,
        EFI_ARM32_HTTP,
        EFI_ARM64_HTTP,
        EFI_RISCV64,
        EFI_RISCV64_HTTP,
    )
}


def arch_named(name: str) -> Arch | None:
    """The first architecture of a name of ours; None where there is none."""
    return next((arch for arch in ARCHS.values() if arch.name == name), None)


def first_known(codes: tuple[int, ...]) -> Arch | None:
    """The first architecture of option 93's list that the table knows (RFC 4578 section 2.1: first match wins)."""
    return next((ARCHS[code] for code in codes if code in ARCHS), None)


_REGISTERED: dict[int, str] = {
    1: "NEC PC98",
    2: "Itanium",
    3: "DEC Alpha",
    4: "Arc x86",
    5: "Intel Lean Client",
    8: "EFI Xscale",
    12: "PowerPC Open Firmware",
    13: "PowerPC ePAPR",
    14: "POWER OPAL v3",
    17: "EBC by HTTP",
    20: "PC BIOS by HTTP",
    21: "arm32 U-Boot",
    22: "arm64 U-Boot",
    23: "arm32 U-Boot by HTTP",
    24: "arm64 U-Boot by HTTP",
    25: "RISC-V 32 UEFI",
    26: "RISC-V 32 UEFI by HTTP",
    29: "RISC-V 128 UEFI",
    30: "RISC-V 128 UEFI by HTTP",
    31: "s390 Basic",
    32: "s390 Extended",
    33: "MIPS 32 UEFI",
    34: "MIPS 64 UEFI",
    35: "Sunway 32 UEFI",
    36: "Sunway 64 UEFI",
    37: "LoongArch 32 UEFI",
    38: "LoongArch 32 UEFI by HTTP",
    39: "LoongArch 64 UEFI",
    40: "LoongArch 64 UEFI by HTTP",
}
"""The other rows of IANA's registry of processor architecture types: nothing is known of them but their names."""


_USUAL: dict[str, Arch] = {"aarch64": EFI_ARM64, "arm": EFI_ARM32, "riscv64": EFI_RISCV64}


def usual_arch(cpu: str) -> Arch:
    """The firmware that machines for a distro of this CPU are imagined with where nobody says."""
    return _USUAL.get(cpu, BIOS)


def arch_words(arch: Arch | None, codes: tuple[int, ...]) -> str:
    """What a client's firmware is, for people: provd's name, or what its option 93 says."""
    if arch is not None:
        return arch.name
    if not codes:
        return ""
    return f"type {codes[0]} ({_REGISTERED.get(codes[0], 'not registered')})"
