"""One packet from start to end, against the real relay plugin and a lease store in memory."""

from __future__ import annotations

import pytest

from tests.fakes.dhcp_world import ACK, MAC, OFFER, SERVER, DhcpWorld, ip


@pytest.fixture
def world() -> DhcpWorld:
    return DhcpWorld()


def test_a_plain_client_gets_an_address_by_four_messages(world: DhcpWorld) -> None:
    ack = world.dora()
    assert ack.packet.yiaddr == ip("10.88.0.100")
    assert world.store.rows[ack.packet.yiaddr].mac == MAC
    assert world.director.kinds == ["dhcp.discover", "dhcp.offer", "dhcp.request", "dhcp.ack"]
    assert [sent.kind for sent in world.sent] == [OFFER, ACK]
    assert {sent.local for sent in world.sent} == {SERVER}
    assert world.service.counters.errors == 0
