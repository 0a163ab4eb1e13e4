"""DISCOVER and OFFER: rules O01 to O12 (RFC 2131 section 4.3.1)."""

from __future__ import annotations

import pytest

from tests.fakes.dhcp_world import (
    ACK,
    DECLINE,
    DISCOVER,
    MAC,
    NAK,
    OFFER,
    OTHER_MAC,
    RELEASE,
    REQUEST,
    SERVER,
    DhcpWorld,
    a_profile,
    a_system,
    ip,
    request,
    subnet,
)


@pytest.fixture
def world() -> DhcpWorld:
    return DhcpWorld()


def offered(world: DhcpWorld, mac: bytes = MAC, wanted: int = 0) -> int:
    """Address offered to a DISCOVER, 0 for silence."""
    sent = world.ask(request(DISCOVER, mac=mac, wanted=wanted))
    return sent[0].packet.yiaddr if sent else 0


def mac_number(number: int) -> bytes:
    return b"\x02\0\0\0" + number.to_bytes(2)


def test_O01_rank_1_a_reservation_comes_first_even_before_a_running_lease(world: DhcpWorld) -> None:
    world.dora()
    world.know(a_system(address="10.88.0.20"))
    assert offered(world) == ip("10.88.0.20")
    assert world.director.heard[-1].fields["rank"] == "reservation"


def test_O01_rank_2_the_current_binding(world: DhcpWorld) -> None:
    world.dora()
    assert offered(world, wanted=ip("10.88.0.105")) == ip("10.88.0.100")
    assert world.director.heard[-1].fields["rank"] == "current"


def test_O01_rank_3_the_previous_binding_when_it_expired(world: DhcpWorld) -> None:
    world.dora()
    world.pass_time(3601)
    assert offered(world, wanted=ip("10.88.0.105")) == ip("10.88.0.100")
    assert world.director.heard[-1].fields["rank"] == "previous"


def test_O01_rank_3_the_previous_binding_when_it_was_released(world: DhcpWorld) -> None:
    world.dora()
    world.ask(request(RELEASE, ciaddr=ip("10.88.0.100"), server=SERVER))
    assert offered(world, OTHER_MAC) == ip("10.88.0.101")
    assert offered(world) == ip("10.88.0.100")


def test_O01_rank_4_the_requested_address(world: DhcpWorld) -> None:
    assert offered(world, wanted=ip("10.88.0.105")) == ip("10.88.0.105")
    assert world.director.heard[-1].fields["rank"] == "requested"


@pytest.mark.parametrize(
    "wanted", ["10.88.0.99", "10.88.0.110", "10.88.0.1", "10.99.0.5", "10.88.0.0", "255.255.255.255"]
)
def test_O01_an_address_outside_the_pool_is_not_given_on_request(world: DhcpWorld, wanted: str) -> None:
    assert offered(world, wanted=ip(wanted)) == ip("10.88.0.100")


def test_O01_rank_5_a_free_address(world: DhcpWorld) -> None:
    world.dora(OTHER_MAC)
    assert offered(world) == ip("10.88.0.101")
    assert world.director.heard[-1].fields["rank"] == "free"


def test_O01_rank_6_the_oldest_expired_when_nothing_is_free(world: DhcpWorld) -> None:
    for number in range(10):
        world.dora(mac_number(number))
        world.pass_time(1)
    world.pass_time(3601)
    assert offered(world) == ip("10.88.0.100")
    assert world.director.heard[-1].fields["rank"] == "oldest-expired"


def test_O02_an_offer_carries_53_54_51_and_never_an_address_that_is_offered_or_leased(world: DhcpWorld) -> None:
    first = world.answer(request(DISCOVER, mac=mac_number(1)))
    assert {51, 53, 54} <= set(first.packet.options)
    assert first.packet.options[54] == SERVER.to_bytes(4)
    world.dora(mac_number(2))
    assert offered(world) not in {first.packet.yiaddr, ip("10.88.0.101")}


@pytest.mark.parametrize("leased", [False, True])
def test_O02_an_address_of_another_is_not_given_on_request(world: DhcpWorld, leased: bool) -> None:
    address = world.dora(OTHER_MAC).packet.yiaddr if leased else offered(world, OTHER_MAC)
    assert offered(world, wanted=address) not in {0, address}


def test_O04_a_repeated_discover_gets_the_same_address_with_any_xid(world: DhcpWorld) -> None:
    sent = [world.answer(request(DISCOVER, xid=xid)).packet.yiaddr for xid in (7, 7, 8)]
    assert len(set(sent)) == 1


def test_O04_an_offer_stays_reserved_and_then_goes_back(world: DhcpWorld) -> None:
    world.configure(pool=subnet(first=100, last=100).pool)
    assert offered(world) == ip("10.88.0.100")
    world.pass_time(59)
    assert offered(world, OTHER_MAC) == 0
    world.pass_time(2)
    assert offered(world, OTHER_MAC) == ip("10.88.0.100")


