"""What the machines of a storm are served, once as files for the C servers and once as provd's site."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

from benchmarks.files.servers import SERVER

NETWORK: Final = "10.0.0.0/8"
POOL: Final = "10.1.0.0/16"
FIRST, LAST = "10.1.0.1", "10.1.15.254"
LOADER: Final = "lpxelinux.0"
_SIZES: Final = {LOADER: 92_000, "ldlinux.c32": 116_000, "linux": 8 << 20, "initrd.gz": 40 << 20}
_ANSWER: Final = 4_000
_CONFIG: Final = f"""\
DEFAULT linux
PROMPT 0
LABEL linux
  KERNEL http://{SERVER}/linux
  INITRD http://{SERVER}/initrd.gz
  APPEND auto=true priority=critical url=http://{SERVER}/answers/{{mac}}/preseed.cfg
  IPAPPEND 2
"""
_PROVD: Final = """\
data_dir = "data"
socket = "run/provd.sock"
site_dir = "site"
user = ""

[[interface]]
name = "server"

[[subnet]]
network = "{network}"
pool = "{first}-{last}"
routers = ["{server}"]
lease_s = 3600
"""
_PROFILE: Final = f"""\
parent = "debian-12-minimal"
source = "http://{SERVER}/debian"
"""


def mac(number: int) -> str:
    """Hardware address of a machine, as ``storm.c`` makes it."""
    return "02:00:" + ":".join(f"{octet:02x}" for octet in number.to_bytes(4, "big"))


def write_content(folder: Path, machines: int) -> None:
    """Loader, kernel, initial RAM disk, and for each machine a configuration and an answer file."""
    for name, size in _SIZES.items():
        (folder / name).write_bytes(os.urandom(size))
    (folder / "pxelinux.cfg").mkdir()
    answer = os.urandom(_ANSWER // 2).hex()
    for address in (mac(number).replace(":", "-") for number in range(machines)):
        (folder / "pxelinux.cfg" / f"01-{address}").write_text(_CONFIG.format(mac=address))
        (folder / "answers" / address).mkdir(parents=True)
        (folder / "answers" / address / "preseed.cfg").write_text(answer)


def write_site(folder: Path, content: Path, machines: int) -> Path:
    """Configuration of provd, its payloads (the same files) and its systems; the path of ``provd.toml``."""
    (folder / "provd.toml").write_text(_PROVD.format(network=NETWORK, first=FIRST, last=LAST, server=SERVER))
    for place, names in {"loaders": (LOADER, "ldlinux.c32"), "debian-12": ("linux", "initrd.gz")}.items():
        (folder / "data" / "payload" / place).mkdir(parents=True)
        for name in names:
            (folder / "data" / "payload" / place / name).hardlink_to(content / name)
    (folder / "site" / "profiles").mkdir(parents=True)
    (folder / "site" / "systems").mkdir()
    (folder / "site" / "profiles" / "storm.toml").write_text(_PROFILE)
    for number in range(machines):
        text = f'profile = "storm"\n\n[[interface]]\nmac = "{mac(number)}"\n'
        (folder / "site" / "systems" / f"machine{number:05}.toml").write_text(text)
    return folder / "provd.toml"
