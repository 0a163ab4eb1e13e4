"""ipxe: network boot with iPXE, for BIOS and x86-64 UEFI machines (architectures 0, 7 and 9, RFC 4578).

A machine whose card or firmware is iPXE already gets a script at once. Any other gets iPXE first (``undionly.kpxe``,
``snponly.efi`` or ``ipxe.efi`` from ``provd fetch ipxe``) and the script when iPXE asks: it says so in option 77.
The kernel and its initial RAM disks go by HTTP. Floppy and ISO images are started by memdisk (``provd fetch loaders``).

No iPXE of Debian's is signed: with Secure Boot on, use ``grub_efi``. Before the disk is booted iPXE ends: a BIOS then
takes its next entry, UEFI too, because iPXE ends with an error there (after a success OVMF and others stop at a menu).

A menu (policy ``menu``) is iPXE's own. iPXE cannot check a hash, so what takes a password cannot be chosen there.

This plugin is not enabled by default. Put it before ``pxelinux`` and ``grub_efi`` in ``enabled``, or name it in the
``boot_loaders`` of a profile.

Settings::

    [plugins.ipxe]
    uefi_program = "snponly.efi"   # uses the firmware's driver; "ipxe.efi" brings drivers of its own
    chain = true                   # false: only machines that are iPXE already
    local_boot = "exit"            # or "sanboot": a BIOS disk is started by iPXE itself
    hold_s = 10                    # seconds that the reason for a held boot stays on the screen

A profile may set ``local_boot`` for its machines under ``[loader.ipxe]``. iPXE's language has no quotes: an argument
with ``${``, with two blanks in a row, with a word that begins with ``#`` (a comment), or that is ``;``, ``&&`` or
``||``, is refused.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Literal

from provd.plugin.api import (
    NOTHING_INSTALLED,
    Action,
    BootFile,
    BootLoader,
    BootPlan,
    ClientFacts,
    Content,
    FileRequest,
    NotFound,
    Plugin,
    Settings,
    check_length,
    command_line,
    hookimpl,
    screen_line,
)

from .menu import menu_lines

SCRIPT = "ipxe/boot.ipxe"
CHOICE = "ipxe/choice/"
_CHOICE = re.compile(rf"{CHOICE}(?P<name>[\w.+-]+)\.ipxe")
BIOS = "undionly.kpxe"
MEMDISK = "memdisk"
_PROGRAMS = (BIOS, "snponly.efi", "ipxe.efi")
_SPLITS = re.compile(r"\$\{|  |(?:^| )(?:;|&&|\|\|)(?:$| )|(?:^| )#")
_COMMENT = re.compile(r"(?:^|(?<= ))#+")


class OfProfile(Settings, frozen=True):
    """``[loader.ipxe]`` of a profile."""

    local_boot: Literal["exit", "sanboot"] = "exit"


class IpxeSettings(Settings, frozen=True):
    """Keys of ``[plugins.ipxe]``; ``data_dir`` is filled in by provd."""

    uefi_program: Literal["snponly.efi", "ipxe.efi"] = "snponly.efi"
    chain: bool = True
    local_boot: Literal["exit", "sanboot"] = "exit"
    hold_s: int = 10
    data_dir: str = ""


class Ipxe:
    """Serves iPXE and its scripts."""

    def __init__(self, settings: IpxeSettings) -> None:
        self._settings = settings
        self._folder = Path(settings.data_dir) / "payload" / "ipxe"
        self._memdisk = Path(settings.data_dir) / "payload" / "loaders" / MEMDISK

    @hookimpl
    def provd_boot_loaders(self) -> Iterable[BootLoader]:
        return [
            BootLoader(
                "ipxe", self._select, self._files, is_config, self._config, self._local, choice, self._lacks, OfProfile
            )
        ]

    def _files(self) -> Mapping[str, Path]:
        found = {MEMDISK: self._memdisk, **{name: self._folder / name for name in _PROGRAMS}}
        return {name: path for name, path in found.items() if path.is_file()}

    def _select(self, client: ClientFacts, _plan: BootPlan) -> BootFile | None:
        arch = client.arch
        if arch is None or arch.http or arch.name not in {"bios", "x64-uefi"}:
            return None
        if client.is_ipxe:
            return BootFile(SCRIPT)
        name = BIOS if arch.firmware == "bios" else self._settings.uefi_program
        return BootFile(name) if self._settings.chain and name in self._files() else None

    def _lacks(self, client: ClientFacts, _plan: BootPlan) -> str:
        arch = client.arch
        if arch is None or arch.http or arch.name not in {"bios", "x64-uefi"} or not self._settings.chain:
            return ""
        name = BIOS if arch.firmware == "bios" else self._settings.uefi_program
        return "" if client.is_ipxe or name in self._files() else name

    def _config(self, _request: FileRequest, plan: BootPlan | None) -> Content | NotFound:
        if plan is None:
            return Content.text(_script(_end(self._settings.local_boot)))
        if plan.action is Action.WAIT:
            return Content.text(_wait(plan))
        if plan.action is Action.MENU and plan.menu is not None:
            shown = menu_lines(plan.menu, self._end(plan), lambda name: plan.url(f"{CHOICE}{name}.ipxe"), _words)
            return Content.text(_script(*shown), secret=True)
        if plan.action not in {Action.INSTALL, Action.START}:
            return Content.text(self._local(plan))
        try:
            made = _install(plan) if plan.action is Action.INSTALL else self._start(plan)
            return Content.text(made, secret=True)
        except ValueError as error:
            return NotFound(f"iPXE cannot start {plan.kernel}: {error}", status=500)

    def _local(self, plan: BootPlan) -> str:
        end = self._end(plan)
        if plan.action is not Action.HOLD:
            return _script(end)
        said = f"echo provd holds this machine: {_words(screen_line(plan.reason))}"
        return _script(said, "echo It starts from its own disk.", f"sleep {self._settings.hold_s}", end)

    def _end(self, plan: BootPlan) -> str:
        own = plan.profile.loader.get("ipxe", {}) if plan.profile else {}
        return _end(str(own.get("local_boot", self._settings.local_boot)))

    def _start(self, plan: BootPlan) -> str:
        """What installs nothing: a kernel, an EFI program in iPXE's place, or an image by memdisk."""
        if plan.kind == "linux":
            return _install(plan).replace("#!ipxe\n", f"#!ipxe\n{NOTHING_INSTALLED}", 1)
        arguments, image = list(plan.kernel_args), f"{plan.http_base}/{plan.kernel}"
        if plan.kind == "efi":
            return _script(NOTHING_INSTALLED.rstrip(), *_loading(image, _checked(command_line(arguments)), ()))
        if not self._memdisk.is_file():
            raise ValueError(f"{MEMDISK} is missing; provd fetch loaders gets it")
        words = _checked(command_line((plan.kind, "raw", *arguments)))
        memdisk = f"{plan.http_base}/{MEMDISK}"
        return _script(NOTHING_INSTALLED.rstrip(), *_loading(memdisk, words, (("image", image),)))


