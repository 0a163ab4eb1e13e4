"""The configuration the demo runs with: one network, one profile, one machine, one key."""

from __future__ import annotations

import subprocess
from dataclasses import dataclass
from pathlib import Path

from provd.lab.errors import LabError

NETWORK = "10.77.0"
SERVER = f"{NETWORK}.1"
SYSTEM = "first-machine"
USER = "demo"
MAC = "52:54:00:77:00:01"

_PROVD_TOML = """\
# Written by the demo. Everything not said here is provd's default.
data_dir = "data"
site_dir = "site"
socket = "{socket}"
user = ""                       # stay root: the checkout may be readable by root only; capabilities are dropped
enabled = [
  "relay", "pxelinux", "grub_efi", "source_http", "installer_image", "trigger_script", "install_callbacks"
]

[[interface]]
name = "eth0"

[[subnet]]
network = "{network}.0/24"
pool = "{network}.100-{network}.200"
domain = "demo.example"

[[plugins.trigger_script.scripts]]
name = "tell"
on = ["install.finished"]
argv = ["/usr/bin/printf", "--", "%s is installed", "{{system}}"]
"""

_PROFILE_TOML = """\
parent = "{parent}"

[answers]
locale = "C.UTF-8"
users = [{{ name = "{user}", ssh_keys = ["{key}"], sudo = true }}]
"""

_SYSTEM_TOML = f"""\
profile = "demo"

[[interface]]
mac = "{MAC}"
"""


@dataclass(frozen=True, slots=True)
class DemoSite:
    """The files of one run.

    Attributes:
        config: ``provd.toml``.
        socket: local socket of the service.
        key: private SSH key, made for this run.
    """

    config: Path
    socket: Path
    key: Path


def make_key(path: Path) -> str:
    """A fresh SSH key pair; returns the public line.

    Raises:
        LabError: ssh-keygen failed.
    """
    argv = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "provd-demo", "-f", str(path)]
    done = subprocess.run(argv, capture_output=True, text=True, check=False)
    if done.returncode:
        msg = f"ssh-keygen: {done.stderr.strip()}"
        raise LabError(msg)
    return path.with_suffix(".pub").read_text().strip()


def write_site(directory: Path, socket: Path, parent: str = "debian-12-image-minimal") -> DemoSite:
    """Write all files into an empty directory.

    Args:
        directory: for this run; its ``data`` holds payloads and image already.
        socket: local socket of the service; its path must be short (108 octets, unix(7)).
        parent: profile the demo's own inherits from.
    """
    site = DemoSite(directory / "provd.toml", socket, directory / "key")
    public = make_key(site.key)
    for folder in ("site/profiles", "site/systems"):
        (directory / folder).mkdir(parents=True)
    site.config.write_text(_PROVD_TOML.format(network=NETWORK, socket=socket))
    profile = _PROFILE_TOML.format(parent=parent, user=USER, key=public)
    (directory / "site/profiles/demo.toml").write_text(profile)
    (directory / f"site/systems/{SYSTEM}.toml").write_text(_SYSTEM_TOML)
    return site
