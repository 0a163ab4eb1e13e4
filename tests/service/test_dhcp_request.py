"""REQUEST in all four states: rules R01 to R16 (RFC 2131 section 4.3.2)."""

from __future__ import annotations

import pytest

from provd.model.dhcp import Refuse
from tests.fakes.dhcp_world import (
    ACK,
    DISCOVER,
    FOREIGN,
    MAC,
    NAK,
    OTHER_MAC,
    RELAY,
    RELEASE,
    REQUEST,
    SERVER,
    DhcpWorld,
    Sent,
    a_system,
    ip,
    request,
    subnet,
)

ADDRESS = ip("10.88.0.100")
BROADCAST = ip("255.255.255.255")


@pytest.fixture
def world() -> DhcpWorld:
    return DhcpWorld()


def renewal(mac: bytes = MAC, ciaddr: int = ADDRESS, xid: int = 9) -> bytes:
    return request(REQUEST, mac=mac, ciaddr=ciaddr, xid=xid)


def kinds(sent: list[Sent]) -> list[int]:
    return [one.kind for one in sent]


def test_R01_selecting_us_is_acknowledged(world: DhcpWorld) -> None:
    assert world.dora().kind == ACK


def test_R01_selecting_another_server_is_silent_and_frees_our_offer(world: DhcpWorld) -> None:
    world.configure(pool=subnet(first=100, last=100).pool)
    world.answer(request(DISCOVER))
    assert world.ask(request(REQUEST, wanted=ip("10.88.0.7"), server=FOREIGN)) == []
    assert world.answer(request(DISCOVER, mac=OTHER_MAC)).packet.yiaddr == ADDRESS


def test_R01_selecting_another_server_keeps_a_running_lease(world: DhcpWorld) -> None:
    world.dora()
    world.answer(request(DISCOVER))
    world.ask(request(REQUEST, wanted=ip("10.88.0.7"), server=FOREIGN))
    assert world.answer(request(DISCOVER, mac=OTHER_MAC)).packet.yiaddr != ADDRESS


def test_R01_a_request_for_another_interface_of_this_server_is_left_to_it(world: DhcpWorld) -> None:
    world.service.reconfigure(world.subnets, own=(SERVER, FOREIGN))
    world.answer(request(DISCOVER))
    assert world.ask(request(REQUEST, wanted=ADDRESS, server=FOREIGN)) == []
    assert world.answer(request(REQUEST, wanted=ADDRESS, server=SERVER)).kind == ACK


def test_R02_the_ack_has_the_requested_address_and_the_offered_lease_time(world: DhcpWorld) -> None:
    offer = world.answer(request(DISCOVER, options={51: (600).to_bytes(4)}))
    ack = world.answer(request(REQUEST, wanted=offer.packet.yiaddr, server=SERVER))
    assert ack.packet.yiaddr == offer.packet.yiaddr
    assert ack.packet.options[51] == offer.packet.options[51] == (600).to_bytes(4)


def test_R03_selecting_an_address_that_was_never_offered_is_refused(world: DhcpWorld) -> None:
    assert world.answer(request(REQUEST, wanted=ADDRESS, server=SERVER)).kind == NAK


def test_R03_selecting_an_address_whose_offer_is_gone_is_refused(world: DhcpWorld) -> None:
    world.answer(request(DISCOVER))
    world.pass_time(61)
    assert world.answer(request(REQUEST, wanted=ADDRESS, server=SERVER)).kind == NAK


def test_R03_selecting_another_clients_address_is_refused(world: DhcpWorld) -> None:
    world.dora(OTHER_MAC)
    world.answer(request(DISCOVER))
    assert world.answer(request(REQUEST, wanted=ADDRESS, server=SERVER)).kind == NAK


def test_R04_init_reboot_with_the_own_address_is_acknowledged(world: DhcpWorld) -> None:
    world.dora()
    assert world.answer(request(REQUEST, wanted=ADDRESS)).kind == ACK


def test_R04_init_reboot_with_the_own_expired_and_free_address_is_acknowledged(world: DhcpWorld) -> None:
    world.dora()
    world.pass_time(4000)
    assert world.answer(request(REQUEST, wanted=ADDRESS)).kind == ACK


