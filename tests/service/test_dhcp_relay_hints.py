"""What a relay tells beside its address: rules A13 (RFC 5010) and L12 (RFC 8357)."""

from __future__ import annotations

import pytest

from tests.fakes.dhcp_world import ACK, DISCOVER, RELAY, REQUEST, DhcpWorld, request

FAR = 4011


@pytest.fixture
def world() -> DhcpWorld:
    return DhcpWorld()


@pytest.mark.parametrize(("flags", "state"), [("80", "renewing"), ("00", "rebinding"), ("", "rebinding")])
def test_A13_the_relays_flags_say_whether_the_client_renews_or_rebinds(
    world: DhcpWorld, flags: str, state: str
) -> None:
    address = world.dora(giaddr=RELAY).packet.yiaddr
    value = bytes.fromhex("0a01" + flags if flags else "0a00")
    ack = world.answer(request(REQUEST, giaddr=RELAY, ciaddr=address, xid=9, options={82: value}), unicast=True)
    assert ack.kind == ACK
    assert world.director.heard[-1].fields["state"] == state


@pytest.mark.parametrize(("information", "port"), [("1300", FAR), ("0101aa1300", FAR), ("0101aa", 67)])
def test_L12_a_relay_with_a_port_of_its_own_is_answered_there(world: DhcpWorld, information: str, port: int) -> None:
    asking = request(DISCOVER, giaddr=RELAY, options={82: bytes.fromhex(information)})
    offer = world.answer(asking, unicast=True, source_port=FAR)
    assert (offer.destination.address, offer.destination.port) == (RELAY, port)
