"""pxelinux: network boot for BIOS machines (architecture 0, RFC 4578).

The machine fetches ``lpxelinux.0``, which then fetches kernel and initial RAM disks by HTTP, or ``pxelinux.0``, which
fetches them by TFTP. The files come from ``provd fetch loaders``. An iPXE ROM is served as well: it says PXEClient and
loads pxelinux like any other ROM.

The whole search order of pxelinux is answered from memory: the UUID, ``01-`` and the hardware address, the address in
hex shortened digit by digit, ``default``. The first name that means the asking machine gets its configuration.

A menu (policy ``menu``) is syslinux's, with its passwords as SHA-512 crypt hashes. Where the module was not fetched a
prompt stands in for it, which asks for no password, so that what takes one cannot be chosen there.

Floppy and ISO images are started by memdisk, which keeps the whole image in memory; EFI programs are not for a BIOS.

Settings::

    [plugins.pxelinux]
    transport = "auto"     # kernel and initrd: "http" (lpxelinux.0), "tftp" (pxelinux.0), "auto": HTTP where it can
    localboot = -1         # what LOCALBOOT says: -1 returns to the BIOS, 0 ends PXE the normal way
    hold_s = 10            # seconds that the reason for a held boot stays on the screen
    menu = "menu.c32"      # or "vesamenu.c32": how a menu looks; menu.c32 works on serial lines too
    serial = ""            # as in "0 115200", for machines whose BIOS does not redirect its console

A profile may set ``transport`` and ``localboot`` for its machines under ``[loader.pxelinux]``. A kernel command line
has room for 2047 characters (Linux on x86); a longer one is refused with its length.
"""

from __future__ import annotations

import re
import uuid
from collections.abc import Iterable, Mapping
from ipaddress import IPv4Address
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

from .menu import menu_text

FOLDER = "pxelinux.cfg/"
MEMDISK = "memdisk"
CHOICE = f"{FOLDER}choice/"
MODULES = {"menu.c32": ("libutil.c32",), "vesamenu.c32": ("libutil.c32", "libcom32.c32")}
"""Menus of syslinux, each with the libraries that it loads."""
_FILES = ("pxelinux.0", "lpxelinux.0", "ldlinux.c32", MEMDISK, *MODULES, *MODULES["vesamenu.c32"])
_ROUNDS = 60
"""pxelinux 6.04 reads a configuration from inside of another 124 times, then it stops; 60 starts of itself go well."""
_NO_KERNEL = (".com", ".cbt", ".c32", ".img", ".bss", ".bin", ".bs", ".0")
"""Ends of names that KERNEL takes for something else than a kernel (syslinux's ``file_extensions``)."""
_MAC = re.compile(r"01(?:-[0-9a-f]{2}){6}")
_UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_HEX_ADDRESS = re.compile(r"[0-9A-F]{1,8}")


class OfProfile(Settings, frozen=True):
    """``[loader.pxelinux]`` of a profile."""

    transport: Literal["auto", "http", "tftp"] = "auto"
    localboot: int = -1


class PxelinuxSettings(Settings, frozen=True):
    """Keys of ``[plugins.pxelinux]``."""

    transport: Literal["auto", "http", "tftp"] = "auto"
    localboot: int = -1
    hold_s: int = 10
    serial: str = ""
    menu: Literal["menu.c32", "vesamenu.c32"] = "menu.c32"
    data_dir: str = ""


