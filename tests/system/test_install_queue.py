"""The queue of installations on real firmware: a machine that must wait says so, asks again, and installs when let in."""

from __future__ import annotations

from pathlib import Path

import pytest

from provd.image.progress import silent
from provd.lab.firmware import Firmware
from provd.lab.machine import Machine, MachineSpec
from provd.lab.network import PrivateNetwork
from provd.lab.quickboot import parse_report
from provd.payload.fetch import fetch
from tests.system.test_quickboot import LIMIT_S, MAC, NAME, PLUGINS, PROFILE, SUBNET, check_complete, write_catalogue
from tests.system.world import Site

pytestmark = [pytest.mark.qemu, pytest.mark.netns, pytest.mark.timeout(400)]

BUSY, BUSY_MAC = "busy", "52:54:00:88:00:62"
QUEUE = "[queue]\nper_subnet = {most}\nwait_s = 2\n"


@pytest.mark.parametrize(
    ("firmware", "loader"),
    [
        pytest.param(Firmware.BIOS, "pxelinux", id="pxelinux"),
        pytest.param(Firmware.UEFI, "grub_efi", id="GRUB"),
    ],
)
def test_a_machine_waits_for_its_place_and_installs_then(
    site: Site, network: PrivateNetwork, tmp_path: Path, firmware: Firmware, loader: str
) -> None:
    waits_and_installs(site, network, tmp_path, firmware, loader)


def waits_and_installs(site: Site, network: PrivateNetwork, tmp_path: Path, firmware: Firmware, loader: str) -> None:
    """A machine waits behind another one, three questions long, and installs once a second may."""
    table = write_catalogue(site, site.cache, f'{PROFILE}boot_loaders = ["{loader}"]\n')
    site.write("profiles/silent.toml", 'parent = "quickboot"\nboot_loaders = ["pxelinux"]\n[answers]\nsilent = true\n')
    site.write(f"systems/{BUSY}.toml", f'profile = "silent"\n[[interface]]\nmac = "{BUSY_MAC}"\n')
    lan, server = network.segment(), network.host("server")
    server.attach(lan, "eth0", "10.88.0.1/24")
    head = SUBNET + table
    more = ("installer_quickboot", "ipxe")
    service = site.start(server, ("eth0",), head + QUEUE.format(most=1), plugins=PLUGINS, more=more)
    if loader == "ipxe":
        fetch("ipxe", site.data, silent)
    busy = MachineSpec(BUSY, BUSY_MAC, Firmware.BIOS, disk="none", time_limit_s=LIMIT_S)
    with Machine(busy, lan.tap(), tmp_path / "busy") as first:
        first.wait_off(LIMIT_S)
    spec = MachineSpec(NAME, MAC, firmware, disk="none", time_limit_s=LIMIT_S)
    with Machine(spec, lan.tap(), tmp_path / "machine") as machine:
        machine.console.wait_for("This machine waits: 1 machine installs in subnet", 90)
        machine.console.wait_for(r"(?s)This machine waits.*This machine waits.*This machine waits", 60)
        (waiting, running) = service.call("queue.list")
        assert (waiting["system"], waiting["place"], running["system"]) == (NAME, 1, BUSY)
        assert service.call("trace", system=NAME)["findings"][0]["rule"] == "waiting"
        config = site.directory / "provd.toml"
        config.write_text(config.read_text().replace("per_subnet = 1", "per_subnet = 2"))
        service.call("reload")
        machine.wait_off(LIMIT_S)
        check_complete(service, parse_report(machine.console.text()))
    assert "queue.admitted" in [row["kind"] for row in service.events(NAME)]
