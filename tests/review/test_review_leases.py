"""The address of a card is its lease's, whether or not that card booted from the network."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv4Network
from pathlib import Path
from types import SimpleNamespace

from provd.app.privileges import is_own_folder
from provd.model.lease import Lease
from provd.model.mac import Mac
from provd.model.subnet import Pool, Subnet
from provd.model.system import Interface, System
from provd.service.dhcp_subnets import SubnetTables
from provd.service.whereabouts import Whereabouts
from tests.fakes.boot_world import ADDRESS, MAC, BootWorld

OTHER = Mac.parse("52:54:00:00:00:02")
LEASED = int(IPv4Address("10.0.0.77"))
POOL = Pool(IPv4Address("10.0.0.50"), IPv4Address("10.0.0.99"))
SUBNET = Subnet("lan", IPv4Network("10.0.0.0/24"), pool=POOL)


def tables_with(mac: Mac) -> SubnetTables:
    tables = SubnetTables()
    tables.reconfigure([SUBNET], (), 0.0, 0.0)
    table = next(iter(tables))
    who = table.who(1, mac.octets, b"\xff\0\0\0\1dhclient", known=True)
    table.bind(who, LEASED, Lease(LEASED, "lan", mac.octets), 100.0)
    return tables


def whereabouts(world: BootWorld, tables: SubnetTables) -> Whereabouts:
    cards = (Interface("eth0", MAC), Interface("eth1", OTHER, IPv4Address("10.0.0.5")))
    system = System("web1", interfaces=cards)
    return Whereabouts(
        subnets=lambda: (SUBNET,),
        tables=lambda: tables,
        sessions=world.sessions,
        systems=SimpleNamespace(of_mac=lambda _mac: system),
    )


def test_the_second_card_of_an_installing_system_is_known_by_its_lease(tmp_path: Path) -> None:
    world = BootWorld(tmp_path)
    world.discover()
    made = whereabouts(world, tables_with(OTHER))
    assert made.address_of(OTHER.octets) == "10.0.0.77"
    assert made.address_of(MAC.octets) == ADDRESS


def test_a_lease_that_ended_is_nobodys_address(tmp_path: Path) -> None:
    tables = tables_with(OTHER)
    tables.expire(101.0)
    assert whereabouts(BootWorld(tmp_path), tables).address_of(OTHER.octets) == "10.0.0.5"


def test_an_address_that_another_machine_took_is_no_longer_the_first_ones(tmp_path: Path) -> None:
    world = BootWorld(tmp_path)
    world.discover()
    world.sessions.given(ADDRESS, str(OTHER))
    assert whereabouts(world, SubnetTables()).address_of(MAC.octets) == ""


def test_what_a_crashed_run_left_beside_the_socket_is_our_own(tmp_path: Path) -> None:
    folder = tmp_path / "run"
    folder.mkdir()
    (folder / "provd.sock.lock").symlink_to("4711")
    (folder / "provd.sock").touch()
    assert is_own_folder(folder / "provd.sock")
    (folder / "other").touch()
    assert not is_own_folder(folder / "provd.sock")
