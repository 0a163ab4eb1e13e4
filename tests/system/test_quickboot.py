"""Whole machines: firmware, boot loader, kernel and a tiny system, through the real server."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from provd.lab.errors import LabError
from provd.lab.firmware import Firmware
from provd.lab.machine import Machine, MachineSpec
from provd.lab.network import PrivateNetwork, Segment, start_relay
from provd.lab.quickboot import QuickbootReport, build_quickboot, parse_report
from provd.lab.service import RunningService
from tests.system.world import Site, sha256

pytestmark = [pytest.mark.qemu, pytest.mark.netns, pytest.mark.timeout(300)]

PLUGINS = Path(__file__).parent / "plugins"
MAC = "52:54:00:88:00:61"
NAME = "web1"
LIMIT_S = 200
SUBNET = """\
[[subnet]]
network = "10.88.0.0/24"
pool = "10.88.0.100-10.88.0.150"
routers = ["10.88.0.1"]
"""
PROFILE = """\
distro = "quickboot"
installer = "quickboot"
"""
SYSTEM = f"""\
profile = "quickboot"
[[interface]]
mac = "{MAC}"
"""


def write_catalogue(site: Site, cache: Path, profile: str = PROFILE) -> str:
    """Files of the site; returns the plugin's table for ``provd.toml``."""
    files = build_quickboot(cache)
    site.write("distros/quickboot.toml", 'installer = "quickboot"\n')
    site.write("profiles/quickboot.toml", profile)
    site.write(f"systems/{NAME}.toml", SYSTEM)
    return f'[plugins.installer_quickboot]\nkernel = "{files.kernel}"\ninitrd = "{files.initrd}"\n'


def start(site: Site, network: PrivateNetwork, profile: str = PROFILE) -> tuple[RunningService, Segment]:
    """A server with one machine to install."""
    table = write_catalogue(site, site.cache, profile)
    lan, server = network.segment(), network.host("server")
    server.attach(lan, "eth0", "10.88.0.1/24")
    service = site.start(server, ("eth0",), SUBNET + table, plugins=PLUGINS, more=("installer_quickboot",))
    return service, lan


def boot(lan: Segment, directory: Path, firmware: Firmware, **changes: Any) -> str:
    """Boot until the machine switches itself off; its console."""
    spec = MachineSpec(NAME, MAC, firmware, disk="none", time_limit_s=LIMIT_S, **changes)
    with Machine(spec, lan.tap(), directory / "machine") as machine:
        machine.wait_off(LIMIT_S + 10)
        return machine.console.text()


def kinds(service: RunningService) -> Sequence[str]:
    return [str(row["kind"]) for row in service.events(NAME)]


def check_complete(service: RunningService, report: QuickbootReport) -> None:
    """The machine did all it had to, and the service told it."""
    assert report.end == "complete"
    assert report.fetched_sha256 == sha256(f"hello {NAME}\n".encode())
    assert report.posted
    # The second DHCP is answered with the same address, name servers and no boot file.
    session = service.boots(NAME)[0]
    assert report.address == session["address"]
    assert report.fields["dns"] == "10.88.0.1"
    assert report.boot_file == "none"
    assert session["outcome"] == "finished"
    # iPXE repeats its DISCOVER; each offer has the same address, and so has every later identity.
    rows = service.events(NAME)
    given = {row["fields"]["address"] for row in rows if row["kind"] in {"dhcp.offer", "dhcp.ack"}}
    assert given == {report.address}
    seen = kinds(service)
    order = ["dhcp.discover", "dhcp.offer", "dhcp.ack", "config.served", "kernel.fetched", "initrd.fetched"]
    places = [seen.index(kind) for kind in [*order, "answer.served", "install.finished"]]
    assert places == sorted(places)
    # OVMF aborts its first transfer once it knows the size, and loaders ask for files that may be missing.
    assert not [kind for kind in seen if kind.endswith(".failed")]


