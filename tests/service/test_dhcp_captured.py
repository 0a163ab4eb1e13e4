"""Packets of real firmware, loaders and installers through the whole service, and each trap they set for servers."""

from __future__ import annotations

import pytest

from provd.model.boot import BootFile
from provd.wire.dhcp import DhcpPacket, decode
from tests.fakes.dhcp_world import (
    ACK,
    GOLDEN,
    NAK,
    OFFER,
    RELEASE,
    REQUEST,
    SERVER,
    DhcpWorld,
    Sent,
    a_system,
    captured,
    ip,
    request,
    subnet,
)

NAMES = sorted(path.stem for path in GOLDEN.glob("*.bin") if not path.stem.startswith("tftp"))
DISCOVERS = [name for name in NAMES if ".discover" in name]
REQUESTS = [name for name in NAMES if name.endswith(".request")]
BOOT = ("ipxe", "pxe", "http")


def offered_then(name: str) -> str:
    """The DISCOVER that came before a REQUEST."""
    return name.replace(".request", ".discover")


@pytest.fixture
def world() -> DhcpWorld:
    return DhcpWorld((subnet(first=2, last=200), *DhcpWorld().subnets[1:]))


def ask(world: DhcpWorld, name: str) -> Sent:
    packet = decode(captured(name))
    return world.answer(captured(name), unicast=bool(packet.giaddr))


def reserve_as_captured(world: DhcpWorld, name: str) -> DhcpPacket:
    """Give the machine the address it had in the capture, so that its own REQUEST fits."""
    packet = decode(captured(name))
    address = ".".join(str(octet) for octet in packet.options[50])
    world.know(a_system(mac=packet.mac, address=address))
    return packet


def test_there_are_captures_of_every_kind() -> None:
    assert (len(DISCOVERS), len(REQUESTS)) == (18, 15)


@pytest.mark.parametrize("name", DISCOVERS)
def test_every_captured_discover_gets_a_fitting_offer(world: DhcpWorld, name: str) -> None:
    packet = decode(captured(name))
    sent = ask(world, name)
    assert sent.kind == OFFER
    assert (sent.packet.xid, sent.packet.chaddr, sent.packet.giaddr) == (packet.xid, packet.chaddr, packet.giaddr)
    assert sent.packet.options.get(61) == packet.options.get(61)
    assert sent.packet.options.get(82) == packet.options.get(82)
    assert {1, 3, 6, 51, 54} <= set(sent.packet.options)
    boot = name.split(".")[1] in BOOT
    assert (67 in sent.packet.options, bool(sent.packet.file), bool(sent.packet.siaddr)) == (boot, boot, boot)


@pytest.mark.parametrize("name", REQUESTS)
def test_every_captured_request_gets_its_ack(world: DhcpWorld, name: str) -> None:
    packet = reserve_as_captured(world, name)
    ask(world, offered_then(name))
    sent = ask(world, name)
    assert (sent.kind, sent.packet.yiaddr) == (ACK, packet.requested_address)
    assert len(sent.data) + 28 <= max(576, min(packet.max_size, 1500))
    if packet.giaddr:
        assert (sent.destination.address, sent.destination.port) == (packet.giaddr, 67)
    elif packet.broadcast:
        assert (sent.destination.address, sent.destination.port) == (0xFFFFFFFF, 68)
    else:
        assert (sent.destination.address, sent.destination.mac) == (packet.requested_address, packet.mac)


@pytest.mark.parametrize("name", REQUESTS)
def test_a_captured_request_without_its_offer_is_refused(world: DhcpWorld, name: str) -> None:
    packet = decode(captured(name))
    sent = world.answer(captured(name), unicast=bool(packet.giaddr))
    assert sent.kind == NAK


@pytest.mark.parametrize("machine", ["bios-install", "bios-ipxerom", "uefi-ovmf-pxe", "uefi-ovmf-http"])
@pytest.mark.parametrize("known", [True, False])
def test_trap_1_one_machine_with_four_identities_has_one_address(
    world: DhcpWorld, machine: str, *, known: bool
) -> None:
    names = [name for name in DISCOVERS if name.startswith(machine + ".")]
    if known:
        world.know(a_system(mac=decode(captured(names[0])).mac))
    mac = decode(captured(names[0])).mac
    from_os = {61: bytes.fromhex("ff00880011000100012c3d4e5f") + mac}
    given = {ask(world, name).packet.yiaddr for name in names}
    given.add(world.dora(mac, options=from_os).packet.yiaddr)
    given |= {ask(world, name).packet.yiaddr for name in names}
    assert len(given) == 1


