"""A boot whose address came by rapid commit (RFC 4039) is told like any other."""

from __future__ import annotations

from dataclasses import replace
from ipaddress import IPv4Address
from pathlib import Path

from provd.simulate.actions import DhcpSend
from provd.simulate.firmware import OVMF_PXE, discover
from provd.testing.world import MACHINE, SERVER
from provd.wire.dhcp import decode
from tests.fakes.simulated_server import SimulatedServer


def test_O11_the_boot_has_the_address_and_the_file_of_the_acknowledgement(tmp_path: Path) -> None:
    server = SimulatedServer(tmp_path)
    server.add()
    subnets = tuple(replace(subnet, rapid_commit=True) for subnet in server.services.current.subnets)
    server.services.dhcp.reconfigure(subnets, {int(IPv4Address(SERVER))})
    style = replace(OVMF_PXE, discover=(*OVMF_PXE.discover, 80), values={**OVMF_PXE.values, 80: b""})
    (data,) = server.dhcp(DhcpSend(discover(style, MACHINE, 7), wait_s=1.0))
    ack = decode(data)
    assert (ack.message_type, ack.file) == (5, b"shimx64.efi")
    boot = server.services.sessions.of_address(str(IPv4Address(ack.yiaddr)))
    assert boot is not None
    assert (boot.session.system, boot.session.step) == ("web1", "ack")
    assert server.kinds()[-2:] == ["dhcp.discover", "dhcp.ack"]