def test_R04_R05_init_reboot_of_a_registered_system_without_a_lease(world: DhcpWorld) -> None:
    world.know(a_system(address="10.88.0.20"))
    assert kinds(world.ask(request(REQUEST, wanted=ip("10.88.0.20"), xid=1))) == [ACK]
    world.restart()
    for number, wanted in enumerate(("10.88.0.101", "10.99.0.5", "10.88.0.1")):
        assert kinds(world.ask(request(REQUEST, wanted=ip(wanted), xid=10 + number))) == [NAK], wanted
    world = DhcpWorld()
    world.know(a_system())
    assert kinds(world.ask(request(REQUEST, wanted=ADDRESS))) == [NAK]


@pytest.mark.parametrize("wanted", ["10.88.0.101", "10.99.0.5"])
def test_R05_init_reboot_with_a_wrong_address_or_a_wrong_network_is_refused(world: DhcpWorld, wanted: str) -> None:
    world.dora()
    assert world.answer(request(REQUEST, wanted=ip(wanted))).kind == NAK


def test_R05_init_reboot_of_a_client_that_moved_to_another_network_is_refused(world: DhcpWorld) -> None:
    world.dora()
    sent = world.answer(request(REQUEST, wanted=ADDRESS, giaddr=RELAY), unicast=True)
    assert sent.kind == NAK


def test_R06_init_reboot_of_an_unknown_client_is_silent(world: DhcpWorld) -> None:
    assert world.ask(request(REQUEST, wanted=ADDRESS)) == []
    assert world.ask(request(REQUEST, wanted=ip("10.99.0.5"))) == []
    assert world.service.counters.dropped["unknown client"] == 2


def test_R06_with_authority_a_foreign_address_is_refused_and_a_free_one_given(world: DhcpWorld) -> None:
    world.configure(authoritative=True)
    assert kinds(world.ask(request(REQUEST, wanted=ip("10.99.0.5")))) == [NAK]
    assert kinds(world.ask(request(REQUEST, wanted=ADDRESS))) == [ACK]


def test_R07_a_request_that_names_no_address_is_refused(world: DhcpWorld) -> None:
    assert world.answer(request(REQUEST)).kind == NAK


def test_R08_renewing_extends_the_lease_and_is_answered_to_ciaddr(world: DhcpWorld) -> None:
    world.dora()
    before = world.store.rows[ADDRESS].expires_at
    world.pass_time(1800)
    sent = world.answer(renewal(), unicast=True, source=ADDRESS)
    assert (sent.kind, sent.destination.address, sent.destination.port) == (ACK, ADDRESS, 68)
    assert world.store.rows[ADDRESS].expires_at == before + 1800


def test_R08_a_unicast_renewal_may_come_in_by_another_interface(world: DhcpWorld) -> None:
    world.dora()
    other = ip("10.77.0.1")
    sent = world.answer(renewal(), unicast=True, source=ADDRESS, interface="eth1", local=SERVER, addresses=(other,))
    assert (sent.kind, sent.packet.yiaddr, sent.packet.options[54]) == (ACK, ADDRESS, SERVER.to_bytes(4))


def test_R08_a_renewal_is_counted_from_the_renewal_in_memory_too(world: DhcpWorld) -> None:
    world.configure(pool=subnet(first=100, last=100).pool)
    world.dora()
    world.pass_time(3000)
    world.answer(renewal(), unicast=True, source=ADDRESS)
    world.pass_time(3000)
    assert world.ask(request(DISCOVER, mac=OTHER_MAC)) == []


def test_R09_rebinding_is_answered_where_the_binding_is_ours(world: DhcpWorld) -> None:
    world.dora()
    assert world.answer(renewal(), unicast=False, source=ADDRESS).kind == ACK


def test_R09_rebinding_of_an_unknown_client_is_silent_but_for_authority(world: DhcpWorld) -> None:
    assert world.ask(renewal(ciaddr=ip("10.99.0.5"))) == []
    world.configure(authoritative=True)
    assert world.answer(renewal(ciaddr=ip("10.99.0.5"))).kind == NAK


def test_R10_an_ack_carries_the_clients_ciaddr_an_offer_and_a_nak_none(world: DhcpWorld) -> None:
    offer = world.answer(request(DISCOVER))
    assert offer.packet.ciaddr == 0
    world.dora()
    assert world.answer(renewal(), unicast=True, source=ADDRESS).packet.ciaddr == ADDRESS
    refused = world.answer(renewal(ciaddr=ip("10.88.0.105")), unicast=True)
    assert (refused.kind, refused.packet.ciaddr) == (NAK, 0)


