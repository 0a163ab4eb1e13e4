"""What every system must keep beside the others."""

from __future__ import annotations

from dataclasses import replace
from ipaddress import IPv4Address, IPv4Network

import pytest

from provd.config.decode import decode
from provd.config.errors import ConfigError
from provd.config.objects import SystemFile
from provd.config.systems import check_system, check_systems
from provd.model.mac import Mac
from provd.model.subnet import Subnet
from provd.model.system import Interface, System

SUBNETS = (Subnet("lan", IPv4Network("10.0.0.0/24"), routers=(IPv4Address("10.0.0.1"),)),)
CARD = Interface("eth0", Mac.parse("52:54:00:00:00:01"), IPv4Address("10.0.0.20"))
SECOND = Interface("eth1", Mac.parse("52:54:00:00:00:02"))
GOOD = System("web1", "debian-12", (CARD, SECOND), uuid="aaaaaaaa-0000-0000-0000-000000000001")
OTHER = replace(GOOD, name="db1", interfaces=(Interface("eth0", Mac.parse("52:54:00:00:00:09")),), uuid="")


def at(address: str) -> System:
    return replace(GOOD, interfaces=(replace(CARD, address=IPv4Address(address)),))


FAULTS = {
    "unknown profile": (
        replace(GOOD, profile="debian-21"),
        "no profile that can be installed has the name 'debian-21'; did you mean 'debian-12'?",
    ),
    "outside every subnet": (at("10.9.0.20"), "address 10.9.0.20 lies outside every subnet; known: 10.0.0.0/24"),
    "network address": (at("10.0.0.0"), "address 10.0.0.0 is the network or broadcast address of 10.0.0.0/24"),
    "router": (at("10.0.0.1"), "address 10.0.0.1 is a router or provd's own in subnet lan"),
    "no card": (
        replace(GOOD, interfaces=(), uuid="", origin="file"),
        "nothing says which machine it is: an interface with a MAC, or uuid, client_id or circuit_id, is needed",
    ),
    "one MAC on two cards": (
        replace(GOOD, interfaces=(CARD, replace(SECOND, mac=CARD.mac))),
        "two interfaces have the mac 52:54:00:00:00:01",
    ),
    "one name for two cards": (
        replace(GOOD, interfaces=(CARD, replace(SECOND, name="eth0"))),
        "two interfaces have the name eth0",
    ),
    "group address": (
        replace(GOOD, interfaces=(replace(CARD, mac=Mac.parse("01:00:5e:00:00:01")),)),
        "interface eth0: MAC 01:00:5e:00:00:01 is a group address",
    ),
    "host name": (replace(GOOD, hostname="-x"), "'-x' is not a host name (RFC 1123)"),
    "host name of a card": (
        replace(GOOD, interfaces=(replace(CARD, hostname="a b"),)),
        "interface eth0: 'a b' is not a host name (RFC 1123)",
    ),
    "name": (
        replace(GOOD, name="../x", hostname="x"),
        "'../x' is not a name: letters, digits and . _ + - are expected, a letter or digit first",
    ),
    "policy": (replace(GOOD, policy="often"), "policy 'often' is not one of once, until-finished, always, never, menu"),
    "argument": (replace(GOOD, kernel_args=("a\n",)), "kernel_args[0]: 'a\\n' is empty or holds a control character"),
    "bind": (replace(GOOD, answers={"bind": "x"}), "answers.bind: 'x' is not one of lease, subnet, token-only"),
    "name of another": (replace(GOOD, name="db1"), "the name is already that of system db1 (store)"),
    "MAC of another": (
        replace(GOOD, interfaces=(*GOOD.interfaces, Interface("eth2", OTHER.interfaces[0].mac))),
        "MAC 52:54:00:00:00:09 is already that of system db1 (store)",
    ),
}


@pytest.mark.parametrize("name", FAULTS)
def test_one_fault_is_one_sentence(name: str) -> None:
    system, expected = FAULTS[name]
    assert check_system(system, [OTHER], ["debian-12"], SUBNETS) == (expected,)


def test_a_good_system_has_no_fault() -> None:
    assert check_system(GOOD, [OTHER], ["debian-12"], SUBNETS) == ()
    assert check_system(replace(GOOD, profile=""), [], [], None) == ()


def test_a_clash_between_a_file_and_the_store_names_both_and_is_told_once() -> None:
    declared = replace(OTHER, uuid=GOOD.uuid, origin="file", file="/etc/provd/systems/db1.toml")
    (problem,) = check_systems([GOOD, declared], ["debian-12"], SUBNETS)
    assert str(problem) == (
        "/etc/provd/systems/db1.toml: system db1: UUID aaaaaaaa-0000-0000-0000-000000000001 is already that of system web1 (store)"
    )


@pytest.mark.parametrize(
    ("one", "other", "sentence"),
    [
        ({"client_id": "ab"}, {"client_id": "0x6162"}, "client identifier ab is already that of system two"),
        ({"circuit_id": "7", "remote_id": "s"}, {"circuit_id": "0x37", "remote_id": "s"}, "relay port 7 is already"),
        ({"client_id": "0xzz"}, {}, "client_id has digits after 0x that are not hexadecimal"),
        ({"client_id": "0x"}, {}, "client_id has no digits after 0x"),
        ({"circuit_id": "0x", "remote_id": "ab"}, {}, "circuit_id has no digits after 0x"),
        ({"client_id": "x"}, {}, "client_id has one octet, so it is no identity"),
        ({"circuit_id": "7", "remote_id": "s"}, {"circuit_id": "7", "remote_id": "t"}, ""),
        ({"circuit_id": "7"}, {"circuit_id": "0xzz"}, ""),
    ],
)
def test_I04_identifiers_are_unique_and_well_formed(one: dict[str, str], other: dict[str, str], sentence: str) -> None:
    first = System("one", interfaces=(Interface("eth0", Mac.parse("52:54:00:00:00:01")),), **one)  # type: ignore[arg-type]
    second = System("two", interfaces=(Interface("eth0", Mac.parse("52:54:00:00:00:02")),), **other)  # type: ignore[arg-type]
    found = "; ".join(check_system(first, [second], (), None))
    assert found.startswith(sentence) if sentence else found == ""


@pytest.mark.parametrize("key", ["mac", "macs", "address", "ip_address"])
def test_a_card_without_its_table_is_told_where_it_stands(key: str) -> None:
    with pytest.raises(ConfigError) as caught:
        decode({"profile": "debian-12", key: "52:54:00:00:00:01"}, SystemFile, "systems/web1.toml")
    assert str(caught.value) == (
        f"systems/web1.toml: {key}: addresses stand in a table for each network card: "
        "[[interface]] with name, mac and address"
    )


def test_a_choice_that_may_be_empty_is_listed_without_a_gap() -> None:
    with pytest.raises(
        ConfigError, match="policy: invalid enum value 'x'; known: always, menu, never, once, until-fini"
    ):
        decode({"policy": "x"}, SystemFile, "systems/web1.toml")


def test_a_table_boot_of_a_system_is_told_where_its_keys_stand() -> None:
    with pytest.raises(ConfigError) as caught:
        decode({"profile": "debian-12", "boot": {"policy": "menu"}}, SystemFile, "systems/web1.toml")
    assert str(caught.value) == (
        "systems/web1.toml: boot: a system has no [boot]: policy and max_attempts stand at the top of its file, before "
        "any table, and the other keys of [boot] in its profile"
    )
