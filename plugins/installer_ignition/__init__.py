"""installer_ignition: systems that set themselves up once by an Ignition file: Fedora CoreOS and Flatcar.

It boots the vendor's live system into memory with a small Ignition file of its own, ``live.ign``, whose only unit
fetches ``config.ign``, finds the disk, and calls the vendor's installer (``coreos-installer install``,
``flatcar-install``). So the disk may be named by conditions and the machine reports, which arguments of the kernel
(``coreos.inst.*``) cannot do.

Fedora CoreOS: the distro's ``tree`` or the profile's ``source`` is the URL of the live root file system (``.img``),
which also holds what is installed. Flatcar: the directory of a release (``.../amd64-usr/4459.2.1``); its image is
fetched from there and its signature is checked by the key in the live system.

Settings::

    [plugins.installer_ignition]
    log_every_s = 15          # seconds between uploads of the installer's log

Answers of a profile, with their defaults::

    [answers]
    keyboard = "us"
    timezone = "Etc/UTC"
    ntp = ""                  # time server, empty for the distribution's own
    users = []                # [{name, gecos, groups, sudo, password_hash, ssh_keys, shell}]
    root_password_hash = ""   # empty: root is locked
    root_ssh_keys = []
    packages = []             # layered by rpm-ostree at the first boot; Flatcar has none and refuses them
    repositories = []         # further ones: [{name, url, key}]; Flatcar refuses them
    package_update = false    # look for an update at the first boot; the system's own updates go on in any case
    post_install = []         # shell commands, run at the first boot
    disk = ""                 # first disk; "/dev/NAME", or conditions: name= serial= wwn= path= size>= size<=
    network = "dhcp"          # or "static": the leased address is written down
    proxy = ""
    installed_kernel_args = ""
    reboot = "reboot"         # or "poweroff"
    ignition = {}             # a piece of Ignition of the site's own (storage, units, ...), merged into config.ign
    external = ""             # URL of an Ignition file elsewhere, installed untouched

A system's bonds, bridges and VLANs (``[[link]]``) become NetworkManager's or networkd's files. These systems have no
locale but C.UTF-8, so ``locale`` changes nothing. ``vars.ignition_spec`` names another version of the file's format
than 3.3.0. The installer calls back ``started``, ``progress``, ``log`` and ``finished`` (or ``failed``), the installed
system ``firstboot``, or ``failed`` where a command of ``post_install`` fails. jsonschema judges both files where it is
installed, and ``ignition-validate`` too (Debian's package ``ignition``).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from provd.plugin.api import (
    COMMON_ANSWERS,
    BootPlan,
    Document,
    Finding,
    Installer,
    Profile,
    installer_plugin,
    no_source,
    nobody_logs_in,
)

from .config import FLATCAR, config, live, refused
from .judge import judged

_FOLDER = Path(__file__).parent
DEFAULTS: Mapping[str, object] = {
    **COMMON_ANSWERS,
    "repositories": [],
    "network": "dhcp",
    "ignition": {},
    "external": "",
}
MEDIA_TYPE = "application/vnd.coreos.ignition+json"


def ready(profile: Profile) -> str:
    """What is missing before this profile can be installed."""
    if missing := no_source(profile):
        return missing
    tree = profile.source or profile.distro.tree
    if profile.distro.family != FLATCAR and not tree.endswith(".img"):
        return f"profile {profile.name}: {tree} is not the URL of a live root file system (.img)"
    return refused(profile, {**DEFAULTS, **profile.answers})


def kernel_args(plan: BootPlan) -> Sequence[str]:
    """The live system, and the file that makes it install."""
    url = f"ignition.config.url={plan.answer_url('live.ign')}"
    if plan.profile is not None and plan.profile.distro.family == FLATCAR:
        return ["flatcar.first_boot=1", url]
    rootfs = [f"coreos.live.rootfs_url={plan.location.url}"] if plan.location else []
    return ["ip=dhcp", "rd.neednet=1", *rootfs, "ignition.firstboot", "ignition.platform.id=metal", url]


def lint(documents: Mapping[str, str], profile: Profile) -> Sequence[Finding]:
    """Remarks on rendered documents: Ignition's schema and rules, and whether anybody can log in."""
    findings = [one for name in ("live.ign", "config.ign") for one in judged(name, documents.get(name, ""))]
    return [*findings, *nobody_logs_in(profile, "config.ign")]


PLUGIN = installer_plugin(
    Installer(
        name="ignition",
        families=("coreos", FLATCAR),
        documents={"live.ign": Document(live, MEDIA_TYPE), "config.ign": Document(config, MEDIA_TYPE)},
        kernel_args=kernel_args,
        templates=_FOLDER / "templates",
        defaults=DEFAULTS,
        lint=lint,
        ready=ready,
    ),
    _FOLDER / "signatures.toml",
)
