"""Whole machines that take their address from dnsmasq and boot from provd beside it (P08, P09, row 39)."""

from __future__ import annotations

from pathlib import Path

import pytest

from provd.lab.firmware import Firmware
from provd.lab.foreign_dhcp import ForeignServer
from provd.lab.network import PrivateNetwork, Segment, start_relay
from provd.lab.quickboot import QuickbootReport, parse_report
from provd.lab.service import RunningService
from tests.system.test_quickboot import MAC, NAME, PLUGINS, boot, kinds, write_catalogue
from tests.system.world import Site, sha256

pytestmark = [pytest.mark.qemu, pytest.mark.netns, pytest.mark.timeout(300)]

SUBNET = """\
[[subnet]]
network = "10.88.0.0/24"
mode = "proxy"
"""


@pytest.fixture
def foreign(network: PrivateNetwork, site: Site, tmp_path: Path) -> ForeignServer:
    lan = network.segment()
    host = network.host("router")
    host.attach(lan, "eth0", "10.88.0.254/24")
    return ForeignServer(host, site.cache, ("10.88.0.50", "10.88.0.90"), dns="10.88.0.254", folder=tmp_path / "foreign")


def start(site: Site, network: PrivateNetwork, *more: str) -> tuple[RunningService, Segment]:
    """provd as a proxy on the foreign server's link, with one machine to install."""
    table = write_catalogue(site, site.cache)
    lan, server = network.segments[0], network.host("server")
    server.attach(lan, "eth0", "10.88.0.1/24")
    enabled = ("installer_quickboot", *more)
    return site.start(server, ("eth0",), SUBNET + table, plugins=PLUGINS, more=enabled), lan


def check_complete(service: RunningService, foreign: ForeignServer, report: QuickbootReport) -> None:
    """Address by dnsmasq, everything else by provd, and the whole story is told."""
    assert report.end == "complete"
    assert report.fetched_sha256 == sha256(f"hello {NAME}\n".encode())
    assert report.posted
    assert report.address == foreign.leases()[MAC]
    assert report.fields["dns"] == "10.88.0.254"
    session = service.boots(NAME)[0]
    assert (session["outcome"], session["address"]) == ("finished", report.address)
    assert service.call("lease.list") == []
    seen = kinds(service)
    order = ["dhcp.discover", "dhcp.offer", "dhcp.elsewhere", "config.served", "kernel.fetched", "initrd.fetched"]
    places = [seen.index(kind) for kind in [*order, "answer.served", "install.finished"]]
    assert places == sorted(places)
    assert not [kind for kind in seen if kind.endswith(".failed")]
    # The other server never heard of ours: no NAK, no decline, no conflict.
    assert "DHCPNAK" not in foreign.text
    assert "DHCPDECLINE" not in foreign.text


def test_P09_bios_asks_the_pxe_port_where_the_offer_names_no_file(
    site: Site, network: PrivateNetwork, foreign: ForeignServer, tmp_path: Path
) -> None:
    service, lan = start(site, network, "offer_without_file")
    report = parse_report(boot(lan, tmp_path, Firmware.BIOS))
    check_complete(service, foreign, report)
    sent = service.call("status")["dhcp"]["sent"]
    assert sent["pxe-ack"] >= 1
    assert service.boots(NAME)[0]["loader"] == "pxelinux"


@pytest.mark.parametrize("firmware", [Firmware.UEFI, Firmware.UEFI_HTTP])
def test_P08_uefi_boots_from_the_file_of_the_proxys_offer(
    site: Site, network: PrivateNetwork, foreign: ForeignServer, tmp_path: Path, firmware: Firmware
) -> None:
    service, lan = start(site, network)
    report = parse_report(boot(lan, tmp_path, firmware))
    check_complete(service, foreign, report)
    assert service.boots(NAME)[0]["loader"] == "grub_efi"


@pytest.mark.parametrize("firmware", [Firmware.BIOS, Firmware.UEFI])
def test_P08_L01_a_relay_asks_the_address_server_and_the_proxy(
    site: Site, network: PrivateNetwork, tmp_path: Path, firmware: Firmware
) -> None:
    inside, outside = network.segment(), network.segment()
    router, central = network.host("router"), network.host("central")
    router.attach(inside, "eth0", "10.88.0.254/24")
    router.attach(outside, "eth1", "10.89.0.1/24")
    central.attach(inside, "eth0", "10.88.0.2/24")
    central.add_route("10.89.0.0/24", "10.88.0.254")
    pool = ("10.89.0.50", "10.89.0.90")
    folder = tmp_path / "foreign"
    foreign = ForeignServer(central, site.cache, pool, router="10.89.0.1", dns="10.88.0.254", folder=folder)
    table = write_catalogue(site, site.cache)
    server = network.host("server")
    server.attach(inside, "eth0", "10.88.0.1/24")
    server.add_route("10.89.0.0/24", "10.88.0.254")
    far = SUBNET.replace("10.88.0.0", "10.89.0.0") + 'server_address = "10.88.0.1"\n'
    service = site.start(server, ("eth0",), SUBNET + far + table, plugins=PLUGINS, more=("installer_quickboot",))
    start_relay(router, site.cache, downstream="eth1", upstream="eth0", server="10.88.0.2", other="10.88.0.1")
    report = parse_report(boot(outside, tmp_path, firmware))
    check_complete(service, foreign, report)
    assert report.address.startswith("10.89.0.")
