"""grub_efi: network boot for UEFI machines: x86-64 (architectures 7, 9 and 16) and arm64 (11 and 19; RFC 4578, IANA).

Two builds of GRUB, both from ``provd fetch loaders``, those for arm64 from ``provd fetch loaders-arm64``:

- ``signed``: Debian's signed shim, which loads Debian's signed GRUB. It works with Secure Boot on. This GRUB has no
  HTTP, so kernel and initial RAM disks go by TFTP.
- ``http``: an unsigned GRUB that fetches kernel and initial RAM disks by HTTP, for machines with Secure Boot off.
  Machines that ask for UEFI HTTP boot always get this one; with Secure Boot on their firmware refuses it and tries its
  next entry. After UEFI HTTP boot it looks for its configuration on port 80 and then 8080 of the DHCP server, so the
  HTTP listener must be on one of them.

Where another DHCP server gives the addresses (a subnet of mode ``proxy``), GRUB looks for everything at that server: it
does not read a proxy's offer. So machines there get the ``http`` build with provd's address written into it, and need
Secure Boot off. ``proxy_build = "signed"`` serves the signed chain all the same: right where the other server can be
told to name provd as next server (siaddr).

shim fails under iPXE's own UEFI loader, so an iPXE ROM gets the signed GRUB itself; under Secure Boot no such ROM runs.

Local boot: every loader in the distro's ``efi_loaders`` is looked for on all disks, in order, and chained. GRUB's
``exit`` is only the last resort: some firmware stops there at its setup screen.

A menu (policy ``menu``) has its passwords as PBKDF2 hashes. GRUB asks for a user too: ``admin`` with the menu's
password opens everything, an entry's own password goes with the profile's name.

Settings::

    [plugins.grub_efi]
    build = "signed"      # or "http"
    proxy_build = "http"  # or "signed": for machines of subnets of mode "proxy"
    hold_s = 10           # seconds that the reason for a held boot stays on the screen

A profile chooses the build for its machines::

    [loader.grub_efi]
    build = "http"

A kernel argument may hold blanks, ``$`` and ``;``. GRUB cannot hand on a backslash or a single quote: it puts a
backslash before them, so such an argument is refused.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
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
    hookimpl,
    screen_line,
)

from .builds import BUILDS, Build, build_of
from .menu import menu_text
from .server_image import ServerImage, asked_server, served_path
from .words import argument, quoted

NO_SHIM = "no-shim"
"""Label of firmware under which shim fails (provd's quirks.toml)."""
# The second prefix is that of the GRUB in Debian's installer package, served where no other was fetched.
_PREFIX = r"(?:debian-installer/(?:amd64|arm64)/)?grub/"
_CONFIG = re.compile(_PREFIX + r"(?:(?P<mac>[0-9a-f]{2}(?::[0-9a-f]{2}){5})/)?(?P<name>grub|again)\.cfg")
_CHOICE = re.compile(rf"{_PREFIX}choice/(?P<name>[\w.+-]+)\.cfg")
_MISSES = re.compile(
    rf"(?:[\w-]+/)*(?:revocations_\w+|shim_certificate_\d+)\.efi|{_PREFIX}(?:(?:x86_64|arm64)-efi|locale|fonts)/[\w.-]+"
)


class OfProfile(Settings, frozen=True):
    """``[loader.grub_efi]`` of a profile."""

    build: Literal["signed", "http"] = "signed"


class GrubSettings(Settings, frozen=True):
    """Keys of ``[plugins.grub_efi]``."""

    build: Literal["signed", "http"] = "signed"
    proxy_build: Literal["signed", "http"] = "http"
    hold_s: int = 10
    data_dir: str = ""


class GrubEfi:
    """Serves shim and GRUB, and GRUB's configuration."""

    def __init__(self, settings: GrubSettings) -> None:
        self._settings = settings
        self._payload = Path(settings.data_dir) / "payload"
        self._server_image = ServerImage()

    @hookimpl
    def provd_boot_loaders(self) -> Iterable[BootLoader]:
        return [
            BootLoader(
                "grub_efi",
                self._select,
                self._files,
                is_config,
                self._config,
                self._local,
                choice,
                self._lacks,
                OfProfile,
            )
        ]

    @hookimpl
    def provd_file(self, request: FileRequest) -> Content | NotFound | None:
        if _MISSES.fullmatch(request.path):
            return NotFound(f"shim and GRUB ask for {request.path} and do without", expected=True)
        server, name = asked_server(request.path)
        image = self._files().get(name) if server else None
        return self._server_image.content(image, server) if server and image else None

    def _files(self) -> Mapping[str, Path]:
        # shim takes the GRUB beside it, so both come from one folder.
        found: dict[str, Path] = {}
        for build in BUILDS.values():
            for folder in reversed([self._payload / name for name in build.payloads]):
                found.update({name: folder / name for name in build.files if (folder / name).is_file()})
        return found

    def _select(self, client: ClientFacts, plan: BootPlan) -> BootFile | None:
        build = build_of(client)
        if build is None or client.arch is None:
            return None
        name = self._first(build, client, plan)
        if self._lacks(client, plan):
            return None
        if name == build.http and "proxy" in client.labels:
            if not self._server_image.usable(self._files()[name]):
                return None
            name = served_path(name, plan.server, plan.http_port)
        return BootFile(name, "http" if client.arch.http else "tftp")

    def _first(self, build: Build, client: ClientFacts, plan: BootPlan) -> str:
        return build.http if self._by_http(client, plan) else build.signed if NO_SHIM in client.labels else build.shim

    def _lacks(self, client: ClientFacts, plan: BootPlan) -> str:
        build = build_of(client)
        if build is None:
            return ""
        name = self._first(build, client, plan)
        needed = (name, build.signed) if name == build.shim else (name,)
        there = self._files()
        return next((one for one in needed if one not in there), "")

    def _by_http(self, client: ClientFacts, plan: BootPlan) -> bool:
        own = plan.profile.loader.get("grub_efi", {}) if plan.profile else {}
        http_boot = client.arch is not None and client.arch.http
        build = self._settings.proxy_build if "proxy" in client.labels else self._settings.build
        return http_boot or own.get("build", build) == "http"

    def _config(self, request: FileRequest, plan: BootPlan | None) -> Content | NotFound:
        match = _CONFIG.fullmatch(request.path)
        mac = match["mac"] if match else None
        if plan is None:
            return (
                NotFound(f"no machine has {mac}", expected=True)
                if mac
                else Content.text(_ASK_BY_MAC + CHAIN + chained(build.removable for build in BUILDS.values()))
            )
        if mac and mac not in _macs(plan):
            return NotFound(f"{mac} is not the machine that asks", expected=True)
        if plan.action is Action.WAIT:
            return Content.text(_said(plan) if match and match["name"] == "again" else self._wait(plan, request.path))
        if plan.action is Action.MENU and plan.menu is not None:
            folder = f"{self._base(plan)}grub/choice/"
            made = CHAIN + menu_text(plan.menu, self._own_disk(plan), lambda name: f"{folder}{name}.cfg")
            return Content.text(made, secret=True)
        if plan.action not in {Action.INSTALL, Action.START}:
            return Content.text(self._local(plan))
        try:
            made = self._install(plan) if plan.action is Action.INSTALL else self._start(plan)
            return Content.text(made, secret=True)
        except ValueError as error:
            return NotFound(f"GRUB cannot start {plan.kernel}: {error}", status=500)

    def _local(self, plan: BootPlan) -> str:
        text = CHAIN + self._own_disk(plan)
        if plan.action is not Action.HOLD:
            return text
        reason = f"provd holds this machine: {screen_line(plan.reason)}"
        return f"echo {quoted(reason)}\necho 'It starts from its own disk.'\nsleep {self._settings.hold_s}\n{text}"

    def _own_disk(self, plan: BootPlan) -> str:
        loaders = plan.profile.distro.efi_loaders if plan.profile else ()
        return chained(dict.fromkeys((*loaders, *_removable(plan))))

    def _wait(self, plan: BootPlan, path: str) -> str:
        """Ask again and again, in a loop: a file that is read from inside of itself would fill GRUB's stack.

        The answer, under the name ``again.cfg``, is a line for the screen, or what boots.
        """
        folder = "grub" if choice(path) else path.rpartition("/")[0]
        again = quoted(f"{self._base(plan)}{folder}/again.cfg")
        return f"{_said(plan)}while true; do\n  sleep {plan.wait_s}\n  source {again}\ndone\n"

    def _base(self, plan: BootPlan) -> str:
        """Where files of provd begin for the GRUB that reads a configuration."""
        host = f"(http,{plan.server}{'' if plan.http_port == 80 else f':{plan.http_port}'})"
        return f"{host}/" if self._by_http(plan.client, plan) else "/"

    def _install(self, plan: BootPlan) -> str:
        base = self._base(plan)
        bootif = f"BOOTIF=01-{str(plan.client.mac).replace(':', '-')}"
        arguments = [argument(text) for text in (*plan.kernel_args, bootif)]
        # GRUB sets the quotes itself, so that the line is longer by them.
        check_length(" ".join((f"BOOT_IMAGE={base}{plan.kernel}", *(f'"{a}"' if " " in a else a for a in arguments))))
        linux = " ".join(("linux", quoted(base + plan.kernel), *(quoted(text) for text in arguments)))
        initrd = " ".join(("initrd", *(quoted(base + path) for path in plan.initrd))) if plan.initrd else "true"
        return (
            f"echo 'Loading the kernel ...'\nif {linux}; then\n  echo 'Loading the initial RAM disk ...'\n"
            f"  if {initrd}; then\n    boot\n  fi\nfi\n"
            "echo 'The kernel could not be loaded; trying again.'\nsleep 10\nreboot\n"
        )

    def _start(self, plan: BootPlan) -> str:
        """What installs nothing: a kernel, or an EFI program that is started in GRUB's place."""
        if plan.kind == "linux":
            return NOTHING_INSTALLED + self._install(plan)
        if plan.kind != "efi":
            raise ValueError(f"UEFI has no use for an image of kind {plan.kind}")
        # chainloader hands on the device that root names.
        root = self._base(plan).partition(")")[0].removeprefix("(")
        lines = [f"set root={quoted(root)}"] if root != "/" else []
        call = " ".join(
            ("chainloader", quoted(f"/{plan.kernel}"), *(quoted(argument(text)) for text in plan.kernel_args))
        )
        lines += [f"if {call}; then", "  boot", "fi", "echo 'The program could not be started; trying again.'"]
        return NOTHING_INSTALLED + "\n".join([*lines, "sleep 10", "reboot"]) + "\n"


def _said(plan: BootPlan) -> str:
    reason = f"This machine waits: {screen_line(plan.reason)}"
    return f"echo {quoted(reason)}\n"


# Behind a proxy the address of a machine may not be known yet; its own name for itself is in this variable.
_ASK_BY_MAC = 'if [ -n "$net_default_mac" ]; then\n  source "/grub/$net_default_mac/grub.cfg"\nfi\n'


def _removable(plan: BootPlan) -> tuple[str, ...]:
    """The last loaders that are tried: one, where the processor is known."""
    arch = plan.client.arch
    cpu = arch.cpu if arch else plan.profile.distro.arch if plan.profile else ""
    return tuple(build.removable for build in ([BUILDS[cpu]] if cpu in BUILDS else BUILDS.values()))


def is_config(path: str) -> bool:
    """Whether a served path is a configuration of GRUB."""
    return _CONFIG.fullmatch(path) is not None or bool(choice(path))


def choice(path: str) -> str:
    """The entry of a menu that a configuration stands for, or empty."""
    match = _CHOICE.fullmatch(path)
    return match["name"] if match else ""


# chainloader hands the loader the device that root names, not that of its argument: shim needs root to be the disk.
CHAIN = """\
set provd_root="$root"
function provd_chain {
  if search --no-floppy --file --set=root "$1"; then
    echo "Starting $1 from $root"
    if chainloader "$1"; then boot; fi
  fi
  set root="$provd_root"
}
"""
"""GRUB's function that starts a loader if it is on any disk."""


def chained(loaders: Iterable[str]) -> str:
    """Commands that start the first of ``loaders`` (paths on an EFI system partition) that is there, by ``CHAIN``."""
    calls = "".join(f"provd_chain {quoted(loader)}\n" for loader in loaders)
    return calls + "echo 'No boot loader was found on any disk.'\nsleep 10\nexit\n"


def _macs(plan: BootPlan) -> set[str]:
    interfaces = plan.system.interfaces if plan.system else ()
    return {str(mac) for mac in (plan.client.mac, *(interface.mac for interface in interfaces))}


PLUGIN = Plugin(name="grub_efi", settings=GrubSettings, build=GrubEfi)
