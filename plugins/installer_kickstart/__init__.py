"""installer_kickstart: Red Hat's installer (anaconda), answered by Kickstart: RHEL and its rebuilds from 6 on, Fedora.

It boots the distro's kernel and initial RAM disk and needs the vendor's install tree as its source (HTTP, FTP or NFS).
Version 6 gets ``ks=``, ``ksdevice=bootif`` and ``method=``; later ones get ``inst.ks=`` and ``inst.repo=``.

Settings::

    [plugins.installer_kickstart]
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
    packages = []             # packages, and groups written as "@name"
    repositories = []         # further ones: [{name, url}]
    package_update = false    # "yum update" at the end; needs repositories that the installed system can reach
    post_install = []         # shell commands, run in the installed system
    network = "dhcp"          # or "static": the leased address is written down, with router and name servers
    disk = ""                 # first disk; "/dev/NAME", or conditions: name= serial= wwn= path= size>= size<=
    proxy = ""
    installed_kernel_args = ""
    reboot = "reboot"         # or "poweroff"
    external = ""             # URL of a Kickstart file elsewhere, handed on untouched

A system's bonds, bridges and VLANs (``[[link]]``) become ``network`` commands, from version 7 on; a bridge takes bonds
beside cards from version 9 on. What Kickstart has no word for is refused in one sentence.

``ks.cfg`` is the only document. The installer calls back ``started``, ``log`` and ``finished`` (or ``failed``), the
installed system ``firstboot`` once; all of them through bash, which can talk to a port. ``ksvalidator`` of pykickstart
judges the file where it is installed, by the distro's version or by ``vars.kickstart`` (as in ``F36``).
"""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import cast

from provd.plugin.api import (
    COMMON_ANSWERS,
    Answer,
    BootPlan,
    Distro,
    Document,
    Finding,
    Installer,
    Location,
    Profile,
    installer_plugin,
    no_source,
    nobody_logs_in,
)

from .network import MARK, commands

_FOLDER = Path(__file__).parent
DEFAULTS: Mapping[str, object] = {
    **COMMON_ANSWERS,
    "network": "dhcp",
    "repositories": [],
    "external": "",
}


SEARCH_LISTS = frozenset({"RHEL10", "DEVEL", *(f"F{number}" for number in range(39, 60))})
"""Syntaxes that know ``network --ipv4-dns-search`` from their first release on."""
COMMANDS = "    # provd: commands"
"""Stands in the template for what ``post_install`` says."""
_BEGINS = re.compile(r"(?<=[\n\r\x0b\x0c\x1c-\x1e\x85\u2028\u2029])(\s*)%")
"""A sign with which a line of Kickstart begins (``str.splitlines``, as pykickstart reads), inside of quotes."""
_PERCENT = r"\1'$'\\x25''"
_LATE = re.compile(r"<< 'PROVD_NETWORK'\n(.*?)^PROVD_NETWORK$", re.MULTILINE | re.DOTALL)
"""Commands that the pre-script writes."""
_CARRYING = re.compile(r"^network .*--device=(\S+) --vlanid=", re.MULTILINE)
"""Devices that carry a VLAN: the judge remarks that they are named twice, which is how a VLAN is written."""


def major(distro: Distro) -> int:
    """Major version of a rebuild of RHEL; Fedora and what has no number count as new."""
    number = distro.version.partition(".")[0]
    return int(number) if number.isdigit() else 99


def render(answer: Answer) -> str:
    """The Kickstart file, from the template of the distro's version.

    Raises:
        ValueError: a network that this version cannot express.
    """
    profile = answer.plan.profile
    version = major(profile.distro) if profile else 99
    search = profile is not None and syntax(profile) in SEARCH_LISTS
    lines = commands(answer.vars, version, search=search)
    text = answer.render("ks-6.cfg" if version <= 6 else "ks.cfg").replace(MARK, "\n".join(lines))
    wanted = cast("Sequence[str]", answer.vars["post_install"])
    return text.replace(COMMANDS, "\n".join(f"    {shell(command)}" for command in wanted))


def shell(command: str) -> str:
    """A command for a script of bash in which no line begins with a word of Kickstart's, as ``%end`` would."""
    return f"bash -c {_BEGINS.sub(_PERCENT, shlex.quote(command))}"


