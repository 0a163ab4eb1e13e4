"""installer_plain: rescue and live systems, memory tests, firmware tools: machines boot them and install nothing.

A distro with ``installer = "plain"`` is a kernel with its initial RAM disks (``kernel``, ``initrd``), or
``[[program]]`` tables that say what machines of each firmware boot::

    installer = "plain"

    [[program]]
    firmware = "bios"
    kind = "linux"            # a kernel, or what is started like one
    file = "payload:memtest86plus/memtest86+x64.bin"

    [[program]]
    firmware = "uefi"
    kind = "efi"              # an EFI program; for a BIOS also "floppy" and "iso": images that memdisk starts
    file = "payload:memtest86plus/memtest86+x64.efi"

A distro that names neither is the machine's own disk. There is no answer file, no token and no report: a machine that
has fetched all is over for provd. With policy ``once`` it boots its own disk afterwards; ``always`` starts it at every
network boot, as a diskless machine needs it.

Answers of a distro or profile, with their defaults::

    [answers]
    arguments = []            # kernel arguments in which {tree} (URL of the install source), {http} (provd's own URL),
                              # {server}, {mac} and {hostname} are filled in

``kernel_args`` work as everywhere; nothing is filled in there. There are no settings::

    [plugins.installer_plain]
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence

from provd.plugin.api import (
    BootPlan,
    Finding,
    Installer,
    Plugin,
    Profile,
    Settings,
    hookimpl,
    no_source,
)

_PLACE = re.compile(r"\{([^{}]*)\}")
_KNOWN = ("tree", "http", "server", "mac", "hostname")


class PlainSettings(Settings, frozen=True):
    """There is nothing to set."""


class Plain:
    """Registers the installer ``plain``, which installs nothing."""

    def __init__(self, _settings: PlainSettings) -> None:
        pass

    @hookimpl
    def provd_installers(self) -> Iterable[Installer]:
        return [
            Installer(
                name="plain",
                families=(),
                documents={},
                kernel_args=_arguments,
                defaults={"arguments": []},
                lint=_lint,
                ready=_ready,
                installs=False,
            )
        ]


def _wanted(profile: Profile) -> list[str]:
    """The profile's arguments.

    Raises:
        ValueError: they are no list of texts, or one has a place that nobody fills.
    """
    wanted = profile.answers.get("arguments", [])
    if not isinstance(wanted, list | tuple) or not all(isinstance(one, str) for one in wanted):
        raise ValueError(f"profile {profile.name}: answers.arguments must be a list of texts")
    for argument in wanted:
        for place in _PLACE.findall(argument):
            if place not in _KNOWN:
                known = ", ".join(f"{{{name}}}" for name in _KNOWN)
                raise ValueError(f"profile {profile.name}: answers.arguments: {{{place}}} is none of {known}")
    return [str(one) for one in wanted]


def _ready(profile: Profile) -> str:
    try:
        wanted = _wanted(profile)
    except ValueError as error:
        return str(error)
    return no_source(profile) if any("{tree}" in argument for argument in wanted) else ""


def _arguments(plan: BootPlan) -> Sequence[str]:
    if plan.profile is None:
        return ()
    values = {
        "tree": plan.location.url if plan.location else "",
        "http": plan.http_base,
        "server": plan.server,
        "mac": str(plan.client.mac),
        "hostname": plan.system.host if plan.system else "",
    }
    return tuple(_PLACE.sub(lambda found: values[found[1]], argument) for argument in _wanted(plan.profile))


def _lint(_documents: Mapping[str, str], profile: Profile) -> Sequence[Finding]:
    if profile.distro.initrd and not profile.distro.kernel:
        return (Finding("error", "", f"distro {profile.distro.name} has an initrd and no kernel"),)
    try:
        _wanted(profile)
    except ValueError as error:
        return (Finding("error", "", str(error)),)
    return ()


PLUGIN = Plugin(name="installer_plain", settings=PlainSettings, build=Plain)