def test_trap_2_an_iPXE_rom_is_a_pxe_client_and_iPXE_by_its_bare_user_class(world: DhcpWorld) -> None:
    ask(world, "bios-ipxerom.ipxe.discover")
    client = world.director.heard[0].request.client
    assert (client.is_pxe, client.is_ipxe, client.user_classes) == (True, True, ("iPXE",))


def test_trap_3_each_repeated_discover_is_answered_with_the_same_address(world: DhcpWorld) -> None:
    first = ask(world, "bios-ipxerom.ipxe.discover")
    second = ask(world, "bios-ipxerom.ipxe.discover-2")
    assert first.packet.xid == second.packet.xid
    assert first.packet.yiaddr == second.packet.yiaddr


def test_trap_5_ovmf_http_gets_option_60_and_the_uri_in_offer_and_ack(world: DhcpWorld) -> None:
    world.director.file = BootFile("grub/grubx64.efi", transport="http")
    reserve_as_captured(world, "uefi-ovmf-http.http.request")
    for name in ("uefi-ovmf-http.http.discover", "uefi-ovmf-http.http.request"):
        sent = ask(world, name)
        assert sent.packet.options[60] == b"HTTPClient"
        assert sent.packet.options[67] == sent.packet.file == b"http://10.88.0.1/grub/grubx64.efi"


def test_trap_6_ovmf_is_answered_by_broadcast_and_iPXE_at_its_hardware_address(world: DhcpWorld) -> None:
    assert ask(world, "uefi-ovmf-pxe.pxe.discover").destination.address == 0xFFFFFFFF
    assert ask(world, "bios-ipxerom.ipxe.discover").destination.mac == bytes.fromhex("525400880011")


def test_trap_7_ovmfs_65280_is_capped_at_the_mtu_and_the_installer_keeps_to_576(world: DhcpWorld) -> None:
    assert decode(captured("uefi-ovmf-pxe.pxe.request")).max_size == 65280
    assert len(ask(world, "bios-install.di-udhcpc.discover").data) <= 576 - 28


def test_trap_8_the_uuid_is_printed_as_dmidecode_does(world: DhcpWorld) -> None:
    ask(world, "bios-ipxerom.ipxe.discover")
    assert world.director.heard[0].request.client.uuid == "88880000-0000-4000-8000-525400880011"


def test_trap_9_a_relayed_client_is_in_the_relays_subnet_with_option_82_last(world: DhcpWorld) -> None:
    sent = ask(world, "relayed-uefi-ovmf-pxe.pxe.discover")
    assert sent.packet.yiaddr == ip("10.88.1.100")
    assert sent.packet.options[82] == b"\x01\x06labbr1"
    assert list(sent.packet.options)[-1] == 82


def test_trap_10_an_address_given_back_at_poweroff_is_the_machines_again_at_its_next_boot(world: DhcpWorld) -> None:
    first = ask(world, "bios-install.ipxe.discover")
    mac, address = first.packet.mac, first.packet.yiaddr
    from_os = {61: bytes.fromhex("ff00880011000100012c3d4e5f") + mac}
    world.dora(mac, options=from_os)
    assert world.ask(request(RELEASE, mac=mac, ciaddr=address, server=SERVER, options=from_os), unicast=True) == []
    assert world.store.rows[address].state == "released"
    assert ask(world, "bios-install.ipxe.discover-2").packet.yiaddr == address


def test_the_installers_own_dhcp_gets_no_boot_file(world: DhcpWorld) -> None:
    sent = ask(world, "bios-install.di-udhcpc.discover")
    assert (sent.packet.siaddr, sent.packet.file, 67 in sent.packet.options) == (0, b"", False)


def test_grub_sends_no_parameter_list_and_gets_everything(world: DhcpWorld) -> None:
    assert decode(captured("uefi-ovmf-http.grub.discover")).requested_options == b""
    assert {1, 3, 6, 28} <= set(ask(world, "uefi-ovmf-http.grub.discover").packet.options)


@pytest.mark.parametrize("name", REQUESTS)
def test_row_11_the_captured_request_for_another_server_frees_our_offer(world: DhcpWorld, name: str) -> None:
    data = bytearray(captured(name))
    at = data.index(b"\x36\x04", 240)
    data[at + 2 : at + 6] = ip("10.77.7.7").to_bytes(4)
    packet = decode(bytes(data))
    assert packet.message_type == REQUEST
    ask(world, offered_then(name))
    assert world.ask(bytes(data), unicast=bool(packet.giaddr)) == []
    offers = [binding for table in world.service.tables for binding in table]
    assert offers == []
