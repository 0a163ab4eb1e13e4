"""installer_agama: Agama, answered by its own profile: SLES 16, openSUSE Leap 16.

It boots the distro's kernel and initial RAM disk, which fetch the live system of the install medium. The distro's
``tree`` or the profile's ``source`` is the directory of a copied medium (HTTP or FTP). ``vars`` of the distro name what
is in it: ``product`` (``SLES``, ``openSUSE_Leap``), ``live`` (``LiveOS/squashfs.img``) and ``repository`` with the
packages (``install``; ``.`` for the tree itself, a URL, or empty: the product's own, which may need a registration).

Settings::

    [plugins.installer_agama]
    log_every_s = 15          # seconds between uploads of the installer's log

Answers of a profile, with their defaults::

    [answers]
    locale = "en_US.UTF-8"
    keyboard = "us"
    timezone = "Etc/UTC"
    ntp = ""                  # time server, empty for the distribution's own
    users = []                # [{name, gecos, groups, sudo, password_hash, ssh_keys, shell}]
    root_password_hash = ""   # empty: root is locked
    root_ssh_keys = []
    packages = []             # packages, and patterns written as "@name"
    repositories = []         # further ones: [{name, url, trust}]; trust = true: unsigned is accepted
    package_update = false    # "zypper update" at the end; needs repositories that the installer can reach
    post_install = []         # shell commands, run in the installed system
    disk = ""                 # first disk; "/dev/NAME", or one condition: name= wwn= size>= size<=
    storage = {}              # a storage section of Agama's, in the place of all of the disk by the product's proposal
    network = "dhcp"          # or "static": the leased address is written down
    proxy = ""                # of the installed system
    installed_kernel_args = ""
    registration_code = ""    # registers the product; registration_email and registration_url go with it
    reboot = "reboot"         # or "poweroff"
    external = ""             # URL of an Agama profile elsewhere, handed on untouched

A system's bonds, bridges and VLANs (``[[link]]``) are connections of NetworkManager. ``profile.json`` is the only
document. The installer calls back ``started``, ``progress``, ``log`` and ``finished`` (or ``failed``), the installed
system ``firstboot`` once. The judge is a JSON schema after Agama's reference, and rules that a schema cannot say.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from provd.plugin.api import (
    COMMON_ANSWERS,
    BootPlan,
    Document,
    Finding,
    Installer,
    Location,
    Profile,
    installer_plugin,
    no_source,
    nobody_logs_in,
)

from .judge import judged
from .profile import DOCUMENT, agama_profile
from .storage import disk_fault

_FOLDER = Path(__file__).parent
DEFAULTS: Mapping[str, object] = {
    **COMMON_ANSWERS,
    "repositories": [],
    "network": "dhcp",
    "storage": {},
    **dict.fromkeys(("registration_code", "registration_email", "registration_url"), ""),
    "external": "",
}
_SCHEMES = ("http", "https", "ftp")


def ready(profile: Profile) -> str:
    """What is missing before this profile can be installed."""
    if missing := no_source(profile):
        return missing
    version = profile.distro.version.partition(".")[0]
    if version.isdigit() and int(version) < 16:
        return f"profile {profile.name}: Agama installs version 16 and later, {profile.distro.name} is {version}"
    answers = {**DEFAULTS, **profile.answers}
    fault = "" if answers["storage"] else disk_fault(str(answers["disk"]))
    return f"profile {profile.name}: {fault}" if fault else ""


def refuses(location: Location) -> str:
    """The initial RAM disk has curl, and no more."""
    if location.scheme in _SCHEMES:
        return ""
    return f"Agama's live system is fetched by HTTP or FTP, not by {location.scheme.upper()}"


def kernel_args(plan: BootPlan) -> Sequence[str]:
    """Where live system, packages and profile are, in the words of dracut and Agama.

    There is no ``ip=``: with it Agama would copy the installer's own connections into the installed system.
    """
    profile = plan.profile
    answers: dict[str, Any] = {**DEFAULTS, **(profile.answers if profile else {})}
    words: dict[str, Any] = {**profile.distro.vars, **profile.vars} if profile else {}
    args = ["rd.neednet=1", f"inst.auto={answers['external'] or plan.answer_url(DOCUMENT)}"]
    if answers["reboot"] == "poweroff":
        args.append("inst.finish=poweroff")
    if plan.location is not None:
        tree = plan.location.url.rstrip("/")
        args.append(f"root=live:{tree}/{words.get('live') or 'LiveOS/squashfs.img'}")
        if repository := str(words.get("repository") or ""):
            args.append(f"inst.install_url={_below(tree, repository)}")
    if answers["registration_url"]:
        args.append(f"inst.register_url={answers['registration_url']}")
    return args


def _below(tree: str, repository: str) -> str:
    if "://" in repository:
        return repository
    return tree if repository == "." else f"{tree}/{repository}"


def lint(documents: Mapping[str, str], profile: Profile) -> Sequence[Finding]:
    """Remarks on the rendered profile: the schema, its rules, and whether anybody can log in."""
    return [*judged(DOCUMENT, documents.get(DOCUMENT, "")), *nobody_logs_in(profile, DOCUMENT)]


PLUGIN = installer_plugin(
    Installer(
        name="agama",
        families=("suse",),
        documents={DOCUMENT: Document(agama_profile, "application/json")},
        kernel_args=kernel_args,
        templates=_FOLDER / "templates",
        defaults=DEFAULTS,
        lint=lint,
        ready=ready,
        refuses=refuses,
    ),
    _FOLDER / "signatures.toml",
)
