"""Other DHCP servers: what is asked, what answers say, and who is a surprise (row 39)."""

from __future__ import annotations

from dataclasses import replace
from ipaddress import IPv4Network

import pytest
from hypothesis import given
from hypothesis import strategies as st

from provd.core.client_facts import client_facts
from provd.core.rogue import (
    ADDRESSES,
    ALLOWED,
    BOOT,
    EXPECTED,
    HEARD,
    MOST,
    ROGUE,
    KnownServers,
    Peers,
    Sighting,
    questions,
    read_answer,
)
from provd.wire.dhcp import decode, decode_request, encode, reply_to

MAC, THEIRS = bytes.fromhex("525400880001"), bytes.fromhex("525400880099")
XID = 0x12345678
OTHER, OWN = 0x0A5800FE, 0x0A580001
SEEN = Sighting("eth0", OTHER, THEIRS, 0x0A580032)


def answer(kind: int = 2, yiaddr: int = 0x0A580032, server: int = OTHER, xid: int = XID, mac: bytes = MAC) -> bytes:
    asked = decode_request(questions(mac, xid)[0])
    options = {53: bytes((kind,)), 54: server.to_bytes(4)}
    reply = reply_to(asked, options, yiaddr=yiaddr, siaddr=0, ciaddr=0, sname=b"", file=b"", flags=0)
    return encode(reply).data


def test_row_39_the_question_is_a_discover_that_names_no_address_and_no_server() -> None:
    for data in questions(MAC, XID):
        packet = decode_request(data)
        assert (packet.message_type, packet.mac, packet.xid) == (1, MAC, XID)
        assert packet.broadcast
        assert not {50, 51, 54, 61} & packet.options.keys()


def test_row_39_one_question_is_a_pxe_clients_because_a_proxy_answers_no_other() -> None:
    plain, boots = (client_facts(decode_request(data)) for data in questions(MAC, XID))
    assert (plain.is_pxe, boots.is_pxe) == (False, True)
    # Another provd begins no boot for it.
    assert (plain.is_netboot, boots.is_netboot) == (False, False)


def test_row_39_an_offer_tells_server_and_hardware_address() -> None:
    assert read_answer(answer(), XID, MAC, "eth0", THEIRS) == replace(SEEN, how=ADDRESSES)
    assert read_answer(answer(yiaddr=0), XID, MAC, "eth0", THEIRS) == replace(SEEN, offers=0, how=BOOT)


@pytest.mark.parametrize(
    "data",
    [
        answer(xid=1),
        answer(mac=THEIRS),
        answer(kind=6),
        answer(server=0),
        questions(MAC, XID)[0],
        answer()[:200],
        b"",
    ],
    ids=["xid", "mac", "nak", "no server", "a request", "cut", "nothing"],
)
def test_row_39_nothing_else_is_an_answer(data: bytes) -> None:
    assert read_answer(data, XID, MAC, "eth0", THEIRS) is None


@given(st.binary(max_size=600))
def test_row_39_no_octets_are_a_fault(data: bytes) -> None:
    read_answer(data, XID, MAC, "eth0", THEIRS)
    read_answer(answer()[:240] + data, XID, MAC, "eth0", THEIRS)
    assert decode(answer()).message_type == 2


def test_row_39_a_server_is_news_once_and_again_after_it_was_gone() -> None:
    known = KnownServers(keep_s=100.0)
    first = known.saw(SEEN, 0.0)
    assert first is not None
    assert first.verdict == ROGUE
    assert known.saw(SEEN, 90.0) is None
    assert known.saw(SEEN, 180.0) is None
    assert (known.rogues, known.rows()[0].first_at, known.rows()[0].last_at) == (1, 0.0, 180.0)
    assert known.saw(SEEN, 281.0) is not None


def test_row_39_our_own_addresses_are_nobody_else() -> None:
    known = KnownServers(Peers(own={OWN}))
    assert known.saw(replace(SEEN, server=OWN), 0.0) is None
    assert known.rows() == []


@pytest.mark.parametrize(
    ("peers", "verdict"),
    [
        (Peers(), ROGUE),
        (Peers(allowed={OTHER}), ALLOWED),
        (Peers(allowed_macs={THEIRS}), ALLOWED),
        (Peers(allowed={OWN}, allowed_macs={MAC}), ROGUE),
        (Peers(proxied=[IPv4Network("10.88.0.0/24")]), EXPECTED),
        (Peers(proxied=[IPv4Network("10.89.0.0/24")]), ROGUE),
        # Where the right one is named, no other is.
        (Peers(proxied=[IPv4Network("10.88.0.0/24")], allowed={0x0A5800FD}), ROGUE),
    ],
)
def test_row_39_who_is_a_surprise(peers: Peers, verdict: str) -> None:
    assert peers.verdict(SEEN) == verdict


def test_row_39_another_proxy_is_a_surprise_also_where_addresses_are_anothers() -> None:
    peers = Peers(proxied=[IPv4Network("10.88.0.0/24")])
    assert peers.verdict(replace(SEEN, how=BOOT)) == ROGUE


def test_row_39_what_a_client_named_is_completed_by_the_servers_answer() -> None:
    known = KnownServers(Peers(allowed_macs={THEIRS}))
    named = known.saw(Sighting("eth0", OTHER, how=HEARD), 0.0)
    assert named is not None
    assert named.verdict == ROGUE
    assert known.saw(SEEN, 1.0) is None
    (seen,) = known.rows()
    assert (seen.sighting.mac, seen.verdict, known.rogues) == (THEIRS, ALLOWED, 0)
    # A later word of a client takes nothing away.
    known.saw(Sighting("eth0", OTHER, how=HEARD), 2.0)
    assert known.rows()[0].sighting.mac == THEIRS


def test_row_39_settings_change_verdicts() -> None:
    known = KnownServers()
    known.saw(SEEN, 0.0)
    known.judge(Peers(allowed={OTHER}))
    assert known.rogues == 0
    known.judge(Peers(own={OTHER}))
    assert known.rows() == []


def test_row_39_clients_cannot_make_up_any_number_of_servers() -> None:
    known = KnownServers()
    for number in range(1, MOST + 100):
        known.saw(Sighting("eth0", number, how=HEARD), 0.0)
    assert len(known.rows()) == MOST


def test_row_39_surprises_stand_first() -> None:
    known = KnownServers(Peers(allowed={1}))
    known.saw(replace(SEEN, server=1), 0.0)
    known.saw(replace(SEEN, server=2), 0.0)
    known.saw(replace(SEEN, server=3, interface="eth1"), 0.0)
    assert [seen.sighting.server for seen in known.rows()] == [2, 3, 1]
    assert [seen.sighting.server for seen in known.rows(["eth1"])] == [3]
