"""What a suite for DHCP servers tries beyond the rules' plain cases: odd order of messages, INFORM and BOOTP."""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import replace

import pytest

from provd.wire.dhcp import decode
from tests.fakes.dhcp_world import (
    ACK,
    DECLINE,
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
    a_system,
    ip,
    request,
)

ADDRESS = ip("10.88.0.100")


@pytest.fixture
def world() -> DhcpWorld:
    return DhcpWorld()


def sent_kinds(world: DhcpWorld, data: bytes, **arrival: object) -> list[int]:
    return [sent.kind for sent in world.ask(data, **arrival)]


# Order of messages


def test_R01_a_request_with_ciaddr_and_our_identifier_is_a_renewal(world: DhcpWorld) -> None:
    world.dora()
    sent = world.answer(request(REQUEST, ciaddr=ADDRESS, server=SERVER), unicast=True, source=ADDRESS)
    assert (sent.kind, sent.packet.ciaddr) == (ACK, ADDRESS)
    assert world.ask(request(REQUEST, ciaddr=ADDRESS, server=FOREIGN), unicast=True, source=ADDRESS) == []


def test_R03_selecting_without_or_with_an_empty_address_is_refused(world: DhcpWorld) -> None:
    world.answer(request(DISCOVER))
    assert sent_kinds(world, request(REQUEST, server=SERVER)) == [NAK]
    assert sent_kinds(world, request(REQUEST, server=SERVER, options={50: bytes(4)})) == [NAK]
    assert sent_kinds(world, request(REQUEST, server=SERVER, options={50: b"\x0a\x58"})) == [NAK]


def test_R02_a_request_with_another_xid_takes_the_offer_of_the_same_client(world: DhcpWorld) -> None:
    world.answer(request(DISCOVER, xid=1))
    sent = world.answer(request(REQUEST, xid=2, wanted=ADDRESS, server=SERVER))
    assert (sent.kind, sent.packet.xid) == (ACK, 2)


def test_O04_clients_that_share_an_xid_are_apart(world: DhcpWorld) -> None:
    first, second = (world.answer(request(DISCOVER, mac=mac, xid=9)).packet for mac in (MAC, OTHER_MAC))
    assert first.yiaddr != second.yiaddr
    for mac, mine, theirs in ((MAC, first, second), (OTHER_MAC, second, first)):
        assert sent_kinds(world, request(REQUEST, mac=mac, xid=9, wanted=theirs.yiaddr, server=SERVER)) == [NAK]
        assert (
            world.answer(request(REQUEST, mac=mac, xid=9, wanted=mine.yiaddr, server=SERVER)).packet.chaddr[:6] == mac
        )


@pytest.mark.parametrize("seed", range(5))
def test_O02_R02_many_transactions_at_once_in_any_order(seed: int) -> None:
    chance = random.Random(seed)
    world = DhcpWorld()
    macs = [b"\x02\0\0\0\0" + bytes((number,)) for number in range(10)]
    offers: dict[bytes, int] = {}
    steps = [(mac, kind) for mac in macs for kind in (DISCOVER, REQUEST, REQUEST)]
    chance.shuffle(steps)
    # Each client's DISCOVER comes first, everything else in any order.
    steps.sort(key=lambda step: step[1] != DISCOVER)
    for mac, kind in steps:
        if kind == DISCOVER:
            offers[mac] = world.answer(request(DISCOVER, mac=mac, xid=1)).packet.yiaddr
        else:
            sent = world.answer(request(REQUEST, mac=mac, xid=1, wanted=offers[mac], server=SERVER))
            assert (sent.kind, sent.packet.yiaddr, sent.packet.chaddr[:6]) == (ACK, offers[mac], mac)
    assert len(set(offers.values())) == len(macs)
    assert {lease.mac: address for address, lease in world.store.rows.items()} == offers


def test_R04_X04_init_reboot_after_a_release(world: DhcpWorld) -> None:
    world.dora()
    world.ask(request(RELEASE, ciaddr=ADDRESS, server=SERVER))
    # The address was this client's and is free: it gets it back, and nobody else does meanwhile.
    assert world.answer(request(REQUEST, wanted=ADDRESS)).packet.yiaddr == ADDRESS
    assert world.store.rows[ADDRESS].state == "bound"
    world.ask(request(RELEASE, ciaddr=ADDRESS, server=SERVER))
    world.dora(OTHER_MAC, options={50: ADDRESS.to_bytes(4)})
    assert ACK not in sent_kinds(world, request(REQUEST, wanted=ADDRESS))


