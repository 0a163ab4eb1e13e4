"""Conflict probes before a first offer: rule O03, rows 53 to 55 (RFC 2131 sections 2.2 and 3.1, step 2)."""

from __future__ import annotations

from dataclasses import replace

import pytest

from provd.service.binding_table import abandoned_table
from tests.fakes.dhcp_world import (
    ACK,
    DECLINE,
    DISCOVER,
    FOREIGN,
    MAC,
    OFFER,
    OTHER_MAC,
    RELAY,
    RELEASE,
    REQUEST,
    SERVER,
    DhcpWorld,
    a_system,
    ip,
    relayed_subnet,
    request,
    subnet,
)

FIRST, SECOND = ip("10.88.0.100"), ip("10.88.0.101")
HOST = "10.88.0.100 answered ARP from 52:54:00:00:00:77"


@pytest.fixture
def world() -> DhcpWorld:
    world = DhcpWorld((subnet(), replace(relayed_subnet(), probe="both")))
    world.configure(probe="both")
    return world


def abandoned(world: DhcpWorld) -> list[dict[str, object]]:
    return abandoned_table(world.store.rows.values(), "", world.wall)


def test_O03_nothing_is_offered_before_the_probe_is_over(world: DhcpWorld) -> None:
    assert world.ask(request(DISCOVER)) == []
    (question,) = world.probe.asked
    assert (question.address, question.interface, question.timeout_s) == (FIRST, "eth0", 0.5)
    assert question.ways == {"icmp", "arp"}
    world.probe.answer(FIRST, "")
    assert [(sent.kind, sent.packet.yiaddr) for sent in world.sent] == [(OFFER, FIRST)]


def test_O03_a_repeated_discover_starts_no_second_probe_and_the_newest_is_answered(world: DhcpWorld) -> None:
    world.ask(request(DISCOVER, xid=1))
    world.ask(request(DISCOVER, xid=2))
    world.probe.answer(FIRST, "")
    assert len(world.probe.asked) == 1
    assert [sent.packet.xid for sent in world.sent] == [2]
    assert world.answer(request(DISCOVER, xid=3)).packet.yiaddr == FIRST


def test_O03_the_clients_own_address_is_never_probed(world: DhcpWorld) -> None:
    world.ask(request(DISCOVER))
    world.probe.answer(FIRST, "")
    world.answer(request(REQUEST, wanted=FIRST, server=SERVER))
    assert world.answer(request(DISCOVER, xid=2)).packet.yiaddr == FIRST
    world.ask(request(RELEASE, ciaddr=FIRST, server=SERVER))
    assert world.answer(request(DISCOVER, xid=3)).packet.yiaddr == FIRST
    assert len(world.probe.asked) == 1


def test_O03_a_reservation_is_not_probed(world: DhcpWorld) -> None:
    world.know(a_system(address="10.88.0.20"))
    assert world.answer(request(DISCOVER)).packet.yiaddr == ip("10.88.0.20")
    assert world.probe.asked == []


def test_O03_off_asks_nothing(world: DhcpWorld) -> None:
    world.configure(probe="off")
    assert world.answer(request(DISCOVER)).packet.yiaddr == FIRST
    assert world.probe.asked == []


@pytest.mark.parametrize(("probe", "ways"), [("icmp", {"icmp"}), ("arp", {"arp"}), ("both", {"icmp", "arp"})])
def test_O03_each_subnet_says_how(world: DhcpWorld, probe: str, ways: set[str]) -> None:
    world.configure(probe=probe, probe_ms=200)
    world.ask(request(DISCOVER))
    assert (world.probe.asked[0].ways, world.probe.asked[0].timeout_s) == (frozenset(ways), 0.2)


def test_O03_a_relayed_client_is_on_no_local_link(world: DhcpWorld) -> None:
    world.ask(request(DISCOVER, giaddr=RELAY), unicast=True)
    assert (world.probe.asked[0].ways, world.probe.asked[0].interface) == (frozenset({"icmp"}), "")


def test_row_53_an_address_that_answers_is_not_offered_and_other_clients_do_not_wait(world: DhcpWorld) -> None:
    world.ask(request(DISCOVER))
    world.know(a_system(mac=OTHER_MAC, address="10.88.0.20"))
    assert world.answer(request(DISCOVER, mac=OTHER_MAC)).packet.yiaddr == ip("10.88.0.20")
    world.probe.answer(FIRST, HOST)
    world.probe.answer(SECOND, "")
    assert [sent.packet.yiaddr for sent in world.sent] == [ip("10.88.0.20"), SECOND]
    assert world.service.counters.conflicts == 1


def test_row_53_two_clients_are_not_asked_about_one_address(world: DhcpWorld) -> None:
    world.ask(request(DISCOVER))
    world.ask(request(DISCOVER, mac=OTHER_MAC))
    assert [question.address for question in world.probe.asked] == [FIRST, SECOND]
    world.probe.answer(SECOND, "")
    assert world.sent[0].packet.mac == OTHER_MAC