class Pxelinux:
    """Serves pxelinux and answers its configuration search."""

    def __init__(self, settings: PxelinuxSettings) -> None:
        self._settings = settings
        payload = Path(settings.data_dir) / "payload"
        folders = (payload / "loaders", payload / "debian-12")
        # Asked for several times in each message of a machine that boots: making a Path costs more than asking it.
        self._places = {name: tuple(folder / name for folder in folders) for name in _FILES}

    @hookimpl
    def provd_boot_loaders(self) -> Iterable[BootLoader]:
        return [
            BootLoader(
                "pxelinux",
                self._select,
                self._files,
                is_config,
                self._config,
                self._local,
                choice,
                self._lacks,
                OfProfile,
            ),
        ]

    def _files(self) -> Mapping[str, Path]:
        found = {
            name: next((place for place in places if place.is_file()), None) for name, places in self._places.items()
        }
        return {name: place for name, place in found.items() if place is not None}

    def _has(self, name: str) -> bool:
        return any(place.is_file() for place in self._places[name])

    def _select(self, client: ClientFacts, plan: BootPlan) -> BootFile | None:
        if client.arch is None or client.arch.firmware != "bios":
            return None
        name = self._file_of(plan)
        return BootFile(name) if self._has(name) else None

    def _lacks(self, client: ClientFacts, plan: BootPlan) -> str:
        name = self._file_of(plan)
        return name if client.arch is not None and client.arch.firmware == "bios" and not self._has(name) else ""

    def _file_of(self, plan: BootPlan) -> str:
        return "lpxelinux.0" if self._by_http(plan) else "pxelinux.0"

    def _by_http(self, plan: BootPlan) -> bool:
        transport = str(self._setting(plan, "transport"))
        return transport == "http" or (transport == "auto" and self._has("lpxelinux.0"))

    def _setting(self, plan: BootPlan, key: str) -> object:
        own = plan.profile.loader.get("pxelinux", {}) if plan.profile else {}
        return own.get(key, getattr(self._settings, key))

    def _config(self, request: FileRequest, plan: BootPlan | None) -> Content | NotFound:
        name = request.path.removeprefix(FOLDER)
        if plan is None:
            if name == "default":
                return Content.text(self._head() + _boot_local(self._settings.localboot))
            return NotFound(f"no machine is known by {name}", expected=True)
        if not choice(request.path) and not means(name, request.peer, plan):
            return NotFound(f"{name} is not this machine's", expected=True)
        if plan.action is Action.WAIT:
            again = self._file_of(plan) if plan.asked % _ROUNDS == 0 else request.path
            return Content.text(self._head() + _wait(plan, again))
        if plan.action is Action.MENU and plan.menu is not None:
            shown = menu_text(plan.menu, self._module(), self._setting(plan, "localboot"), lambda one: CHOICE + one)
            return Content.text(self._head() + shown, secret=True)
        if plan.action not in {Action.INSTALL, Action.START}:
            return Content.text(self._head() + self._local(plan))
        try:
            made = self._install(plan) if plan.action is Action.INSTALL else self._start(plan)
            return Content.text(self._head() + made, secret=True)
        except ValueError as error:
            return NotFound(f"pxelinux cannot start {plan.kernel}: {error}", status=500)

    def _module(self) -> str:
        wanted = self._settings.menu
        return wanted if all(self._has(name) for name in (wanted, *MODULES.get(wanted, ()))) else ""

    def _head(self) -> str:
        return f"SERIAL {self._settings.serial}\n" if self._settings.serial else ""

    def _local(self, plan: BootPlan) -> str:
        number = self._setting(plan, "localboot")
        if plan.action is not Action.HOLD:
            return _boot_local(number)
        said = f"SAY provd holds this machine: {screen_line(plan.reason)}\nSAY It starts from its own disk.\n"
        return said + _boot_local(number, prompt_s=self._settings.hold_s)

    def _install(self, plan: BootPlan) -> str:
        base = f"{plan.http_base}/" if self._by_http(plan) else ""
        kernel, initrd = base + plan.kernel, ",".join(base + path for path in plan.initrd)
        arguments = command_line(plan.kernel_args)
        # pxelinux adds these three to what APPEND says.
        added = f" BOOT_IMAGE={kernel} initrd={initrd} BOOTIF=01-52-54-00-00-00-00"
        check_length(arguments + added)
        return _entry("LINUX" if kernel.lower().endswith(_NO_KERNEL) else "KERNEL", kernel, initrd, arguments)

    def _start(self, plan: BootPlan) -> str:
        """What installs nothing; LINUX and not KERNEL, which takes a file named ``.bin`` for a boot sector."""
        if plan.kind == "linux":
            return NOTHING_INSTALLED + self._install(plan).replace("  KERNEL ", "  LINUX ")
        if plan.kind not in {"floppy", "iso"}:
            raise ValueError(f"it has no use for an image of kind {plan.kind}")
        if not self._has(MEMDISK):
            raise ValueError(f"{MEMDISK} is missing; provd fetch loaders gets it")
        base = f"{plan.http_base}/" if self._by_http(plan) else ""
        arguments = command_line((plan.kind, "raw", *plan.kernel_args))
        return NOTHING_INSTALLED + _entry("LINUX", base + MEMDISK, base + plan.kernel, arguments)


