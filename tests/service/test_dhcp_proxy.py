"""proxyDHCP and the PXE port: rules P08 and P09 (PXE 2.1 section 2.2), and who may ask there."""

from __future__ import annotations

from dataclasses import replace

import pytest

from provd.model.boot import BootFile
from provd.model.dhcp import Destination, Ignore, OptionSet, Refuse
from tests.fakes.dhcp_world import (
    ACK,
    DISCOVER,
    MAC,
    OFFER,
    REQUEST,
    SERVER,
    DhcpWorld,
    a_system,
    ip,
    request,
)

PXE = {60: b"PXEClient:Arch:00000:UNDI:002001", 93: b"\0\0", 97: b"\0" + bytes(range(16)), 61: b"\1" + MAC}
HTTP = {60: b"HTTPClient:Arch:00016:UNDI:003000", 93: b"\0\x10"}
AT_ONCE = bytes((6, 1, 0b1011, 255))
OTHER = ip("10.88.0.254")
THEIRS = ip("10.88.0.50")
INFORM, RELEASE, DECLINE = 8, 7, 4


@pytest.fixture
def world() -> DhcpWorld:
    made = DhcpWorld()
    made.configure(mode="proxy", pool=None)
    return made


def service(options: dict[int, bytes] | None = None, *, server: int = 0, kind: int = REQUEST) -> bytes:
    """What a PXE client sends to the PXE port."""
    return request(kind, ciaddr=THEIRS, options=PXE if options is None else options, server=server)


def test_P08_the_offer_says_how_to_boot_and_gives_no_address(world: DhcpWorld) -> None:
    offer = world.answer(request(DISCOVER, options=PXE))
    packet = offer.packet
    assert (packet.message_type, packet.yiaddr, packet.ciaddr) == (OFFER, 0, 0)
    assert (packet.siaddr, packet.file) == (SERVER, b"pxelinux.0")
    assert packet.options == {
        53: bytes((OFFER,)),
        54: SERVER.to_bytes(4),
        60: b"PXEClient",
        43: AT_ONCE,
        66: b"10.88.0.1",
        67: b"pxelinux.0",
        97: PXE[97],
        61: PXE[61],
    }


def test_P08_an_offer_without_an_address_is_broadcast(world: DhcpWorld) -> None:
    assert world.answer(request(DISCOVER, options=PXE)).destination == Destination(0xFFFFFFFF, 68)


def test_P08_through_a_relay_to_the_relay(world: DhcpWorld) -> None:
    world.subnets = (world.subnets[0], replace(world.subnets[1], mode="proxy", pool=None))
    world.configure()
    offer = world.answer(request(DISCOVER, options={**PXE, 82: b"\1\1x"}, giaddr=ip("10.88.1.1")), unicast=True)
    assert (offer.destination, offer.packet.options[82]) == (Destination(ip("10.88.1.1"), 67), b"\1\1x")
    # A relay sends to yiaddr or by broadcast, and an offer of a proxy has no yiaddr (RFC 1542 section 4.1.2).
    assert (offer.packet.yiaddr, offer.packet.flags) == (0, 0x8000)


def test_P08_nothing_of_the_network_is_the_proxys_word(world: DhcpWorld) -> None:
    world.configure(options={"domain-name-servers": ["10.9.9.9"], "209": "x.cfg"})
    world.hooks.sets = [("p", OptionSet({15: b"d", 128: b"v"}, force=True))]
    options = world.answer(request(DISCOVER, options=PXE)).packet.options
    assert not {1, 3, 6, 15, 28, 51, 58, 59} & options.keys()
    assert (options[128], options[209]) == (b"v", b"x.cfg")


def test_P08_an_http_client_is_offered_a_uri(world: DhcpWorld) -> None:
    world.director.file = BootFile("boot.efi", transport="http")
    packet = world.answer(request(DISCOVER, options=HTTP)).packet
    assert (packet.yiaddr, packet.options[60]) == (0, b"HTTPClient")
    assert packet.options[67] == packet.file == b"http://10.88.0.1/boot.efi"
    assert 43 not in packet.options


