"""The menu on real firmware: what starts by itself, and an installation that somebody chooses with the password."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from provd.image.progress import silent
from provd.lab.firmware import Firmware
from provd.lab.machine import Machine, MachineSpec
from provd.lab.network import PrivateNetwork, Segment
from provd.lab.quickboot import parse_report
from provd.lab.service import RunningService
from provd.payload.fetch import fetch
from tests.system.test_quickboot import LIMIT_S, MAC, NAME, PLUGINS, SUBNET, check_complete, write_catalogue
from tests.system.world import Site

pytestmark = [pytest.mark.qemu, pytest.mark.netns, pytest.mark.timeout(300)]

PASSWORD = "sesame1"
MENU = """\
title = "Machines of the lab"
timeout_s = 5
default = "memory"
password = {file = "secret"}

[[entry]]
profile = "memory"
title = "Test the memory"

[[entry]]
profile = "quickboot"
title = "Install it"
"""
DOWN, ENTER = "\x1b[B", "\r"


def start(site: Site, network: PrivateNetwork) -> tuple[RunningService, Segment]:
    """A server whose only machine is shown the menu."""
    table = write_catalogue(site, site.cache)
    site.write(f"systems/{NAME}.toml", f'policy = "menu"\n[[interface]]\nmac = "{MAC}"\n')
    site.write("profiles/memory.toml", 'parent = "memtest86plus"\nkernel_args = ["console=ttyS0,115200"]\n')
    site.write("menus/boot.toml", MENU)
    site.write("menus/secret", f"{PASSWORD}\n")
    (site.directory / "site/menus/secret").chmod(0o600)
    lan, server = network.segment(), network.host("server")
    server.attach(lan, "eth0", "10.88.0.1/24")
    more = ("installer_quickboot", "installer_plain")
    service = site.start(server, ("eth0",), SUBNET + table, plugins=PLUGINS, more=more)
    fetch("memtest86plus", site.data, silent)
    return service, lan


def test_the_time_passes_and_the_default_starts(site: Site, network: PrivateNetwork, tmp_path: Path) -> None:
    service, lan = start(site, network)
    spec = MachineSpec(NAME, MAC, Firmware.BIOS, disk="none", time_limit_s=LIMIT_S)
    with Machine(spec, lan.tap(), tmp_path / "machine") as machine:
        machine.console.wait_for("Test the memory", 90)
        machine.console.wait_for(r"Memtest86\+", 60)
    session = service.boots(NAME)[0]
    assert (session["action"], session["profile"], session["outcome"]) == ("start", "memory", "started")
    assert "menu.chosen" in [row["kind"] for row in service.events(NAME)]


def type_in_pxelinux(machine: Machine, password: str) -> None:
    """Choose the entry below the default, and answer with a password; each key is on the screen before the next is pressed."""
    machine.console.send(f"{DOWN}{ENTER}")
    machine.console.wait_for("Password required", 20)
    for letter in password:
        machine.console.send(letter)
        machine.console.wait_for(r"\*", 20)
    machine.console.send(ENTER)


def type_in_grub(machine: Machine, password: str) -> None:
    """Choose the entry below the default, and answer with who may do everything and a password, which is not shown."""
    machine.console.send(f"{DOWN}{ENTER}")
    machine.console.wait_for("Enter username:", 20)
    for letter in "admin":
        machine.console.send(letter)
        machine.console.wait_for(letter, 20)
    machine.console.send(ENTER)
    machine.console.wait_for("Enter password:", 20)
    machine.console.send(f"{password}{ENTER}")


@pytest.mark.parametrize(
    ("firmware", "answer"),
    [
        pytest.param(Firmware.BIOS, type_in_pxelinux, id="pxelinux"),
        pytest.param(Firmware.UEFI, type_in_grub, id="GRUB"),
    ],
)
def test_an_installation_is_chosen_and_takes_the_password(
    site: Site, network: PrivateNetwork, tmp_path: Path, firmware: Firmware, answer: Callable[[Machine, str], None]
) -> None:
    service, lan = start(site, network)
    spec = MachineSpec(NAME, MAC, firmware, disk="none", time_limit_s=LIMIT_S)
    with Machine(spec, lan.tap(), tmp_path / "machine") as machine:
        machine.console.wait_for("Install it", 90)
        answer(machine, f"{PASSWORD}x")
        machine.console.wait_for("Install it", 20)
        assert "menu.chosen" not in [row["kind"] for row in service.events(NAME)]
        answer(machine, PASSWORD)
        machine.wait_off(LIMIT_S)
        check_complete(service, parse_report(machine.console.text()))
    session = service.boots(NAME)[0]
    assert (session["action"], session["profile"]) == ("install", "quickboot")
