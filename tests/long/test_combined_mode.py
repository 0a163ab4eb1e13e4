"""Firmware that is told that the PXE port is answered: addresses and boot files from one provd (mode ``combined``)."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from provd.lab.firmware import Firmware
from provd.lab.network import PrivateNetwork
from provd.lab.payloads import lab_cache, prepare_loaders
from provd.lab.quickboot import parse_report
from tests.system.test_quickboot import PLUGINS, SUBNET, boot, check_complete, write_catalogue
from tests.system.world import Site

pytestmark = [pytest.mark.qemu, pytest.mark.netns, pytest.mark.timeout(300)]


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    cache = lab_cache()
    prepare_loaders(cache, lambda _text, _share: None)
    with PrivateNetwork(tmp_path / "logs") as network:
        yield Site(network, tmp_path, cache, tmp_path / "s")


@pytest.mark.parametrize("firmware", [Firmware.BIOS, Firmware.UEFI])
def test_P04_P09_machines_boot_where_option_60_promises_the_pxe_port(
    site: Site, tmp_path: Path, firmware: Firmware
) -> None:
    table = write_catalogue(site, site.cache)
    lan, server = site.network.segment(), site.network.host("server")
    server.attach(lan, "eth0", "10.88.0.1/24")
    subnet = SUBNET + 'mode = "combined"\n'
    service = site.start(server, ("eth0",), subnet + table, plugins=PLUGINS, more=("installer_quickboot",))
    check_complete(service, parse_report(boot(lan, tmp_path, firmware)))
    assert service.stop() == 0
