"""Leases from the store and from tables that a reload took away."""

from __future__ import annotations

import math
from dataclasses import replace
from ipaddress import IPv4Network

import msgspec

from provd.core.dhcp_binding import Who
from provd.core.dhcp_identity import SECOND_IDENTITY
from provd.core.dhcp_leases import AddressTable
from provd.core.dhcp_restore import adopt, remaining_s, restore
from provd.core.dhcp_states import State
from provd.model.lease import Lease
from provd.model.subnet import Pool, Subnet

NETWORK = IPv4Network("10.0.0.0/24")
SUBNET = Subnet("lab", NETWORK, Pool(NETWORK[10], NETWORK[19]))
BASE = int(NETWORK[0])
BOOT = "run"


def client(number: int) -> Who:
    mac = b"\x02\0\0\0\0" + bytes((number,))
    return Who(b"m" + mac, mac)


def lease(address: int, who: Who, *, state: str = "bound", until: float = 2000.0, client_id: bytes = b"") -> Lease:
    return Lease(address, "lab", who.mac, client_id, state, starts_at=1000.0, expires_at=until)


def bound(table: AddressTable, number: int, at: int, until: float = 100.0) -> None:
    table.bind(client(number), BASE + at, lease(BASE + at, client(number)), until)


def granted(row: Lease) -> Lease:
    """At monotonic second 0 of this run of the machine."""
    return msgspec.structs.replace(row, boot=BOOT, boot_s=0.0)


def test_restore_keeps_what_runs_and_remembers_what_ended() -> None:
    table = AddressTable(SUBNET)
    restore(table, granted(lease(BASE + 10, client(1))), now=500.0, wall=1500.0, boot=BOOT)
    restore(table, granted(lease(BASE + 11, client(2), until=1400.0)), now=500.0, wall=1500.0, boot=BOOT)
    restore(table, granted(lease(BASE + 12, client(3), state="released")), now=500.0, wall=1500.0, boot=BOOT)
    restore(table, granted(lease(BASE + 13, client(4), state="declined")), now=500.0, wall=1500.0, boot=BOOT)
    restore(
        table, granted(lease(BASE + 14, client(5), state="declined", until=1400.0)), now=500.0, wall=1500.0, boot=BOOT
    )
    states = {binding.address - BASE: binding.state for binding in table}
    assert states == {10: State.BOUND, 11: State.IDLE, 12: State.IDLE, 13: State.DECLINED}
    running = table.at(BASE + 10)
    assert running is not None
    assert running.until == 1000.0
    assert table.declined == 1


def test_without_a_stamp_an_hour_of_the_wall_clock_is_not_believed() -> None:
    assert remaining_s(lease(BASE, client(1)), now=0.0, wall=1500.0, boot=BOOT) == 1000.0
    assert remaining_s(lease(BASE, client(1)), now=0.0, wall=2000.0 + 3600.0, boot=BOOT) == 0.0
    assert remaining_s(lease(BASE, client(1), until=math.inf), now=0.0, wall=9e9, boot=BOOT) == math.inf
    assert remaining_s(granted(lease(BASE, client(1), until=math.inf)), now=9e9, wall=0.0, boot=BOOT) == math.inf


def test_restore_with_a_clock_that_went_back_gives_the_granted_time_and_no_more() -> None:
    table = AddressTable(SUBNET)
    restore(table, lease(BASE + 10, client(1)), now=0.0, wall=-1e9)
    running = table.at(BASE + 10)
    assert running is not None
    assert running.until == 1000.0


def test_restore_tells_a_second_identity_apart_by_its_mark() -> None:
    table = AddressTable(SUBNET)
    second = msgspec.structs.replace(
        lease(BASE + 10, client(1), client_id=b"\xfftwo"), context={SECOND_IDENTITY: "yes"}
    )
    restore(table, second, now=0.0, wall=1500.0)
    restore(table, lease(BASE + 11, client(1), client_id=b"\xffone"), now=0.0, wall=1500.0)
    for client_id, address in ((b"\xfftwo", 10), (b"\xffone", 11), (b"", 11)):
        held = table.held(table.who(1, client(1).mac, client_id, known=False))
        assert held is not None
        assert held.address == BASE + address


def test_restore_loses_neither_of_two_running_leases_of_one_client() -> None:
    table = AddressTable(SUBNET)
    restore(table, lease(BASE + 10, client(1)), now=0.0, wall=1500.0)
    restore(table, lease(BASE + 11, client(1)), now=0.0, wall=1500.0)
    assert {binding.address - BASE for binding in table if binding.state is State.BOUND} == {10, 11}


def test_adopt_moves_leases_with_their_ends() -> None:
    old = AddressTable(SUBNET)
    bound(old, 1, 10, until=50.0)
    bound(old, 2, 200, until=50.0)
    new = AddressTable(replace(SUBNET, name="new", network=IPv4Network("10.0.0.0/25")))
    adopt(new, old)
    assert [binding.address - BASE for binding in new] == [10]
    assert [binding.address - BASE for binding in old] == [200]
    assert [binding.address - BASE for binding in old.expire(50.0)] == [200]
    adopted = new.at(BASE + 10)
    assert adopted is not None
    assert adopted.state is State.BOUND
    assert [binding.address - BASE for binding in new.expire(50.0)] == [10]
