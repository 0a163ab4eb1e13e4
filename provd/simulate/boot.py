"""One whole boot of one machine, from firmware to the installer's last report."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from random import Random
from typing import Final, Literal

from provd.simulate.actions import BootError, Driver, Fetched, HttpSend, Stage, TftpGet, run
from provd.simulate.dhcp import Bound, dora
from provd.simulate.firmware import (
    ARM64_HTTP,
    ARM64_PXE,
    BIOS_IPXE,
    GRUB,
    OVMF_HTTP,
    OVMF_PXE,
    UEFI_IPXE,
    ClientStyle,
    Machine,
)
from provd.simulate.grub_loader import ARM64_EFI, X64_EFI, grub_by_http, grub_by_tftp, shim
from provd.simulate.installer import Installed, install
from provd.simulate.loader_steps import Started
from provd.simulate.loaders import ipxe, pxelinux

FirmwareName = Literal["bios", "x64-uefi", "x64-uefi-http", "x64-uefi-ipxe", "arm64-uefi", "arm64-uefi-http"]
FIRMWARE: Final[tuple[FirmwareName, ...]] = (
    *("bios", "x64-uefi", "x64-uefi-http", "x64-uefi-ipxe"),
    *("arm64-uefi", "arm64-uefi-http"),
)
_STYLES: Final[Mapping[FirmwareName, ClientStyle]] = {
    "bios": BIOS_IPXE,
    "x64-uefi": OVMF_PXE,
    "x64-uefi-http": OVMF_HTTP,
    "x64-uefi-ipxe": UEFI_IPXE,
    "arm64-uefi": ARM64_PXE,
    "arm64-uefi-http": ARM64_HTTP,
}
_IPXE_PROGRAMS: Final = ("undionly.kpxe", "snponly.efi", "ipxe.efi", "ipxe.pxe")
_ROM_OPTIONS: Final = (("blksize", "1432"), ("tsize", "0"))
_EDK2_SIZE: Final = (("tsize", "0"), ("blksize", "1468"), ("windowsize", "4"))
_SERVER: Final = re.compile(rb"set provd_server=([\d.]+:\d+) #")
_EDK2_READ: Final = (("blksize", "1468"), ("windowsize", "4"))


@dataclass(frozen=True, slots=True)
class Step:
    """One line of a transcript."""

    name: str
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Transcript:
    """What one boot came to.

    Attributes:
        steps: what happened, in order.
        outcome: ``installed``, ``started`` (what installs nothing), ``local``, ``waiting``, ``stopped`` or ``failed``.
        error: why it failed, or empty.
        address: of the firmware's DHCP round, empty where it got none.
        installer_address: of the installer's round, empty where there was none.
        boot_file: what firmware was told to fetch.
        started: what the loader started, or None.
        installed: what the installer did, or None.
        kernel_sha256: hex, empty where no kernel was loaded.
        initrd_sha256: hex, one per initial RAM disk.
    """

    steps: tuple[Step, ...]
    outcome: str
    error: str = ""
    address: str = ""
    installer_address: str = ""
    boot_file: str = ""
    started: Started | None = None
    installed: Installed | None = None
    kernel_sha256: str = ""
    initrd_sha256: tuple[str, ...] = ()

    def text(self) -> str:
        """The transcript as lines."""
        lines = [f"{step.name}: {step.detail}" if step.detail else step.name for step in self.steps]
        return "\n".join([*lines, f"{self.outcome}{f': {self.error}' if self.error else ''}"])


@dataclass(slots=True)
class _Story:
    steps: list[Step]
    bound: Bound | None = None
    started: Started | None = None
    installed: Installed | None = None

    def tell(self, name: str, detail: str = "") -> None:
        self.steps.append(Step(name, detail))


def simulate(
    driver: Driver,
    machine: Machine,
    firmware: FirmwareName = "bios",
    *,
    seed: int = 0,
    disk: Collection[str] = ("/EFI/BOOT/BOOTX64.EFI", "/EFI/BOOT/BOOTAA64.EFI"),
    reports: tuple[str, ...] = ("started", "progress", "finished"),
) -> Transcript:
    """Boot one machine once.

    Args:
        driver: carries out what the client does.
        machine: which machine.
        firmware: how it boots.
        seed: makes transaction numbers; the same seed gives the same packets.
        disk: files on its EFI system partition, for local boot.
        reports: callbacks that its installer posts.

    Returns:
        The transcript; a boot that fails is a transcript with ``outcome = "failed"``, never an exception.
    """
    story = _Story([])
    try:
        outcome, error = run(boot(machine, firmware, Random(seed), story, disk, reports), driver), ""  # noqa: S311
    except BootError as failure:
        outcome, error = "failed", str(failure)
    started = story.started
    return Transcript(
        tuple(story.steps),
        outcome,
        error,
        story.bound.address if story.bound else "",
        story.installed.bound.address if story.installed else "",
        story.bound.file if story.bound else "",
        started,
        story.installed,
        _hash(started.kernel) if started and started.kernel else "",
        tuple(_hash(one) for one in started.initrd) if started else (),
    )


def boot(
    machine: Machine,
    firmware: FirmwareName,
    random: Random,
    story: _Story,
    disk: Collection[str],
    reports: tuple[str, ...],
) -> Stage[str]:
    """The stages in order; returns the outcome.

    Raises:
        BootError: a step failed.
    """
    style = _STYLES[firmware]
    bound = story.bound = yield from dora(style, machine, random.getrandbits(32))
    story.tell(style.name, f"address {bound.address}, boot file {bound.file or 'none'}")
    if not bound.file:
        return "stopped"
    started = yield from _load(machine, firmware, bound, random, story, disk)
    story.started = started
    story.tell("loader", f"{started.action} by {started.config}")
    if started.action not in {"install", "start"}:
        return started.action
    story.tell("kernel", f"{len(started.kernel)} octets, sha256 {_hash(started.kernel)}")
    for one in started.initrd:
        story.tell("initrd", f"{len(one)} octets, sha256 {_hash(one)}")
    if started.action == "start":
        return "started"
    installed = story.installed = yield from install(
        machine, started.command_line, random.getrandbits(32), reports=reports
    )
    story.tell(f"{installed.family} installer", f"address {installed.bound.address}")
    for name, text in installed.documents.items():
        story.tell(f"answer file {name}", f"{len(text)} characters")
    for name, status in installed.reported.items():
        story.tell(f"report {name}", f"status {status}")
    return "installed"


def _load(
    machine: Machine,
    firmware: FirmwareName,
    bound: Bound,
    random: Random,
    story: _Story,
    disk: Collection[str],
) -> Stage[Started]:
    """Firmware fetches the loader, the loader starts something."""
    if firmware.endswith("-http"):
        image = yield from _http_boot_file(bound)
        story.tell("firmware", f"fetched {bound.file} by HTTP")
        own = yield from dora(GRUB, machine, random.getrandbits(32))
        story.tell(GRUB.name, f"address {own.address}")
        return (yield from grub_by_http(machine, own, server=_server_in(image), disk=disk))
    efi = firmware != "bios"
    if firmware in {"bios", "x64-uefi-ipxe"} and bound.file.endswith(".ipxe"):
        # These ROMs are iPXE: they run a script themselves.
        return (yield from ipxe(machine, bound, efi=efi))
    if bound.file.endswith(_IPXE_PROGRAMS):
        yield from _tftp_boot_file(bound, _ROM_OPTIONS)
        story.tell("firmware", f"fetched {bound.file} by TFTP")
        own = yield from dora(UEFI_IPXE if efi else BIOS_IPXE, machine, random.getrandbits(32))
        story.tell("iPXE", f"address {own.address}, boot file {own.file or 'none'}")
        return (yield from ipxe(machine, own, efi=efi))
    if firmware == "bios":
        yield from _tftp_boot_file(bound, _ROM_OPTIONS)
        story.tell("firmware", f"fetched {bound.file} by TFTP")
        if not bound.file.endswith("pxelinux.0"):
            raise BootError("firmware", f"{bound.file} is no loader that can be simulated")
        return (yield from pxelinux(machine, bound))
    # EDK2 asks for the size first and breaks the transfer off after the OACK (rule T16).
    yield TftpGet(bound.next_server, bound.file, _EDK2_SIZE, source=bound.address, stop_after_size=True)
    image = yield from _tftp_boot_file(bound, _EDK2_READ)
    story.tell("firmware", f"fetched {bound.file} by TFTP")
    platform = ARM64_EFI if firmware.startswith("arm64") else X64_EFI
    if "shim" in bound.file or "bootnet" in bound.file:
        yield from shim(bound, platform)
        story.tell("shim", f"fetched {platform.grub}")
    if _server_in(image):
        return (yield from grub_by_http(machine, bound, server=_server_in(image), disk=disk))
    return (yield from grub_by_tftp(machine, bound, platform, disk=disk))


def _server_in(image: Fetched) -> str:
    """Address and port that were written into a GRUB, or empty."""
    found = _SERVER.search(image.body)
    return found.group(1).decode() if found else ""


def _tftp_boot_file(bound: Bound, options: tuple[tuple[str, str], ...]) -> Stage[Fetched]:
    found: Fetched = yield TftpGet(bound.next_server, bound.file, options, source=bound.address)
    if not found.ok:
        raise BootError("firmware", f"{bound.file}: {found.error or found.status}")
    return found


def _http_boot_file(bound: Bound) -> Stage[Fetched]:
    """HEAD, then GET, as EDK2 does; the length of HEAD must be true."""
    if not bound.file.startswith("http://"):
        raise BootError("firmware", f"HTTP boot was given {bound.file!r}, which is no URL")
    if bound.packet.options.get(60) != b"HTTPClient":
        raise BootError("firmware", "the acknowledgement lacks option 60 HTTPClient")
    agent = {"User-Agent": "UefiHttpBoot/1.0"}
    head: Fetched = yield HttpSend(bound.file, "HEAD", agent, source=bound.address)
    found: Fetched = yield HttpSend(bound.file, "GET", agent, source=bound.address)
    if not found.ok:
        raise BootError("firmware", f"{bound.file}: {found.error or found.status}")
    if head.headers.get("content-length") != str(len(found.body)):
        raise BootError("firmware", f"{bound.file}: HEAD announced {head.headers.get('content-length')} octets")
    return found


def _hash(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()
