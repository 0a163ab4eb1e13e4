"""Packets captured from real firmware, loaders and installers: read as indexed, and written back unchanged."""

from __future__ import annotations

import json
from ipaddress import IPv4Address
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from scapy.layers.dhcp import BOOTP
from scapy.layers.tftp import TFTP, TFTP_RRQ

from provd.wire import pxe, relay, tftp
from provd.wire.dhcp import decode, encode

PACKETS = Path(__file__).parent.parent / "golden" / "packets"
INDEX: list[dict[str, Any]] = json.loads((PACKETS / "index.json").read_text())
DHCP = [entry for entry in INDEX if "opts" in entry]
RRQ = [entry for entry in INDEX if "rrq" in entry]


def octets(entry: dict[str, Any]) -> bytes:
    return (PACKETS / f"{entry['name']}.bin").read_bytes()


def test_every_captured_packet_is_indexed() -> None:
    assert {path.stem for path in PACKETS.glob("*.bin")} == {entry["name"] for entry in INDEX}
    assert (len(DHCP), len(RRQ)) == (33, 19)


@pytest.mark.parametrize("entry", DHCP, ids=lambda entry: entry["name"])
def test_dhcp_decodes_as_indexed_and_encodes_to_the_same_octets(entry: dict[str, Any]) -> None:
    data = octets(entry)
    packet = decode(data)
    assert [[code, value.hex()] for code, value in packet.options.items()] == entry["opts"]
    assert (packet.secs, packet.flags, packet.hops, len(data)) == tuple(
        entry[key] for key in ("secs", "flags", "hops", "len")
    )
    assert str(IPv4Address(packet.giaddr)) == entry["giaddr"]
    again = encode(packet, max_size=1500, min_size=len(data))
    assert again.data == data
    assert again.dropped == ()


@pytest.mark.parametrize("entry", DHCP, ids=lambda entry: entry["name"])
def test_scapy_reads_the_same_header(entry: dict[str, Any]) -> None:
    data = octets(entry)
    packet, other = decode(data), BOOTP(data)
    assert (packet.op, packet.htype, packet.hlen, packet.hops) == (other.op, other.htype, other.hlen, other.hops)
    assert (packet.xid, packet.secs, packet.flags) == (other.xid, other.secs, int(other.flags))
    addresses = (packet.ciaddr, packet.yiaddr, packet.siaddr, packet.giaddr)
    assert tuple(str(IPv4Address(address)) for address in addresses) == (
        other.ciaddr,
        other.yiaddr,
        other.siaddr,
        other.giaddr,
    )
    assert packet.chaddr == other.chaddr
    types = {option[0]: option[1] for option in other.payload.options if isinstance(option, tuple)}
    assert packet.message_type == types["message-type"]


@pytest.mark.parametrize("entry", DHCP, ids=lambda entry: entry["name"])
def test_uuid_is_shown_in_smbios_order(entry: dict[str, Any]) -> None:
    packet = decode(octets(entry))
    if 97 not in packet.options:
        assert "udhcpc" in entry["name"] or "grub" in entry["name"]
        return
    uuid = pxe.decode_uuid(packet.options[97])
    assert uuid == UUID(f"88880000-0000-4000-8000-{packet.mac.hex()}")
    assert pxe.encode_uuid(uuid) == packet.options[97]


def test_boot_clients_are_told_apart() -> None:
    seen = {}
    for entry in DHCP:
        packet = decode(octets(entry))
        vendor = pxe.decode_vendor_class(packet.vendor_class)
        architectures = pxe.decode_architectures(packet.options.get(93, b""))
        assert architectures == (() if vendor is None else (vendor.architecture,))
        stage = entry["name"].removeprefix("relayed-").rsplit(".", 1)[0]
        seen[stage] = (vendor.kind if vendor else "", architectures, pxe.is_ipxe(packet.options))
    assert seen["bios-ipxerom.ipxe"] == ("PXEClient", (0,), True)
    assert seen["uefi-ovmf-pxe.pxe"] == ("PXEClient", (7,), False)
    assert seen["uefi-ovmf-http.http"] == ("HTTPClient", (16,), False)
    assert seen["uefi-ovmf-http.grub"] == ("", (), False)
    assert seen["bios-install.di-udhcpc"] == ("", (), False)


def test_ipxe_says_version_and_features() -> None:
    packet = decode((PACKETS / "bios-ipxerom.ipxe.discover.bin").read_bytes())
    info = pxe.decode_ipxe(packet.options[175])
    assert info.version == (1, 0, 0)
    assert info.bus_id.hex() == "011af41000"
    assert {16, 17, 18, 19, 21, 23, 24, 25, 33, 34, 39, 41} == info.features


def test_relays_put_option_82_last_with_a_circuit_id() -> None:
    for entry in DHCP:
        packet = decode(octets(entry))
        if not entry["name"].startswith("relayed-"):
            assert packet.relay_information == b""
            continue
        assert list(packet.options)[-1] == 82
        assert relay.decode_relay_information(packet.relay_information) == {relay.CIRCUIT_ID: b"labbr1"}


@pytest.mark.parametrize("entry", RRQ, ids=lambda entry: entry["name"])
def test_read_requests_decode_as_indexed_and_encode_to_the_same_octets(entry: dict[str, Any]) -> None:
    data = octets(entry)
    request = tftp.decode(data)
    assert isinstance(request, tftp.Request)
    assert [request.filename, request.mode, *(text for pair in request.options.items() for text in pair)] == entry[
        "rrq"
    ]
    assert tftp.encode_request(request) == data
    other = TFTP(data)[TFTP_RRQ]
    assert (request.filename, request.mode) == (other.filename.decode(), other.mode.decode())