def source(location: Location) -> str:
    """A location as anaconda writes it: ``nfs:OPTIONS:HOST:/PATH``, else a URL."""
    if location.scheme != "nfs":
        return location.url
    options = f"{location.options}:" if location.options else ""
    return f"nfs:{options}{location.host}:{location.path}"


def kernel_args(plan: BootPlan) -> Sequence[str]:
    """Where the Kickstart file and the tree are, in the words of this version; the network card is the booting one."""
    answers = {**DEFAULTS, **(plan.profile.answers if plan.profile else {})}
    old = plan.profile is not None and major(plan.profile.distro) <= 6
    file = str(answers["external"] or plan.answer_url("ks.cfg"))
    tree = source(plan.location) if plan.location else ""
    if old:
        args = [f"ks={file}", "ksdevice=bootif", f"lang={answers['locale']}", f"keymap={answers['keyboard']}"]
        if tree:
            args.append(f"method={tree}")
        return [*args, *(f"syslog={place}" for place in logging_to(plan))]
    args = [f"inst.ks={file}", f"inst.repo={tree}"] if tree else [f"inst.ks={file}"]
    args += [f"inst.lang={answers['locale']}", f"inst.keymap={answers['keyboard']}", "ip=dhcp"]
    return [*args, *(f"inst.syslog={place}" for place in logging_to(plan))]


def logging_to(plan: BootPlan) -> list[str]:
    """Where anaconda's rsyslog sends its lines by TCP, as ``HOST:PORT``."""
    return [f"{plan.server}:{plan.log_port}"] if plan.log_port else []


def lint(documents: Mapping[str, str], profile: Profile) -> Sequence[Finding]:
    """Remarks of ``ksvalidator``, and whether anybody can log in."""
    findings = list(_validated(_whole(documents.get("ks.cfg", "")), syntax(profile)))
    return [*findings, *nobody_logs_in(profile, "ks.cfg")]


def syntax(profile: Profile) -> str:
    """Name that pykickstart has for the syntax: ``vars.kickstart`` where it is said, else by the distro's version."""
    said = profile.vars.get("kickstart") or profile.distro.vars.get("kickstart")
    version = major(profile.distro)
    # Rebuilds of RHEL are far from Fedora's numbers.
    return str(said) if said else "DEVEL" if version == 99 else f"F{version}" if version >= 20 else f"RHEL{version}"


def _whole(text: str) -> str:
    """The file with the commands that the pre-script will have written, since the judge follows no include."""
    late = _LATE.search(text)
    if late is None:
        return text
    lines = re.sub(r"@[0-9a-f:]+@", lambda mac: f"eth{mac[0].replace(':', '')[-3:-1]}", late[1])
    return text.replace("%include /tmp/provd-network.ks\n", lines, 1)


def _validated(text: str, name: str) -> Iterable[Finding]:
    beside_python = f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}"
    validator = shutil.which("ksvalidator", path=beside_python)
    if not text:
        return
    if validator is None:
        yield Finding("warning", "ks.cfg", "not judged: ksvalidator is not installed here (pip install 'provd[lint]')")
        return
    # The judge leaves a copy of the answer, password hashes and all, in its folder for temporary files.
    with tempfile.TemporaryDirectory(prefix="provd-kickstart-") as folder:
        file = Path(folder, "ks.cfg")
        file.write_text(text, encoding="utf-8")
        command = [validator, "-v", name, str(file)]
        alone = {**os.environ, "TMPDIR": folder}
        run = subprocess.run(command, capture_output=True, text=True, check=False, timeout=30, env=alone)
    output = (run.stdout + run.stderr).replace(str(file), "ks.cfg")
    carrying = {f"A network device with the name {name} has already been defined." for name in _CARRYING.findall(text)}
    lines = [line for line in output.splitlines() if line.strip() not in carrying]
    said = " ".join("\n".join(lines).replace("Checking kickstart file ks.cfg", "").split())
    only_carrying = len(lines) < len(output.splitlines()) and not said
    if said or (run.returncode != 0 and not only_carrying):
        yield Finding("error" if run.returncode else "warning", "ks.cfg", f"ksvalidator for {name}: {said}")


PLUGIN = installer_plugin(
    Installer(
        name="kickstart",
        families=("redhat",),
        documents={"ks.cfg": Document(render)},
        kernel_args=kernel_args,
        templates=_FOLDER / "templates",
        defaults=DEFAULTS,
        lint=lint,
        ready=no_source,
    ),
    _FOLDER / "signatures.toml",
)
