"""Whole boots of simulated machines against a real `provd run`, as any user, over loopback."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from pathlib import Path
from uuid import UUID

import pytest

from provd.api.client import LocalClient
from provd.simulate.actions import run
from provd.simulate.boot import FirmwareName, Transcript, simulate
from provd.simulate.dhcp import dora
from provd.simulate.firmware import BIOS_IPXE, Machine
from provd.simulate.sockets import SocketDriver
from provd.wire.packet import DhcpPacket
from tests.app.running_server import RunningServer, wait_until

MAC = bytes.fromhex("525400880011")
MACHINE = Machine(MAC, UUID("88880000-0000-4000-8000-525400880011"))
LOADERS = ("pxelinux.0", "lpxelinux.0", "ldlinux.c32", "shimx64.efi", "grubx64.efi", "grubx64-http.efi")
EXTRA = """
[[plugins.trigger_script.scripts]]
name = "note"
on = ["install.finished"]
argv = ["/bin/sh", "-c", "cat > {folder}/triggered"]
"""


def driver(server: RunningServer) -> SocketDriver:
    """A driver whose relay lies in the server's subnet."""
    return SocketDriver("127.0.0.1", "127.0.0.2", dhcp_port=server.dhcp, tftp_port=server.tftp)


def boot(server: RunningServer, firmware: FirmwareName = "bios", **more: object) -> Transcript:
    """One boot of the machine."""
    return simulate(driver(server), MACHINE, firmware, **more)  # type: ignore[arg-type]


def prepare(folder: Path) -> None:
    """Boot files, a distro and a profile of a server in this folder."""
    loaders = folder / "data" / "payload" / "loaders"
    loaders.mkdir(parents=True)
    for name in (*LOADERS, "vmlinuz", "initrd.img"):
        (loaders / name).write_bytes(name.encode() * 3000)
    (folder / "site" / "distros" / "tiny.toml").write_text(
        'family = "redhat"\nversion = "9"\ninstaller = "kickstart"\ntree = "http://192.0.2.1/tree"\n'
        'kernel = "payload:loaders/vmlinuz"\ninitrd = ["payload:loaders/initrd.img"]\n'
    )
    (folder / "site" / "profiles" / "tiny.toml").write_text('parent = "base"\ndistro = "tiny"\n')


@pytest.fixture
def server(tmp_path: Path) -> Iterator[RunningServer]:
    running = RunningServer(tmp_path)
    prepare(tmp_path)
    running.start()
    yield running
    running.stop(signal.SIGKILL)


def api(server: RunningServer) -> LocalClient:
    """The local API."""
    return LocalClient(str(server.folder / "run" / "provd.sock"))


def assign(server: RunningServer) -> None:
    """Name the machine."""
    cards = [{"mac": MAC.hex(":")}]
    api(server).call("system.add", {"name": "web1", "profile": "tiny", "interfaces": cards})


@pytest.mark.parametrize("firmware", ["bios", "x64-uefi"])
def test_rows_15_to_25_and_30_an_untouched_machine_installs_once_and_then_boots_its_disk(
    server: RunningServer, firmware: FirmwareName
) -> None:
    assign(server)
    first = boot(server, firmware)
    assert first.outcome == "installed", first.text()
    assert first.installed is not None
    assert first.address == first.installer_address
    assert set(first.installed.reported.values()) == {200}
    second = boot(server, firmware)
    assert second.outcome == "local", second.text()
    assert second.address == first.address
    (row,) = api(server).call("system.list")
    assert (row["state"], row["netboot"]) == ("installed", False)


def test_row_9_and_14_a_machine_that_nobody_named_gets_an_address_and_nothing_to_boot(server: RunningServer) -> None:
    seen = boot(server)
    assert seen.outcome == "stopped", seen.text()
    assert seen.address.startswith("127.0.9.")
    assert seen.boot_file == ""


def test_row_31_a_machine_that_never_reports_is_held_until_it_is_released(server: RunningServer) -> None:
    assign(server)
    outcomes = [boot(server, reports=("started",), seed=number).outcome for number in range(3)]
    assert outcomes == ["installed", "installed", "local"]
    (row,) = api(server).call("system.list")
    assert row["state"] == "held"
    api(server).call("system.edit", {"name": "web1", "netboot": True})
    assert boot(server, seed=9).outcome == "installed"


def test_the_timeline_tells_the_boot_in_order_and_holds_no_token(server: RunningServer) -> None:
    assign(server)
    first = boot(server)
    assert first.installed is not None
    told = api(server).call("trace", {"system": "web1"})
    kinds = [event["kind"] for event in told["events"]]
    wanted = ["boot.started", "dhcp.discover", "dhcp.offer", "dhcp.ack", "tftp.sent", "config.served", "kernel.fetched",
              "initrd.fetched", "answer.served", "install.started", "install.progress", "install.finished"]  # fmt: skip
    positions = [kinds.index(kind) for kind in wanted]
    assert positions == sorted(positions), kinds
    assert told["outcome"] == "finished"
    assert any(event["fields"].get("same_address") is True for event in told["events"])
    token = first.installed.callback.rpartition("/")[2]
    assert len(token) > 20
    assert token not in repr(told)
    assert token not in server.text()


@pytest.mark.parametrize("number", range(3))
def test_row_12_a_lease_that_was_acknowledged_survives_kill_9(server: RunningServer, number: int) -> None:
    machine = Machine(MAC[:5] + bytes([number]), MACHINE.uuid)
    bound = run(dora(BIOS_IPXE, machine, 77 + number), driver(server))
    server.stop(signal.SIGKILL)
    server.log.write_text("")
    server.start()
    kept = {row["mac"]: row["address"] for row in api(server).call("lease.list")}
    assert kept == {machine.mac.hex(":"): bound.address}
    again: DhcpPacket = run(dora(BIOS_IPXE, machine, 99), driver(server)).packet
    assert run(dora(BIOS_IPXE, machine, 100), driver(server)).address == bound.address
    assert again.message_type == 5


def test_row_36_a_trigger_script_runs_once_with_the_event_on_its_input(tmp_path: Path, server: RunningServer) -> None:
    text = server.config.read_text().replace('"install_callbacks",', '"install_callbacks", "trigger_script",')
    server.stop()
    server.config.write_text(text + EXTRA.format(folder=tmp_path))
    server.log.write_text("")
    server.start()
    assign(server)
    assert boot(server).outcome == "installed"
    told = tmp_path / "triggered"
    wait_until(lambda: told.exists() and told.read_text() != "", 10, server.text)
    assert '"install.finished"' in told.read_text()
    assert '"web1"' in told.read_text()


def test_C25_the_answer_of_a_machine_is_not_for_its_neighbour(server: RunningServer) -> None:
    assign(server)
    first = boot(server, reports=("started",))
    assert first.installed is not None
    import http.client

    path = "/" + first.installed.answer_url.split("/", 3)[3]
    for source, status in ((first.address, 200), ("127.0.9.199", 404)):
        connection = http.client.HTTPConnection("127.0.0.1", server.http, timeout=5, source_address=(source, 0))
        connection.request("GET", path)
        assert connection.getresponse().status == status
        connection.close()
