"""installer_autoyast: YaST, answered by AutoYaST: SLES 12 and 15, openSUSE Leap 15.

It boots the distro's kernel and initial RAM disk and needs the vendor's install tree as its source (HTTP, FTP or NFS).

Settings::

    [plugins.installer_autoyast]
    log_every_s = 15          # seconds between uploads of the installer's log

Answers of a profile, with their defaults::

    [answers]
    locale = "en_US.UTF-8"
    keyboard = "us"           # a layout's short name, or YaST's own such as "german-deadkey"
    timezone = "Etc/UTC"
    ntp = ""                  # time server, empty for the distribution's own
    users = []                # [{name, gecos, groups, sudo, password_hash, ssh_keys, shell}]
    root_password_hash = ""   # empty: root is locked
    root_ssh_keys = []
    packages = []             # packages, and patterns written as "@name"
    repositories = []         # further ones: [{name, url, trust}]; trust = true: unsigned is accepted
    package_update = false    # "zypper update" at the end; needs repositories that the installed system can reach
    post_install = []         # shell commands, run in the installed system
    disk = ""                 # first disk; "/dev/NAME", or conditions: name= serial= wwn= path= size>= size<=
    partitioning = []         # AutoYaST's drives, in the place of all of the disk by YaST's proposal (below)
    network = "dhcp"          # or "static": the leased address is written down
    proxy = ""
    installed_kernel_args = ""
    reboot = "reboot"         # or "poweroff"
    external = ""             # URL of an AutoYaST profile elsewhere, handed on untouched

A drive without ``device`` is the disk that ``disk`` finds. LVM, with a place to boot from::

    [[answers.partitioning]]
    initialize = true
    use = "all"
    partitions = [{mount = "/boot/efi", filesystem = "vfat", size = "512M"}, {lvm_group = "system", size = "max"}]
    [[answers.partitioning]]
    device = "/dev/system"
    type = "CT_LVM"
    partitions = [{lv_name = "root", mount = "/", filesystem = "ext4", size = "20G"}]

``vars.product`` names the product to install, ``vars.modules`` the modules of the full medium (SLES 15). A system's
bonds, bridges and VLANs (``[[link]]``) are made in the installed system. ``autoinst.xml`` is the only document. The
installer calls back ``started``, ``log`` and ``finished`` (or ``failed``), the installed system ``firstboot`` once.
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
    Location,
    Profile,
    installer_plugin,
    no_source,
    nobody_logs_in,
)

from .control_file import control_file
from .judge import judged

_FOLDER = Path(__file__).parent
DEFAULTS: Mapping[str, object] = {
    **COMMON_ANSWERS,
    "repositories": [],
    "partitioning": [],
    "network": "dhcp",
    "external": "",
}


def source(location: Location) -> str:
    """A location as linuxrc writes it: ``nfs://HOST/PATH``, else a URL."""
    return f"nfs://{location.host}{location.path}" if location.scheme == "nfs" else location.url


def kernel_args(plan: BootPlan) -> Sequence[str]:
    """Where the profile and the tree are, in linuxrc's words."""
    answers = {**DEFAULTS, **(plan.profile.answers if plan.profile else {})}
    args = [f"autoyast={answers['external'] or plan.answer_url('autoinst.xml')}", "netsetup=dhcp", "textmode=1"]
    return [*args, f"install={source(plan.location)}"] if plan.location else args


def lint(documents: Mapping[str, str], profile: Profile) -> Sequence[Finding]:
    """Remarks on the rendered profile: XML, AutoYaST's structure, and whether anybody can log in."""
    findings = [Finding("error", "autoinst.xml", text) for text in judged(documents.get("autoinst.xml", ""))]
    return [*findings, *nobody_logs_in(profile, "autoinst.xml")]


PLUGIN = installer_plugin(
    Installer(
        name="autoyast",
        families=("suse",),
        documents={"autoinst.xml": Document(control_file)},
        kernel_args=kernel_args,
        templates=_FOLDER / "templates",
        defaults=DEFAULTS,
        lint=lint,
        ready=no_source,
    ),
    _FOLDER / "signatures.toml",
)