def test_row_54_it_is_listed_as_abandoned_with_reason_and_retry_time(world: DhcpWorld) -> None:
    world.ask(request(DISCOVER))
    world.probe.answer(FIRST, HOST)
    (row,) = abandoned(world)
    assert (row["address"], row["subnet"], row["reason"]) == ("10.88.0.100", "lab", HOST)
    assert row["retry_at"] == world.wall + 600
    world.restart()
    world.ask(request(DISCOVER, mac=OTHER_MAC))
    assert world.probe.asked[-1].address == SECOND
    world.pass_time(601)
    assert abandoned(world) == []


def test_row_54_the_address_is_tried_again_after_its_time(world: DhcpWorld) -> None:
    world.configure(pool=subnet(first=100, last=100).pool)
    world.ask(request(DISCOVER))
    world.probe.answer(FIRST, HOST)
    assert world.service.counters.dropped["pool exhausted"] == 1
    world.pass_time(601)
    world.ask(request(DISCOVER))
    world.probe.answer(FIRST, "")
    assert world.sent[-1].packet.yiaddr == FIRST


def test_row_55_a_decline_quarantines_with_its_reason_and_the_next_discover_gets_another(world: DhcpWorld) -> None:
    world.configure(probe="off")
    world.dora()
    world.ask(request(DECLINE, wanted=FIRST, server=SERVER))
    assert abandoned(world)[0]["reason"] == f"declined by {MAC.hex(':')}"
    assert world.answer(request(DISCOVER, xid=9)).packet.yiaddr == SECOND


def test_a_network_that_answers_for_every_address_does_not_empty_the_pool(world: DhcpWorld) -> None:
    for _ in range(4):
        world.ask(request(DISCOVER))
        for question in list(world.probe.asked):
            if question.address in world.probe.waiting:
                world.probe.answer(question.address, "a proxy answered ARP")
    assert world.sent == []
    assert len(abandoned(world)) == 2
    assert world.service.counters.dropped["too much of the pool is in quarantine"] >= 1


def test_an_answer_that_comes_after_the_offer_was_taken_back_is_ignored(world: DhcpWorld) -> None:
    world.ask(request(DISCOVER))
    world.pass_time(61)
    world.service.expire()
    world.probe.answer(FIRST, HOST)
    assert world.sent == []
    assert abandoned(world) == []


def test_the_lease_after_a_probe_is_as_any_other(world: DhcpWorld) -> None:
    world.ask(request(DISCOVER))
    world.probe.answer(FIRST, "")
    assert world.answer(request(REQUEST, wanted=FIRST, server=SERVER)).kind == ACK
    assert world.store.rows[FIRST].state == "bound"


def test_O03_an_address_is_asked_for_once_though_its_first_client_took_another_server(world: DhcpWorld) -> None:
    world.ask(request(DISCOVER))
    assert world.ask(request(REQUEST, wanted=ip("10.88.0.180"), server=FOREIGN)) == []
    assert world.ask(request(DISCOVER, mac=OTHER_MAC, xid=8)) == []
    assert [question.address for question in world.probe.asked] == [FIRST]
    world.probe.answer(FIRST, "")
    assert [(sent.packet.xid, sent.packet.yiaddr) for sent in world.sent] == [(8, FIRST)]
    assert world.service.counters.errors == 0


@pytest.mark.parametrize("who", ["", HOST])
def test_O03_what_is_asked_for_a_subnet_that_was_renamed_meanwhile_gives_nothing(world: DhcpWorld, who: str) -> None:
    world.configure(rapid_commit=True)
    assert world.ask(request(DISCOVER, options={80: b""})) == []
    world.configure(name="renamed")
    world.probe.answer(FIRST, who)
    assert world.sent == []
    assert world.store.rows == {}
    world.ask(request(DISCOVER, mac=OTHER_MAC, xid=8, options={80: b""}))
    world.probe.answer(FIRST, "")
    assert [(sent.kind, sent.packet.yiaddr, sent.packet.xid) for sent in world.sent] == [(ACK, FIRST, 8)]
    assert world.answer(request(REQUEST, mac=OTHER_MAC, ciaddr=FIRST, xid=9)).kind == ACK


def test_O05_an_address_that_is_reserved_while_it_is_asked_for_is_not_given(world: DhcpWorld) -> None:
    world.configure(rapid_commit=True)
    world.ask(request(DISCOVER, options={80: b""}))
    world.know(a_system(mac=OTHER_MAC, address="10.88.0.100"))
    world.probe.answer(FIRST, "")
    assert world.sent == []
    assert world.ask(request(DISCOVER, xid=8)) == []
    world.probe.answer(SECOND, "")
    assert [(sent.kind, sent.packet.yiaddr) for sent in world.sent] == [(OFFER, SECOND)]
