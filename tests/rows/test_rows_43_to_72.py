"""Relays, and the six steps of a lease, row by row: the first login, the next login, renewal, the end."""

from __future__ import annotations

from typing import Any

import pytest

from provd.model.dhcp import Destination
from provd.model.subnet import Pool
from tests.fakes.dhcp_world import (
    ACK,
    DISCOVER,
    FOREIGN,
    INFORM,
    MAC,
    NAK,
    OFFER,
    OTHER_MAC,
    RELAY,
    RELEASE,
    REQUEST,
    SERVER,
    DhcpWorld,
    Sent,
    a_profile,
    a_system,
    ip,
    request,
    subnet,
)

FIRST = ip("10.88.0.100")
BROADCAST = ip("255.255.255.255")
THIRD_MAC = bytes.fromhex("525400880077")
CIRCUIT = bytes.fromhex("0104706f7274") + b"\x02\x02r1"


@pytest.fixture
def world() -> DhcpWorld:
    return DhcpWorld()


def _kinds(sent: list[Sent]) -> list[int]:
    return [one.kind for one in sent]


def _seconds(sent: Sent, code: int) -> int:
    return int.from_bytes(sent.packet.options[code])


def test_row_43_giaddr_chooses_the_subnet_and_is_the_way_back(world: DhcpWorld) -> None:
    offer = world.answer(request(DISCOVER, giaddr=RELAY), unicast=True, source=FOREIGN)
    assert ip("10.88.1.100") <= offer.packet.yiaddr <= ip("10.88.1.109")
    # The relay's own address as a source means nothing; giaddr is where replies go (RFC 2131 section 4.1).
    assert (offer.destination.address, offer.destination.port) == (RELAY, 67)


def test_row_44_unicast_is_taken_and_an_unknown_relay_is_counted(world: DhcpWorld) -> None:
    assert _kinds(world.ask(request(DISCOVER, giaddr=RELAY), unicast=True)) == [OFFER]
    before = world.service.counters.dropped.total()
    assert world.ask(request(DISCOVER, giaddr=ip("10.200.0.1")), unicast=True) == []
    assert world.service.counters.dropped.total() == before + 1
    assert "dhcp.dropped" in world.director.kinds


@pytest.mark.parametrize("kind", [OFFER, ACK, NAK])
def test_row_45_option_82_comes_back_last_and_equal(world: DhcpWorld, kind: int) -> None:
    asks = {
        OFFER: request(DISCOVER, giaddr=RELAY, options={82: CIRCUIT}),
        ACK: request(REQUEST, giaddr=RELAY, options={82: CIRCUIT}, wanted=ip("10.88.1.100"), server=SERVER),
        NAK: request(REQUEST, giaddr=RELAY, options={82: CIRCUIT}, wanted=ip("10.99.0.9"), server=SERVER),
    }
    if kind == ACK:
        world.answer(asks[OFFER], unicast=True)
    sent = world.answer(asks[kind], unicast=True)
    assert sent.kind == kind
    option = bytes((82, len(CIRCUIT))) + CIRCUIT
    assert sent.data.rstrip(b"\0").endswith(option + b"\xff")


def test_row_45_the_port_is_kept_with_the_lease(world: DhcpWorld) -> None:
    world.dora(giaddr=RELAY, options={82: CIRCUIT})
    (lease,) = world.store.rows.values()
    assert lease.relay == f"{RELAY:08x}:{CIRCUIT.hex()}"


def test_row_46_more_than_sixteen_hops_are_dropped(world: DhcpWorld) -> None:
    assert _kinds(world.ask(request(DISCOVER, giaddr=RELAY, hops=16), unicast=True)) == [OFFER]
    assert world.ask(request(DISCOVER, giaddr=RELAY, hops=17, mac=OTHER_MAC), unicast=True) == []


