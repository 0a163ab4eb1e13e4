"""Files of the site in which faults are planted: distros, profiles, templates, systems, plugins."""

from __future__ import annotations

from typing import Any, Final

from tests.faults.planted_cases import CASES, HEALTHY, TENANTS

EXTRA: Final = """\
[plugins.source_mirror.mirrors.stopped]
upstream = "http://10.88.0.252:8000/debian"
[plugins.source_mirror.mirrors.broken]
upstream = "http://10.88.0.252:8001/debian"
[plugins.source_mirror.mirrors.hangs]
upstream = "http://10.88.0.252:8002/debian"
"""
SUBNETS: Final = """\
[[subnet]]
name = "lab"
network = "10.88.0.0/24"
interface = "eth0"
pool = "10.88.0.100-10.88.0.229"

[[subnet]]
name = "tiny"
network = "10.87.0.0/24"
interface = "eth1"
pool = "10.87.0.100-10.87.0.101"

[[subnet]]
name = "deaf"
network = "10.98.0.0/24"
pool = "10.98.0.100-10.98.0.101"
server_address = "10.88.0.1"
"""
PLUGINS: Final = (
    "installer_preseed", "installer_kickstart", "installer_alpine", "source_mirror", "ipxe",
    "drowsy", "clumsy", "lazy_reports",
)  # fmt: skip
_TREE: Final = 'tree = "http://10.88.0.252/debian"\n[vars]\nsuite = "bookworm"\n'
_FILES: Final = 'kernel = "payload:tiny/linux"\ninitrd = ["payload:tiny/initrd.gz"]\n'
_DEBIAN: Final = 'family = "debian"\nversion = "12"\ninstaller = "preseed"\n'
DISTROS: Final = {
    "deb": _DEBIAN + _FILES + _TREE,
    "arm": _DEBIAN + 'arch = "aarch64"\n' + _FILES + _TREE,
    "no-kernel": _DEBIAN + _FILES.replace("linux", "vmlinuz-gone") + _TREE,
    "no-initrd": _DEBIAN + _FILES.replace("initrd.gz", "initrd-gone.gz") + _TREE,
    "el9": 'family = "redhat"\nversion = "9"\ninstaller = "kickstart"\n' + _FILES + _TREE,
    "stopped": _DEBIAN + _FILES + 'tree = "mirror:stopped"\n[vars]\nsuite = "bookworm"\n',
}
PROFILES: Final = {
    "web": 'distro = "deb"\n[boot]\nmax_attempts = 9\n',
    "arm": 'distro = "arm"\n',
    "only-pxelinux": 'distro = "deb"\nboot_loaders = ["pxelinux"]\n',
    "only-grub": 'distro = "deb"\nboot_loaders = ["grub_efi"]\n',
    "only-ipxe": 'distro = "deb"\nboot_loaders = ["ipxe"]\n',
    "always": 'distro = "deb"\n[boot]\npolicy = "always"\n',
    "no-kernel": 'distro = "no-kernel"\n',
    "no-initrd": 'distro = "no-initrd"\n',
    "undefined": 'distro = "deb"\n[templates]\n"preseed.cfg" = "undefined.cfg"\n',
    "syntax": 'distro = "deb"\n[templates]\n"preseed.cfg" = "syntax.cfg"\n',
    "snippet": 'distro = "el9"\n[templates]\n"ks.cfg" = "snippet.ks"\n',
    "late": 'distro = "deb"\n[templates]\n"late.sh" = "undefined.cfg"\n',
    "stopped": 'distro = "stopped"\n',
    "held": 'distro = "deb"\n[boot]\nmax_attempts = 2\n',
}
TEMPLATES: Final = {
    "undefined.cfg": "d-i netcfg/get_hostname string {{ hostnaem }}\n",
    "syntax.cfg": "d-i netcfg/get_hostname string {% if %}\n",
    "snippet.ks": "text\n{% include 'disk.ks' %}\n",
    "disk.ks": "clearpart --drives={{ system.disks.first.name }}\n",
}
_PLUGIN: Final = '''"""Misbehaves for one machine."""

import time
from collections.abc import Iterable

from provd.plugin.api import {imports}, Plugin, Settings, hookimpl


class NoSettings(Settings, frozen=True):
    pass


class Bad:
    def __init__(self, settings: NoSettings) -> None:
        pass

    @hookimpl
{body}

PLUGIN = Plugin(name="{name}", settings=NoSettings, build=Bad)
'''
PLUGIN_FILES: Final = {
    "drowsy.py": _PLUGIN.format(
        name="drowsy",
        imports="BootPlan",
        body="    def provd_kernel_args(self, plan: BootPlan) -> Iterable[str] | None:\n"
        "        if plan.system and plan.system.name.startswith('slow-'):\n"
        "            time.sleep(0.6)\n"
        "        return None\n",
    ),
    "clumsy.py": _PLUGIN.format(
        name="clumsy",
        imports="BootPlan",
        body="    def provd_kernel_args(self, plan: BootPlan) -> Iterable[str] | None:\n"
        "        if plan.system and plan.system.name.startswith('raising-'):\n"
        "            raise RuntimeError('inventory says no')\n"
        "        return None\n",
    ),
    "lazy_reports.py": _PLUGIN.format(
        name="lazy_reports",
        imports="Callback, CallbackCall, CallbackResult",
        body="    def provd_callbacks(self) -> Iterable[Callback]:\n"
        "        def run(call: CallbackCall) -> CallbackResult:\n"
        "            raise RuntimeError('the ticket system is down')\n\n"
        "        return [Callback(name='ticket', max_bytes=100, run=run)]\n",
    ),
}


def _system(case: Any) -> str:
    address = f'address = "{case.address}"\n' if case.address else ""
    return f'profile = "{case.profile}"\n\n[[interface]]\nname = "eth0"\nmac = "{case.mac}"\n{address}'


FILES: Final = {
    **{f"distros/{name}.toml": text for name, text in DISTROS.items()},
    **{f"profiles/{name}.toml": text for name, text in PROFILES.items()},
    **{f"templates/{name}": text for name, text in TEMPLATES.items()},
    **{f"systems/{case.name}.toml": _system(case) for case in (*CASES, *HEALTHY, *TENANTS) if case.profile},
}