def _entry(how: str, kernel: str, initrd: str, arguments: str) -> str:
    lines = ["DEFAULT provd", "PROMPT 0", "LABEL provd", f"  {how} {kernel}"]
    lines += [f"  INITRD {initrd}"] if initrd else []
    lines += [f"  APPEND {arguments}", "  IPAPPEND 2"]
    return "\n".join(lines) + "\n"


def _wait(plan: BootPlan, path: str) -> str:
    """Show why, and read ``path`` after a while: the same configuration, or pxelinux itself, which begins anew."""
    tenths = plan.wait_s * 10
    said = f"SAY This machine waits: {screen_line(plan.reason)}\nSAY It asks again every {plan.wait_s} seconds.\n"
    # A key that is pressed stops TIMEOUT, and TOTALTIMEOUT goes on.
    how = "CONFIG" if is_config(path) else "PXE"
    return f"{said}DEFAULT again\nPROMPT 1\nTIMEOUT {tenths}\nTOTALTIMEOUT {tenths}\nLABEL again\n  {how} {path}\n"


def is_config(path: str) -> bool:
    """Whether a served path is a name of pxelinux's search order."""
    name = path.removeprefix(FOLDER)
    if name == path:
        return False
    if choice(path):
        return True
    return name == "default" or any(pattern.fullmatch(name) for pattern in (_MAC, _UUID, _HEX_ADDRESS))


def choice(path: str) -> str:
    """The entry of a menu that a configuration stands for, or empty."""
    name = path.removeprefix(CHOICE)
    return "" if name == path or "/" in name else name


def means(name: str, peer: str, plan: BootPlan) -> bool:
    """Whether a name of the search order means the machine of ``plan`` that asks from ``peer``."""
    if name == "default":
        return True
    if _MAC.fullmatch(name):
        macs = {plan.client.mac, *(interface.mac for interface in (plan.system.interfaces if plan.system else ()))}
        return name in {"01-" + str(mac).replace(":", "-") for mac in macs}
    if _UUID.fullmatch(name):
        # Some versions print option 97 as it lies in the packet, others in SMBIOS order.
        known = plan.client.uuid
        return bool(known) and name in {known, str(uuid.UUID(bytes=uuid.UUID(known).bytes_le))}
    return f"{int(IPv4Address(peer)):08X}".startswith(name)


def _boot_local(number: object, *, prompt_s: int = 0) -> str:
    tenths = prompt_s * 10
    # A key that is pressed, or noise on a serial line, stops TIMEOUT, and TOTALTIMEOUT goes on.
    prompt = f"PROMPT 1\nTIMEOUT {tenths}\nTOTALTIMEOUT {tenths}\n" if prompt_s else "PROMPT 0\n"
    return f"DEFAULT local\n{prompt}LABEL local\n  LOCALBOOT {number}\n"


PLUGIN = Plugin(name="pxelinux", settings=PxelinuxSettings, build=Pxelinux)
