"""The wall clock jumps: no lease gets shorter than it was granted, none ends early, no address has two clients."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from tests.fakes.dhcp_world import ACK, DISCOVER, MAC, OFFER, OTHER_MAC, REQUEST, SERVER, DhcpWorld, ip, request, subnet

HOUR, YEAR = 3600.0, 365.25 * 86400
JUMPS = [10 * YEAR, -10 * YEAR, HOUR, -HOUR, 0.5, -0.5, 7 * HOUR]
FIRST = ip("10.88.0.100")


def mac(number: int) -> bytes:
    return b"\x02\0\0\0\1" + bytes((number,))


@pytest.fixture
def world() -> DhcpWorld:
    """A pool of ten addresses, six of them leased for an hour."""
    world = DhcpWorld()
    for number in range(6):
        world.dora(mac(number))
    return world


def renews(world: DhcpWorld, number: int) -> bool:
    """The client keeps its address; a lease it has no right to would be refused or unanswered."""
    address = FIRST + number
    sent = world.ask(request(REQUEST, mac=mac(number), ciaddr=address), unicast=True, source=address)
    return [(one.kind, one.packet.yiaddr) for one in sent] == [(ACK, address)]


def taken_by_a_stranger(world: DhcpWorld, *, wanted: int = FIRST) -> set[int]:
    """Addresses that four clients without any lease are offered when they ask for those of the six, or for none."""
    offers = [
        world.answer(request(DISCOVER, mac=b"\x02\0\0\0\2" + bytes((number,)), wanted=wanted and wanted + number))
        for number in range(4)
    ]
    assert {offer.kind for offer in offers} == {OFFER}
    return {offer.packet.yiaddr for offer in offers}


@pytest.mark.parametrize("jump", JUMPS)
def test_a_jump_while_running_ends_no_lease_and_moves_no_end(world: DhcpWorld, jump: float) -> None:
    world.wall += jump
    world.pass_time(HOUR - 1)
    assert world.service.expire() == []
    assert taken_by_a_stranger(world).isdisjoint(range(FIRST, FIRST + 6))
    assert all(renews(world, number) for number in range(3))
    world.pass_time(2)
    assert len(world.service.expire()) == 3


@pytest.mark.parametrize("jump", JUMPS)
@pytest.mark.parametrize("passed", [0.0, 1800.0, HOUR - 1])
def test_a_restart_after_a_jump_gives_every_lease_its_whole_time(world: DhcpWorld, jump: float, passed: float) -> None:
    world.pass_time(passed)
    world.wall += jump
    world.restart()
    assert world.service.expire() == []
    assert taken_by_a_stranger(world).isdisjoint(range(FIRST, FIRST + 6))
    world.pass_time(HOUR - passed - 0.5)
    assert world.service.expire() == []
    world.pass_time(1.0)
    assert len(world.service.expire()) == 6


@pytest.mark.parametrize("jump", [HOUR, -HOUR, -10 * YEAR, 0.0])
def test_after_a_reboot_an_hour_of_the_wall_clock_is_not_believed(world: DhcpWorld, jump: float) -> None:
    world.pass_time(1000)
    world.wall += jump
    world.reboot()
    assert world.service.expire() == []
    assert taken_by_a_stranger(world).isdisjoint(range(FIRST, FIRST + 6))
    world.pass_time(HOUR - 1001)
    assert world.service.expire() == []
    assert all(renews(world, number) for number in range(6))


def test_after_a_reboot_into_another_decade_clients_keep_their_addresses_while_others_are_free(
    world: DhcpWorld,
) -> None:
    world.wall += 10 * YEAR
    world.reboot()
    assert taken_by_a_stranger(world, wanted=0) == set(range(FIRST + 6, FIRST + 10))
    assert all(renews(world, number) for number in range(6))


def test_a_lease_that_ended_while_the_machine_was_off_is_given_to_others_an_hour_later() -> None:
    world = DhcpWorld(subnets=(subnet(first=100, last=100),))
    world.dora(MAC)
    world.wall += 3 * HOUR
    world.reboot()
    assert world.answer(request(DISCOVER, mac=OTHER_MAC)).packet.yiaddr == FIRST


def test_a_quarantine_outlives_a_restart_after_a_jump(world: DhcpWorld) -> None:
    world.ask(request(4, mac=mac(0), wanted=FIRST, server=SERVER))
    world.wall += YEAR
    world.restart()
    assert FIRST not in taken_by_a_stranger(world)
    world.pass_time(601)
    assert world.answer(request(DISCOVER, mac=OTHER_MAC, wanted=FIRST)).packet.yiaddr == FIRST


def test_leases_of_an_older_version_have_no_stamp_and_are_believed_by_the_wall_clock(world: DhcpWorld) -> None:
    world.store.rows = {address: replace(row, boot="", boot_s=0.0) for address, row in world.store.rows.items()}
    world.pass_time(1800)
    world.restart()
    world.pass_time(1799)
    assert world.service.expire() == []


def test_a_monotonic_clock_that_is_behind_its_own_past_is_not_believed(world: DhcpWorld) -> None:
    world.mono -= 900
    world.restart()
    world.pass_time(HOUR - 1)
    assert world.service.expire() == []
    world.pass_time(HOUR + 2)
    assert len(world.service.expire()) == 6