def test_R11_a_nak_carries_nothing_but_53_54_56_61(world: DhcpWorld) -> None:
    options = {61: b"\x01" + MAC, 60: b"PXEClient", 55: bytes([1, 3, 6, 51, 66, 67])}
    nak = world.answer(request(REQUEST, options=options, wanted=ADDRESS, server=SERVER)).packet
    assert set(nak.options) == {53, 54, 56, 61}
    assert (nak.yiaddr, nak.siaddr, nak.ciaddr, nak.file, nak.sname) == (0, 0, 0, b"", b"")


def test_R12_a_nak_says_why(world: DhcpWorld) -> None:
    nak = world.answer(request(REQUEST, wanted=ADDRESS, server=SERVER))
    assert nak.packet.options[56] == b"the address was not offered"


def test_R13_a_retransmitted_request_gets_the_same_octets_with_one_write(world: DhcpWorld) -> None:
    world.answer(request(DISCOVER))
    again = [world.answer(request(REQUEST, wanted=ADDRESS, server=SERVER, secs=secs)) for secs in (0, 4, 8)]
    assert len({sent.data for sent in again}) == 1
    assert world.store.commits == 1


def test_R13_a_request_repeated_while_its_lease_is_written_gets_one_ack(world: DhcpWorld) -> None:
    world.answer(request(DISCOVER))
    world.store.hold = True
    for _ in range(3):
        assert world.ask(request(REQUEST, wanted=ADDRESS, server=SERVER)) == []
    world.store.flush()
    assert world.store.commits == 1
    assert kinds(world.sent).count(ACK) == 1


def test_R13_a_remembered_ack_is_not_repeated_after_a_release(world: DhcpWorld) -> None:
    ack = world.dora()
    world.ask(request(RELEASE, ciaddr=ack.packet.yiaddr, server=SERVER))
    world.dora(OTHER_MAC, options={50: ack.packet.yiaddr.to_bytes(4)})
    sent = world.answer(request(REQUEST, wanted=ack.packet.yiaddr, server=SERVER))
    assert sent.kind == NAK


def test_R14_an_ack_says_what_the_offer_said(world: DhcpWorld) -> None:
    offer = world.answer(request(DISCOVER))
    ack = world.answer(request(REQUEST, wanted=ADDRESS, server=SERVER))
    same = {code: value for code, value in ack.packet.options.items() if code != 53}
    assert same == {code: value for code, value in offer.packet.options.items() if code != 53}


def test_R15_an_ack_leaves_only_after_its_lease_is_durable(world: DhcpWorld) -> None:
    world.answer(request(DISCOVER))
    world.store.hold = True
    assert world.ask(request(REQUEST, wanted=ADDRESS, server=SERVER)) == []
    assert ADDRESS not in world.store.rows
    world.store.flush()
    assert kinds(world.sent[1:]) == [ACK]
    assert ADDRESS in world.store.rows


def test_R15_no_ack_when_the_lease_cannot_be_stored_and_the_client_may_ask_again(world: DhcpWorld) -> None:
    world.answer(request(DISCOVER))
    world.store.problem = OSError("disk full")
    assert world.ask(request(REQUEST, wanted=ADDRESS, server=SERVER)) == []
    assert world.service.counters.dropped["lease could not be stored"] == 1
    assert world.service.counters.store_fault == "disk full"
    world.store.problem = None
    assert world.answer(request(REQUEST, wanted=ADDRESS, server=SERVER)).kind == ACK
    assert world.service.counters.store_fault == ""


def test_R15_a_renewal_that_cannot_be_stored_leaves_the_lease_as_it_was(world: DhcpWorld) -> None:
    world.dora()
    world.pass_time(1800)
    world.store.problem = OSError("disk full")
    assert world.ask(renewal(), unicast=True) == []
    world.store.problem = None
    world.pass_time(1799)
    assert world.answer(request(DISCOVER, mac=OTHER_MAC, wanted=ADDRESS)).packet.yiaddr != ADDRESS
    world.pass_time(2)
    assert world.answer(request(DISCOVER, mac=b"\x02" * 6, wanted=ADDRESS)).packet.yiaddr == ADDRESS