@pytest.mark.parametrize("nic", ["virtio-net-pci", "e1000"])
def test_bios(site: Site, network: PrivateNetwork, tmp_path: Path, nic: str) -> None:
    service, lan = start(site, network)
    report = parse_report(boot(lan, tmp_path, Firmware.BIOS, nic=nic))
    check_complete(service, report)
    assert service.boots(NAME)[0]["loader"] == "pxelinux"


def test_uefi(site: Site, network: PrivateNetwork, tmp_path: Path) -> None:
    service, lan = start(site, network)
    report = parse_report(boot(lan, tmp_path, Firmware.UEFI))
    check_complete(service, report)
    assert not report.secure_boot
    assert service.boots(NAME)[0]["loader"] == "grub_efi"


def test_secure_boot_is_enforced_through_the_signed_chain(site: Site, network: PrivateNetwork, tmp_path: Path) -> None:
    service, lan = start(site, network)
    console = boot(lan, tmp_path, Firmware.UEFI_SECUREBOOT)
    assert "UEFI Secure Boot is enabled" in console
    report = parse_report(console)
    check_complete(service, report)
    assert report.secure_boot


def test_secure_boot_refuses_an_unsigned_loader(site: Site, network: PrivateNetwork, tmp_path: Path) -> None:
    service, lan = start(site, network, PROFILE + '[loader.grub_efi]\nbuild = "http"\n')
    spec = MachineSpec(NAME, MAC, Firmware.UEFI_SECUREBOOT, disk="none", time_limit_s=LIMIT_S)
    with Machine(spec, lan.tap(), tmp_path / "machine") as machine:
        machine.console.wait_for(r"(?i)access denied|security violation", 120)
        with pytest.raises(LabError):
            machine.console.wait_for("quickboot: started", 5)
    seen = kinds(service)
    assert "tftp.sent" in seen
    assert "config.served" not in seen


def test_uefi_http_boot(site: Site, network: PrivateNetwork, tmp_path: Path) -> None:
    service, lan = start(site, network)
    report = parse_report(boot(lan, tmp_path, Firmware.UEFI_HTTP))
    check_complete(service, report)
    assert "http.sent" in kinds(service)


def test_bios_behind_a_relay(site: Site, network: PrivateNetwork, tmp_path: Path) -> None:
    table = write_catalogue(site, site.cache)
    inside, outside = network.segment(), network.segment()
    server, router = network.host("server"), network.host("router")
    server.attach(inside, "eth0", "10.88.0.1/24")
    server.add_route("10.89.0.0/24", "10.88.0.254")
    router.attach(inside, "eth0", "10.88.0.254/24")
    router.attach(outside, "eth1", "10.89.0.1/24")
    relayed = '[[subnet]]\nnetwork = "10.89.0.0/24"\npool = "10.89.0.100-10.89.0.150"\nrouters = ["10.89.0.1"]\n'
    service = site.start(server, ("eth0",), SUBNET + relayed + table, plugins=PLUGINS, more=("installer_quickboot",))
    start_relay(router, site.cache, downstream="eth1", upstream="eth0", server="10.88.0.1")
    report = parse_report(boot(outside, tmp_path, Firmware.BIOS))
    check_complete(service, report)
    assert report.address.startswith("10.89.0.1")


def test_a_machine_that_never_reports_is_held_and_boots_its_disk(
    site: Site, network: PrivateNetwork, tmp_path: Path
) -> None:
    profile = PROFILE + "[answers]\nsilent = true\n[boot]\nmax_attempts = 1\n"
    service, lan = start(site, network, profile)
    boot(lan, tmp_path, Firmware.BIOS)
    spec = MachineSpec(NAME, MAC, Firmware.BIOS, disk="none", time_limit_s=LIMIT_S)
    with Machine(spec, lan.tap(), tmp_path / "second") as machine:
        machine.console.wait_for("provd holds this machine", 120)
    assert "boot.held" in kinds(service)
