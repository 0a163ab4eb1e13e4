"""The index of systems and changes to them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from ipaddress import IPv4Address
from pathlib import Path

import pytest

from provd.model.client import ClientFacts, RelayInfo
from provd.model.event import Event
from provd.model.mac import Mac
from provd.model.system import InstallState, Interface, System
from provd.service.system_index import SystemIndex
from provd.service.systems import ChangeRefusedError, Systems
from tests.fakes.boot_world import FakeHost, FakeStates, FakeSystemStore

ONE, TWO = Mac.parse("52:54:00:00:00:01"), Mac.parse("52:54:00:00:00:02")
UUID = "88880000-0000-4000-8000-525400880011"


class World:
    """Systems over fakes."""

    def __init__(self, tmp_path: Path) -> None:
        self.store, self.states, self.events = FakeSystemStore(), FakeStates(), list[Event]()
        self.host = FakeHost(tmp_path)
        self.wrong: list[str] = []
        self.systems = Systems(
            store=self.store,
            host=self.host,
            states=self.states,
            check=self.check,
            publish=self.events.append,
            wall=lambda: 5.0,
        )

    def check(self, system: System, others: Iterable[System]) -> Sequence[str]:
        return self.wrong


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


def system(name: str = "web1", mac: Mac = ONE, **more: object) -> System:
    return replace(System(name, profile="web", interfaces=(Interface("eth0", mac),)), **more)  # type: ignore[arg-type]


def test_row_41_one_system_with_two_interfaces_is_found_by_each_and_by_its_uuid(world: World) -> None:
    cards = (Interface("eth0", ONE, IPv4Address("10.0.0.5")), Interface("eth1", TWO))
    kept = world.systems.add(system(interfaces=cards, uuid=UUID))
    for mac in (ONE, TWO):
        assert world.systems.find(ClientFacts(mac=mac)) == kept
    stranger = Mac.parse("52:54:00:00:00:99")
    assert world.systems.find(ClientFacts(mac=stranger, uuid=UUID)) == kept
    assert world.systems.find(ClientFacts(mac=stranger)) is None


def test_an_edit_moves_the_index_and_a_stale_one_is_refused(world: World) -> None:
    kept = world.systems.add(system())
    edited = world.systems.edit("web1", replace(kept, interfaces=(Interface("eth0", TWO),)), expected=kept.version)
    assert world.systems.find(ClientFacts(mac=ONE)) is None
    assert world.systems.find(ClientFacts(mac=TWO)) == edited
    with pytest.raises(ChangeRefusedError, match=r"web1 was changed meanwhile \(revision 2, not 1\)"):
        world.systems.edit("web1", kept, expected=kept.version)


def test_a_second_system_of_one_name_names_the_home_of_the_first(world: World) -> None:
    world.systems.rebuild({"web1": system(origin="file", file="systems/web1.toml")})
    with pytest.raises(ChangeRefusedError, match=r"web1 exists already \(systems/web1.toml\)"):
        world.systems.add(system())


def test_a_declared_system_cannot_be_edited_but_its_netboot_can(world: World) -> None:
    world.systems.rebuild({"web1": system(origin="file", file="systems/web1.toml")})
    with pytest.raises(ChangeRefusedError, match="defined elsewhere"):
        world.systems.remove("web1")
    world.systems.set_netboot("web1", wanted=False)
    assert world.states.get("web1").netboot is False
    assert world.store.writes == 0


def test_asking_for_an_install_releases_a_held_machine(world: World) -> None:
    world.systems.add(system(netboot=False))
    world.states.put("web1", InstallState(state="held", attempts=2, held_reason="x"))
    world.systems.set_netboot("web1", wanted=True)
    assert world.states.get("web1") == InstallState()
    found = world.systems.get("web1")
    assert found is not None
    assert found.netboot
    assert world.systems.find(ClientFacts(mac=ONE)) == found


def test_a_veto_and_a_wrong_value_are_refused_in_their_own_words_and_change_nothing(world: World) -> None:
    world.wrong = ["address 10.9.9.9 is outside every subnet"]
    with pytest.raises(ChangeRefusedError, match="outside every subnet"):
        world.systems.add(system())
    world.wrong = []
    world.host.vetoes.append("protected")
    with pytest.raises(ChangeRefusedError, match="protected"):
        world.systems.add(system())
    assert world.systems.all() == []
    assert world.store.systems == {}
    assert world.events == []


def test_a_clash_between_homes_is_a_problem_that_names_both(world: World) -> None:
    world.store.put(system("db1"), expected="")
    world.systems.rebuild({"web1": system(origin="file", file="systems/web1.toml")})
    assert world.systems.problems == ["system db1 (store) clashes with web1 (systems/web1.toml)"]
    assert [one.name for one in world.systems.all()] == ["web1"]


def test_an_inventory_snapshot_replaces_its_last_one(world: World) -> None:
    world.systems.inventory("cmdb", [system()])
    world.systems.inventory("cmdb", [system("db1", TWO)])
    assert [(one.name, one.origin) for one in world.systems.all()] == [("db1", "inventory:cmdb")]


def test_every_change_is_an_event(world: World) -> None:
    world.systems.add(system())
    world.systems.set_netboot("web1", wanted=False)
    world.systems.remove("web1")
    assert [(event.kind, event.fields["change"]) for event in world.events] == [
        ("system.changed", "added"),
        ("system.changed", "netboot off"),
        ("system.changed", "removed"),
    ]
    with pytest.raises(ChangeRefusedError, match="there is no system web1"):
        world.systems.remove("web1")


def test_a_change_that_the_disk_refuses_changes_nothing(world: World) -> None:
    world.store.full = True
    with pytest.raises(ChangeRefusedError, match="system web1 could not be stored: the disk is full"):
        world.systems.add(system())
    assert world.systems.find(ClientFacts(mac=ONE)) is None
    assert world.events == []


@pytest.mark.parametrize(
    ("written", "client"),
    [
        ({"client_id": "0xff0102"}, {"client_id": b"\xff\1\2"}),
        ({"client_id": "rack7"}, {"client_id": b"rack7"}),
        ({"circuit_id": "ge-0/0/7"}, {"relay": RelayInfo(1, circuit_id=b"ge-0/0/7", remote_id=b"any")}),
        ({"remote_id": "0x0a0b"}, {"relay": RelayInfo(1, circuit_id=b"any", remote_id=b"\x0a\x0b")}),
        (
            {"circuit_id": "7", "remote_id": "sw1"},
            {"relay": RelayInfo(1, circuit_id=b"7", remote_id=b"sw1")},
        ),
    ],
)
def test_I04_a_system_is_found_by_client_id_or_relay_port(
    world: World, written: dict[str, str], client: dict[str, object]
) -> None:
    kept = world.systems.add(replace(system(), **written))  # type: ignore[arg-type]
    stranger = ClientFacts(mac=TWO, **client)  # type: ignore[arg-type]
    assert world.systems.find(stranger) == kept
    assert world.systems.find(ClientFacts(mac=TWO)) is None
    edited = world.systems.edit("web1", replace(kept, client_id="", circuit_id="", remote_id=""), expected=kept.version)
    assert world.systems.find(stranger) is None
    assert world.systems.find(ClientFacts(mac=ONE)) == edited


def test_a_stored_identifier_of_no_octets_means_nobody() -> None:
    index = SystemIndex()
    index.put(replace(system(client_id="0x"), interfaces=()))
    assert index.find(ClientFacts(mac=TWO)) is None
    assert not index.knows(TWO.octets, b"")


def test_I04_both_halves_of_a_port_must_fit_and_the_hardware_address_comes_first(world: World) -> None:
    at_port = world.systems.add(system(circuit_id="7", remote_id="sw1"))
    other = world.systems.add(system("web2", TWO))
    for relay in (RelayInfo(1, circuit_id=b"7", remote_id=b"sw2"), RelayInfo(1, circuit_id=b"7"), RelayInfo(1)):
        assert world.systems.find(ClientFacts(mac=Mac.parse("52:54:00:00:00:77"), relay=relay)) is None
    relay = RelayInfo(1, circuit_id=b"7", remote_id=b"sw1")
    assert world.systems.find(ClientFacts(mac=TWO, relay=relay)) == other
    assert world.systems.find(ClientFacts(mac=Mac.parse("52:54:00:00:00:77"), relay=relay)) == at_port


def test_what_may_be_a_systems_keeps_out_of_the_short_way(world: World) -> None:
    world.systems.add(system(client_id="0xff0102"))
    assert world.systems.knows(ONE.octets, b"")
    assert world.systems.knows(TWO.octets, b"\xff\1\2")
    assert not world.systems.knows(TWO.octets, b"\xff\1\3")
    assert not world.systems.knows(TWO.octets, b"")


@pytest.mark.parametrize(
    ("shared", "client"),
    [
        ({"uuid": UUID}, ClientFacts(mac=TWO, uuid=UUID)),
        ({"client_id": "0x010203"}, ClientFacts(mac=TWO, client_id=b"\x01\x02\x03")),
        ({"circuit_id": "rack3-07"}, ClientFacts(mac=TWO, relay=RelayInfo(circuit_id=b"rack3-07"))),
    ],
)
def test_who_said_the_same_is_found_once_the_other_is_gone(
    world: World, shared: dict[str, str], client: ClientFacts
) -> None:
    """A file may say of a machine what a system of the store says already; that one is removed then."""
    world.systems.add(replace(system("adopted"), **shared))  # type: ignore[arg-type]
    bare = System("one", "web", origin="file", file="systems/one.toml", **shared)  # type: ignore[arg-type]
    world.systems.rebuild({"one": bare})
    world.systems.remove("adopted")
    assert world.systems.find(client) == bare