def test_O05_a_reservation_outside_the_pool_is_honoured(world: DhcpWorld) -> None:
    world.know(a_system(address="10.88.0.20"))
    assert world.dora().packet.yiaddr == ip("10.88.0.20")


def test_O05_a_reserved_address_in_the_pool_is_given_to_nobody_else(world: DhcpWorld) -> None:
    world.know(a_system(mac=OTHER_MAC, address="10.88.0.100"))
    assert offered(world, wanted=ip("10.88.0.100")) == ip("10.88.0.101")
    given = {offered(world, mac_number(number)) for number in range(20)}
    assert ip("10.88.0.100") not in given


def test_O05_an_address_taken_before_it_was_reserved_goes_to_its_owner_after_the_lease(world: DhcpWorld) -> None:
    world.dora(OTHER_MAC)
    world.know(a_system(address="10.88.0.100"))
    assert offered(world) == ip("10.88.0.101")
    renewal = world.ask(
        request(REQUEST, mac=OTHER_MAC, ciaddr=ip("10.88.0.100")), unicast=True, source=ip("10.88.0.100")
    )
    assert [sent.kind for sent in renewal] == [NAK]
    world.pass_time(3601)
    assert offered(world) == ip("10.88.0.100")


def test_O06_silent_and_counted_when_the_pool_is_exhausted(world: DhcpWorld) -> None:
    for number in range(10):
        world.dora(mac_number(number))
    assert offered(world) == 0
    assert world.service.counters.dropped["pool exhausted"] == 1
    assert world.director.heard[-1].kind == "dhcp.dropped"


def test_O06_the_log_names_the_subnet_once_in_a_while(world: DhcpWorld, logged_sentences: list[str]) -> None:
    world.configure(pool=subnet(first=100, last=100).pool)
    world.dora()
    for number in range(20):
        assert offered(world, mac_number(number)) == 0
    assert logged_sentences == ["subnet lab: the pool has no free address"]
    world.pass_time(61)
    offered(world, mac_number(30))
    assert len(logged_sentences) == 2


def test_O06_silent_and_counted_when_no_subnet_matches(world: DhcpWorld) -> None:
    assert world.ask(request(DISCOVER), interface="eth7", local=ip("192.0.2.1"), addresses=(ip("192.0.2.1"),)) == []
    assert world.service.counters.dropped["no subnet"] == 1


@pytest.mark.parametrize(
    ("asked", "given"),
    [(None, 3600), (10, 60), (600, 600), (999_999, 86_400), (0xFFFFFFFF, 86_400)],
)
def test_O07_the_requested_lease_time_is_honoured_between_the_bounds(
    world: DhcpWorld, asked: int | None, given: int
) -> None:
    options = {} if asked is None else {51: asked.to_bytes(4)}
    assert world.answer(request(DISCOVER, options=options)).packet.options[51] == given.to_bytes(4)


def test_O07_an_infinite_lease_never_ends_and_has_no_T1_and_T2(world: DhcpWorld) -> None:
    world.configure(lease_s=0xFFFFFFFF)
    ack = world.dora()
    assert ack.packet.options[51] == b"\xff\xff\xff\xff"
    assert not {58, 59} & set(ack.packet.options)
    world.pass_time(366 * 86400)
    assert offered(world, OTHER_MAC) == ip("10.88.0.101")
    assert world.store.rows[ip("10.88.0.100")].expires_at == float("inf")


def test_O08_T1_is_a_half_and_T2_seven_eighths_of_the_lease(world: DhcpWorld) -> None:
    options = world.dora().packet.options
    assert [int.from_bytes(options[code]) for code in (51, 58, 59)] == [3600, 1800, 3150]


@pytest.mark.parametrize(("secs", "flags"), [(65535, 0), (0, 0x8000)])
def test_O09_secs_and_the_broadcast_flag_do_not_change_the_address(world: DhcpWorld, secs: int, flags: int) -> None:
    assert world.answer(request(DISCOVER, secs=secs, flags=flags)).packet.yiaddr == ip("10.88.0.100")


def test_O10_a_server_without_authority_still_offers(world: DhcpWorld) -> None:
    world.configure(authoritative=False)
    assert offered(world) == ip("10.88.0.100")


def test_O11_rapid_commit_is_ignored_where_it_is_not_allowed(world: DhcpWorld) -> None:
    sent = world.answer(request(DISCOVER, options={80: b""}))
    assert sent.kind == OFFER
    assert 80 not in sent.packet.options


def test_O11_where_it_is_allowed_the_discover_is_acknowledged_once_the_lease_is_durable(world: DhcpWorld) -> None:
    world.configure(rapid_commit=True)
    world.store.hold = True
    assert world.ask(request(DISCOVER, options={80: b"", 51: (600).to_bytes(4)})) == []
    world.store.flush()
    (sent,) = world.sent
    assert (sent.kind, sent.packet.options[80]) == (ACK, b"")
    assert sent.packet.options[51] == (600).to_bytes(4)
    assert world.store.rows[sent.packet.yiaddr].state == "bound"
    world.store.hold = False
    renewed = world.answer(request(REQUEST, ciaddr=sent.packet.yiaddr), unicast=True, source=sent.packet.yiaddr)
    assert renewed.kind == ACK
    assert 80 not in renewed.packet.options