def test_X04_a_release_twice_or_from_nobody_changes_nothing(world: DhcpWorld) -> None:
    world.dora()
    for _ in range(2):
        world.ask(request(RELEASE, ciaddr=ADDRESS, server=SERVER))
    world.ask(request(RELEASE, mac=OTHER_MAC, ciaddr=ip("10.88.0.105"), server=SERVER))
    assert world.store.commits == 2
    assert world.service.counters.dropped["release of an address that is not this client's"] == 2


def test_X01_a_declined_reservation_is_not_offered_while_it_is_in_use(world: DhcpWorld) -> None:
    world.know(a_system(address="10.88.0.20"))
    world.dora()
    assert world.ask(request(DECLINE, wanted=ip("10.88.0.20"), server=SERVER)) == []
    assert world.answer(request(DISCOVER)).packet.yiaddr == ADDRESS
    world.pass_time(601)
    assert world.answer(request(DISCOVER)).packet.yiaddr == ip("10.88.0.20")


def test_R04_a_reservation_that_is_in_use_elsewhere_does_not_cost_the_address_the_client_has(world: DhcpWorld) -> None:
    world.know(a_system(address="10.88.0.20"))
    world.dora()
    world.ask(request(DECLINE, wanted=ip("10.88.0.20"), server=SERVER))
    assert world.dora(xid=8).packet.yiaddr == ADDRESS
    assert sent_kinds(world, request(REQUEST, wanted=ADDRESS, xid=9)) == [ACK]
    world.pass_time(601)
    # The quarantine is over: the client is sent to its own address.
    assert sent_kinds(world, request(REQUEST, wanted=ADDRESS, xid=10)) == [NAK]


@pytest.mark.parametrize("unicast", [True, False])
def test_R08_R09_X01_a_reservation_in_quarantine_is_not_renewed(world: DhcpWorld, unicast: bool) -> None:
    world.know(a_system(address="10.88.0.20"))
    world.dora()
    world.ask(request(DECLINE, wanted=ip("10.88.0.20"), server=SERVER))
    renewal = request(REQUEST, ciaddr=ip("10.88.0.20"))
    assert ACK not in sent_kinds(world, renewal, unicast=unicast, source=ip("10.88.0.20"))


def test_R09_a_client_whose_lease_is_over_is_a_stranger_for_any_other_address(world: DhcpWorld) -> None:
    world.dora()
    other = ip("10.88.0.105")
    assert sent_kinds(world, request(REQUEST, ciaddr=other, xid=1), unicast=True, source=other) == [NAK]
    world.pass_time(4000)
    assert sent_kinds(world, request(REQUEST, ciaddr=other, xid=2), unicast=True, source=other) == []
    assert world.service.counters.dropped["unknown client"] == 1


@pytest.mark.parametrize("renewing", [False, True])
def test_R06_R09_authority_gives_a_stranger_free_addresses_of_the_pool_and_no_others(
    world: DhcpWorld, renewing: bool
) -> None:
    world.configure(authoritative=True)
    world.know(a_system("other", mac=b"\x02" * 6, address="10.88.0.109"))
    world.dora(OTHER_MAC)
    for number, (wanted, kind) in enumerate(
        [
            ("10.88.0.100", NAK),  # another client's lease
            ("10.88.0.109", NAK),  # another client's reservation
            ("10.88.0.50", NAK),  # not in the pool
            ("10.88.0.1", NAK),  # this server
            ("10.88.0.254", NAK),  # the router
            ("10.88.0.255", NAK),
            ("10.88.0.105", ACK),
        ]
    ):
        named = {"ciaddr": ip(wanted)} if renewing else {"wanted": ip(wanted)}
        data = request(REQUEST, mac=b"\x06" + bytes(4) + bytes((number,)), **named)  # type: ignore[arg-type]
        assert sent_kinds(world, data) == [kind], wanted


def test_X02_a_client_declines_what_it_has_not_what_it_had(world: DhcpWorld) -> None:
    world.dora()
    world.ask(request(RELEASE, ciaddr=ADDRESS, server=SERVER))
    world.ask(request(DECLINE, wanted=ADDRESS, server=SERVER))
    assert world.store.rows[ADDRESS].state == "released"
    assert world.answer(request(DISCOVER)).packet.yiaddr == ADDRESS


@pytest.mark.parametrize(
    ("giaddr", "unicast", "state"),
    [(0, True, "renewing"), (0, False, "rebinding"), (RELAY, True, "rebinding")],
)
def test_R08_R09_events_say_whether_the_client_renews_or_rebinds(
    world: DhcpWorld, giaddr: int, unicast: bool, state: str
) -> None:
    address = world.dora(giaddr=giaddr).packet.yiaddr
    world.answer(request(REQUEST, ciaddr=address, giaddr=giaddr, xid=9), unicast=unicast, source=address)
    assert world.director.heard[-1].fields["state"] == state


