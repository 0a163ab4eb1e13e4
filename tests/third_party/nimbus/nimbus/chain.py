"""nimbus_chain: machines whose network card is iPXE get one script of our own, without any other loader.

[plugins.nimbus_chain]
greeting = "Nimbus rises"
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

from provd.plugin.api import (
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
    command_line,
    hookimpl,
)

SCRIPT = "nimbus.ipxe"
LOCAL = "#!ipxe\nexit\n"


class ChainSettings(Settings, frozen=True):
    """What is said on the screen."""

    greeting: str = "Nimbus rises"


class Chain:
    """Registers the boot loader."""

    def __init__(self, settings: ChainSettings) -> None:
        self._greeting = settings.greeting

    @hookimpl
    def provd_boot_loaders(self) -> Iterable[BootLoader]:
        return [BootLoader("nimbus_chain", select, no_files, is_config, self.config, lambda _plan: LOCAL)]

    def config(self, _request: FileRequest, plan: BootPlan | None) -> Content | NotFound:
        """The script for one machine."""
        if plan is None or plan.action is not Action.INSTALL:
            return Content.text(LOCAL)
        lines = ["#!ipxe", f"echo {self._greeting}"]
        lines += [f"kernel {plan.http_base}/{plan.kernel} {command_line(plan.kernel_args)}"]
        lines += [f"initrd {plan.http_base}/{path}" for path in plan.initrd]
        return Content.text("\n".join([*lines, "boot"]) + "\n", secret=True)


def select(client: ClientFacts, _plan: BootPlan) -> BootFile | None:
    """The script for iPXE on a BIOS; everything else is left to other loaders."""
    bios = client.arch is not None and client.arch.firmware == "bios"
    return BootFile(SCRIPT) if bios and client.is_ipxe else None


def no_files() -> Mapping[str, Path]:
    """Nothing is served from the disk."""
    return {}


def is_config(path: str) -> bool:
    """Whether a served path is the script."""
    return path == SCRIPT


PLUGIN = Plugin(name="nimbus_chain", settings=ChainSettings, build=Chain)
