"""Quirks of firmware: each shipped one is found by a recorded packet, and changes what it says and nothing else."""

from __future__ import annotations

from dataclasses import replace

import pytest

from provd.config.quirks import SHIPPED, read_quirks, tables
from provd.core.client_facts import client_facts
from provd.core.quirks import Quirks
from provd.model.client import ClientFacts
from provd.model.quirk import Quirk
from provd.wire.dhcp import decode, encode
from tests.fakes.dhcp_world import DISCOVER, GOLDEN, MAC, RELAY, DhcpWorld, captured, request

QUIRKS = Quirks(read_quirks(""))
NAMES = [table.name for table in tables(SHIPPED)]
NEVER = {
    "00000000-0000-0000-0000-000000000000": bytes(17),
    "ffffffff-ffff-ffff-ffff-ffffffffffff": b"\0" + b"\xff" * 16,
    "03000200-0400-0500-0006-000700080009": bytes.fromhex("00" + "00020003000400050006000700080009"),
}
"""Option 97 of boards whose UUID tells nothing, by what it says (RFC 4578 section 2.3)."""
RECORDED = {
    "ipxe-uefi-no-shim": {"ipxe-uefi-no-shim"},
    "uuid-never-written": set(),
}
"""What the recorded packet of each quirk has as it was captured."""


def recorded(name: str) -> bytes:
    """A packet of real firmware; those with quirks were kept by ``provd record``."""
    place = GOLDEN.parent / "quirks" / f"{name}.bin"
    return place.read_bytes() if place.is_file() else captured(name)


def facts(octets: bytes, quirks: Quirks = QUIRKS) -> ClientFacts:
    return quirks.corrected(client_facts(decode(octets)))


@pytest.mark.parametrize("name", NAMES)
def test_each_shipped_quirk_has_a_recorded_packet(name: str) -> None:
    (table,) = [one for one in tables(SHIPPED) if one.name == name]
    assert set(facts(recorded(table.recorded)).quirks) == RECORDED[name]


@pytest.mark.parametrize("said", NEVER)
def test_a_uuid_that_was_never_written_is_none(said: str) -> None:
    packet = decode(captured("uefi-ovmf-pxe.pxe.discover"))
    octets = encode(replace(packet, options={**packet.options, 97: NEVER[said]})).data
    assert client_facts(decode(octets)).uuid == said
    assert (facts(octets).uuid, facts(octets).quirks) == ("", ("uuid-never-written",))
    system = request(DISCOVER, options={97: NEVER[said]})
    assert (facts(system).uuid, facts(system).quirks) == ("", ())


def test_ipxe_on_uefi_is_not_given_shim() -> None:
    found = facts(recorded("uefi-ipxe.ipxe.discover"))
    assert "no-shim" in found.labels
    assert found.is_ipxe
    assert "no-shim" not in facts(captured("bios-ipxerom.ipxe.discover")).labels


HEALTHY = sorted(path.stem for path in GOLDEN.glob("*.bin") if not path.stem.startswith("tftp"))


@pytest.mark.parametrize("name", HEALTHY)
def test_no_other_captured_packet_has_a_quirk(name: str) -> None:
    raw = client_facts(decode(captured(name)))
    assert QUIRKS.corrected(raw) is raw


ALL = Quirk("all", "it does everything", oui=(MAC[:3],), as_arch="x64-uefi", labels=("odd",), broadcast=True,
            options={3: b"\1\2\3\4"}, without=frozenset({6, 97}))  # fmt: skip


@pytest.mark.parametrize(
    ("changed", "fits"),
    [
        ({}, True),
        ({"oui": (b"\x02", MAC[:3])}, True),
        ({"oui": (b"\x02",)}, False),
        ({"vendor_class": "PXEClient:Arch:00000"}, True),
        ({"vendor_class": "PXEClient:Arch:00007"}, False),
        ({"user_class": "iPXE"}, True),
        ({"user_class": "other"}, False),
        ({"arch": ("bios",)}, True),
        ({"arch": ("x64-uefi", "arm64-uefi")}, False),
        ({"uuid": ("x",)}, False),
        ({"oui": (), "arch": ("bios",), "vendor_class": "HTTP"}, False),
    ],
)
def test_every_condition_must_hold(changed: dict[str, object], fits: bool) -> None:
    quirks = Quirks([replace(ALL, **changed)])  # type: ignore[arg-type]
    assert bool(facts(captured("bios-ipxerom.ipxe.discover"), quirks).quirks) is fits


def test_a_reply_is_made_otherwise_for_firmware_and_for_nobody_else() -> None:
    world = DhcpWorld()
    plain = world.answer(captured("bios-ipxerom.ipxe.discover"))
    world.service.classify({}, (), [ALL])
    odd = world.answer(captured("bios-ipxerom.ipxe.discover"))
    assert plain.destination.address != 0xFFFFFFFF
    assert odd.destination.address == 0xFFFFFFFF
    assert odd.packet.options[3] == b"\1\2\3\4"
    assert 97 in plain.packet.options
    assert 97 not in odd.packet.options
    others = {code: value for code, value in odd.packet.options.items() if code not in {3, 6, 97}}
    assert others == {code: value for code, value in plain.packet.options.items() if code not in {3, 6, 97}}
    system = world.answer(request(DISCOVER, mac=MAC, options={55: bytes((1, 3, 6))}))
    assert system.packet.options[3] != b"\1\2\3\4"
    assert system.destination.address != 0xFFFFFFFF
    assert "odd" in facts(captured("bios-ipxerom.ipxe.discover"), Quirks([ALL])).labels
    arch = facts(captured("bios-ipxerom.ipxe.discover"), Quirks([ALL])).arch
    assert arch is not None
    assert arch.name == "x64-uefi"


def test_firmware_that_hears_broadcasts_alone_hears_them_behind_a_relay() -> None:
    world = DhcpWorld()
    behind = encode(replace(decode(captured("bios-ipxerom.ipxe.discover")), giaddr=RELAY, flags=0)).data
    assert world.answer(behind, unicast=True).packet.flags == 0
    world.service.classify({}, (), [ALL])
    sent = world.answer(behind, unicast=True)
    assert (sent.destination.address, sent.packet.flags) == (RELAY, 0x8000)
