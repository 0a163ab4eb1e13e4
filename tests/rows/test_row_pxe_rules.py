"""PXE rules that hold for the whole of provd as it ships (rules P07, P12, P14 and P15)."""

from __future__ import annotations

import re
import time
from pathlib import Path

import pytest

from provd.config.schema import DEFAULT_PLUGINS
from provd.model.boot import Action
from provd.plugin.discovery import discover, select_enabled
from provd.plugin.host import PluginHost
from provd.shipped import shipped_dir
from provd.simulate.actions import DhcpSend
from provd.simulate.boot import FirmwareName
from provd.testing.samples import client, plan
from provd.wire.dhcp import decode
from tests.fakes.dhcp_world import DISCOVER, MAC, DhcpWorld, a_system, captured, ip, request
from tests.fakes.plugin_world import dhcp_request
from tests.fakes.simulated_server import SimulatedServer

DOCS = Path(__file__).parents[2]
PXELINUX_OPTIONS = {208, 209, 210, 211}


class Recording(SimulatedServer):
    """Keeps every DHCP reply."""

    def __init__(self, root: Path) -> None:
        self.replies: list[bytes] = []
        super().__init__(root)

    def dhcp(self, action: DhcpSend) -> list[bytes]:
        sent = super().dhcp(action)
        self.replies += sent
        return sent


@pytest.fixture
def host(tmp_path: Path) -> PluginHost:
    enabled = select_enabled(discover(shipped_dir("plugins"), []), [*DEFAULT_PLUGINS, "pxe_options"])
    return PluginHost(enabled, {}, clock=time.monotonic, data_dir=str(tmp_path))


def test_P07_a_single_target_install_is_loaded_at_once_and_without_discovery(host: PluginHost) -> None:
    asked = dhcp_request(client(7))
    (found,) = [one.options[43] for name, one in host.options(asked, None, plan(arch=7)) if name == "pxe_options"]
    suboption, length, control, end = found
    assert (suboption, length, end) == (6, 1, 255)
    assert control & 0b1000
    assert control & 0b0011 == 0b0011


@pytest.mark.parametrize("firmware", ["bios", "x64-uefi", "x64-uefi-http"])
def test_P12_nobody_but_pxelinux_would_get_the_options_of_pxelinux(tmp_path: Path, firmware: FirmwareName) -> None:
    server = Recording(tmp_path)
    server.add()
    assert server.boot(firmware).outcome == "installed"
    assert len(server.replies) >= 4
    assert not [codes for data in server.replies if (codes := PXELINUX_OPTIONS & decode(data).options.keys())]


def test_P14_firmware_loader_and_system_keep_the_reserved_address() -> None:
    world = DhcpWorld()
    world.know(a_system(mac=MAC, address="10.88.0.20"))
    identities = [{}, {61: b"\x00" + bytes(16)}, {61: b"\xff\0\0\0\1\0\1" + bytes(10)}, {61: b"\x01" + MAC}]
    addresses = set()
    for xid, options in enumerate(identities):
        addresses.add(world.dora(options=options, xid=xid + 1).packet.yiaddr)
        world.pass_time(20)
    rounds = [captured(f"bios-ipxerom.{name}.discover") for name in ("ipxe", "quick-udhcpc")]
    firmware = {bytes(decode(data).chaddr[:6]) for data in rounds}
    assert firmware == {MAC}
    addresses |= {world.answer(data).packet.yiaddr for data in rounds}
    assert addresses == {ip("10.88.0.20")}
    assert world.answer(request(DISCOVER, mac=b"\x02" * 6, wanted=ip("10.88.0.20"))).packet.yiaddr not in addresses


@pytest.mark.parametrize("arch", [0, 6, 7, 9, 11, 16, 19])
def test_P15_unknown_machines_never_install_with_the_plugins_of_the_default(host: PluginHost, arch: int) -> None:
    plan = host.boot_plan(None, None, client(arch))
    assert plan is None or plan.action in {Action.LOCAL, Action.NONE, Action.HOLD}


@pytest.mark.parametrize("firmware", ["bios", "x64-uefi", "x64-uefi-http"])
def test_P15_an_unknown_machine_fetches_no_kernel(tmp_path: Path, firmware: FirmwareName) -> None:
    server = SimulatedServer(tmp_path)
    boot = server.boot(firmware)
    assert boot.outcome in {"stopped", "local"}, boot.text()
    assert boot.address
    assert (boot.kernel_sha256, boot.installed) == ("", None)


def test_P15_the_default_is_documented() -> None:
    readme = re.sub(r"\s+", " ", (DOCS / "README.md").read_text())
    assert "A machine that nobody named gets an address and no boot file; nothing installs by itself." in readme