def is_config(path: str) -> bool:
    """Whether a served path is iPXE's script."""
    return path == SCRIPT or bool(choice(path))


def choice(path: str) -> str:
    """The entry of a menu that a script stands for, or empty."""
    match = _CHOICE.fullmatch(path)
    return match["name"] if match else ""


def _wait(plan: BootPlan) -> str:
    """Show why, and take the script's next version in the place of this one after a while."""
    said = f"echo This machine waits: {_words(screen_line(plan.reason))}"
    ask = f"chain --replace --autofree {plan.url(SCRIPT)} || goto again"
    return _script(said, ":again", f"sleep {plan.wait_s}", ask)


def _install(plan: BootPlan) -> str:
    initrds = [f"initrd{number}" for number in range(len(plan.initrd))]
    bootif = f"BOOTIF=01-{str(plan.client.mac).replace(':', '-')}"
    # UEFI kernels find an initial RAM disk by its name; a BIOS kernel gets all of them.
    arguments = command_line([*(f"initrd={name}" for name in initrds), *plan.kernel_args, bootif])
    named = [(name, f"{plan.http_base}/{path}") for name, path in zip(initrds, plan.initrd, strict=True)]
    return _script(*_loading(f"{plan.http_base}/{plan.kernel}", _checked(arguments), named))


def _checked(arguments: str) -> str:
    check_length(arguments)
    if match := _SPLITS.search(arguments):
        raise ValueError(f"the command line holds {match[0].strip() or 'two blanks in a row'!r}, which iPXE changes")
    return arguments


def _loading(kernel: str, arguments: str, initrds: Iterable[tuple[str, str]]) -> Iterator[str]:
    """Fetch a kernel and initial RAM disks (name and URL), and start them."""
    yield "imgfree"
    yield f"kernel {kernel} {arguments}".rstrip() + " || goto failed"
    yield from (f"initrd --name {name} {url} || goto failed" for name, url in initrds)
    yield "boot || goto failed"
    yield from (":failed", "echo The kernel could not be loaded; trying again.", "sleep 10", "reboot")


def _end(local_boot: str) -> str:
    bios = "sanboot --no-describe --drive 0x80 || exit 0" if local_boot == "sanboot" else "exit 0"
    return f"iseq ${{platform}} efi && goto efi ||\n{bios}\n:efi\nexit 1"


def _words(text: str) -> str:
    """A text that iPXE takes for nothing but words."""
    plain = _COMMENT.sub("", text)
    return plain.replace("${", "$ {").replace("&&", "and").replace("||", "or").replace(";", ",")


def _script(*lines: str) -> str:
    return "\n".join(("#!ipxe", *lines)) + "\n"


PLUGIN = Plugin(name="ipxe", settings=IpxeSettings, build=Ipxe)
