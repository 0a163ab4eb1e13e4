"""installer_preseed: the Debian installer, answered by preseeding.

It boots the installer's own kernel and initial RAM disk (``provd fetch debian-12``) and needs a Debian mirror as its
install source: the distro's ``tree`` or the profile's ``source``, as in ``mirror:debian`` or ``http://MIRROR/debian``.

Settings::

    [plugins.installer_preseed]
    log_every_s = 15          # seconds between uploads of the installer's log

Answers of a profile, with their defaults::

    [answers]
    locale = "en_US.UTF-8"
    language = "en"
    country = "US"
    keyboard = "us"
    timezone = "Etc/UTC"
    ntp = ""                  # time server, empty for none
    users = []                # [{name, gecos, groups, sudo, password_hash, ssh_keys, shell}]
    root_password_hash = ""   # empty: root is locked
    root_ssh_keys = []
    tasks = ["standard"]      # of tasksel
    packages = ["openssh-server"]
    package_update = true     # upgrade what the mirror has newer versions of
    security_host = ""        # host of security updates; empty: none are fetched during the installation
    post_install = []         # shell commands, run in the installed system
    network = "dhcp"          # or "static": the leased address is written down, with router and name servers
    disk = ""                 # first disk; "/dev/NAME", or conditions: name= serial= wwn= path= size>= size<=
    proxy = ""
    installed_kernel_args = ""
    reboot = "reboot"         # or "poweroff"

The installer stays on DHCP while it installs. Where ``network`` is ``static``, or the system has bonds, bridges or
VLANs (``[[link]]``), the installed system gets its own ``/etc/network/interfaces``, which ifupdown and iproute2
understand without a further package.

The distro's ``vars.suite`` names the release (``bookworm``). Three documents are served: ``preseed.cfg``;
``report.sh``, which the installer sources for its reports, since its wget cannot post; and ``late.sh``, which makes the
users. The installer calls back ``started``, ``progress``, ``log`` and ``finished`` (or ``failed``); the installed
system calls ``firstboot`` once.
"""

from __future__ import annotations

import shutil
import subprocess
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
    Profile,
    installer_plugin,
    no_source,
    nobody_logs_in,
)

from .interfaces import MARK, interfaces

_FOLDER = Path(__file__).parent
DEFAULTS: Mapping[str, object] = {
    **COMMON_ANSWERS,
    "network": "dhcp",
    "tasks": ["standard"],
    "packages": ["openssh-server"],
    "package_update": True,
    "security_host": "",
}


def document(name: str) -> Document:
    """The document that the template of the same name makes."""

    def render(answer: Answer) -> str:
        if name == "report.sh":
            return answer.render(name)
        # The answer file comes first: a network that cannot be written is refused before a disk is touched.
        network = interfaces(answer.vars)
        return answer.render(name).replace(MARK, network)

    return Document(render)


def refuses(location: Location) -> str:
    """Debian's installer has no method for NFS (choose-mirror: http, https, ftp)."""
    return "" if location.scheme in {"http", "https", "ftp"} else f"it cannot install over {location.scheme}"


def ready(profile: Profile) -> str:
    """What is missing before this profile can be installed."""
    if missing := no_source(profile):
        return missing
    if not profile.distro.vars.get("suite") and not profile.vars.get("suite"):
        return f"distro {profile.distro.name} has no vars.suite, as in bookworm"
    return ""


def kernel_args(plan: BootPlan) -> Sequence[str]:
    """What the installer must know before it has its answer file: how to ask nothing, and where the file is.

    A locale alone makes it ask for the continent, so language and country are said too. Its network set-up asks for a
    host name before the answer file is fetched.
    """
    answers = {**DEFAULTS, **(plan.profile.answers if plan.profile else {})}
    name, _, domain = (plan.system.host if plan.system else "debian").partition(".")
    args = [
        "auto=true",
        "priority=critical",
        f"url={plan.answer_url('preseed.cfg')}",
        *(f"{key}={answers[key]}" for key in ("language", "country", "locale")),
        f"keymap={answers['keyboard']}",
        "interface=auto",
        f"hostname={name}",
    ]
    if domain:
        args.append(f"domain={domain}")
    return [*args, *logging_to(plan)]


def logging_to(plan: BootPlan) -> list[str]:
    """Where the installer's syslogd sends its lines besides its file (``log_host`` of the installation guide)."""
    if not plan.log_port:
        return []
    return [f"log_host={plan.server}", *([f"log_port={plan.log_port}"] if plan.log_port != 514 else [])]


def lint(documents: Mapping[str, str], profile: Profile) -> Sequence[Finding]:
    """Remarks on rendered documents: what debconf and the shell say, and whether anybody can log in."""
    findings = [*_syntax(documents)]
    return [*findings, *nobody_logs_in(profile, "preseed.cfg")]


def _syntax(documents: Mapping[str, str]) -> Iterable[Finding]:
    judges = {"preseed.cfg": ["debconf-set-selections", "-c"], "report.sh": ["sh", "-n"], "late.sh": ["sh", "-n"]}
    for name, command in judges.items():
        if name not in documents:
            continue
        if shutil.which(command[0]) is None:
            yield Finding("warning", name, f"not judged: {command[0]} is not installed here (Debian package debconf)")
            continue
        run = subprocess.run(command, input=documents[name], capture_output=True, text=True, check=False, timeout=10)
        for line in (run.stderr + run.stdout).splitlines():
            level = "warning" if run.returncode == 0 else "error"
            yield Finding(level, name, line.strip())


PLUGIN = installer_plugin(
    Installer(
        name="preseed",
        families=("debian",),
        documents={name: document(name) for name in ("preseed.cfg", "report.sh", "late.sh")},
        kernel_args=kernel_args,
        templates=_FOLDER / "templates",
        defaults=DEFAULTS,
        lint=lint,
        refuses=refuses,
        ready=ready,
    ),
    _FOLDER / "signatures.toml",
)
