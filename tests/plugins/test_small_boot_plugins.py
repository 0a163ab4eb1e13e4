from __future__ import annotations

from ipaddress import IPv4Address
from pathlib import Path

import pytest

from plugins.pxe_options import PLUGIN as PXE_OPTIONS
from plugins.pxe_options import PxeOptions, PxeOptionsSettings
from plugins.serial_console import PLUGIN as SERIAL_CONSOLE
from plugins.serial_console import SerialConsole, SerialConsoleSettings
from provd.plugin.api import Action, DhcpRequest
from provd.testing.samples import client, plan, profile
from provd.wire.dhcp import decode

PACKETS = Path(__file__).parents[1] / "golden/packets"


def discover(arch: int = 7, *, vendor: str = "PXEClient") -> DhcpRequest:
    """The DISCOVER of a UEFI firmware, as captured."""
    packet = decode((PACKETS / "uefi-ovmf-pxe.pxe.discover.bin").read_bytes())
    return DhcpRequest(packet, client(arch, vendor=vendor), "lab0", int(IPv4Address("10.88.0.1")))


def pxe_options(**settings: object) -> PxeOptions:
    built = PXE_OPTIONS.build(PxeOptionsSettings(**settings))  # type: ignore[arg-type]
    assert isinstance(built, PxeOptions)
    return built


def test_single_target_install_loads_its_file_at_once() -> None:
    answer = pxe_options().provd_dhcp_options(discover(), None, plan(arch=7))
    assert answer is not None
    assert answer.force
    assert answer.options == {43: bytes.fromhex("06010bff")}


def test_the_rest_is_a_setting() -> None:
    plugin = pxe_options(discovery_control=8, vendor_class=True)
    answer = plugin.provd_dhcp_options(discover(), None, plan(arch=7))
    assert answer is not None
    assert answer.options == {43: bytes.fromhex("060108ff"), 60: b"PXEClient"}


def test_nobody_else_gets_them() -> None:
    plugin = pxe_options()
    assert plugin.provd_dhcp_options(discover(16, vendor="HTTPClient"), None, plan(arch=16)) is None
    assert plugin.provd_dhcp_options(discover(7, vendor="d-i"), None, plan(arch=7)) is None
    assert plugin.provd_dhcp_options(discover(), None, None) is None
    assert plugin.provd_dhcp_options(discover(), None, plan(Action.NONE, arch=7)) is None


def test_discovery_control_has_four_bits() -> None:
    with pytest.raises(ValueError, match="discovery_control is 16"):
        PxeOptionsSettings(discovery_control=16)


def console(**settings: object) -> SerialConsole:
    built = SERIAL_CONSOLE.build(SerialConsoleSettings(**settings))  # type: ignore[arg-type]
    assert isinstance(built, SerialConsole)
    return built


def test_consoles_are_appended() -> None:
    assert console().provd_kernel_args(plan()) == ("console=tty0", "console=ttyS0,115200n8")
    assert console(consoles=("hvc0",)).provd_kernel_args(plan()) == ("console=hvc0",)


def test_a_profile_that_names_its_own_keeps_them() -> None:
    own = plan(profile=profile(kernel_args=("quiet", "console=ttyS1")))
    assert console().provd_kernel_args(own) is None


def test_a_profile_switches_it_off() -> None:
    assert console().provd_kernel_args(plan(profile=profile(vars={"serial_console": False}))) is None
    assert console().provd_kernel_args(plan(profile=None)) is None


def test_what_is_no_console_is_refused() -> None:
    with pytest.raises(ValueError, match="'ttyS0 panic=1' is not a console"):
        SerialConsoleSettings(consoles=("ttyS0 panic=1",))
