"""installer_alpine: Alpine Linux, installed to disk by its own setup-alpine.

It boots Alpine's netboot kernel (``alpine_repo=``, ``modloop=``, ``apkovl=``). The overlay is the same for all machines
and holds one script of boot, which fetches ``install.sh`` from where ``provd.install=`` says. That finds the disk, runs
``setup-alpine`` with the answer file ``answers``, finishes the installed system and reports. So answers are bound to
the machine's lease and no overlay with secrets lies anywhere.

The distro's ``tree`` or the profile's ``source`` is the directory of a release on a mirror (``.../alpine/v3.22``), or a
copy of a medium. ``vars`` of the distro name what is in it: ``repository`` (``main``), ``modloop``
(``releases/x86_64/netboot/modloop-lts``) and ``flavor`` of the kernel (``lts``).

Settings::

    [plugins.installer_alpine]
    log_every_s = 15          # seconds between uploads of the installer's log

Answers of a profile, with their defaults::

    [answers]
    keyboard = "us"           # layout, or layout and variant as in "de de-nodeadkeys"
    timezone = "Etc/UTC"
    ntp = ""                  # time server, empty for the distribution's own
    users = []                # [{name, gecos, groups, sudo, password_hash, ssh_keys, shell}]; sudo is by doas
    root_password_hash = ""   # empty: root is locked
    root_ssh_keys = []
    packages = []
    repositories = []         # further ones: [{name, url, key}]; key: URL of a public key
    package_update = false    # "apk upgrade" at the end
    post_install = []         # shell commands, run in the installed system
    disk = ""                 # first disk; "/dev/NAME", or conditions: name= serial= wwn= path= size>= size<=
    network = "dhcp"          # or "static": the leased address is written down
    proxy = ""
    installed_kernel_args = ""
    reboot = "reboot"         # or "poweroff"
    external = ""             # URL of an answer file elsewhere, used untouched

A system's bonds, bridges and VLANs (``[[link]]``) are written into ``/etc/network/interfaces`` of the installed
system. musl has one locale, so ``locale`` changes nothing. The installer calls back ``started``, ``progress``, ``log``
and ``finished`` (or ``failed``), the installed system ``firstboot``. The judge is a shell (busybox's, else the host's)
for the form, and a list of what setup-alpine would ask for.
"""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from provd.plugin.api import (
    COMMON_ANSWERS,
    Answer,
    BootPlan,
    Content,
    Document,
    FileRequest,
    Finding,
    Installer,
    LogSettings,
    NotFound,
    Plugin,
    Profile,
    Signature,
    hookimpl,
    no_source,
    nobody_logs_in,
    read_signatures,
)

from .interfaces import interfaces
from .judge import judged
from .overlay import PATH, overlay

DEFAULTS: Mapping[str, object] = {
    **COMMON_ANSWERS,
    "repositories": [],
    "network": "dhcp",
    "external": "",
}
MARK = "PROVD_INTERFACES"
"""Stands in the template for the text of ``/etc/network/interfaces``, quoted for the shell."""


class Alpine:
    """Registers the installer ``alpine`` and serves the overlay."""

    def __init__(self, settings: LogSettings) -> None:
        self._settings = settings
        self._overlay = overlay()

    @hookimpl
    def provd_signatures(self) -> Iterable[Signature]:
        return read_signatures(Path(__file__).with_name("signatures.toml"), "installer_alpine")

    @hookimpl
    def provd_installers(self) -> Iterable[Installer]:
        return [
            Installer(
                name="alpine",
                families=("alpine",),
                documents={"install.sh": Document(install), "answers": Document(lambda one: one.render("answers"))},
                kernel_args=kernel_args,
                templates=Path(__file__).parent / "templates",
                defaults={**DEFAULTS, "log_every_s": self._settings.log_every_s},
                lint=lint,
                ready=ready,
            )
        ]

    @hookimpl
    def provd_file(self, request: FileRequest) -> Content | NotFound | None:
        if request.path != PATH:
            return None
        if request.method not in {"GET", "HEAD"}:
            return NotFound("the overlay can only be read", status=405)
        return Content(body=self._overlay, length=len(self._overlay), media_type="application/gzip")


def ready(profile: Profile) -> str:
    """What is missing before this profile can be installed, or what it asks for that Alpine has not."""
    return no_source(profile) or refused(profile)


def refused(profile: Profile) -> str:
    """One sentence where a profile asks for what Alpine has not, else empty."""
    packages = profile.answers.get("packages")
    listed = packages if isinstance(packages, Sequence) and not isinstance(packages, str) else ()
    groups = [one for one in listed if str(one).startswith("@")]
    which = f"{profile.distro.name} has packages only, and {groups[0]!r} in answers.packages" if groups else ""
    return f"profile {profile.name}: {which} is a group" if groups else ""


def kernel_args(plan: BootPlan) -> Sequence[str]:
    """The live system: its packages, its modules, its overlay, and the script that installs."""
    tree = plan.location.url.rstrip("/") if plan.location else ""
    values = plan.profile.distro.vars if plan.profile else {}
    repository, modloop = (str(values.get(key) or default) for key, default in TREE.items())
    return [
        "ip=dhcp",
        "modules=loop,squashfs,sd-mod,usb-storage",
        *([f"alpine_repo={tree}/{repository}", f"modloop={tree}/{modloop}"] if tree else []),
        f"apkovl={plan.url(PATH)}",
        f"provd.install={plan.answer_url('install.sh')}",
    ]


TREE: Mapping[str, str] = {"repository": "main", "modloop": "releases/x86_64/netboot/modloop-lts"}
"""Where things are below the tree, by the ``vars`` that name other places."""


def install(answer: Answer) -> str:
    """The script that installs.

    Raises:
        ValueError: an answer that this family cannot fulfil.
    """
    values, profile = answer.vars, answer.plan.profile
    if profile is not None and (sentence := refused(profile)):
        raise ValueError(sentence)
    if values["reboot"] not in ("reboot", "poweroff"):
        raise ValueError(f"answers.reboot is {values['reboot']!r}, must be one of reboot, poweroff")
    return answer.render("install.sh").replace(MARK, shlex.quote(interfaces(values)))


def lint(documents: Mapping[str, str], profile: Profile) -> Sequence[Finding]:
    """Remarks on rendered documents, and whether anybody can log in."""
    return [*judged(documents), *nobody_logs_in(profile, "install.sh")]


PLUGIN = Plugin(name="installer_alpine", settings=LogSettings, build=Alpine)
