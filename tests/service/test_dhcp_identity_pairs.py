"""Every pair of the identities that one machine shows in one boot: one address or two."""

from __future__ import annotations

import itertools

import pytest

from tests.fakes.dhcp_world import MAC, DhcpWorld, a_system, ip

IDENTITIES = {
    "none": {},
    "01+MAC": {61: b"\1" + MAC},
    "second id": {61: b"\0vendor-7"},
    "IAID+DUID": {61: b"\xff\0\0\0\1\0\1\0\1\x2a\x2b\x2c\x2d" + MAC},
}
"""Firmware and loaders send the first two, some installers the third, RFC 4361 clients the last."""

PAIRS = list(itertools.product(IDENTITIES, repeat=2))
OWN = {"second id", "IAID+DUID"}


def addresses(world: DhcpWorld, first: str, second: str) -> list[int]:
    return [
        world.dora(MAC, options=IDENTITIES[one], xid=xid).packet.yiaddr for xid, one in enumerate((first, second), 1)
    ]


@pytest.mark.parametrize(("first", "second"), PAIRS)
def test_I01_auto_an_unknown_machine_is_two_only_with_two_client_ids_of_its_own(first: str, second: str) -> None:
    one, two = addresses(DhcpWorld(), first, second)
    assert (one != two) == (first != second and {first, second} == OWN)


@pytest.mark.parametrize(("first", "second"), PAIRS)
@pytest.mark.parametrize("address", ["", "10.88.0.77"])
def test_I01_I04_auto_a_known_system_is_one_whatever_it_shows(first: str, second: str, address: str) -> None:
    world = DhcpWorld()
    world.know(a_system(address=address))
    one, two = addresses(world, first, second)
    assert one == two == (ip(address) if address else one)


@pytest.mark.parametrize(("first", "second"), PAIRS)
def test_I01_strict_each_client_id_is_a_client_and_none_is_the_hardware_address(first: str, second: str) -> None:
    one, two = addresses(DhcpWorld(identity="client-id"), first, second)
    assert (one != two) == (first != second)


@pytest.mark.parametrize(("first", "second"), PAIRS)
def test_I01_a_restart_between_the_two_changes_nothing(first: str, second: str) -> None:
    for identity in ("auto", "client-id"):
        running, restarted = DhcpWorld(identity=identity), DhcpWorld(identity=identity)
        wanted = addresses(running, first, second)
        begun = restarted.dora(MAC, options=IDENTITIES[first], xid=1).packet.yiaddr
        restarted.restart()
        assert [begun, restarted.dora(MAC, options=IDENTITIES[second], xid=2).packet.yiaddr] == wanted