@pytest.mark.parametrize("flags", [0, 0x8000])
def test_A05_a_nak_on_the_link_is_broadcast_and_keeps_the_clients_flags(world: DhcpWorld, flags: int) -> None:
    nak = world.answer(request(REQUEST, wanted=ADDRESS, server=SERVER, flags=flags))
    assert (nak.kind, nak.packet.flags, nak.destination.address) == (NAK, flags, 0xFFFFFFFF)


def test_X01_X05_any_address_of_this_server_identifies_it(world: DhcpWorld) -> None:
    world.service.reconfigure(world.subnets, own=(SERVER, FOREIGN))
    world.dora()
    world.ask(request(RELEASE, ciaddr=ADDRESS, server=FOREIGN))
    assert world.store.rows[ADDRESS].state == "released"
    world.dora(xid=8)
    world.ask(request(DECLINE, wanted=ADDRESS, server=FOREIGN))
    assert world.store.rows[ADDRESS].state == "declined"


def test_R15_what_was_given_back_while_its_lease_was_written_is_not_acknowledged(world: DhcpWorld) -> None:
    world.answer(request(DISCOVER))
    world.store.hold = True
    world.ask(request(REQUEST, wanted=ADDRESS, server=SERVER))
    world.ask(request(RELEASE, ciaddr=ADDRESS, server=SERVER))
    world.store.flush()
    assert [sent.kind for sent in world.sent] == [OFFER]
    assert world.store.rows[ADDRESS].state == "released"
    assert world.service.counters.errors == 0


@pytest.mark.parametrize("kind", [RELEASE, DECLINE])
def test_X01_X04_a_store_that_fails_is_counted_and_the_service_goes_on(world: DhcpWorld, kind: int) -> None:
    world.dora()
    world.store.problem = OSError("disk full")
    named = {"ciaddr": ADDRESS} if kind == RELEASE else {"wanted": ADDRESS}
    assert world.ask(request(kind, server=SERVER, **named)) == []  # type: ignore[arg-type]
    assert world.service.counters.dropped["lease could not be stored"] == 1
    assert world.service.counters.errors == 0
    assert world.answer(request(DISCOVER, mac=OTHER_MAC)).kind == OFFER


def test_R08_a_renewal_beside_a_standing_offer_is_given_its_own_time(world: DhcpWorld) -> None:
    world.dora()
    world.answer(request(DISCOVER, options={51: (600).to_bytes(4)}))
    renewal = request(REQUEST, ciaddr=ADDRESS, options={51: (1200).to_bytes(4)})
    assert world.answer(renewal, unicast=True, source=ADDRESS).packet.options[51] == (1200).to_bytes(4)


def test_R09_a_client_that_moved_is_judged_on_the_link_it_broadcasts_on(world: DhcpWorld) -> None:
    far = world.dora(giaddr=RELAY).packet.yiaddr
    rebinding = request(REQUEST, ciaddr=far, xid=9)
    assert sent_kinds(world, rebinding, unicast=False, source=far) == [NAK]
    # By unicast it comes from its own network, through a router.
    assert sent_kinds(world, request(REQUEST, ciaddr=far, xid=10), unicast=True, source=far) == [ACK]


def test_R16_at_the_last_second_a_lease_is_renewed_and_after_it_too_while_it_is_free(world: DhcpWorld) -> None:
    world.dora()
    world.pass_time(3599.9)
    assert sent_kinds(world, request(REQUEST, ciaddr=ADDRESS, xid=1), unicast=True, source=ADDRESS) == [ACK]
    world.pass_time(3600)
    assert sent_kinds(world, request(REQUEST, ciaddr=ADDRESS, xid=2), unicast=True, source=ADDRESS) == [ACK]


def test_R05_R09_a_client_of_ours_that_rebinds_on_another_network_is_refused(world: DhcpWorld) -> None:
    world.dora()
    assert sent_kinds(world, request(REQUEST, ciaddr=ADDRESS, giaddr=RELAY), unicast=True) == [NAK]


def test_R11_a_nak_uses_neither_file_nor_sname_whatever_it_has_to_carry(world: DhcpWorld) -> None:
    options = {61: b"\0" + b"x" * 200, 82: b"\1\x50" + bytes(80)}
    data = request(REQUEST, giaddr=RELAY, options=options, wanted=ip("10.88.1.105"), server=SERVER)
    nak = world.answer(data, unicast=True)
    assert nak.kind == NAK
    assert nak.data[44:236] == bytes(192)
    assert {53, 54, 61} <= set(nak.packet.options)


# INFORM and BOOTP