def test_O11_a_client_that_does_not_ask_for_it_gets_an_offer(world: DhcpWorld) -> None:
    world.configure(rapid_commit=True)
    kinds = [
        world.answer(request(DISCOVER, xid=xid, options=options)).kind for xid, options in ((1, {}), (2, {80: b""}))
    ]
    assert kinds == [OFFER, ACK]
    ack = world.dora(OTHER_MAC)
    assert 80 not in ack.packet.options


def test_O11_only_a_discover_is_acknowledged_with_option_80(world: DhcpWorld) -> None:
    world.configure(rapid_commit=True)
    ack = world.answer(request(DISCOVER, options={80: b""}))
    address = ack.packet.yiaddr
    renewed = world.answer(request(REQUEST, ciaddr=address, options={80: b""}), unicast=True, source=address)
    assert (renewed.kind, 80 in renewed.packet.options) == (ACK, False)


def test_O11_O03_the_probe_comes_before_the_acknowledgement(world: DhcpWorld) -> None:
    world.configure(rapid_commit=True, probe="icmp")
    assert world.ask(request(DISCOVER, options={80: b""})) == []
    world.probe.answer(ip("10.88.0.100"), "")
    assert [sent.kind for sent in world.sent] == [ACK]


def test_O12_option_108_is_sent_only_where_it_is_configured_and_asked_for(world: DhcpWorld) -> None:
    asking = request(DISCOVER, options={55: bytes([1, 3, 108])})
    assert 108 not in world.answer(asking).packet.options
    world.configure(options={"v6-only-preferred": 1800})
    assert world.answer(asking).packet.options[108] == (1800).to_bytes(4)


def test_known_only_a_stranger_gets_nothing_and_a_system_is_served(world: DhcpWorld) -> None:
    world.configure(unknown="ignore")
    assert offered(world) == 0
    assert world.service.counters.dropped["unknown machine"] == 1
    world.know(a_system())
    assert offered(world) == ip("10.88.0.100")


def test_row_72_a_profile_has_its_own_lease_time(world: DhcpWorld) -> None:
    world.systems.profiles["web"] = a_profile(lease_s=300)
    world.know(a_system(profile="web"))
    assert world.dora().packet.options[51] == (300).to_bytes(4)


def test_row_68_a_lease_that_ended_is_given_to_another(world: DhcpWorld) -> None:
    world.configure(pool=subnet(first=100, last=100).pool)
    world.dora()
    assert offered(world, OTHER_MAC) == 0
    world.pass_time(3600)
    assert offered(world, OTHER_MAC) == ip("10.88.0.100")


def test_a_declined_address_comes_back_after_its_time(world: DhcpWorld) -> None:
    world.configure(pool=subnet(first=100, last=100).pool)
    world.dora()
    world.ask(request(DECLINE, wanted=ip("10.88.0.100"), server=SERVER))
    assert offered(world) == 0
    world.pass_time(601)
    assert offered(world) == ip("10.88.0.100")


def test_the_server_and_the_routers_own_addresses_are_never_given(world: DhcpWorld) -> None:
    pool = subnet(first=0, last=255).pool
    world.configure(pool=pool)
    given = {offered(world, mac_number(number)) for number in range(300)}
    assert not given & {ip("10.88.0.0"), SERVER, ip("10.88.0.254"), ip("10.88.0.255")}
    assert len(given - {0}) == 252


@pytest.mark.parametrize("wanted", ["10.88.0.0", "10.88.0.1", "10.88.0.254", "10.88.0.255"])
def test_O02_nor_are_they_given_on_request(world: DhcpWorld, wanted: str) -> None:
    world.configure(pool=subnet(first=0, last=255).pool, authoritative=True)
    assert offered(world, wanted=ip(wanted)) not in {0, ip(wanted)}
    assert world.answer(request(REQUEST, mac=OTHER_MAC, wanted=ip(wanted))).kind == NAK


def test_a_wall_clock_that_jumps_ends_no_lease(world: DhcpWorld) -> None:
    world.dora()
    for jump in (10 * 365 * 86400.0, -20 * 365 * 86400.0):
        world.wall += jump
        assert offered(world, OTHER_MAC) == ip("10.88.0.101")


def test_a_restart_with_the_clock_set_back_shortens_no_lease(world: DhcpWorld) -> None:
    world.dora()
    world.wall -= 365 * 86400
    world.restart()
    world.pass_time(3500)
    assert offered(world, OTHER_MAC, wanted=ip("10.88.0.100")) == ip("10.88.0.101")


def test_a_restart_knows_every_binding(world: DhcpWorld) -> None:
    acks = [world.dora(mac_number(number)) for number in range(5)]
    world.restart()
    again = [offered(world, mac_number(number)) for number in range(5)]
    assert again == [ack.packet.yiaddr for ack in acks]
    assert all(ack.kind == ACK for ack in acks)
