"""An arm64 machine with UEFI that is to get the Debian installer, up to the first lines of its kernel."""

from __future__ import annotations

from pathlib import Path
from uuid import UUID

from provd.image.progress import silent
from provd.lab.firmware import Firmware
from provd.lab.machine import Machine, MachineSpec
from provd.lab.network import PrivateNetwork
from provd.lab.payloads import shared_data
from provd.lab.service import RunningService
from provd.payload.fetch import fetch
from tests.system.world import Site

MAC = "52:54:00:88:00:a6"
NAME = "board"
LIMIT_S = 300
SUBNET = """\
[[subnet]]
network = "10.88.0.0/24"
pool = "10.88.0.100-10.88.0.150"
routers = ["10.88.0.1"]
"""
PROFILE = """\
parent = "debian-12-arm64-minimal"
source = "http://10.88.0.1/debian"
kernel_args = ["console=ttyAMA0"]
"""
SYSTEM = f"""\
profile = "arm"
[[interface]]
mac = "{MAC}"
"""
_FETCHED = ("tftp.sent", "http.sent", "kernel.fetched", "initrd.fetched")


def start(site: Site, network: PrivateNetwork) -> RunningService:
    """provd with the payloads for arm64, on a network of its own."""
    for name in ("loaders-arm64", "debian-12-arm64"):
        fetch(name, shared_data(site.cache), silent)
    site.write("profiles/arm.toml", PROFILE)
    site.write(f"systems/{NAME}.toml", SYSTEM)
    server = network.host("server")
    server.attach(network.segment(), "eth0", "10.88.0.1/24")
    return site.start(server, ("eth0",), SUBNET, more=("installer_preseed",))


def boot(firmware: Firmware, service: RunningService, network: PrivateNetwork, folder: Path) -> list[str]:
    """What it had fetched, as ``EVENT FILE``, when its kernel had said its command line and begun with the initrd."""
    uuid = UUID(f"88880000-0000-4000-8000-{MAC.replace(':', '')}")
    spec = MachineSpec(NAME, MAC, firmware, uuid, disk="none", time_limit_s=LIMIT_S + 30)
    with Machine(spec, network.segments[0].tap(), folder / "machine") as machine:
        machine.console.wait_for(r"Booting Linux on physical CPU", LIMIT_S)
        line = machine.console.wait_for(r"Kernel command line: (.*)\n", 60)[1]
        assert "/answer/" in line
        machine.console.wait_for(r"Trying to unpack rootfs image as initramfs", 60)
    rows = [row for row in service.events(NAME) if row["kind"] in _FETCHED]
    return [f"{row['kind']} {str(row['fields']['path']).rpartition('/')[2]}" for row in rows]