@pytest.mark.parametrize(
    ("state", "words", "answer"),
    [
        ("SELECTING", {"wanted": FIRST, "server": SERVER}, ACK),
        ("SELECTING another server", {"wanted": FIRST, "server": FOREIGN}, None),
        ("INIT-REBOOT", {"wanted": FIRST}, ACK),
        ("INIT-REBOOT elsewhere", {"wanted": ip("10.99.0.9")}, NAK),
        ("RENEWING", {"ciaddr": FIRST}, ACK),
        ("REBINDING", {"ciaddr": FIRST, "flags": 0x8000}, ACK),
        ("nothing at all", {}, NAK),
    ],
)
def test_row_56_ciaddr_option_50_and_option_54_tell_the_state(
    world: DhcpWorld, state: str, words: dict[str, Any], answer: int | None
) -> None:
    world.dora()
    world.answer(request(DISCOVER))
    assert _kinds(world.ask(request(REQUEST, xid=99, **words))) == ([] if answer is None else [answer]), state


def test_rows_57_59_61_and_62_discover_offer_request_ack(world: DhcpWorld) -> None:
    offer = world.answer(request(DISCOVER, xid=0xABCD))
    assert (offer.kind, offer.packet.xid, offer.packet.yiaddr) == (OFFER, 0xABCD, FIRST)
    ack = world.answer(request(REQUEST, xid=0xABCD, wanted=FIRST, server=SERVER))
    assert (ack.kind, ack.packet.xid, ack.packet.yiaddr) == (ACK, 0xABCD, FIRST)
    assert ack.packet.options[1] == ip("255.255.255.0").to_bytes(4)


def test_row_59_the_order_of_addresses(world: DhcpWorld) -> None:
    world.configure(pool=Pool(subnet().network[100], subnet().network[102]))
    assert world.dora().packet.yiaddr == FIRST
    # Current binding, though another address is asked for.
    assert world.answer(request(DISCOVER, wanted=FIRST + 2)).packet.yiaddr == FIRST
    world.ask(request(RELEASE, ciaddr=FIRST, server=SERVER))
    # A stranger's wish comes before a free address; the released one is kept back for who had it.
    assert world.dora(OTHER_MAC, options={50: (FIRST + 2).to_bytes(4)}).packet.yiaddr == FIRST + 2
    assert world.dora(THIRD_MAC).packet.yiaddr == FIRST + 1
    # Previous binding.
    assert world.dora().packet.yiaddr == FIRST
    # A reservation comes before everything.
    world.know(a_system(address="10.88.0.20"))
    assert world.answer(request(DISCOVER)).packet.yiaddr == ip("10.88.0.20")


def test_row_59_nothing_free_takes_the_one_that_ended_first(world: DhcpWorld) -> None:
    world.configure(pool=Pool(subnet().network[100], subnet().network[101]))
    world.dora()
    world.pass_time(10)
    world.dora(OTHER_MAC)
    world.pass_time(7200)
    assert world.dora(THIRD_MAC).packet.yiaddr == FIRST


def test_row_61_a_wrong_address_is_refused(world: DhcpWorld) -> None:
    world.answer(request(DISCOVER))
    assert _kinds(world.ask(request(REQUEST, wanted=FIRST + 1, server=SERVER))) == [NAK]


def test_row_62_four_destinations(world: DhcpWorld) -> None:
    def to(**words: Any) -> Destination:
        return world.answer(request(DISCOVER, **words)).destination

    assert to(flags=0x8000).address == BROADCAST
    raw = to()
    assert (raw.address, raw.mac) == (FIRST, MAC)
    assert to(giaddr=RELAY).address == RELAY
    world.dora()
    assert world.answer(request(REQUEST, ciaddr=FIRST, xid=5)).destination.address == FIRST


def test_row_63_the_next_login_is_acknowledged_at_once(world: DhcpWorld) -> None:
    world.dora()
    assert _kinds(world.ask(request(REQUEST, wanted=FIRST, xid=8))) == [ACK]


def test_row_64_also_where_the_lease_has_ended_and_nobody_took_the_address(world: DhcpWorld) -> None:
    world.dora()
    world.pass_time(100_000)
    world.service.expire()
    assert _kinds(world.ask(request(REQUEST, wanted=FIRST, xid=8))) == [ACK]