def test_X06_an_inform_changes_nothing_and_gives_nothing(world: DhcpWorld) -> None:
    world.dora()
    before = dict(world.store.rows)
    sent = world.answer(
        request(INFORM, ciaddr=ADDRESS, options={51: b"\0\0\1\0", 50: b"\x0a\x58\0\x65"}), source=ADDRESS
    )
    packet = sent.packet
    assert (sent.kind, packet.yiaddr, packet.ciaddr) == (ACK, 0, ADDRESS)
    assert not {50, 51, 58, 59} & set(packet.options)
    assert world.store.rows == before


@pytest.mark.parametrize("unicast", [True, False])
def test_X06_an_inform_from_a_network_that_is_not_here_is_not_answered(world: DhcpWorld, unicast: bool) -> None:
    """RFC 2131 section 3.4: the server should check the network address for consistency."""
    foreign = ip("192.0.2.9")
    assert world.ask(request(INFORM, ciaddr=foreign), unicast=unicast, source=foreign) == []
    assert world.ask(request(INFORM), unicast=unicast, source=foreign) == []
    assert world.service.counters.dropped["inform from another network"] == 2


def test_X07_an_inform_through_a_relay_for_another_network_is_not_answered(world: DhcpWorld) -> None:
    assert world.ask(request(INFORM, ciaddr=ip("10.88.0.50"), giaddr=RELAY), unicast=True) == []


def test_D010_bootp_through_a_relay(world: DhcpWorld) -> None:
    world.know(a_system(address="10.88.1.20"))
    sent = world.answer(request(0, giaddr=RELAY), unicast=True)
    assert (sent.packet.yiaddr, sent.destination.address, sent.destination.port) == (ip("10.88.1.20"), RELAY, 67)
    assert sent.packet.message_type == 0
    assert world.ask(request(0, mac=OTHER_MAC, giaddr=RELAY), unicast=True) == []


def test_D010_a_reservation_in_another_subnet_is_none_for_bootp(world: DhcpWorld) -> None:
    world.know(a_system(address="10.88.0.20"))
    assert world.ask(request(0, giaddr=RELAY), unicast=True) == []


@pytest.mark.parametrize("answer", [OFFER, ACK, NAK])
def test_A06_A01_every_answer_to_a_relay_keeps_giaddr(world: DhcpWorld, answer: int) -> None:
    data: Mapping[int, bytes] = {
        OFFER: request(DISCOVER, giaddr=RELAY),
        ACK: request(INFORM, giaddr=RELAY, ciaddr=ip("10.88.1.77")),
        NAK: request(REQUEST, giaddr=RELAY, wanted=ip("10.88.1.77"), server=SERVER),
    }
    sent = world.answer(data[answer], unicast=True)
    assert (sent.kind, sent.packet.giaddr, sent.destination.address) == (answer, RELAY, RELAY)
    assert bool(sent.packet.flags & 0x8000) == (not sent.packet.yiaddr) == (answer != OFFER)


def test_A12_the_whole_life_of_a_lease_under_the_relays_server_identifier(world: DhcpWorld) -> None:
    override = {82: b"\x0b\x04" + RELAY.to_bytes(4)}
    offer = world.answer(request(DISCOVER, giaddr=RELAY, options=override), unicast=True).packet
    assert offer.options[54] == RELAY.to_bytes(4)
    more = {"giaddr": RELAY, "options": override, "server": RELAY}
    assert sent_kinds(world, request(REQUEST, wanted=offer.yiaddr, **more), unicast=True) == [ACK]  # type: ignore[arg-type]
    world.ask(request(RELEASE, ciaddr=offer.yiaddr, **more), unicast=True)  # type: ignore[arg-type]
    assert world.store.rows[offer.yiaddr].state == "released"
    world.dora(giaddr=RELAY, options=override, xid=8)
    world.ask(request(DECLINE, wanted=offer.yiaddr, **more), unicast=True)  # type: ignore[arg-type]
    assert world.store.rows[offer.yiaddr].state == "declined"


def test_D008_a_bootp_client_gets_at_least_300_octets_and_at_most_548(world: DhcpWorld) -> None:
    world.know(a_system(address="10.88.0.20"))
    world.configure(options={str(code): "x" * 200 for code in range(224, 234)})
    data = world.answer(request(0)).data
    assert 300 <= len(data) <= 548
    assert decode(data).options


def test_O06_nothing_is_offered_where_every_address_is_taken(world: DhcpWorld) -> None:
    for number in range(10):
        world.dora(b"\x02\0\0\0\1" + bytes((number,)))
    assert world.ask(request(DISCOVER)) == []
    assert world.ask(request(DISCOVER, wanted=ADDRESS)) == []
    world.subnets = tuple(replace(one, pool=None) for one in world.subnets)
    world.service.reconfigure(world.subnets, own=(SERVER,))
    assert world.ask(request(DISCOVER)) == []