def test_R16_an_expired_lease_is_taken_up_again_at_renewing_while_it_is_free(world: DhcpWorld) -> None:
    world.dora()
    world.pass_time(4000)
    assert world.answer(renewal(), unicast=True, source=ADDRESS).kind == ACK


def test_R16_an_expired_lease_that_went_to_another_is_not(world: DhcpWorld) -> None:
    world.configure(pool=subnet(first=100, last=100).pool)
    world.dora()
    world.pass_time(4000)
    world.dora(OTHER_MAC)
    assert ACK not in kinds(world.ask(renewal(), unicast=True, source=ADDRESS))


def test_a_client_that_renews_with_options_50_and_54_is_taken_at_its_ciaddr(world: DhcpWorld) -> None:
    world.dora()
    sent = world.answer(request(REQUEST, ciaddr=ADDRESS, wanted=ADDRESS, server=SERVER), unicast=True, source=ADDRESS)
    assert sent.kind == ACK


def test_a_move_to_a_reserved_address_frees_the_old_one_in_the_store_too(world: DhcpWorld) -> None:
    world.dora()
    world.know(a_system(address="10.88.0.20"))
    world.dora(xid=8)
    assert world.store.rows[ADDRESS].state == "released"
    assert world.store.rows[ip("10.88.0.20")].state == "bound"


def test_row_66_after_a_nak_the_next_discover_is_served_at_once(world: DhcpWorld) -> None:
    world.dora(OTHER_MAC)
    assert world.answer(request(REQUEST, wanted=ADDRESS, server=SERVER)).kind == NAK
    assert world.dora().packet.yiaddr == ip("10.88.0.101")


def test_a_refusal_by_the_gate_is_a_nak_to_a_request_and_silence_to_a_discover(world: DhcpWorld) -> None:
    world.hooks.verdict = Refuse("not on this floor")
    assert world.ask(request(DISCOVER)) == []
    nak = world.answer(request(REQUEST, wanted=ADDRESS, server=SERVER))
    assert (nak.kind, nak.packet.options[56]) == (NAK, b"not on this floor")


@pytest.mark.parametrize("record", ["offered", "ended"])
def test_R06_R16_what_was_offered_or_has_ended_refuses_no_lease_of_another_server(
    world: DhcpWorld, record: str
) -> None:
    if record == "offered":
        world.answer(request(DISCOVER))
    else:
        world.dora()
        world.pass_time(4000)
    # A server with the other half of the addresses may have given this one since; only a running lease says otherwise.
    assert world.ask(request(REQUEST, wanted=ip("10.88.0.180"))) == []
    assert world.answer(request(REQUEST, wanted=ip("10.99.0.1"))).kind == NAK
    assert world.answer(request(REQUEST, wanted=ADDRESS)).kind == ACK
    assert world.answer(request(REQUEST, wanted=ip("10.88.0.180"))).kind == NAK


def test_R01_a_refusal_by_the_gate_is_no_word_on_another_servers_offer(world: DhcpWorld) -> None:
    world.hooks.verdict = Refuse("not on this floor")
    assert world.ask(request(REQUEST, wanted=ip("10.88.0.180"), server=FOREIGN)) == []
    assert world.service.counters.dropped["refused by gate"] == 1


def test_R15_R16_an_ended_lease_that_could_not_be_written_anew_is_no_lease_for_ever(world: DhcpWorld) -> None:
    world.dora()
    world.pass_time(4000)
    world.service.expire()
    world.store.problem = OSError("the disk is full")
    assert world.ask(request(REQUEST, wanted=ADDRESS, xid=8)) == []
    world.store.problem = None
    world.pass_time(100)
    world.service.expire()
    assert world.answer(request(DISCOVER, mac=OTHER_MAC, wanted=ADDRESS)).packet.yiaddr == ADDRESS


def test_R06_what_has_ended_on_another_network_refuses_no_lease_of_another_server(world: DhcpWorld) -> None:
    world.dora(giaddr=RELAY)
    world.pass_time(4000)
    world.service.expire()
    assert world.ask(request(REQUEST, wanted=ip("10.88.0.180"), xid=8)) == []
    assert world.ask(request(REQUEST, ciaddr=ip("10.99.0.1"), xid=9)) == []
    # A running lease there says that the client has moved.
    world.dora(giaddr=RELAY, xid=10)
    assert world.answer(request(REQUEST, wanted=ip("10.88.1.100"), xid=11)).kind == NAK
