"""What becomes of an address whose lease could not be stored, and of the bindings a client leaves behind."""

from __future__ import annotations

from ipaddress import IPv4Network

import pytest

from provd.core.dhcp_binding import Who
from provd.core.dhcp_leases import AddressTable
from provd.core.dhcp_states import State
from provd.model.lease import Lease
from provd.model.subnet import Pool, Subnet

NETWORK = IPv4Network("10.0.0.0/24")
FIRST, SECOND = int(NETWORK[10]), int(NETWORK[11])
ONE, OTHER = Who(b"mone", b"one"), Who(b"mother", b"other")


@pytest.fixture
def table() -> AddressTable:
    return AddressTable(Subnet("lab", NETWORK, Pool(NETWORK[10], NETWORK[11])))


def lease(address: int, who: Who) -> Lease:
    return Lease(address, "lab", who.mac)


def test_an_address_of_another_network_is_nobodys(table: AddressTable) -> None:
    assert not table.may_have(ONE, int(NETWORK[255]) + 1)
    assert not table.may_have(ONE, int(NETWORK[0]) - 1)


def test_a_first_lease_that_was_not_stored_is_an_offer_again(table: AddressTable) -> None:
    table.bind(ONE, FIRST, lease(FIRST, ONE), 100.0)
    table.unbind(ONE, FIRST, None, 10.0)
    assert table.held(ONE) is None
    offered = table.offered(ONE)
    assert offered is not None
    assert (offered.address, offered.state, offered.lease) == (FIRST, State.OFFERED, None)
    assert table.expire(10.0 + table.subnet.offer_s) == []
    assert table.at(FIRST) is None


def test_a_renewal_that_was_not_stored_leaves_what_was_before(table: AddressTable) -> None:
    before = lease(FIRST, ONE)
    table.bind(ONE, FIRST, before, 100.0)
    table.bind(ONE, FIRST, lease(FIRST, ONE), 200.0)
    table.unbind(ONE, FIRST, (before, 100.0), 50.0)
    held = table.held(ONE)
    assert held is not None
    assert (held.state, held.lease, held.until) == (State.BOUND, before, 100.0)


def test_a_lease_that_ended_meanwhile_does_not_come_back_to_life(table: AddressTable) -> None:
    before = lease(FIRST, ONE)
    table.bind(ONE, FIRST, before, 100.0)
    table.bind(ONE, FIRST, lease(FIRST, ONE), 200.0)
    table.unbind(ONE, FIRST, (before, 100.0), 150.0)
    binding = table.at(FIRST)
    assert binding is not None
    assert (binding.state, binding.lease) == (State.OFFERED, before)
    assert table.held(ONE) is None


def test_what_happened_meanwhile_is_not_undone(table: AddressTable) -> None:
    table.unbind(ONE, FIRST, None, 1.0)
    assert table.at(FIRST) is None
    table.bind(OTHER, FIRST, lease(FIRST, OTHER), 100.0)
    table.unbind(ONE, FIRST, None, 1.0)
    binding = table.at(FIRST)
    assert binding is not None
    assert (binding.who, binding.state) == (OTHER, State.BOUND)
    table.release(binding, binding.lease)
    table.unbind(OTHER, FIRST, None, 2.0)
    assert binding.state is State.IDLE


def test_what_a_client_left_goes_to_others_and_what_it_had_last_is_its_previous_address(table: AddressTable) -> None:
    table.bind(ONE, FIRST, lease(FIRST, ONE), 100.0)
    table.bind(ONE, SECOND, lease(SECOND, ONE), 100.0)
    assert [(binding.address, binding.state) for binding in table] == [(FIRST, State.IDLE), (SECOND, State.BOUND)]
    assert table.expire(200.0) != []
    assert table.candidate(OTHER) == (FIRST, "oldest-expired")
    assert table.candidate(ONE) == (SECOND, "previous")


def test_an_offer_that_becomes_the_lease_is_one_binding(table: AddressTable) -> None:
    table.offer(ONE, FIRST, 60, 0.0, 60.0)
    table.offer(ONE, FIRST, 60, 1.0, 60.0)
    table.bind(ONE, FIRST, lease(FIRST, ONE), 100.0)
    assert (len(table), table.offered(ONE)) == (1, None)
    table.offer(ONE, SECOND, 60, 2.0, 60.0)
    assert table.offered(ONE) is not None
    table.withdraw(ONE)
    assert [(binding.address, binding.state) for binding in table] == [(FIRST, State.BOUND)]


def test_the_client_id_that_is_seen_first_stays_the_bindings(table: AddressTable) -> None:
    table.offer(ONE, FIRST, 60, 0.0, 60.0)
    for name in (b"\xffa", b"", b"\xffb"):
        table.offer(Who(ONE.key, ONE.mac, name), FIRST, 60, 0.0, 60.0)
    binding = table.at(FIRST)
    assert binding is not None
    assert binding.who.client_id == b"\xffa"
