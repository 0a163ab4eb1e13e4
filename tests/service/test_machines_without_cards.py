"""A system whose file names no network card: its UUID or its place in the network says which machine it is."""

from __future__ import annotations

from dataclasses import replace
from ipaddress import IPv4Address
from pathlib import Path

import pytest

from provd.model.client import ClientFacts
from provd.model.mac import Mac
from provd.service.dhcp_ports import Arrival
from provd.service.machines import machines
from provd.simulate.actions import DhcpSend
from provd.simulate.boot import simulate
from provd.testing.world import CONFIG, MACHINE, SERVER
from provd.wire.dhcp import decode, encode
from tests.fakes.simulated_server import PROFILES, SimulatedServer

PORT = b"rack3-07"


class BehindRelay(SimulatedServer):
    """All its machines are at one port of a relay."""

    def dhcp(self, action: DhcpSend) -> list[bytes]:
        relay, here = int(IPv4Address("10.88.0.2")), int(IPv4Address(SERVER))
        asked = decode(action.data)
        options = {**asked.options, 82: bytes((1, len(PORT))) + PORT}
        data = encode(replace(asked, giaddr=relay, hops=1, options=options)).data
        self.sent.clear()
        self.services.dhcp.handle(data, Arrival("eth0", here, relay, 67, unicast=True, addresses=(here,)))
        self.turn()
        return list(self.sent)


def one(profile: str, identity: str) -> dict[str, bytes | str]:
    return {"site/systems/one.toml": f'profile = "{profile}"\n{identity}\n'}


@pytest.mark.parametrize("profile", sorted(PROFILES))
@pytest.mark.parametrize("firmware", ["bios", "x64-uefi"])
def test_by_its_uuid_every_family_is_installed(tmp_path: Path, profile: str, firmware: str) -> None:
    server = SimulatedServer(tmp_path, further=one(profile, f'uuid = "{MACHINE.uuid}"'))
    first = simulate(server, MACHINE, firmware, seed=1)  # type: ignore[arg-type]
    assert first.outcome == "installed"
    server.turn()
    assert simulate(server, MACHINE, firmware, seed=2).outcome == "local"  # type: ignore[arg-type]


@pytest.mark.parametrize("firmware", ["bios", "x64-uefi", "x64-uefi-http"])
def test_by_the_port_of_its_relay_it_is_installed(tmp_path: Path, firmware: str) -> None:
    server = BehindRelay(tmp_path, further=one("web", f'circuit_id = "{PORT.decode()}"'))
    assert simulate(server, MACHINE, firmware, seed=1).outcome == "installed"  # type: ignore[arg-type]
    server.turn()
    assert simulate(server, MACHINE, firmware, seed=2).outcome == "local"  # type: ignore[arg-type]
    (session,) = {found.system for found in server.store.sessions.sessions()}
    assert session == "one"


def test_its_address_is_that_of_its_newest_boot(tmp_path: Path) -> None:
    """For inventories that plugins write, and wherever a machine's subnet is asked for."""
    server = SimulatedServer(tmp_path, further=one("web", f'uuid = "{MACHINE.uuid}"'))
    services = server.services
    where = services.whereabouts

    def address() -> str:
        (machine,) = machines(services.systems.all(), services.store.installs.get, where.address_of, where.macs_of)
        return machine.address

    assert address() == ""
    assert simulate(server, MACHINE, "bios", seed=1).outcome == "installed"
    server.turn()
    (boot,) = services.store.sessions.sessions()
    assert address() == boot.address != ""
    system = services.systems.get("one")
    assert system is not None
    assert where.addresses_of(system) == {boot.address}


class OnlyKnown(SimulatedServer):
    """Its subnet answers known machines only."""

    config = CONFIG.replace('name = "lab"', 'name = "lab"\nunknown = "ignore"')


@pytest.mark.parametrize("firmware", ["bios", "x64-uefi", "x64-uefi-http"])
def test_its_installer_gets_an_address_where_unknown_machines_get_none(tmp_path: Path, firmware: str) -> None:
    """Firmware says the UUID, the installer's DHCP client does not."""
    server = OnlyKnown(tmp_path, further=one("web", f'uuid = "{MACHINE.uuid}"'))
    assert simulate(server, MACHINE, firmware, seed=1).outcome == "installed"  # type: ignore[arg-type]
    server.turn()
    assert {lease.system for lease in server.store.leases.load()} == {"one"}
    assert simulate(server, MACHINE, firmware, seed=2).outcome == "local"  # type: ignore[arg-type]


def test_another_machine_with_that_card_is_not_taken_for_it(tmp_path: Path) -> None:
    server = OnlyKnown(tmp_path, further=one("web", f'uuid = "{MACHINE.uuid}"'))
    assert simulate(server, MACHINE, "bios", seed=1).outcome == "installed"
    index, mac = server.services.systems.index, Mac(MACHINE.mac)
    assert index.find_leased(ClientFacts(mac), server.services.dhcp.tables.system_of) == index.get("one")
    for other in (
        ClientFacts(mac, uuid="99990000-0000-4000-8000-525400880011"),
        ClientFacts(mac, vendor_class="PXEClient:Arch:00000:UNDI:002001"),
        ClientFacts(Mac.parse("52:54:00:88:00:99")),
    ):
        assert index.find_leased(other, server.services.dhcp.tables.system_of) is None
