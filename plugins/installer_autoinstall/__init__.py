"""installer_autoinstall: Ubuntu's server installer (subiquity), answered by autoinstall through cloud-init's NoCloud.

It boots ``casper/vmlinuz`` and ``casper/initrd`` of the live server image, which fetches that image as a whole: the
distro's ``tree`` or the profile's ``source`` is the URL of the ISO, by HTTP. The machine needs memory for it.

Settings::

    [plugins.installer_autoinstall]
    max_wait_s = 60           # seconds that a report of the first boot is tried for, at least 10

Answers of a profile, with their defaults::

    [answers]
    locale = "en_US.UTF-8"
    keyboard = "us"
    timezone = "Etc/UTC"
    ntp = ""                  # time server, empty for the distribution's own
    users = []                # [{name, gecos, groups, sudo, password_hash, ssh_keys, shell}]
    root_password_hash = ""   # empty: root is locked
    root_ssh_keys = []
    packages = []
    repositories = []         # further ones: [{name, url, suite, components}]
    package_update = false    # security updates only, or all of them
    post_install = []         # shell commands, run in the installed system
    disk = ""                 # first disk; "/dev/NAME", or conditions: name= serial= wwn= path= size>= size<=
    layout = "direct"         # or "lvm"
    network = "dhcp"          # or "static": the leased address is written down
    apt_mirror = ""           # URL of the archive; empty for Ubuntu's own
    proxy = ""
    installed_kernel_args = ""
    reboot = "reboot"         # or "poweroff"
    external = ""             # URL of a NoCloud seed elsewhere, handed on untouched

A system's bonds, bridges and VLANs (``[[link]]``) are made in the installed system. Documents: ``user-data``,
``meta-data`` and ``vendor-data`` (empty; NoCloud asks for it). The installer calls back ``started``, ``log`` and
``finished`` (or ``failed``), the installed system ``firstboot`` by cloud-init's phone_home.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from provd.plugin.api import (
    COMMON_ANSWERS,
    Answer,
    BootPlan,
    Document,
    Finding,
    Installer,
    Location,
    Plugin,
    Profile,
    Settings,
    Signature,
    hookimpl,
    no_source,
    nobody_logs_in,
    read_signatures,
)

from .schema import judged
from .user_data import user_data

DEFAULTS: Mapping[str, object] = {
    **COMMON_ANSWERS,
    "repositories": [],
    "layout": "direct",
    "network": "dhcp",
    "apt_mirror": "",
    "external": "",
}


class AutoinstallSettings(Settings, frozen=True):
    """Keys of ``[plugins.installer_autoinstall]``."""

    max_wait_s: int = 60

    def __post_init__(self) -> None:
        if self.max_wait_s < 10:
            raise ValueError(f"max_wait_s is {self.max_wait_s}: at least 10 seconds are expected")


class Autoinstall:
    """Registers the installer ``autoinstall``."""

    def __init__(self, settings: AutoinstallSettings) -> None:
        self._settings = settings

    @hookimpl
    def provd_signatures(self) -> Iterable[Signature]:
        return read_signatures(Path(__file__).with_name("signatures.toml"), "installer_autoinstall")

    @hookimpl
    def provd_installers(self) -> Iterable[Installer]:
        return [
            Installer(
                name="autoinstall",
                families=("ubuntu",),
                documents={
                    "user-data": Document(user_data),
                    "meta-data": Document(meta_data),
                    "vendor-data": Document(lambda _answer: "#cloud-config\n{}\n"),
                },
                kernel_args=kernel_args,
                templates=Path(__file__).parent / "templates",
                # phone_home waits two seconds more after each try
                defaults={**DEFAULTS, "report_tries": max(3, self._settings.max_wait_s // 4)},
                lint=lint,
                ready=ready,
                refuses=refuses,
            )
        ]


def ready(profile: Profile) -> str:
    """What is missing before this profile can be installed."""
    if missing := no_source(profile):
        return missing
    tree = profile.source or profile.distro.tree
    if not tree.endswith(".iso") and not tree.startswith("nfs:"):
        return f"profile {profile.name}: {tree} is not the URL of a live server image (.iso)"
    return ""


def refuses(location: Location) -> str:
    """Casper gets an image over HTTP or FTP, or mounts a tree with klibc's nfsmount, which speaks version 3 only."""
    if location.scheme == "nfs" and "nfsvers=4" in location.options:
        return "casper mounts NFS version 3 only; versions = [3, 4] in [plugins.source_nfs] exports it so"
    return ""


def meta_data(answer: Answer) -> str:
    """NoCloud's identity of the machine; another install is another instance."""
    system = answer.plan.system
    return f"instance-id: {system.name if system else 'machine'}-{answer.plan.session or 'once'}\n"


def kernel_args(plan: BootPlan) -> Sequence[str]:
    """Where the image and the seed are.

    casper's ``url=`` is also cloud-init's old word for a configuration, so that one is pointed at nothing, or the whole
    image would be read as text.
    """
    answers = {**DEFAULTS, **(plan.profile.answers if plan.profile else {})}
    seed = str(answers["external"] or plan.answer_url("").rstrip("/") + "/")
    return ["ip=dhcp", *_image(plan.location), "cloud-config-url=/dev/null", "autoinstall", f"ds=nocloud-net;s={seed}"]


def _image(location: Location | None) -> Sequence[str]:
    if location is None:
        return ()
    if location.scheme == "nfs":
        return "boot=casper", "netboot=nfs", f"nfsroot={location.host}:{location.path}"
    return (f"url={location.url}",)


def lint(documents: Mapping[str, str], profile: Profile) -> Sequence[Finding]:
    """Remarks on rendered documents: cloud-init's form, autoinstall's schema, and whether anybody can log in."""
    findings = [Finding("error", "user-data", text) for text in judged(documents.get("user-data", ""))]
    return [*findings, *nobody_logs_in(profile, "user-data")]


PLUGIN = Plugin(name="installer_autoinstall", settings=AutoinstallSettings, build=Autoinstall)