def test_rows_65_and_66_an_address_that_another_has_is_refused_and_discover_helps(world: DhcpWorld) -> None:
    world.configure(pool=Pool(subnet().network[100], subnet().network[101]), authoritative=True)
    world.dora()
    world.ask(request(RELEASE, ciaddr=FIRST, server=SERVER))
    world.dora(OTHER_MAC)
    assert world.dora(THIRD_MAC).packet.yiaddr == FIRST
    (nak,) = world.ask(request(REQUEST, wanted=FIRST, xid=8))
    assert (nak.kind, nak.destination.address) == (NAK, BROADCAST)
    world.ask(request(RELEASE, mac=OTHER_MAC, ciaddr=FIRST + 1, server=SERVER))
    assert world.dora(xid=9).packet.yiaddr == FIRST + 1


def test_row_67_a_stranger_is_left_to_others_where_this_server_has_no_authority(world: DhcpWorld) -> None:
    world.configure(authoritative=False)
    assert world.ask(request(REQUEST, wanted=ip("10.88.0.105"))) == []
    world.configure(authoritative=True)
    assert _kinds(world.ask(request(REQUEST, wanted=ip("10.99.0.5"), xid=8))) == [NAK]


def test_row_68_a_lease_ends_at_its_time_with_an_event(world: DhcpWorld) -> None:
    world.dora()
    world.pass_time(3599)
    world.service.expire()
    assert world.events == []
    world.pass_time(1)
    world.service.expire()
    (event,) = world.events
    assert (event.kind, event.mac) == ("dhcp.expired", "52:54:00:88:00:11")
    assert event.fields == {"address": "10.88.0.100", "subnet": "lab"}
    world.service.expire()
    assert len(world.events) == 1


def test_row_68_also_where_another_client_made_the_server_look(world: DhcpWorld) -> None:
    world.dora()
    world.pass_time(4000)
    world.dora(OTHER_MAC)
    world.service.expire()
    assert [event.kind for event in world.events] == ["dhcp.expired"]


def test_row_68_of_very_many_that_end_at_once_a_thousand_are_told() -> None:
    world = DhcpWorld((subnet(network="10.88.0.0/16", first=256, last=2000),))
    for number in range(1500):
        world.dora(b"\x02\x00\x00\x00" + number.to_bytes(2), xid=number)
    world.pass_time(4000)
    assert len(world.service.expire()) == 1500
    assert len(world.events) == 1000


def test_row_69_renewal_at_half_the_time_moves_the_end(world: DhcpWorld) -> None:
    ack = world.dora()
    assert (_seconds(ack, 51), _seconds(ack, 58)) == (3600, 1800)
    world.pass_time(1800)
    renewed = world.answer(request(REQUEST, ciaddr=FIRST, xid=9), unicast=True)
    assert (renewed.kind, _seconds(renewed, 51)) == (ACK, 3600)
    world.pass_time(3599)
    assert world.service.expire() == []
    assert world.service.tables.leased_to(MAC) == FIRST


def test_row_70_rebinding_at_seven_eighths_is_answered(world: DhcpWorld) -> None:
    ack = world.dora()
    assert _seconds(ack, 59) == 3150
    world.pass_time(3150)
    assert _kinds(world.ask(request(REQUEST, ciaddr=FIRST, flags=0x8000, xid=9))) == [ACK]


def test_row_71_release_frees_and_inform_gives_options_without_an_address(world: DhcpWorld) -> None:
    world.dora()
    assert world.ask(request(RELEASE, ciaddr=FIRST, server=SERVER)) == []
    assert world.service.tables.leased_to(MAC) == 0
    told = world.answer(request(INFORM, ciaddr=ip("10.88.0.50"), xid=9))
    assert (told.kind, told.packet.yiaddr) == (ACK, 0)
    assert 3 in told.packet.options
    assert 51 not in told.packet.options


def test_row_72_a_profile_makes_the_lease_of_its_machines_short(world: DhcpWorld) -> None:
    world.systems.profiles = {"web": a_profile(lease_s=120)}
    world.know(a_system(profile="web"))
    assert _seconds(world.dora(), 51) == 120
    assert _seconds(world.dora(OTHER_MAC), 51) == 3600
