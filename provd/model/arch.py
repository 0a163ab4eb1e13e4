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
