"""Client classes of the configuration: labels, options and lease time (row 72)."""

from __future__ import annotations

from pathlib import Path

import pytest

from provd.config.errors import ConfigError
from provd.config.settings import from_table, model_classes
from provd.model.arch import BIOS, EFI_X64
from provd.model.client import ClientFacts, RelayInfo
from provd.model.client_class import ClientClass
from provd.model.mac import Mac
from tests.fakes.dhcp_world import DhcpWorld

BASE = {"interface": [{"name": "lo"}]}
CLIENT = ClientFacts(
    mac=Mac.parse("52:54:00:00:00:01"),
    arch=BIOS,
    vendor_class="PXEClient:Arch:00000",
    user_classes=("iPXE",),
    relay=RelayInfo(giaddr=1, circuit_id=b"ge-0/0/1", remote_id=b"\x01\x02"),
)


@pytest.mark.parametrize(
    ("conditions", "fits"),
    [
        ({"arch": ["bios"]}, True),
        ({"arch": ["x64-uefi", "bios"]}, True),
        ({"arch": ["x64-uefi"]}, False),
        ({"vendor_class": "PXEClient"}, True),
        ({"vendor_class": "HTTPClient"}, False),
        ({"user_class": "iPXE"}, True),
        ({"circuit_id": "ge-0/0/1"}, True),
        ({"circuit_id": "ge-0/0"}, False),
        ({"remote_id": "0x0102"}, True),
        ({"mac_prefix": "52:54:00"}, True),
        ({"mac_prefix": "52:54:01"}, False),
        ({"arch": ["bios"], "mac_prefix": "52:54:01"}, False),
        ({}, False),
    ],
)
def test_every_condition_that_is_named_must_be_met(conditions: dict[str, object], fits: bool) -> None:
    config = from_table({**BASE, "class": [{"name": "some", **conditions}]}, Path("provd.toml"))
    (made,) = model_classes(config)
    assert made.fits(CLIENT) is fits
    assert EFI_X64.name == "x64-uefi"


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        ([{"name": "Upper Case"}], r"class\[0\].name"),
        ([{"name": "a"}, {"name": "a"}], r"class\[1\].name: 'a' is already the name of class\[0\]"),
        ([{"name": "a", "arch": ["x64-ufi"]}], r"class\[0\].arch\[0\]"),
        ([{"name": "a", "mac_prefix": "52:5"}], r"class\[0\].mac_prefix"),
        ([{"name": "a", "options": {"nosuch": 1}}], r"class\[0\].options.nosuch"),
    ],
)
def test_a_wrong_class_is_refused_with_its_key(wrong: list[dict[str, object]], sentence: str) -> None:
    with pytest.raises(ConfigError, match=sentence):
        from_table({**BASE, "class": wrong}, Path("provd.toml"))


def test_row_72_the_lease_time_and_options_of_a_class_go_to_its_clients_alone() -> None:
    world = DhcpWorld()
    classes = (ClientClass("short", vendor_class="PXEClient", lease_s=120, options={"domain-name": "boot.example"}),)
    world.service.classify({"domain-name": "all.example"}, classes)
    wanted = {55: bytes((15, 51))}
    booting = world.dora(options={60: b"PXEClient:Arch:00000:UNDI:002001", 93: b"\0\0", **wanted}).packet
    plain = world.dora(mac=bytes.fromhex("5254000000fe"), options=wanted, xid=8).packet
    assert int.from_bytes(booting.options[51]) == 120
    assert booting.options[15] == b"boot.example"
    assert int.from_bytes(plain.options[51]) != 120
    assert plain.options[15] == b"all.example"