@pytest.mark.parametrize("options", [{}, {60: b"d-i"}, {60: b"udhcp 1.36"}])
def test_P08_a_plain_client_is_not_answered(world: DhcpWorld, options: dict[int, bytes]) -> None:
    assert world.ask(request(DISCOVER, options=options)) == []
    assert world.service.counters.dropped["proxy: no network boot client"] == 1


@pytest.mark.parametrize(
    "data",
    [
        request(REQUEST, options=PXE, wanted=THEIRS, server=OTHER),
        request(REQUEST, options=PXE, wanted=THEIRS, server=SERVER),
        request(REQUEST, options=PXE, wanted=THEIRS),
        request(REQUEST, options=PXE, ciaddr=THEIRS),
        request(INFORM, options=PXE, ciaddr=THEIRS),
        request(RELEASE, ciaddr=THEIRS, server=OTHER),
        request(DECLINE, wanted=THEIRS, server=OTHER),
        request(0),
    ],
    ids=["other", "ours", "init-reboot", "renewing", "inform", "release", "decline", "bootp"],
)
def test_P08_everything_but_a_discover_is_the_other_servers(world: DhcpWorld, data: bytes) -> None:
    assert world.ask(data) == []
    assert world.served == []
    assert world.service.counters.errors == 0
    assert world.store.rows == {}


def test_P08_the_address_that_the_client_takes_elsewhere_is_heard(world: DhcpWorld) -> None:
    world.ask(request(REQUEST, options=PXE, wanted=THEIRS, server=OTHER))
    (seen,) = world.director.heard
    assert (seen.kind, seen.address, seen.fields) == ("dhcp.elsewhere", THEIRS, {"server": "10.88.0.254"})


def test_P08_no_loader_no_offer(world: DhcpWorld) -> None:
    world.director.file = None
    assert world.ask(request(DISCOVER, options=PXE)) == []
    assert world.service.counters.dropped["proxy: no boot file"] == 1


def test_P09_a_request_is_acknowledged_with_the_boot_file(world: DhcpWorld) -> None:
    (ack,) = world.ask_service(service(server=SERVER), source=THEIRS)
    packet = ack.packet
    assert (packet.message_type, packet.yiaddr, packet.ciaddr) == (ACK, 0, THEIRS)
    assert (packet.siaddr, packet.file, packet.options[67]) == (SERVER, b"pxelinux.0", b"pxelinux.0")
    assert (packet.options[60], packet.options[43], packet.options[97]) == (b"PXEClient", AT_ONCE, PXE[97])
    assert not {1, 3, 6, 51} & packet.options.keys()
    # To the address the client has, at the port it asked from.
    assert ack.destination == Destination(THEIRS, 4011)


def test_P09_a_client_that_says_no_address_is_answered_where_it_asked_from(world: DhcpWorld) -> None:
    asked = request(REQUEST, options=PXE)
    (ack,) = world.ask_service(asked, source=THEIRS, source_port=68)
    assert ack.destination == Destination(THEIRS, 68)
    assert world.ask_service(asked, source=0) == []


def test_P09_the_choice_from_a_menu_goes_back(world: DhcpWorld) -> None:
    menu = {"menu": [{"type": 0, "text": "Local"}, {"type": 32768, "text": "Install"}]}
    world.configure(options={"pxe": {**menu, "prompt": {"text": "F8", "seconds": 3}}})
    chosen = bytes((71, 4, 0x80, 0, 0x80, 0, 255))
    (ack,) = world.ask_service(service({**PXE, 43: chosen}), source=THEIRS)
    # The highest bit of the layer asks for credentials; there are none.
    assert ack.packet.options[43] == bytes((6, 1, 0b11, 71, 4, 0x80, 0, 0, 0, 255))


