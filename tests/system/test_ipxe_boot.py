"""The loader plugin ``ipxe`` on real firmware: a BIOS whose card is iPXE, and OVMF that is handed iPXE first."""

from __future__ import annotations

from pathlib import Path

import pytest

from provd.image.progress import silent
from provd.lab.firmware import Firmware
from provd.lab.network import PrivateNetwork
from provd.lab.quickboot import parse_report
from provd.payload.fetch import fetch
from tests.system.test_quickboot import MAC, NAME, SUBNET, boot, check_complete, write_catalogue
from tests.system.world import Site

pytestmark = [pytest.mark.qemu, pytest.mark.netns, pytest.mark.timeout(300)]

PLUGINS = Path(__file__).parent / "plugins"
PROFILE = 'distro = "quickboot"\ninstaller = "quickboot"\nboot_loaders = ["ipxe"]\n'


@pytest.mark.parametrize("firmware", [Firmware.BIOS, Firmware.UEFI], ids=lambda one: one.name.lower())
def test_a_machine_boots_through_ipxe(site: Site, network: PrivateNetwork, tmp_path: Path, firmware: Firmware) -> None:
    table = write_catalogue(site, site.cache, PROFILE)
    lan, server = network.segment(), network.host("server")
    server.attach(lan, "eth0", "10.88.0.1/24")
    more = ("installer_quickboot", "ipxe")
    service = site.start(server, ("eth0",), SUBNET + table, plugins=PLUGINS, more=more)
    # Files that are fetched while it runs are found: they are looked for with every boot.
    fetch("ipxe", site.data, silent)
    report = parse_report(boot(lan, tmp_path, firmware))
    check_complete(service, report)
    session = service.boots(NAME)[0]
    assert (session["loader"], session["mac"]) == ("ipxe", MAC)
