"""serial_console: installers and deployers talk on a serial line.

Settings::

    [plugins.serial_console]
    consoles = ["tty0", "ttyS0,115200n8"]    # the kernel's console= arguments; the last one is /dev/console

A profile or system whose own kernel arguments name a ``console=`` keeps them, and ``serial_console = false`` under its
``[vars]`` switches the plugin off for it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from provd.plugin.api import BootPlan, Plugin, Settings, hookimpl

_CONSOLE = re.compile(r"[A-Za-z][A-Za-z0-9]*(?:,[0-9]+[noe]?[5-8]?r?)?")


class SerialConsoleSettings(Settings, frozen=True):
    """Keys of ``[plugins.serial_console]``."""

    consoles: tuple[str, ...] = ("tty0", "ttyS0,115200n8")

    def __post_init__(self) -> None:
        for console in self.consoles:
            if not _CONSOLE.fullmatch(console):
                raise ValueError(f"consoles: {console!r} is not a console, as in ttyS0,115200n8")


class SerialConsole:
    """Appends ``console=`` arguments."""

    def __init__(self, settings: SerialConsoleSettings) -> None:
        self._arguments = tuple(f"console={console}" for console in settings.consoles)

    @hookimpl
    def provd_kernel_args(self, plan: BootPlan) -> Iterable[str] | None:
        profile = plan.profile
        if profile is None or profile.vars.get("serial_console") is False:
            return None
        if any(argument.startswith("console=") for argument in profile.kernel_args):
            return None
        return self._arguments


PLUGIN = Plugin(name="serial_console", settings=SerialConsoleSettings, build=SerialConsole)