@pytest.mark.parametrize("rubbish", [b"\x47", b"\x47\x09\0", b"\x47\1\0\xff"])
def test_P09_a_malformed_choice_is_none(world: DhcpWorld, rubbish: bytes) -> None:
    (ack,) = world.ask_service(service({**PXE, 43: rubbish}), source=THEIRS)
    assert ack.packet.options[43] == AT_ONCE


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (service(kind=DISCOVER), "PXE port: no request"),
        (service(kind=INFORM), "PXE port: no request"),
        (service({}), "PXE port: no PXE client"),
        (service(HTTP), "PXE port: no PXE client"),
        (service(server=OTHER), "PXE port: for another server"),
    ],
)
def test_P09_who_gets_no_answer(world: DhcpWorld, data: bytes, reason: str) -> None:
    assert world.ask_service(data, source=THEIRS) == []
    assert world.service.counters.dropped[reason] == 1


def test_P09_beside_addresses_of_our_own_the_port_is_answered_too() -> None:
    world = DhcpWorld()
    world.configure(mode="combined")
    ack = world.dora(options=PXE)
    assert ack.packet.options[60] == b"PXEClient"
    asked = request(REQUEST, options=PXE, ciaddr=ack.packet.yiaddr)
    (served,) = world.ask_service(asked, source=ack.packet.yiaddr)
    assert served.packet.file == b"pxelinux.0"
    assert world.service.tables.leased_to(MAC) == ack.packet.yiaddr


@pytest.mark.parametrize("verdict", [Ignore("not here"), Refuse("not here")])
def test_P09_the_gate_is_the_same_at_both_ports(world: DhcpWorld, verdict: Ignore | Refuse) -> None:
    world.hooks.verdict = verdict
    assert world.ask(request(DISCOVER, options=PXE)) == []
    # No NAK either: the address is another server's.
    assert world.ask(request(REQUEST, options=PXE, wanted=THEIRS, server=OTHER)) == []
    assert world.ask_service(service(), source=THEIRS) == []


def test_P09_known_machines_only_is_the_same_at_both_ports(world: DhcpWorld) -> None:
    world.configure(unknown="ignore")
    assert world.ask(request(DISCOVER, options=PXE)) == []
    assert world.ask_service(service(), source=THEIRS) == []
    world.know(a_system(mac=MAC))
    assert world.answer(request(DISCOVER, options=PXE)).packet.file == b"pxelinux.0"
    assert len(world.ask_service(service(), source=THEIRS)) == 1


def test_P09_the_director_hears_of_both_rounds(world: DhcpWorld) -> None:
    world.ask(request(DISCOVER, options=PXE))
    world.ask_service(service(), source=THEIRS)
    assert [(seen.kind, seen.address) for seen in world.director.heard] == [
        ("dhcp.discover", 0),
        ("dhcp.offer", 0),
        ("dhcp.request", THEIRS),
        ("dhcp.ack", THEIRS),
    ]
    # A loader that cannot work beside another server can see it.
    assert {"proxy" in seen.request.client.labels for seen in world.director.heard} == {False}


def test_P08_loaders_are_told_that_the_addresses_are_anothers(world: DhcpWorld) -> None:
    labels = []
    offer = world.director.offer

    def watched(asked, *rest):  # type: ignore[no-untyped-def]
        labels.append(asked.client.labels)
        return offer(asked, *rest)

    world.director.offer = watched  # type: ignore[method-assign]
    world.ask(request(DISCOVER, options=PXE))
    assert labels == [{"proxy"}]


def test_P08_a_plugins_wrong_reply_is_counted_and_not_sent(world: DhcpWorld) -> None:
    world.hooks.change = lambda reply: replace(reply, file=b"x" * 200)
    assert world.ask(request(DISCOVER, options=PXE)) == []
    assert world.service.counters.dropped["reply not encodable"] == 1
