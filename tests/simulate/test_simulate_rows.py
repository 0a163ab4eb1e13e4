"""The checklist of unattended installs, walked by simulated machines through real services and shipped plugins."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from pathlib import Path
from uuid import UUID

import pytest

from provd.model.mac import Mac
from provd.simulate.actions import BootError, run
from provd.simulate.boot import FirmwareName
from provd.simulate.dhcp import dora
from provd.simulate.firmware import BIOS_IPXE, DEBIAN_INSTALLER, DUID_CLIENT, Machine
from provd.simulate.pxelinux_config import kernel_words, search_order
from provd.testing.world import MACHINE
from tests.fakes.simulated_server import INITRD, KERNEL, SimulatedServer

FIRMWARE: tuple[FirmwareName, ...] = ("bios", "x64-uefi", "x64-uefi-http")


@pytest.fixture
def server(tmp_path: Path) -> SimulatedServer:
    return SimulatedServer(tmp_path)


@pytest.mark.parametrize("firmware", FIRMWARE)
def test_row_1_a_bare_machine_is_installed_without_a_prompt(server: SimulatedServer, firmware: FirmwareName) -> None:
    server.add()
    boot = server.boot(firmware)
    assert boot.outcome == "installed", boot.text()
    assert boot.installed is not None
    assert dict(boot.installed.reported) == {"started": 200, "progress": 200, "finished": 200}
    assert server.services.store.installs.get("web1").state == "installed"


def test_row_2_many_machines_boot_and_none_is_starved(server: SimulatedServer) -> None:
    boots = []
    for number in range(8):
        mac = Mac(bytes.fromhex("5254009900") + bytes((number,)))
        server.add(f"web{number}", mac=mac)
        boots.append(server.boot(machine=Machine(mac.octets, UUID(int=number)), seed=number))
    assert [boot.outcome for boot in boots] == ["installed"] * 8
    assert len({boot.address for boot in boots}) == 8


@pytest.mark.parametrize(
    ("firmware", "file"),
    [("bios", "lpxelinux.0"), ("x64-uefi", "shimx64.efi"), ("x64-uefi-http", "http://10.88.0.1/grubx64-http.efi")],
)
def test_row_15_each_firmware_is_told_its_loader(server: SimulatedServer, firmware: FirmwareName, file: str) -> None:
    server.add()
    boot = server.boot(firmware)
    assert boot.boot_file == file
    assert any(file.endswith(asked) for asked in server.files_asked)


def test_row_16_the_configuration_search_stops_at_the_machines_own_name(server: SimulatedServer) -> None:
    server.add()
    boot = server.boot()
    assert boot.started is not None
    names = [path for path, _ in boot.started.asked if path.startswith("pxelinux.cfg/")]
    assert names == ["pxelinux.cfg/01-52-54-00-88-00-11"]


def test_row_16_every_name_of_the_order_means_this_machine(server: SimulatedServer) -> None:
    server.add()
    boot = server.boot()
    from provd.simulate.actions import TftpGet

    for name in search_order(MACHINE.mac, boot.address):
        found = server.tftp(TftpGet("10.88.0.1", f"pxelinux.cfg/{name}", source=boot.address))
        assert found.ok, name
    foreign = server.tftp(TftpGet("10.88.0.1", "pxelinux.cfg/01-52-54-00-00-00-99", source=boot.address))
    assert foreign.status == 404


@pytest.mark.parametrize("firmware", FIRMWARE)
def test_row_17_kernel_and_initrd_arrive_unchanged(server: SimulatedServer, firmware: FirmwareName) -> None:
    server.add()
    boot = server.boot(firmware)
    assert boot.kernel_sha256 == hashlib.sha256(KERNEL).hexdigest()
    assert boot.initrd_sha256 == (hashlib.sha256(INITRD).hexdigest(),)


@pytest.mark.parametrize("firmware", FIRMWARE)
def test_row_18_the_configuration_decides_what_starts(server: SimulatedServer, firmware: FirmwareName) -> None:
    server.add()
    assert server.boot(firmware).outcome == "installed"
    again = server.boot(firmware, seed=2)
    assert again.outcome == "local", again.text()
    assert again.kernel_sha256 == ""


@pytest.mark.parametrize("firmware", FIRMWARE)
def test_row_19_arguments_reach_the_kernel_as_they_were_meant(server: SimulatedServer, firmware: FirmwareName) -> None:
    server.add()
    boot = server.boot(firmware)
    assert boot.started is not None
    words = kernel_words(boot.started.command_line)
    assert "quiet" in words
    assert "greeting=hello there" in words
    assert "console=ttyS0,115200" in words
    assert "BOOTIF=01-52-54-00-88-00-11" in words


def test_row_20_the_source_is_named_as_each_family_reads_it(server: SimulatedServer) -> None:
    server.add()
    debian = server.boot()
    assert debian.installed is not None
    preseed = debian.installed.documents["preseed.cfg"]
    assert "10.88.0.9" in preseed
    assert "/debian" in preseed
    other = Mac.parse("52:54:00:88:00:22")
    server.add("el1", "ks", other)
    redhat = server.boot(machine=Machine(other.octets, UUID(int=22)))
    assert redhat.outcome == "installed", redhat.text()
    assert redhat.installed is not None
    assert redhat.installed.source == "http://10.88.0.9/rocky"


def test_row_21_the_installers_own_dhcp_gets_no_boot_file(server: SimulatedServer) -> None:
    server.add()
    server.boot()
    second = run(dora(DEBIAN_INSTALLER, MACHINE, 77), server)
    assert (second.file, second.packet.siaddr) == ("", 0)
    assert not {66, 67} & set(second.packet.options)


def test_row_22_two_rounds_are_one_session(server: SimulatedServer) -> None:
    server.add()
    server.boot()
    sessions = server.store.sessions.sessions(limit=10)
    assert len(sessions) == 1
    assert server.kinds().count("dhcp.ack") == 2


def test_row_23_the_address_stays_although_the_identifier_changes(server: SimulatedServer) -> None:
    server.add("el1", "ks")
    boot = server.boot()
    assert boot.outcome == "installed", boot.text()
    assert boot.address == boot.installer_address
    rounds = [run(dora(style, MACHINE, 100 + i), server) for i, style in enumerate((BIOS_IPXE, DUID_CLIENT))]
    assert {one.address for one in rounds} == {boot.address}


@pytest.mark.parametrize(("profile", "argument"), [("web", "url="), ("ks", "inst.ks=")])
def test_row_24_the_answer_file_is_named_on_the_command_line(
    server: SimulatedServer, profile: str, argument: str
) -> None:
    server.add("m1", profile)
    boot = server.boot()
    assert boot.started is not None
    (found,) = [word for word in kernel_words(boot.started.command_line) if word.startswith(argument)]
    assert found.startswith(f"{argument}http://10.88.0.1/answer/")


def test_row_25_the_answer_file_is_rendered_for_this_machine(server: SimulatedServer) -> None:
    server.add()
    boot = server.boot()
    assert boot.installed is not None
    assert "Europe/Berlin" in boot.installed.documents["preseed.cfg"]
    assert boot.installed.answer_headers["content-type"].startswith("text/plain")
    assert boot.installed.answer_headers["Cache-Control"] == "no-store"
    assert "answer.served" in server.kinds()


@pytest.mark.parametrize("firmware", FIRMWARE)
def test_row_30_after_the_install_the_machine_boots_its_own_disk(
    server: SimulatedServer, firmware: FirmwareName
) -> None:
    server.add()
    server.boot(firmware)
    second = server.boot(firmware, seed=2)
    assert second.outcome == "local"
    assert second.started is not None
    assert firmware == "bios" or second.started.loader == "/EFI/BOOT/BOOTX64.EFI"
    assert server.services.systems.get("web1") is not None


def test_row_31_a_machine_that_never_reports_is_held_in_the_end(server: SimulatedServer) -> None:
    server.add()
    from provd.simulate.boot import simulate

    outcomes = []
    for seed in range(4):
        outcomes.append(simulate(server, MACHINE, "bios", seed=seed, reports=()).outcome)
        server.turn()
        server.services.wall = lambda: 1_000_000.0
    assert outcomes[:2] == ["installed", "installed"]
    assert outcomes[-1] == "local"
    assert server.services.store.installs.get("web1").state == "held"


def test_a_machine_that_nobody_assigned_gets_an_address_and_no_boot_file(server: SimulatedServer) -> None:
    boot = server.boot(machine=replace(MACHINE, mac=bytes.fromhex("525400000009")))
    assert (boot.outcome, boot.boot_file) == ("stopped", "")
    assert boot.address


def test_a_server_that_does_not_answer_is_one_sentence(server: SimulatedServer) -> None:
    server.services.dhcp.reconfigure(())
    boot = server.boot()
    assert (boot.outcome, boot.error) == ("failed", "DHCP of BIOS with an iPXE ROM: nobody offered an address")
    with pytest.raises(BootError):
        run(dora(BIOS_IPXE, MACHINE, 5), server)
