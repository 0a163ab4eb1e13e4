"""The way from power on to the boot file, row by row: PXE settings, DISCOVER, OFFER, REQUEST, ACK."""

from __future__ import annotations

from pathlib import Path

import pytest

from provd.model.dhcp import Ignore
from provd.simulate.actions import run
from provd.simulate.boot import FirmwareName
from provd.simulate.dhcp import dora
from provd.simulate.firmware import BIOS_IPXE, OVMF_PXE
from provd.testing.world import MACHINE
from provd.wire.dhcp import decode
from provd.wire.pxe import decode_pxe_options
from tests.fakes.dhcp_world import ACK, DISCOVER, MAC, OFFER, REQUEST, SERVER, DhcpWorld, a_system, ip, request, subnet
from tests.fakes.simulated_server import SimulatedServer
from tests.rows.offers import ARCHITECTURES, discover, offer, path, text

OTHER = ip("10.88.0.254")
#: Boot file of each type; None where no loader ships: the machine gets its address and no file.
FILES = {
    0: "lpxelinux.0",
    6: None,
    7: "shimx64.efi",
    9: "shimx64.efi",
    11: None,
    16: "http://10.88.0.1/grubx64-http.efi",
    19: None,
}


@pytest.fixture
def server(tmp_path: Path) -> SimulatedServer:
    return SimulatedServer(tmp_path)


@pytest.fixture
def world() -> DhcpWorld:
    return DhcpWorld()


@pytest.mark.parametrize("style", [BIOS_IPXE, OVMF_PXE], ids=["bios", "uefi"])
def test_row_5_pxe_clients_are_told_to_look_for_no_boot_server(server: SimulatedServer, style: object) -> None:
    server.add()
    bound = run(dora(style, MACHINE, 7), server)  # type: ignore[arg-type]
    (control,) = decode_pxe_options(bound.packet.options[43])[6]
    # No broadcast, no multicast, the file at once: neither MTFTP nor boot server discovery begins.
    assert control == 0b1011


def test_row_5_the_refusal_of_mtftp_is_documented() -> None:
    page = (Path(__file__).parents[2] / "docs" / "pxe.md").read_text()
    assert "MTFTP" in page.partition("## What is refused")[2]


@pytest.mark.parametrize("arch", ARCHITECTURES)
def test_row_6_and_10_the_offer_is_the_golden_one(tmp_path: Path, arch: int) -> None:
    assert text(offer(tmp_path, arch)) == path(arch).read_text(), "python -m tests.rows.offers writes them anew"


@pytest.mark.parametrize("arch", ARCHITECTURES)
def test_row_6_and_10_what_the_golden_offers_say(arch: int) -> None:
    packet, file = decode(bytes.fromhex(path(arch).read_text())), FILES[arch]
    assert (packet.message_type, packet.xid, packet.yiaddr) == (OFFER, 0x5EED, ip("10.88.0.20"))
    options = packet.options
    assert options[1] == ip("255.255.255.0").to_bytes(4)
    assert options[3] == options[6] == options[54] == SERVER.to_bytes(4)
    if file is None:
        assert (packet.siaddr, packet.file) == (0, b"")
        assert not {43, 66, 67} & options.keys()
    else:
        assert packet.siaddr == SERVER
        assert packet.file == options[67] == file.encode()
        assert options[66] == b"10.88.0.1"
    # RFC 5071: only for a PXELINUX that is not told by its own configuration search.
    assert not {208, 209, 210, 211} & options.keys()
    assert options.get(60, b"") == (b"HTTPClient" if arch in {16, 19} else b"")


def test_row_8_a_reply_gets_no_answer(world: DhcpWorld) -> None:
    reply = bytearray(request(DISCOVER))
    reply[0] = 2
    assert world.ask(bytes(reply)) == []
    assert sum(world.service.counters.dropped.values()) == 1


@pytest.mark.parametrize("arch", [0, 7, 16])
def test_row_9_strict_mode_leaves_a_stranger_unanswered(world: DhcpWorld, arch: int) -> None:
    world.configure(unknown="ignore")
    assert world.ask(discover(arch)) == []
    world.know(a_system(mac=MACHINE.mac))
    assert world.answer(discover(arch)).packet.file == b"pxelinux.0"


def test_row_9_who_is_denied_is_not_answered(world: DhcpWorld) -> None:
    world.hooks.verdict = Ignore("denied")
    assert world.ask(discover(0)) == []
    assert world.director.kinds == ["dhcp.dropped"]


def test_row_11_a_request_for_another_server_frees_our_offer(world: DhcpWorld) -> None:
    offered = world.answer(request(DISCOVER)).packet.yiaddr
    table = next(iter(world.service.tables))
    assert table.at(offered) is not None
    assert world.ask(request(REQUEST, wanted=ip("10.88.0.50"), server=OTHER)) == []
    assert table.at(offered) is None
    assert world.answer(request(DISCOVER, mac=b"\2" * 6)).packet.yiaddr == offered


def test_row_12_the_ack_leaves_when_the_lease_is_on_the_disk(world: DhcpWorld) -> None:
    world.store.hold = True
    offered = world.answer(request(DISCOVER)).packet.yiaddr
    assert world.ask(request(REQUEST, wanted=offered, server=SERVER)) == []
    world.store.flush()
    world.store.hold = False
    assert (world.sent[-1].kind, world.sent[-1].packet.yiaddr) == (ACK, offered)
    world.restart()
    assert world.service.tables.leased_to(MAC) == offered
    # INIT-REBOOT, as a client does that kept its address over a restart of the server.
    assert world.answer(request(REQUEST, wanted=offered)).packet.yiaddr == offered


def test_row_13_an_offer_that_nobody_takes_goes_back_to_the_pool() -> None:
    world = DhcpWorld((subnet(first=100, last=101),))
    taken = {world.answer(request(DISCOVER, mac=bytes([2] * 5 + [n]))).packet.yiaddr for n in range(2)}
    assert len(taken) == 2
    assert world.ask(request(DISCOVER, mac=b"\4" * 6)) == []
    world.pass_time(61)
    assert {world.answer(request(DISCOVER, mac=bytes([4] * 5 + [n]))).packet.yiaddr for n in range(2)} == taken


def test_row_13_and_at_once_when_the_client_takes_another_servers() -> None:
    world = DhcpWorld((subnet(first=100, last=100),))
    (offered,) = [world.answer(request(DISCOVER)).packet.yiaddr]
    assert world.ask(request(DISCOVER, mac=b"\4" * 6)) == []
    world.ask(request(REQUEST, wanted=ip("10.88.0.50"), server=OTHER))
    assert world.answer(request(DISCOVER, mac=b"\4" * 6)).packet.yiaddr == offered


@pytest.mark.parametrize("firmware", ["bios", "x64-uefi", "x64-uefi-http"])
def test_row_14_the_timeline_shows_the_end_of_the_first_network_initialisation(
    server: SimulatedServer, firmware: FirmwareName
) -> None:
    server.add()
    server.boot(firmware)
    kinds = server.kinds()
    order = ["dhcp.discover", "dhcp.offer", "dhcp.request", "dhcp.ack", "config.served"]
    places = [kinds.index(kind) for kind in order]
    assert places == sorted(places)


def test_row_14_a_boot_that_ends_there_says_so(server: SimulatedServer) -> None:
    server.add()
    run(dora(BIOS_IPXE, MACHINE, 7), server)
    (session,) = server.store.sessions.sessions(limit=1)
    assert (session.step, session.outcome, session.address) == ("ack", "running", "10.88.0.100")
